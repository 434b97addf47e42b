"""Pillow or Pillow-SIMD, and torchvision's transforms: decoding, resizing, augmentation.

The times are those of the thread, which computes all by itself.
"""

import importlib.machinery
import importlib.util
import random
import sys
import time
import types

import numpy
import PIL
import protocol
import torch
from PIL import Image

MEAN, DEVIATION = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


def make(request):
    """Writes a JPEG of "width" x "height" pixels with detail at every scale to "path".

    Noise at every scale under soft shapes compresses about as photographs do.
    """
    width, height = request["width"], request["height"]
    source = numpy.random.default_rng(7)
    total = numpy.zeros((height, width, 3), numpy.float32)
    step, weight = 2, 1.0
    while step < max(width, height):
        small = source.normal(size=(height // step + 2, width // step + 2, 3)) * 40 + 128
        layer = Image.fromarray(small.clip(0, 255).astype(numpy.uint8))
        layer = layer.resize((width, height), Image.BICUBIC)
        total += weight * (numpy.asarray(layer, numpy.float32) - 128)
        step, weight = step * 2, weight * 1.2
    total *= 50 / total.std()
    image = Image.fromarray((total + 128).clip(0, 255).astype(numpy.uint8))
    image.save(request["path"], quality=request.get("quality", 88))
    return {"pillow": ("Pillow-SIMD " if "post" in PIL.__version__ else "Pillow ")
            + PIL.__version__}


def resized(request):
    side = request["side"]
    image = Image.open(request["path"])
    if not request.get("full"):
        image.draft("RGB", (side, side))
    return image.convert("RGB").resize((side, side), Image.BICUBIC)


def decode(request):
    return protocol.timed(request, lambda: resized(request), time.thread_time)


def pixels(request):
    return {"pixels": numpy.asarray(resized(request)).tobytes().hex()}


def transforms():
    """torchvision's transforms, without the package around them, which needs its own kernels."""
    if "torchvision" not in sys.modules:
        spec = importlib.util.find_spec("torchvision")
        module = types.ModuleType("torchvision")
        module.__path__ = list(spec.submodule_search_locations)
        module.__spec__ = importlib.machinery.ModuleSpec("torchvision", None, is_package=True)
        sys.modules["torchvision"] = module
    import torchvision.transforms

    return torchvision.transforms


def augment(request):
    kinds = transforms()
    transform = kinds.Compose([
        kinds.RandomResizedCrop(
            request["side"], (0.2, 1.0), interpolation=kinds.InterpolationMode.BICUBIC),
        kinds.RandomHorizontalFlip(), kinds.RandAugment(2, 7), kinds.ToTensor(),
        kinds.Normalize(MEAN, DEVIATION)])
    random.seed(1)
    torch.manual_seed(1)
    torch.set_num_threads(1)
    return protocol.timed(
        request, lambda: transform(Image.open(request["path"]).convert("RGB")), time.thread_time)


if __name__ == "__main__":
    protocol.serve({"make": make, "decode": decode, "pixels": pixels, "augment": augment})
