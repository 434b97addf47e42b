"""How many samples a second are read from shards, and decoded, by albef and by PyPI's webdataset.

    python3 -m venv venv && venv/bin/pip install -r Tests/WebDataset/requirements.txt
    venv/bin/python Benchmarks/shard_reading.py FOLDER [--copies 20] [--rounds 3]

FOLDER holds JPEG files, each of which goes into the shards as many times as --copies says. The two
programs take turns. `albef data list` reads and hashes every file; `albef data validate` decodes
every image in full size on all processors.
"""

import argparse
import hashlib
import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import webdataset

parser = argparse.ArgumentParser()
parser.add_argument("folder", type=Path)
parser.add_argument("--copies", type=int, default=20)
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--albef", default=".build/release/albef")
options = parser.parse_args()
photos = sorted(options.folder.rglob("*.jp*g"))
count = len(photos) * options.copies


def albef(*arguments: str) -> None:
    subprocess.run([options.albef, *arguments], check=True, stdout=subprocess.DEVNULL)


def read_theirs(shards: list) -> None:
    for sample in webdataset.WebDataset(shards, shardshuffle=False, empty_check=False):
        for field, value in sample.items():
            if not field.startswith("__"):
                hashlib.sha256(value)


def decode_theirs(shards: list) -> None:
    data = webdataset.WebDataset(shards, shardshuffle=False, empty_check=False).decode("pil")
    assert sum(1 for sample in data if sample["jpg"].load()) == count


def timed(work, *arguments) -> float:
    start = time.perf_counter()
    work(*arguments)
    return count / (time.perf_counter() - start)


with tempfile.TemporaryDirectory() as name:
    links = Path(name) / "images"
    links.mkdir()
    entries = []
    for number in range(count):
        link = links / f"{number}.jpg"
        link.symlink_to(photos[number % len(photos)].resolve())
        entries.append({"image": f"images/{number}.jpg", "caption": f"image {number}"})
    (Path(name) / "train.json").write_text(json.dumps(entries))
    folder = f"{name}/shards"
    packing = timed(
        albef, "data", "pack", f"{name}/train.json", folder, "--samples-per-shard", "1000")
    shards = sorted(map(str, Path(folder).glob("*.tar")))
    size = sum(Path(shard).stat().st_size for shard in shards)
    print(f"{count} samples, {size / 1e6:.0f} MB in {len(shards)} shards; packed {packing:.0f}/s")
    rates: dict = {}
    for _ in range(options.rounds):
        for label, work, arguments in [
            ("albef, read and hashed", albef, ("data", "list", folder, "--json")),
            ("webdataset, read and hashed", read_theirs, (shards,)),
            ("albef, read and decoded", albef, ("data", "validate", folder)),
            ("webdataset, read and decoded", decode_theirs, (shards,)),
        ]:
            rates.setdefault(label, []).append(timed(work, *arguments))
    for label, found in rates.items():
        median = statistics.median(found)
        print(f"{label}: {median:.0f} samples/s, {median * size / count / 1e6:.0f} MB/s")
