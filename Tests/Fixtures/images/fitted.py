"""Writes fitted-*.bin: what Pillow and torchvision make of the images in golden-*.bin.

    python fitted.py          (Pillow, torchvision and numpy; made with Pillow 13 and torchvision 0.28)

The input is the first part of golden-WxHtoS.bin, [H, W, 3]. Each file holds [S, S, 3], 8 bits a sample: the shorter side
resized to S and the middle cut out (crop), or the whole image squeezed, by the filter in its name.
"""

import pathlib

import numpy
import torchvision.transforms as transforms
from PIL import Image
from torchvision.transforms import InterpolationMode

HERE = pathlib.Path(__file__).parent
FILTERS = {"bicubic": InterpolationMode.BICUBIC, "bilinear": InterpolationMode.BILINEAR}

for width, height, golden, sides in [(37, 53, 48, (48, 20, 15)), (150, 101, 64, (64, 33, 31))]:
    data = (HERE / f"golden-{width}x{height}to{golden}.bin").read_bytes()
    pixels = numpy.frombuffer(data, numpy.uint8, width * height * 3).reshape(height, width, 3)
    image = Image.fromarray(pixels)
    for side in sides:
        for name, filter in FILTERS.items():
            cropped = transforms.Compose([transforms.Resize(side, filter), transforms.CenterCrop(side)])
            squeezed = transforms.Resize((side, side), filter)
            for fit, transform in (("crop", cropped), ("squeeze", squeezed)):
                if fit == "squeeze" and name == "bicubic":
                    continue  # golden-*.bin has it
                output = numpy.asarray(transform(image))
                (HERE / f"fitted-{width}x{height}to{side}-{fit}-{name}.bin").write_bytes(output.tobytes())
