"""Evaluates one checkpoint on one data set with LAVIS and `albef evaluate`, and compares scores.

    python Benchmarks/evaluation.py MODEL ANNOTATIONS [--depth 16] [--limit 0]

MODEL is a directory that `albef pretrain` wrote; ANNOTATIONS is a JSON list of {"image",
"caption"}. `Benchmarks/bench prepare` installs LAVIS. The script writes the model once in LAVIS's format.
LAVIS's own `compute_sim_matrix`, unmodified, and `albef import` with `albef evaluate` both read
that file.

The script compares recall in both directions, and for every caption the cosine and the score of
each image that albef's dump lists.
"""

import argparse
import json
import pathlib
import subprocess
import tempfile

import lavis_albef  # noqa: F401  imports LAVIS without its other models
import numpy
import torch
from lavis.models.albef_models import AlbefBase, compute_sim_matrix
from lavis.models.albef_models.albef_retrieval import AlbefRetrieval
from lavis.models.med import XBertEncoder
from lavis.processors.blip_processors import BlipCaptionProcessor
from lavis_albef import encoders
from PIL import Image
from safetensors.torch import load_file
from transformers import BertTokenizer


def reference_model(folder):
    """LAVIS's retrieval model with the weights of a model directory."""
    configuration = json.loads((folder / "config.json").read_text())
    image_encoder, bert = encoders(configuration)
    AlbefBase.init_tokenizer = classmethod(lambda cls: None)
    model = AlbefRetrieval(
        image_encoder, XBertEncoder(bert, add_pooling_layer=False), queue_size=8,
        embed_dim=configuration["embedding_width"])
    weights = {
        name.replace("text_encoder.bert.", "text_encoder."): tensor
        for name, tensor in load_file(folder / "model.safetensors").items()
    }
    # The original adds the embedding of token type 0 to every word; LAVIS has no types.
    types = weights.pop("text_encoder.embeddings.token_type_embeddings.weight", None)
    if types is not None:
        weights["text_encoder.embeddings.word_embeddings.weight"] += types[0]
    missing, _ = model.load_state_dict(weights, strict=False)
    absent = [n for n in missing if "_m." not in n and "queue" not in n and "position_ids" not in n]
    assert not absent, f"{folder}: lacks {absent}"
    model.copy_params()
    model.tokenizer = BertTokenizer(folder / "vocab.txt", do_lower_case=True)
    return model.eval(), configuration["vision"]


class Gallery:
    """Captioned images for LAVIS's evaluation, both data set and loader."""

    def __init__(self, annotations, limit, vision):
        rows = json.loads(annotations.read_text())[: limit or None]
        processor = BlipCaptionProcessor()
        self.dataset = self
        self.image = [annotations.parent / row["image"] for row in rows]
        self.text = [processor(caption) for row in rows for caption in row["caption"]]
        self.right = [place for place, row in enumerate(rows) for _ in row["caption"]]
        self.side = vision["image_size"]
        self.mean, self.deviation = (
            torch.tensor(vision[name]).view(3, 1, 1) for name in ("mean", "standard_deviation"))

    def __iter__(self):
        for start in range(0, len(self.image), 64):
            yield {"image": torch.stack([self.pixels(f) for f in self.image[start : start + 64]])}

    def pixels(self, file):
        image = Image.open(file).convert("RGB").resize((self.side, self.side), Image.BICUBIC)
        pixels = torch.from_numpy(numpy.array(image)).permute(2, 0, 1).float() / 255
        return (pixels - self.mean) / self.deviation


def recall(scores, right):
    """The percentage of rows with a right column among the first 1, 5 and 10."""
    places = []
    for row, columns in zip(scores, right):
        order = numpy.argsort(-row, kind="stable")
        places.append(min(numpy.flatnonzero(numpy.isin(order, columns))))
    return [100 * numpy.mean(numpy.array(places) < k) for k in (1, 5, 10)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("annotations", type=pathlib.Path)
    parser.add_argument("--program", default=".build/release/albef")
    parser.add_argument("--depth", type=int, default=16)
    parser.add_argument("--limit", type=int, default=0)
    options = parser.parse_args()
    model, vision = reference_model(options.model)
    gallery = Gallery(options.annotations, options.limit, vision)
    images = list(gallery)  # read once
    gallery = type("Loader", (), {
        "dataset": gallery, "right": gallery.right, "__iter__": lambda self: iter(images),
        "__len__": lambda self: len(images)})()
    with torch.no_grad():
        by_image, by_text = compute_sim_matrix(model, gallery, k_test=options.depth)

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        torch.save({"model": model.state_dict()}, folder / "lavis.pth")
        subprocess.run(
            [options.program, "import", folder / "lavis.pth", "--dialect", "lavis",
             "--vision-heads", str(vision["heads"]),
             "--vocabulary", options.model / "vocab.txt", "--output", folder / "model"],
            check=True, stdout=subprocess.DEVNULL)
        # LAVIS evaluates with 35 tokens, regardless of the model's training.
        settings = json.loads((folder / "model" / "config.json").read_text())
        settings["text"]["maximum_tokens"] = 35
        (folder / "model" / "config.json").write_text(json.dumps(settings))
        ours = json.loads(subprocess.run(
            [options.program, "evaluate", "retrieval", options.annotations, "--model",
             folder / "model", "--rerank", str(options.depth), "--limit", str(options.limit),
             "--dump", folder / "dump.jsonl", "--json"],
            check=True, stdout=subprocess.PIPE).stdout)
        dump = [json.loads(line) for line in (folder / "dump.jsonl").read_text().splitlines()]

    right = gallery.right
    texts = [[t for t, i in enumerate(right) if i == image] for image in range(len(by_image))]
    theirs = recall(by_image, texts) + recall(by_text, [[image] for image in right])
    print("LAVIS  image to text %.2f %.2f %.2f  text to image %.2f %.2f %.2f" % tuple(theirs))
    print("ours  ", json.dumps(ours["reranked"][0]["metrics"]))
    paths = {str(path): place for place, path in enumerate(gallery.dataset.image)}
    differences, orders, compared = [], 0, 0
    for text, found in enumerate(dump):
        scored = [row for row in found["results"] if row.get("score") is not None]
        for row in scored:
            theirs = by_text[text, paths[row["path"]]]
            compared += 1
            differences.append(abs(theirs - row["score"]) / max(1, abs(theirs)))
        best = sorted(scored, key=lambda row: row["rank"])[:8]
        expected = numpy.argsort(-by_text[text], kind="stable")[: len(best)]
        orders += [paths[row["path"]] for row in best] == list(expected)
    print(f"{len(dump)} captions, {compared} scores: largest difference {max(differences):.2e} "
          f"(relative, of at least 1), mean {numpy.mean(differences):.2e}; "
          f"the first eight in the same order for {orders}")


if __name__ == "__main__":
    main()
