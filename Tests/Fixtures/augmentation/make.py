#!/usr/bin/env python3
"""Makes the pictures of this folder, with opencv-python-headless 4.10, Pillow 13 and numpy.

RandAugment's operations as ALBEF defined them: OpenCV's warps and filter on RGB arrays, tables in
numpy. Where the original's arithmetic overflows (the negated minimum of AutoContrast, which is an
8-bit number there, and Sharpness beyond 0 to 255) the values here are those without overflow.
OpenCV 5 computes warps otherwise; use 4.

pictures.bin has 8-bit samples [H, W, 3], one picture after the other, in manifest.json's order.
"""
import json
from pathlib import Path

import cv2
import numpy
from PIL import Image

FOLDER = Path(__file__).parent
assert cv2.__version__.startswith("4.")
GREY = (128, 128, 128)


def pictures():
    """Shapes over gradients; noise of odd size; a faint picture whose channels never reach 0."""
    y, x = numpy.mgrid[0:30, 0:40]
    scene = numpy.stack([x * 255 / 39, y * 255 / 29, (x + y) * 255 / 68], -1)
    scene[8:20, 5:18] = (250, 40, 10)
    scene[(x - 28) ** 2 + (y - 14) ** 2 < 60] = (5, 5, 240)
    random = numpy.random.default_rng(1)
    noise = random.integers(0, 256, (23, 31, 3))
    faint = random.normal((90, 130, 170), (12, 5, 20), (26, 26, 3)).clip(60, 200)
    return [picture.astype(numpy.uint8) for picture in (scene, noise, faint)]


def contrast(image):
    channels = []
    for channel in cv2.split(image):
        low, high = int(channel.min()), int(channel.max())
        scale = 255 / (high - low)
        table = (numpy.arange(256) * scale - low * scale).clip(0, 255).astype(numpy.uint8)
        channels.append(table[channel])
    return cv2.merge(channels)


def equalize(image):
    channels = []
    for channel in cv2.split(image):
        counts = numpy.bincount(channel.ravel(), minlength=256)
        step = counts[counts > 0][:-1].sum() // 255
        if step:
            before = step // 2 + numpy.concatenate([[0], counts.cumsum()[:-1]])
            channel = (before // step).clip(0, 255).astype(numpy.uint8)[channel]
        channels.append(channel)
    return cv2.merge(channels)


def brightness(image, factor):
    table = (numpy.arange(256, dtype=numpy.float32) * factor).clip(0, 255).astype(numpy.uint8)
    return table[image]


def sharpness(image, factor):
    kernel = numpy.float32([[1, 1, 1], [1, 5, 1], [1, 1, 1]]) / 13
    smooth = cv2.filter2D(image, -1, kernel).astype(numpy.float32)
    sharp = smooth + factor * (image.astype(numpy.float32) - smooth)
    result = image.copy()
    result[1:-1, 1:-1] = sharp.clip(0, 255).astype(numpy.uint8)[1:-1, 1:-1]
    return result


def warp(image, matrix):
    height, width = image.shape[:2]
    return cv2.warpAffine(image, matrix, (width, height), borderValue=GREY)


def operations(image, magnitude):
    height, width = image.shape[:2]
    level = magnitude / 10
    yield "identity", False, image
    yield "autoContrast", False, contrast(image)
    yield "equalize", False, equalize(image)
    yield "brightness", False, brightness(image, level * 1.8 + 0.1)
    yield "sharpness", False, sharpness(image, level * 1.8 + 0.1)
    for sign in (1, -1):
        shear, shift, angle = sign * level * 0.3, sign * level * 10, sign * level * 30
        yield "shearX", sign < 0, warp(image, numpy.float32([[1, shear, 0], [0, 1, 0]]))
        yield "shearY", sign < 0, warp(image, numpy.float32([[1, 0, 0], [shear, 1, 0]]))
        yield "translateX", sign < 0, warp(image, numpy.float32([[1, 0, -shift], [0, 1, 0]]))
        yield "translateY", sign < 0, warp(image, numpy.float32([[1, 0, 0], [0, 1, -shift]]))
        rotation = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1)
        yield "rotate", sign < 0, warp(image, rotation)


def main():
    entries, data = [], bytearray()

    def add(image, **fields):
        entries.append(fields | {"height": image.shape[0], "width": image.shape[1]})
        data.extend(numpy.ascontiguousarray(image).tobytes())

    sources = pictures()
    for number, image in enumerate(sources):
        add(image, source=number)
    for number, image in enumerate(sources):
        for magnitude in (7, 4.5) if number == 1 else (7,):
            for name, negated, result in operations(image, magnitude):
                add(result, source=number, magnitude=magnitude, operation=name, negated=negated)
    for number, box in [(0, (3, 4, 33, 25)), (1, (0, 0, 31, 23)), (2, (20, 1, 4, 3))]:
        left, top, width, height = box
        part = Image.fromarray(sources[number]).crop((left, top, left + width, top + height))
        square = numpy.asarray(part.resize((16, 16), Image.BICUBIC))
        add(square, source=number, box=box)
    (FOLDER / "pictures.bin").write_bytes(data)
    (FOLDER / "manifest.json").write_text(json.dumps(entries, indent=0) + "\n")


main()
