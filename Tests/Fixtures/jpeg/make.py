"""Writes JPEG files of all kinds that decode in parts: python3 make.py, with Pillow and numpy.

Their sides are no multiples of a block, and they have detail at every scale.
"""

import pathlib

import numpy
from PIL import Image

FOLDER = pathlib.Path(__file__).parent
WIDTH, HEIGHT = 117, 83
KINDS = {
    "444": {"subsampling": "4:4:4"},
    "422": {"subsampling": "4:2:2"},
    "420": {"subsampling": "4:2:0"},
    "420-restart-blocks": {"subsampling": "4:2:0", "restart_marker_blocks": 3},
    "422-restart-rows": {"subsampling": "4:2:2", "restart_marker_rows": 1},
    "420-progressive": {"subsampling": "4:2:0", "progressive": True},
    "444-progressive": {"subsampling": "4:4:4", "progressive": True},
    "420-long-codes": {"subsampling": "4:2:0", "quality": 99},
    "420-optimized": {"subsampling": "4:2:0", "optimize": True, "quality": 60},
}


def image():
    source = numpy.random.default_rng(5)
    total = numpy.zeros((HEIGHT, WIDTH, 3))
    for step in (1, 3, 9, 27):
        small = source.normal(size=(HEIGHT // step + 2, WIDTH // step + 2, 3)) * 20 + 128
        layer = Image.fromarray(small.clip(0, 255).astype(numpy.uint8))
        total += numpy.asarray(layer.resize((WIDTH, HEIGHT), Image.BICUBIC), float) - 128
    return Image.fromarray((total * 1.3 + 128).clip(0, 255).astype(numpy.uint8))


for name, options in KINDS.items():
    image().save(FOLDER / f"{name}.jpg", **{"quality": 85, **options})
image().convert("L").save(FOLDER / "grey.jpg", restart_marker_blocks=5)
image().convert("CMYK").save(FOLDER / "cmyk.jpg")
