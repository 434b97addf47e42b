#!/usr/bin/env python3
"""Times loading a JPEG and resizing it to 256 px, beside Pillow, on one thread.

    swift build -c release --package-path Benchmarks --product load-images
    python3 Benchmarks/image_loading.py Benchmarks/.build/release/load-images

Needs numpy and Pillow-SIMD or Pillow in the Python that runs it. The script makes its own images:
noise at every scale under soft shapes, which compresses about as photographs do. It reports the CPU
time per image, the best of each side's repeats, and how far the pixels of the two sides differ.
"""
import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy
import PIL
from PIL import Image

import thresholds


def image(width, height, seed):
    """An image with detail at every scale, like a photograph."""
    random = numpy.random.default_rng(seed)
    total = numpy.zeros((height, width, 3), numpy.float32)
    step, weight = 2, 1.0
    while step < max(width, height):
        small = random.normal(size=(height // step + 2, width // step + 2, 3)) * 40 + 128
        layer = Image.fromarray(small.clip(0, 255).astype(numpy.uint8)).resize(
            (width, height), Image.BICUBIC)
        total += weight * (numpy.asarray(layer, numpy.float32) - 128)
        step, weight = step * 2, weight * 1.2
    total *= 50 / total.std()
    return Image.fromarray((total + 128).clip(0, 255).astype(numpy.uint8))


def pillow(path, side, draft):
    image = Image.open(path)
    if draft:
        image.draft("RGB", (side, side))
    return image.convert("RGB").resize((side, side), Image.BICUBIC)


def best(call, repeats):
    times = []
    for _ in range(repeats):
        start = time.thread_time()
        call()
        times.append(time.thread_time() - start)
    return min(times) * 1e3


def ours(program, side, repeats, path, full=False):
    command = [program, str(-side), str(repeats)] + (["full"] if full else [])
    run = subprocess.run(command, input=f"{path}\n", capture_output=True, text=True, check=True)
    _, milliseconds, digits = run.stdout.strip().split("\t")
    pixels = numpy.frombuffer(bytes.fromhex(digits), numpy.uint8)
    return float(milliseconds), pixels.reshape(side, side, 3).astype(int)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="the load-images executable")
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=30)
    options = parser.parse_args()
    program = str(Path(options.program).resolve())
    side = options.side
    simd = "post" in PIL.__version__
    print(f"{'Pillow-SIMD' if simd else 'Pillow'} {PIL.__version__}, to {side} x {side}")
    with tempfile.TemporaryDirectory() as folder:
        ratios = {}
        for name, width, height in (("640 x 480", 640, 480), ("12 megapixels", 4000, 3000)):
            path = Path(folder) / f"{width}.jpg"
            image(width, height, 7).save(path, quality=88)
            repeats = options.repeats if width < 1000 else max(5, options.repeats // 3)
            theirs = best(lambda: pillow(path, side, True), repeats)
            reference = numpy.asarray(pillow(path, side, False)).astype(int)
            drafted = numpy.asarray(pillow(path, side, True)).astype(int)
            milliseconds, pixels = ours(program, side, repeats, path)
            _, whole = ours(program, side, 1, path, full=True)
            print(
                f"{name} ({path.stat().st_size >> 10} KiB): {milliseconds:.2f} ms, "
                f"Pillow with draft {theirs:.2f} ms, ratio {milliseconds / theirs:.2f}; "
                f"mean difference to Pillow's full decode, of 255: "
                f"{abs(pixels - reference).mean():.3f} (at full scale "
                f"{abs(whole - reference).mean():.3f}; Pillow's own draft "
                f"{abs(drafted - reference).mean():.3f})")
            ratios["640" if width == 640 else "12_megapixels"] = milliseconds / theirs
    for name, ratio in ratios.items():
        thresholds.check(f"image_loading_{name}", ratio)
    return 0


if __name__ == "__main__":
    sys.exit(main())
