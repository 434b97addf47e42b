"""Makes the folders beside this file: tiny towers in every public weight layout, and what they should give.

    python make.py [LAYOUT ...] [--transformers-version VERSION]

Without a layout it makes all. README.md has a table of them, and the versions of packages they were made with.
`--transformers-version` refuses to run with another one: saved names and configurations depend on it.
`--verify` makes nothing: it loads each Hugging Face folder with the transformers that is installed and compares.
"""

import argparse
import importlib
import logging
import sys
import time
import warnings

sys.path.insert(0, str(__import__("pathlib").Path(__file__).parent))
import torch  # noqa: E402

MODULES = ("images", "texts", "chinese", "pairs", "blip", "containers")


def declare_torchvision():
    """The published torchvision is built for CUDA. Beside a CPU torch it lacks two operators at import: declares them."""
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        try:
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        except RuntimeError:
            pass
    return library


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("layouts", nargs="*")
    parser.add_argument("--transformers-version")
    parser.add_argument("--verify", action="store_true")
    options = parser.parse_args()
    library = declare_torchvision()  # kept alive: it takes its declarations with it
    import transformers

    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    logging.disable(logging.WARNING)
    if options.transformers_version not in (None, transformers.__version__):
        raise SystemExit(f"transformers {transformers.__version__} is installed")
    if options.verify:
        return importlib.import_module("verify").main(options.layouts)
    layouts = {}
    for module in MODULES:
        layouts |= importlib.import_module(module).LAYOUTS
    unknown = set(options.layouts) - set(layouts)
    if unknown:
        raise SystemExit(f"no layouts {sorted(unknown)}; there are {', '.join(layouts)}")
    for name in options.layouts or layouts:
        start = time.time()
        torch.manual_seed(0)
        layouts[name]()
        print(f"{name}: {time.time() - start:.1f} s")
    del library


main()
