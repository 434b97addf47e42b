"""Compares shards of albef and of PyPI's webdataset, both ways.

    python Tests/WebDataset .build/release/albef
"""

import hashlib
import io
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import webdataset
from PIL import Image

albef = str(Path(sys.argv[1]).resolve())
SAMPLES, PER_SHARD = 230, 40


def run(*arguments: str, status: int = 0) -> str:
    result = subprocess.run([albef, *arguments], capture_output=True, text=True, check=False)
    assert result.returncode == status, f"{arguments}: {result.returncode} {result.stderr}"
    return result.stdout


def image(number: int, form: str) -> bytes:
    picture = Image.new("RGB", (20 + number % 9, 16), (number % 256, 90, 200 - number % 200))
    target = io.BytesIO()
    picture.save(target, form)
    return target.getvalue()


def ours(*arguments: str) -> dict:
    """What albef reads: the files of each sample, by key, as lengths and hashes."""
    rows = [json.loads(line) for line in run("data", "list", *arguments, "--json").splitlines()]
    found = {r["key"]: {f["field"]: (f["bytes"], f["sha256"]) for f in r["files"]} for r in rows}
    assert len(found) == len(rows), "a key comes twice"
    return found


def theirs(urls: list) -> dict:
    """The same of webdataset."""
    data = webdataset.WebDataset(urls, shardshuffle=False, empty_check=False)
    return {
        sample["__key__"]: {
            field: (len(value), hashlib.sha256(value).hexdigest())
            for field, value in sample.items()
            if not field.startswith("__")
        }
        for sample in data
    }


def write_theirs(folder: Path) -> None:
    """Shards of webdataset's writer: text, JSON, names in folders and names that are long."""
    words = random.Random(1)
    with webdataset.ShardWriter(
        str(folder / "train-%06d.tar"), maxcount=PER_SHARD, verbose=0
    ) as sink:
        for number in range(SAMPLES):
            key = f"folder{number % 3}/{number:05d}"
            if number % 50 == 7:
                key = "/".join(["x" * 60] * 3) + f"/{number:05d}"
            form = "jpg" if number % 2 else "png"
            sample = {
                "__key__": key,
                form: image(number, "JPEG" if form == "jpg" else "PNG"),
                "json": {"caption": f"caption {number}", "width": 20},
                "cls": number,
            }
            if number % 4:
                sample["txt"] = f"caption {number} " + "é" * words.randrange(600)
            sink.write(sample)


def check_theirs(folder: Path) -> None:
    write_theirs(folder)
    count = -(-SAMPLES // PER_SHARD)
    pattern = f"{folder}/train-{{000000..{count - 1:06d}}}.tar"
    expected = theirs([str(folder / f"train-{i:06d}.tar") for i in range(count)])
    assert len(expected) == SAMPLES
    assert ours(pattern) == expected, "webdataset's shards read differently"
    assert ours(f"pipe:cat {pattern}") == expected
    run("data", "validate", pattern)
    print(f"{SAMPLES} samples that webdataset wrote have the same keys and bytes")

    for epoch in range(3):
        parts = [
            ours(pattern, "--ranks", "4", "--rank", str(rank), "--epoch", str(epoch))
            for rank in range(4)
        ]
        assert sum(map(len, parts)) == SAMPLES, "ranks overlap, or leave samples out"
        assert {k for part in parts for k in part} == set(expected)
        assert max(map(len, parts)) - min(map(len, parts)) <= 1
    print("four ranks see each sample once, in each of three epochs")

    victim = folder / "train-000002.tar"
    victim.write_bytes(victim.read_bytes()[: victim.stat().st_size // 2])
    left = [
        json.loads(line)["shard"]
        for line in run("data", "list", pattern, "--json", status=1).splitlines()
    ]
    lost = SAMPLES - len(left)
    assert 0 < lost < PER_SHARD and left.count(str(victim)) == PER_SHARD - lost
    print(f"a shard that was cut in the middle costs {lost} of its {PER_SHARD} samples, and no other")


def check_ours(folder: Path) -> None:
    (folder / "images").mkdir()
    entries = []
    for number in range(SAMPLES):
        name = f"images/{number}.{'jpg' if number % 2 else 'png'}"
        (folder / name).write_bytes(image(number, "JPEG" if number % 2 else "PNG"))
        captions = [f"caption {number} é", "another"]
        entries.append({"image": name, "caption": captions if number % 3 == 0 else captions[0]})
    (folder / "train.json").write_text(json.dumps(entries))
    run(
        "data", "pack", str(folder / "train.json"), str(folder / "shards"),
        "--samples-per-shard", str(PER_SHARD),
    )
    shards = sorted(map(str, (folder / "shards").glob("*.tar")))
    assert ours(str(folder / "shards")) == theirs(shards), "our shards read differently"
    samples = list(
        webdataset.WebDataset(shards, shardshuffle=False, empty_check=False).decode("pil")
    )
    assert [s["__key__"] for s in samples] == [f"{n + 1:09d}" for n in range(SAMPLES)]
    for entry, sample in zip(entries, samples):
        caption = sample["txt"] if "txt" in sample else sample["json"]["caption"]
        assert caption == entry["caption"], (caption, entry)
        field = entry["image"].rpartition(".")[2]
        with Image.open(folder / entry["image"]) as picture:
            assert sample[field].tobytes() == picture.convert("RGB").tobytes()
    print(f"webdataset reads {SAMPLES} samples that albef packed, and decodes their images")


with tempfile.TemporaryDirectory() as name:
    for check in [check_theirs, check_ours]:
        place = Path(name) / check.__name__
        place.mkdir()
        check(place)
