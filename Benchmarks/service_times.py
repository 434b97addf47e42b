"""Measures the service times that Scripts/simulate-scale draws from, on one thread.

    python3 Benchmarks/service_times.py MODEL IMAGES FOLDER [--graph] [--program PATH]

MODEL is a model directory of the paper's size, such as `albef import` makes from the output of
base_checkpoint.py, and IMAGES a folder with at least 64 images. Indexes are made in FOLDER, and
kept there for the next time. Everything is measured in `albef serve --threads 1` without batching
and without remembered answers, one request after another:

  encode   a text, over the index of IMAGES
  rerank   its first 4, 8, 16, 32 and 64 candidates, of 32 tokens in 8 bits
  recall   the best 20 among synthetic clustered features of 256 numbers, as recall-scan has them;
           with --graph, which takes minutes to make, also by the graph. The queries are texts of
           the model `photos`, whose encoder is quick. They lie in clusters as the features do;
           with --apart, anywhere.

Every time is given twice. `processor_ms` has one number per query, the processor time of the
service, the least of the rounds: the time on a core of one's own. `elapsed_ms` has the time of the
stage in every round, as the answer tells it: it contains whatever else the machine did meanwhile.

Writes FOLDER/service-times.json. Needs numpy.
"""

import argparse
import hashlib
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import tempfile
import urllib.request

import numpy

ROOT = pathlib.Path(__file__).resolve().parents[1]
WIDTH = 256
DEPTHS = [4, 8, 16, 32, 64]


class Service:
    """`albef serve` over one index, on one thread."""

    def __init__(self, options, index, model):
        self.settings = tempfile.NamedTemporaryFile("w", suffix=".yaml")
        self.settings.write("batching: {queries: 1, cached_answers: 0}\n")
        self.settings.flush()
        self.process = subprocess.Popen(
            [options.program, "serve", "--index", index, *model, "--threads", "1", "--port", "0",
             "--log-level", "error", "--settings", self.settings.name],
            stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().split()[-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def processor_milliseconds(self):
        """The processor time of all threads since the start."""
        total = 0
        for thread in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            total += int((thread / "schedstat").read_text().split()[0])
        return total / 1e6

    def search(self, **query):
        """Returns the answer of a search and the processor time that it took."""
        request = urllib.request.Request(
            self.address + "/api/search", json.dumps(query).encode(),
            {"content-type": "application/json"})
        before = self.processor_milliseconds()
        with urllib.request.urlopen(request) as answer:
            answer = json.load(answer)
        return answer, self.processor_milliseconds() - before


def run(options, *arguments):
    subprocess.run([options.program, *map(str, arguments)], check=True)


def make_small(options, directory, model, *tokens):
    """An index of IMAGES."""
    if not directory.exists():
        part = directory.with_suffix(".part")
        run(options, "index", options.images, *model, "--threads", 1, *tokens, "--index", part)
        part.rename(directory)


def segment(path, first, features):
    """Writes a segment without tokens, as Documentation/formats.md describes it."""
    count = len(features)
    scales = numpy.maximum(numpy.abs(features).max(1), 1e-12) / numpy.float32(127)
    codes = numpy.rint(features / scales[:, None])
    errors = numpy.sqrt(((features - codes * scales[:, None]) ** 2).sum(1))
    entries, ends, digests = bytearray(), [], bytearray()
    for number in range(first, first + count):
        digest = number.to_bytes(32, "big")
        entries += json.dumps(
            {"modified": 0, "path": f"/{number}.jpg", "sha256": digest.hex(), "size": number},
            separators=(",", ":")).encode()
        ends.append(len(entries))
        digests += digest
    tensors = {
        "features": ("F32", [count, WIDTH], features.astype("<f4")),
        "codes": ("I8", [count, WIDTH], codes.astype("i1")),
        "code_scales": ("F32", [count], scales.astype("<f4")),
        "code_errors": ("F32", [count], errors.astype("<f4")),
        "entry_ends": ("I64", [count], numpy.array(ends, "<i8")),
        "digests": ("U8", [count, 32], numpy.frombuffer(bytes(digests), "u1")),
        "entries": ("U8", [len(entries)], numpy.frombuffer(bytes(entries), "u1")),
    }
    header, place = {}, 0
    for name, (kind, shape, values) in tensors.items():
        end = place + values.nbytes
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [place, end]}
        place = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    data = [values.tobytes() for _, _, values in tensors.values()]
    digest = hashlib.sha256()
    with open(path, "wb") as file:
        for part in [len(text).to_bytes(8, "little"), text, *data]:
            digest.update(part)
            file.write(part)
    return {"name": path.stem, "count": count, "byte_count": path.stat().st_size,
            "sha256": digest.hexdigest(), "removed": []}


def queries(options):
    """A hundred texts: those of the file, five times, with a number each."""
    texts = options.queries.read_text().splitlines()
    return [f"{text}, {number}" for number in range(5) for text in texts]


def text_features(options, model):
    """The features of the queries, out of an index of texts."""
    with tempfile.TemporaryDirectory() as folder:
        texts, directory = pathlib.Path(folder) / "texts.txt", pathlib.Path(folder) / "index"
        texts.write_text("\n".join(queries(options)))
        run(options, "index", "texts", texts, *model, "--index", directory)
        rows = []
        for path in sorted((directory / "segments").iterdir()):
            content = path.read_bytes()
            start = 8 + int.from_bytes(content[:8], "little")
            first, end = json.loads(content[8:start])["features"]["data_offsets"]
            rows.append(numpy.frombuffer(content[start + first:start + end], "<f4"))
    return numpy.concatenate(rows).reshape(-1, WIDTH)


def make_features(options, few, directory, model):
    """An index of synthetic features: unit vectors around a thousand centres."""
    if directory.exists():
        return
    part = directory.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    (part / "segments").mkdir(parents=True)
    generator = numpy.random.default_rng(1)
    spread = numpy.float32(0.7)
    centres = generator.standard_normal((1000, WIDTH), "f4")
    if not options.apart:
        # Every query lies as far from a centre as the features around it do.
        texts = text_features(options, model)
        others = generator.standard_normal(texts.shape, "f4")
        others /= numpy.linalg.norm(others, axis=1, keepdims=True)
        centres[:len(texts)] = (texts + spread * others) * (WIDTH / (1 + spread**2)) ** 0.5
    manifest = json.loads((few / "manifest.json").read_text())
    manifest |= {"tokens": {"count": 0, "precision": "float16"}, "segments": []}
    for number, first in enumerate(range(0, options.features, 250_000)):
        rows = min(250_000, options.features - first)
        features = centres[generator.integers(0, 1000, rows)]
        features = features + generator.standard_normal((rows, WIDTH), "f4") * spread
        features /= numpy.linalg.norm(features, axis=1, keepdims=True)
        path = part / "segments" / f"{number:08}.safetensors"
        manifest["segments"].append(segment(path, first, features))
    (part / "manifest.json").write_text(json.dumps(manifest))
    part.rename(directory)


def measured(rounds):
    """The two lists of a stage, from rows of (processor, elapsed), one row per query and round."""
    return {
        "processor_ms": [round(min(processor for processor, _ in row), 2) for row in zip(*rounds)],
        "elapsed_ms": [round(elapsed, 2) for one in rounds for _, elapsed in one],
    }


def measure_texts(options, index, model):
    texts = options.queries.read_text().splitlines()
    encode, rerank = [], {depth: [] for depth in DEPTHS}
    with Service(options, index, model) as service:
        service.search(text="a first one", candidates=64)
        for number in range(options.rounds):
            rows = [service.search(text=text, candidates=0, count=20) for text in texts]
            encode.append([(used, answer["milliseconds"]["encode"]) for answer, used in rows])
            for depth in DEPTHS:
                deep = [service.search(text=text, candidates=depth, count=20) for text in texts]
                assert all(answer["reranked"] == depth for answer, _ in deep)
                rerank[depth].append(
                    [(used - alone, answer["milliseconds"]["rerank"])
                     for (answer, used), (_, alone) in zip(deep, rows)])
            print(f"texts, round {number + 1} of {options.rounds}", flush=True)
    return {"encode": measured(encode),
            "rerank": {str(depth): measured(rounds) for depth, rounds in rerank.items()}}


def recall_rounds(options, index, model):
    """The processor and elapsed times of recall for a hundred texts, and what they found last."""
    rounds, found = [], []
    with Service(options, index, model) as service:
        service.search(text="a first one", candidates=0)
        for number in range(options.rounds):
            rows = [service.search(text=text, count=20, candidates=0) for text in queries(options)]
            rounds.append([(used, answer["milliseconds"]["recall"]) for answer, used in rows])
            found = [{result["id"] for result in answer["results"]} for answer, _ in rows]
            print(f"{index.name}, round {number + 1} of {options.rounds}", flush=True)
    return rounds, found


def measure_recall(options, index, model, without):
    """Takes the rest of a request off the processor times: `without` has them for a few images."""
    rounds, found = recall_rounds(options, index, model)
    rest = measured(without)["processor_ms"]
    times = measured(rounds)
    times["processor_ms"] = [
        round(max(0, used - other), 2) for used, other in zip(times["processor_ms"], rest)]
    return {"images": options.features} | times, found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("images", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--program", default=".build/release/albef")
    parser.add_argument(
        "--queries", type=pathlib.Path, default=ROOT / "Examples/photos/everyday.txt")
    parser.add_argument("--features", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--graph", action="store_true")
    parser.add_argument("--apart", action="store_true")
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True)
    paper, photos = ["--model", options.model, "--image-size", "384"], ["--model", "photos"]
    small, few = options.folder / "small.index", options.folder / "few.index"
    name = f"{options.features}" + "-apart" * options.apart
    many, graph = options.folder / f"{name}.index", options.folder / f"{name}-graph.index"
    make_small(options, small, paper, "--tokens", 32, "--precision", "int8")
    make_small(options, few, photos, "--tokens", "none")
    make_features(options, few, many, photos)
    if options.graph and not graph.exists():
        part = graph.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(many, part, copy_function=os.link)
        run(options, "index", "graph", part)
        part.rename(graph)

    load = [os.getloadavg()[0]]
    times = measure_texts(options, small, paper)
    rest, _ = recall_rounds(options, few, photos)
    exact, nearest = measure_recall(options, many, photos, rest)
    times["recall"] = {"exact": exact | {"found": 1.0}}
    if options.graph:
        by_graph, proposed = measure_recall(options, graph, photos, rest)
        shares = [len(a & b) / len(a) for a, b in zip(nearest, proposed)]
        times["recall"]["graph"] = by_graph | {"found": round(sum(shares) / len(shares), 4)}
    load.append(os.getloadavg()[0])
    times["source"] = {
        "command": "Benchmarks/service_times.py MODEL IMAGES FOLDER" + " --graph" * options.graph
        + " --apart" * options.apart,
        "model": "the paper's sizes, random weights, 384 pixels, 32 tokens of 577 in 8 bits",
        "queries": options.queries.name, "rounds": options.rounds, "threads": 1,
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "load_average_before_and_after": [round(value, 1) for value in load],
    }
    output = options.folder / "service-times.json"
    text = json.dumps(times, indent=1, sort_keys=True)
    # One line per list.
    text = re.sub(r"\[[^][]+\]", lambda match: " ".join(match[0].split()), text)
    output.write_text(text.replace("[ ", "[").replace(" ]", "]") + "\n")
    print(output)


if __name__ == "__main__":
    main()
