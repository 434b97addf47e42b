"""Tests reference_check.py: it must accept right values and reject wrong ones.

    python Benchmarks/reference_check_test.py

Makes small random models of both dialects in LAVIS and stores them as model directories. Computes
the features and losses a second time from the stored tensors alone, with the paper's formulas as
written below. Then runs the check on these values, on a weight changed by a hundredth, on a changed
choice, and on models with a missing or an extra tensor.
"""

import copy
import json
import pathlib
import subprocess
import sys
import tempfile

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from lavis_albef import pretraining_model

HERE = pathlib.Path(__file__).parent
BATCH, LENGTH, QUEUE, VOCABULARY = 4, 9, 14, 60


def configuration(dialect):
    return {
        "dialect": dialect, "task": "pretraining", "embedding_width": 10,
        "vision": {"image_size": 24, "patch_size": 8, "width": 16, "depth": 2, "heads": 2,
                   "mlp_width": 40, "layer_norm_epsilon": 1e-6},
        "text": {"vocabulary_size": VOCABULARY, "width": 24, "depth": 3, "fusion_layer": 1,
                 "heads": 3, "mlp_width": 32, "positions": 12, "layer_norm_epsilon": 1e-12},
    }


def stored(model):
    """The tensors of a model directory: no second names, and no buffers except the queues."""
    state = {name: value.clone() for name, value in model.state_dict().items()}
    return {name: value for name, value in state.items()
            if ".decoder." not in name and not name.endswith("position_ids")}


def random_model(dialect, seed):
    torch.manual_seed(seed)
    model = pretraining_model(configuration(dialect), QUEUE, dropout=0.0)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim:
                parameter.add_(torch.randn_like(parameter) * 0.3)
    return stored(model)


def random_batch(seed):
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(5, VOCABULARY, (BATCH, LENGTH), generator=generator)
    ids[:, 0] = 2
    mask = torch.ones_like(ids)
    for row in range(BATCH):
        mask[row, LENGTH - row:] = 0
    ids = ids * mask
    hidden = (torch.rand(ids.shape, generator=generator) < 0.4) & (mask == 1)
    hidden[:, 0] = False
    hidden[:, 1] = True
    return {
        "pixels": torch.randn(BATCH, 3, 24, 24, generator=generator),
        "input_ids": ids, "attention_mask": mask,
        "neg_image_idx": torch.tensor([1, 2, 3, 0]), "neg_text_idx": torch.tensor([3, 2, 1, 0]),
        "mlm_input_ids": torch.where(hidden, torch.full_like(ids, 4), ids),
        "mlm_labels": torch.where(hidden, ids, torch.full_like(ids, -100)),
        "alpha": torch.tensor(0.3),
    }


class Plain:
    """ALBEF from the tensors of a directory, one formula after the other."""

    def __init__(self, weights, sizes, twin=""):
        self.weights, self.sizes, self.twin = weights, sizes, twin

    def __getitem__(self, name):
        module, dot, rest = name.partition(".")
        return self.weights[module + self.twin + dot + rest]

    def linear(self, name, x):
        return F.linear(x, self[f"{name}.weight"], self[f"{name}.bias"])

    def norm(self, name, x, part):
        scale, shift = self[f"{name}.weight"], self[f"{name}.bias"]
        return F.layer_norm(x, x.shape[-1:], scale, shift, self.sizes[part]["layer_norm_epsilon"])

    @staticmethod
    def attention(q, k, v, heads, mask=None):
        q, k, v = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (q, k, v))
        allowed = None if mask is None else mask[:, None, None, :].bool()
        x = F.scaled_dot_product_attention(q, k, v, allowed)
        return x.transpose(1, 2).flatten(2)

    def image(self, pixels):
        vision, name = self.sizes["vision"], "visual_encoder"
        patches = F.conv2d(
            pixels, self[f"{name}.patch_embed.proj.weight"], self[f"{name}.patch_embed.proj.bias"],
            stride=vision["patch_size"]).flatten(2).transpose(1, 2)
        x = torch.cat([self[f"{name}.cls_token"].expand(len(pixels), -1, -1), patches], 1)
        x = x + self[f"{name}.pos_embed"]
        for i in range(vision["depth"]):
            block = f"{name}.blocks.{i}"
            q, k, v = self.linear(
                f"{block}.attn.qkv", self.norm(f"{block}.norm1", x, "vision")).chunk(3, -1)
            x = x + self.linear(f"{block}.attn.proj", self.attention(q, k, v, vision["heads"]))
            y = F.gelu(self.linear(f"{block}.mlp.fc1", self.norm(f"{block}.norm2", x, "vision")))
            x = x + self.linear(f"{block}.mlp.fc2", y)
        return self.norm(f"{name}.norm", x, "vision")

    def sublayer(self, name, x, y):
        return self.norm(f"{name}.LayerNorm", x + self.linear(f"{name}.dense", y), "text")

    def layers(self, span, x, mask, image=None):
        for i in span:
            layer = f"text_encoder.bert.encoder.layer.{i}"
            for kind, source, seen in (("attention", None, mask), ("crossattention", image, None)):
                if kind == "crossattention" and i < self.sizes["text"]["fusion_layer"]:
                    continue
                of = x if source is None else source
                q = self.linear(f"{layer}.{kind}.self.query", x)
                k = self.linear(f"{layer}.{kind}.self.key", of)
                v = self.linear(f"{layer}.{kind}.self.value", of)
                y = self.attention(q, k, v, self.sizes["text"]["heads"], seen)
                x = self.sublayer(f"{layer}.{kind}.output", x, y)
            y = F.gelu(self.linear(f"{layer}.intermediate.dense", x))
            x = self.sublayer(f"{layer}.output", x, y)
        return x

    def text(self, ids, mask):
        name = "text_encoder.bert.embeddings"
        x = self[f"{name}.word_embeddings.weight"][ids]
        x = x + self[f"{name}.position_embeddings.weight"][: ids.shape[1]]
        if self.sizes["dialect"] == "albef":
            x = x + self[f"{name}.token_type_embeddings.weight"][0]
        x = self.norm(f"{name}.LayerNorm", x, "text")
        return self.layers(range(self.sizes["text"]["fusion_layer"]), x, mask)

    def fuse(self, text, mask, image):
        text_sizes = self.sizes["text"]
        return self.layers(range(text_sizes["fusion_layer"], text_sizes["depth"]), text, mask, image)

    def words(self, states):
        name = "text_encoder.cls.predictions"
        x = F.gelu(self.linear(f"{name}.transform.dense", states))
        x = self.norm(f"{name}.transform.LayerNorm", x, "text")
        table = self["text_encoder.bert.embeddings.word_embeddings.weight"]
        return F.linear(x, table, self[f"{name}.bias"])

    def aligned(self, image, text):
        return (F.normalize(self.linear("vision_proj", image[:, 0]), dim=-1),
                F.normalize(self.linear("text_proj", text[:, 0]), dim=-1))


def plainly(weights, sizes, batch):
    weights = {name: value.double() for name, value in weights.items()}
    model, twin = Plain(weights, sizes), Plain(weights, sizes, "_m")
    ids, mask, alpha = batch["input_ids"], batch["attention_mask"], float(batch["alpha"])
    pixels, temperature = batch["pixels"].double(), weights["temp"]
    image, text = model.image(pixels), model.text(ids, mask)
    image_m, text_m = twin.image(pixels), twin.text(ids, mask)
    (image_feature, text_feature), (image_feature_m, text_feature_m) = (
        model.aligned(image, text), twin.aligned(image_m, text_m))

    def contrast(query, query_m, keys_m, queue):
        keys = torch.cat([keys_m, queue.T])
        own = torch.eye(BATCH, len(keys), dtype=torch.float64)
        soft = (query_m @ keys.T / temperature).softmax(-1)
        target = alpha * soft + (1 - alpha) * own
        return F.cross_entropy(query @ keys.T / temperature, target)

    itc = (contrast(image_feature, image_feature_m, text_feature_m, weights["text_queue"])
           + contrast(text_feature, text_feature_m, image_feature_m, weights["image_queue"])) / 2

    pairs = [(i, i) for i in range(BATCH)]
    pairs += [(int(j), i) for i, j in enumerate(batch["neg_image_idx"])]
    pairs += [(i, int(j)) for i, j in enumerate(batch["neg_text_idx"])]
    images, texts = (torch.tensor(side) for side in zip(*pairs))
    states = model.fuse(text[texts], mask[texts], image[images])
    matches = F.linear(states[:, 0], weights["itm_head.weight"], weights["itm_head.bias"])
    itm = F.cross_entropy(matches, torch.tensor([1] * BATCH + [0] * 2 * BATCH))

    def guesses(side, image):
        text = side.text(batch["mlm_input_ids"], mask)
        return side.words(side.fuse(text, mask, image))[batch["mlm_labels"] != -100]

    scores, soft = guesses(model, image), guesses(twin, image_m).softmax(-1)
    hard = batch["mlm_labels"][batch["mlm_labels"] != -100]
    mlm = (1 - alpha) * F.cross_entropy(scores, hard) + alpha * F.cross_entropy(scores, soft)
    values = {"image_features": image_feature, "text_features": text_feature,
              "image_features_m": image_feature_m, "text_features_m": text_feature_m,
              "loss_itc": itc, "loss_itm": itm, "loss_mlm": mlm, "itm_logits": matches}
    return {f"swift/{name}": value.float().contiguous() for name, value in values.items()}


def check(weights, sizes, fixed, *options):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "config.json").write_text(json.dumps(sizes))
        save_file(weights, folder / "model.safetensors")
        save_file(fixed, folder / "fixed.safetensors")
        return subprocess.run(
            [sys.executable, HERE / "reference_check.py", folder, folder / "fixed.safetensors",
             *options], capture_output=True, text=True)


def main():
    failures = 0

    def expect(what, status, run, mentions=""):
        nonlocal failures
        right = run.returncode == status and mentions in run.stdout + run.stderr
        failures += not right
        print(f"{'ok   ' if right else 'WRONG'} {what}")
        if not right:
            print(run.stdout + run.stderr)

    for seed, dialect in enumerate(("albef", "lavis")):
        sizes, weights, batch = configuration(dialect), random_model(dialect, seed), random_batch(seed)
        fixed = batch | plainly(weights, sizes, batch)
        right = check(weights, sizes, fixed)
        print(right.stdout, end="")
        expect(f"{dialect}: both ways agree", 0, right)
        expect(f"{dialect}: in double", 0, check(weights, sizes, fixed, "--double", "--tolerance", "1e-6"))
        for name in ("visual_encoder.blocks.1.attn.qkv.weight", "text_encoder_m.cls.predictions.bias",
                     "text_encoder.bert.encoder.layer.2.crossattention.self.key.weight", "text_queue",
                     "temp", "itm_head.bias"):
            other = copy.deepcopy(weights)
            other[name].view(-1)[1 % other[name].numel()] += 0.01 if name == "temp" else 0.5
            expect(f"{dialect}: {name} changed", 1, check(other, sizes, fixed), "FAILS")
        chosen = dict(fixed, neg_text_idx=fixed["neg_text_idx"].flip(0))
        expect(f"{dialect}: another hard negative", 1, check(weights, sizes, chosen), "FAILS")
        without = {name: value for name, value in weights.items() if name != "text_proj_m.bias"}
        expect(f"{dialect}: a twin missing", 1, check(without, sizes, fixed), "'text_proj_m.bias' is missing")
        more = dict(weights, extra=torch.zeros(1))
        expect(f"{dialect}: a tensor too many", 1, check(more, sizes, fixed), "'extra' is unknown")
        less = {name: value for name, value in fixed.items() if name != "swift/loss_itm"}
        expect(f"{dialect}: a value missing", 1, check(weights, sizes, less), "not in the file")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
