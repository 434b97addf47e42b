"""Compares indexing with torch's eager mode: seconds per image, alternating in one run.

usage: image_encoding.py CHECKPOINT.pth MODEL IMAGES [--albef PATH] [--batch 1] [--rounds 3]

MODEL is the directory that `albef import` made from CHECKPOINT. The Python side runs the same ViT
with scaled_dot_product_attention on the same images, decoded beforehand; the Swift side runs all of
`albef index`: reading, decoding, resizing, encoding and writing. Needs torch and Pillow.
"""

import argparse
import json
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

import numpy
import torch
import torch.nn.functional as F
from PIL import Image

import thresholds

MEAN = torch.tensor((0.48145466, 0.4578275, 0.40821073)).view(3, 1, 1)
STD = torch.tensor((0.26862954, 0.26130258, 0.27577711)).view(3, 1, 1)


def encode(weights, x, heads=12, depth=12):
    """The ViT of the checkpoint: [B, 3, S, S] to [B, P + 1, D]."""

    def at(name):
        return weights["visual_encoder." + name]

    def norm(name, x):
        return F.layer_norm(x, x.shape[-1:], at(name + ".weight"), at(name + ".bias"), 1e-6)

    def linear(name, x):
        return F.linear(x, at(name + ".weight"), at(name + ".bias"))

    patch = at("patch_embed.proj.weight")
    x = F.conv2d(x, patch, at("patch_embed.proj.bias"), stride=patch.shape[-1])
    x = x.flatten(2).transpose(1, 2)
    x = torch.cat((at("cls_token").expand(x.shape[0], -1, -1), x), 1) + at("pos_embed")
    for i in range(depth):
        y = linear(f"blocks.{i}.attn.qkv", norm(f"blocks.{i}.norm1", x))
        b, n, w = y.shape
        q, k, v = y.view(b, n, 3, heads, w // 3 // heads).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, w // 3)
        x = x + linear(f"blocks.{i}.attn.proj", y)
        y = F.gelu(linear(f"blocks.{i}.mlp.fc1", norm(f"blocks.{i}.norm2", x)))
        x = x + linear(f"blocks.{i}.mlp.fc2", y)
    return norm("norm", x)


def pixels(path, side):
    image = Image.open(path).convert("RGB").resize((side, side), Image.BICUBIC)
    x = torch.from_numpy(numpy.asarray(image).copy()).permute(2, 0, 1).float() / 255
    return (x - MEAN) / STD


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("model")
    parser.add_argument("images", type=pathlib.Path)
    parser.add_argument("--albef", default=".build/release/albef")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()

    side = json.loads((pathlib.Path(options.model) / "config.json").read_text())
    side = side["vision"]["image_size"]
    files = sorted(options.images.glob("*.jpg"))
    weights = torch.load(options.checkpoint, map_location="cpu", weights_only=True)["model"]
    batch = torch.stack([pixels(file, side) for file in files])
    eager, index, peak = [], [], 0
    for _ in range(options.rounds):
        with torch.no_grad():
            encode(weights, batch[: options.batch])
            start = time.perf_counter()
            for first in range(0, len(files), options.batch):
                encode(weights, batch[first : first + options.batch])
            eager.append((time.perf_counter() - start) / len(files))
        folder = tempfile.mkdtemp()
        command = [options.albef, "index", str(options.images), "--model", options.model]
        command += ["--index", folder + "/index", "--batch-size", str(options.batch)]
        start = time.perf_counter()
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        while process.poll() is None:
            try:
                status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
                peak = max(peak, int(status.split("VmHWM:")[1].split()[0]))
            except (OSError, IndexError):
                pass
            time.sleep(0.05)
        index.append((time.perf_counter() - start) / len(files))
        shutil.rmtree(folder)
    a, b = statistics.median(eager), statistics.median(index)
    print(f"{len(files)} images at {side} px, batch {options.batch}, {options.rounds} rounds")
    print(f"torch eager + SDPA, encoding alone: {a * 1000:.0f} ms per image")
    print(f"albef index, everything:            {b * 1000:.0f} ms per image")
    print(f"ratio {b / a:.3f}; peak memory of indexing {peak / 1e6:.2f} GB")
    thresholds.check("image_encoding", b / a)


if __name__ == "__main__":
    main()
