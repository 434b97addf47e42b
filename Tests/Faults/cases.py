"""The commands that write, and what their folder holds before."""

import json
import random
import struct
from dataclasses import dataclass, field
from typing import Callable

from states import Export, Files, Index, Page, Run, Shards

SETTINGS = """
model: {vocabulary: vocab.txt, image_size: 32, image_width: 16, image_depth: 1, image_heads: 2,
  text_width: 16, text_depth: 1, fusion_depth: 1, text_heads: 2, positions: 16, maximum_tokens: 12,
  embedding_width: 8}
data: {train: [train.json], validation: [validation.json]}
objectives: {contrastive: {queue: 10}}
optimizer: {learning_rate: 1.0e-3, warmup_steps: 4}
training: {epochs: 1, batch_size: 4, device: cpu, log_steps: 2, checkpoint_steps: 2}
evaluation: {steps: 3, depth: 2}
"""
WORDS = ["red", "cat", "two", "dogs", "a bus", "near", "tree", "man"]


@dataclass
class Case:
    """A command that writes."""

    name: str
    arguments: list
    # What is compared.
    state: Callable
    # Commands that prepare the folder.
    before: list = field(default_factory=list)
    # Files that are deleted, or copied from the first to the second, after those commands.
    deleted: list = field(default_factory=list)
    # One of so many steps is tried, unless all are asked for.
    sample: int = 1
    # Whether a state between the two is allowed, from which the command goes on.
    resumes: bool = False
    # Whether nothing may be there between the two states.
    gap: bool = False
    # The status of the command if everything is done already.
    again: tuple = (0,)


def bitmap(seed, side=8):
    """A BMP file of random pixels."""
    draw = random.Random(seed)
    row = (side * 3 + 3) // 4 * 4
    pixels = b"".join(bytes(draw.randrange(256) for _ in range(side * 3)).ljust(row, b"\0") for _ in range(side))
    return (b"BM" + struct.pack("<IHHI", 54 + len(pixels), 0, 0, 54)
            + struct.pack("<IiiHHIIiiII", 40, side, side, 1, 24, 0, len(pixels), 2835, 2835, 0, 0) + pixels)


def write_sources(folder, vocabulary):
    """Writes what the commands of every case begin with."""
    images = folder / "images"
    images.mkdir()
    for number in range(18):
        (images / f"{number:03d}.bmp").write_bytes(bitmap(number))
    for name, numbers in (("train", range(12)), ("validation", range(12, 18))):
        entries = [
            {"image": f"images/{n:03d}.bmp", "caption": " ".join(WORDS[(n * 3 + k * (k + n)) % 8] for k in range(4))}
            for n in numbers]
        (folder / f"{name}.json").write_text(json.dumps(entries))
    (folder / "settings.yaml").write_text(SETTINGS)
    (folder / "vocab.txt").write_text(vocabulary)


def fill(folder):
    """Writes the gallery: 12 images, of which cases delete some and to which they add others."""
    (folder / "photos").mkdir()
    for number in range(12):
        (folder / "photos" / f"{number:03d}.bmp").write_bytes(bitmap(number))


TRAIN = ["pretrain", "--config", "settings.yaml", "--resume", "--threads", 1, "--run"]
ADD = ["index", "add", "photos", "--model", "model", "--threads", 1, "--index"]
IMPORT = ["import", "model/model.safetensors", "--vocabulary", "vocab.txt", "--vision-heads", 2, "--text-heads", 2,
          "--output", "imported"]
TWO_SEGMENTS = [
    ["index", "add", "images", "--model", "model", "--threads", 1, "--index", "index"], [*ADD, "index"]]

CASES = [
    Case("index add (a new index)", [*ADD, "index"], Index("index"), sample=2),
    Case("index add (new and deleted images)", [*ADD, "index"], Index("index"), before=[[*ADD, "index"]],
         deleted=["photos/003.bmp", "photos/007.bmp"]),
    Case("index add (another model)", [*ADD[:4], "other", *ADD[5:], "index"], Index("index"),
         before=[[*ADD, "index"], ["index", "graph", "index"]], sample=2, resumes=True),
    Case("index remove", ["index", "remove", "photos/001.bmp", "photos/005.bmp", "--index", "index"],
         Index("index"), before=[[*ADD, "index"]], again=(0, 1)),
    Case("index compact", ["index", "compact", "index"], Index("index"),
         before=[*TWO_SEGMENTS, ["index", "remove", "photos/001.bmp", "--index", "index"]]),
    Case("index graph", ["index", "graph", "index"], Index("index"), before=TWO_SEGMENTS),
    Case("index repair", ["index", "repair", "index"], Index("index"), before=TWO_SEGMENTS),
    Case("index merge", ["index", "merge", "shards", "--replace", "--index", "merged"], Index("merged"), sample=2,
         before=[[*ADD, "shards", "--shard", "0/2"], [*ADD, "shards", "--shard", "1/2"]]),
    Case("import (a new model)", IMPORT, Files("imported"), sample=2),
    Case("import (over a model)", IMPORT, Files("imported"),
         before=[[*IMPORT[:1], "other/model.safetensors", *IMPORT[2:]]], sample=2),
    Case("features", ["features", "photos", "--model", "model", "--threads", 1, "--output", "f.safetensors"],
         Export("f"), before=[["features", "images", "--model", "model", "--output", "f.safetensors"]], gap=True),
    Case("data pack", ["data", "pack", "train.json", "packed", "--samples-per-shard", 5], Shards("packed"),
         sample=2, resumes=True),
    Case("vocabulary train", ["vocabulary", "train", "train.json", "--size", 60, "--output", "words.txt", "--force"],
         Files("words.txt")),
    Case("pretrain", [*TRAIN, "run"], Run("run", 3), sample=5, resumes=True),
    Case("report", ["report", "trained", "--output", "report.html"], Page("report.html")),
]
