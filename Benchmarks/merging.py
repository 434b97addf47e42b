"""Times `albef index merge` of synthetic shards, whose features and tokens are zeros.

    merging.py ALBEF FOLDER SHARDS IMAGES TOKENS

makes SHARDS indexes of IMAGES entries together in FOLDER, with TOKENS tokens of width 768 in 8 bits
per image, and merges them: by links, and with an index of the same entries in place, which a merge
finds to be the same. Prints seconds, the files linked, and the bytes that they hold.
"""

import hashlib
import json
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path

albef, folder = sys.argv[1], Path(sys.argv[2])
shards, images, tokens = (int(text) for text in sys.argv[3:6])
WIDTH, TOKEN_WIDTH, ROWS = 256, 768, 50_000
MODEL = {"fingerprint": "synthetic", "image_size": 384, "embedding_width": WIDTH,
         "token_count": 577, "token_width": TOKEN_WIDTH}


def segment(path, first, rows):
    """Writes a segment as albef does, and returns its length and its SHA-256."""
    entries = [json.dumps(
        {"modified": 0, "path": f"/pictures/{number // 1000}/image-{number}.jpg",
         "sha256": f"{number:064x}", "size": 100_000}, sort_keys=True,
        separators=(",", ":")).encode() for number in range(first, first + rows)]
    ends, end = [], 0
    for entry in entries:
        end += len(entry)
        ends.append(end)
    digests = b"".join(number.to_bytes(32, "big") for number in range(first, first + rows))
    tensors = [
        ("features", "F32", [rows, WIDTH], None), ("codes", "I8", [rows, WIDTH], None),
        ("code_scales", "F32", [rows], None), ("code_errors", "F32", [rows], None),
        ("digests", "U8", [rows, 32], digests),
        ("entry_ends", "I64", [rows], struct.pack(f"<{rows}q", *ends)),
        ("entries", "U8", [end], b"".join(entries)),
        ("tokens", "I8", [rows, tokens, TOKEN_WIDTH], None),
        ("token_scales", "F32", [rows, tokens], None),
        ("token_weights", "F32", [rows, tokens], None),
    ]
    header, offset, bodies = {}, 0, []
    for name, dtype, shape, body in tensors:
        count = {"F32": 4, "I64": 8}.get(dtype, 1)
        for size in shape:
            count *= size
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + count]}
        offset += count
        bodies.append((body, count))
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    digest, length = hashlib.sha256(), 0
    with open(path, "wb") as file:
        def put(part):
            nonlocal length
            file.write(part)
            digest.update(part)
            length += len(part)
        put(struct.pack("<Q", len(text)))
        put(text)
        zeros = bytes(1 << 20)
        for body, count in bodies:
            if body is not None:
                put(body)
                continue
            while count:
                put(zeros[:count])
                count -= min(count, len(zeros))
    return length, digest.hexdigest()


def make(place, number):
    (place / "segments").mkdir(parents=True)
    records, each = [], images // shards
    for first in range(number * each, (number + 1) * each, ROWS):
        rows = min(ROWS, (number + 1) * each - first)
        name = f"{len(records) + 1:08d}"
        length, digest = segment(place / "segments" / f"{name}.safetensors", first, rows)
        records.append({"name": name, "count": rows, "byte_count": length, "sha256": digest,
                        "removed": [], "directory": str(place.resolve())})
    manifest = {"format": 2, "generation": len(records), "model": MODEL, "content": "images",
                "tokens": {"count": tokens, "precision": "int8"}, "segments": records,
                "shard": {"number": number, "count": shards, "finished": True}}
    (place / "manifest.json").write_text(json.dumps(manifest))
    return sum(record["byte_count"] for record in records)


def merge(what):
    start = time.perf_counter()
    done = subprocess.run(
        [albef, "index", "merge", folder / "shards", "--index", folder / "merged", "--json"],
        check=True, capture_output=True)
    report = json.loads(done.stdout)
    print(f"{what}: {time.perf_counter() - start:.2f} s, {report['linked']} files linked")


shutil.rmtree(folder, ignore_errors=True)
size = sum(make(folder / f"shards/shard-{number}-of-{shards}", number) for number in range(shards))
print(f"{shards} shards, {images} images, {size / 1e9:.1f} GB")
merge("merged")
merge("merged again")
