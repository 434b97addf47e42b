"""Writes images, captions and settings for Scripts/test-distributed into a folder."""

import json
import pathlib
import random
import struct
import sys

folder = pathlib.Path(sys.argv[1])
repository = pathlib.Path(__file__).resolve().parents[2]
(folder / "images").mkdir()
draw = random.Random(1)
words = ["red", "cat", "two", "dogs", "a bus", "near", "tree", "man"]
entries = []
for index in range(64):
    side = 64
    row = bytearray()
    base = [draw.randrange(256) for _ in range(3)]
    for _ in range(side * side):
        row += bytes(min(255, max(0, channel + draw.randrange(-40, 40))) for channel in base)
    header = struct.pack("<2sIHHI", b"BM", 54 + len(row), 0, 0, 54)
    header += struct.pack("<IiiHHIIiiII", 40, side, side, 1, 24, 0, len(row), 2835, 2835, 0, 0)
    name = f"images/{index:03}.bmp"
    (folder / name).write_bytes(header + row)
    caption = " ".join(draw.choice(words) for _ in range(6))
    entries.append({"image": name, "caption": caption, "image_id": index})
(folder / "train.json").write_text(json.dumps(entries))
vocabulary = repository / "Sources/RetrievalTesting/vocabulary.txt"
(folder / "settings.yaml").write_text(f"""\
model: {{vocabulary: {vocabulary}, image_size: 32, patch_size: 16, image_width: 16, image_depth: 1,
  image_heads: 2, text_width: 16, text_depth: 1, fusion_depth: 1, text_heads: 2, positions: 16,
  maximum_tokens: 12, embedding_width: 8}}
data: {{train: [train.json]}}
objectives: {{contrastive: {{queue: 64}}, dropout: 0}}
optimizer: {{learning_rate: 1.0e-3, warmup_steps: 4}}
training: {{epochs: 2, batch_size: 8, device: cpu, log_steps: 1, checkpoint_steps: 4}}
""")
