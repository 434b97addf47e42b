"""Loads the Hugging Face folders with the transformers that is installed, and compares with what was expected.

    PYTHONPATH=FOLDER_OF_ANOTHER_TRANSFORMERS python make.py --verify [LAYOUT ...]

Two versions that agree are the evidence that a fixture shows an architecture and not a fault of one release.
transformers 4.57.6 cannot read five of the folders (README.md says which and why): those are listed in OLD.
"""

import json
import struct

import torch
import transformers
from safetensors.torch import load_file

from common import HERE

OLD = {"bert-tied", "hf-chinese-clip", "hf-clip-vision-flat", "hf-siglip-vision-flat", "hf-vit-new"}


def metadata(path):
    data = path.read_bytes()
    return json.loads(data[8 : 8 + struct.unpack("<Q", data[:8])[0]])["__metadata__"]


def outputs(folder, x):
    import blip
    import images
    import pairs
    import texts

    name = json.loads((folder / "config.json").read_text())["architectures"][0]
    model = getattr(transformers, name).from_pretrained(folder).eval()
    with torch.no_grad():
        if name.startswith("Blip"):
            return blip.outputs(model, x)
        if name.startswith("Bert"):
            return texts.outputs(model, x)
        if name.startswith(("ViT", "DeiT")):
            return images.hf_outputs(model, x)
        if "Vision" in name:
            return pairs.vision_outputs(model, x)
        return pairs.hf_pair(model, x, mask=name.startswith("Chinese"))


def main(layouts):
    print("transformers", transformers.__version__)
    wrong = 0
    for config in sorted(HERE.glob("*/config.json")):
        folder = config.parent
        document = json.loads(config.read_text())
        if "architectures" not in document or (layouts and folder.name not in layouts):
            continue
        if transformers.__version__.startswith("4.") and folder.name in OLD:
            print(f"{folder.name}: not for this version")
            continue
        stored = load_file(folder / "expected.safetensors")
        errors = json.loads(metadata(folder / "expected.safetensors")["f32_err"])
        given = {k[7:]: v for k, v in stored.items() if k.startswith("inputs/")}
        try:
            found = outputs(folder, given)
        except Exception as error:
            print(f"{folder.name}: {type(error).__name__}: {str(error)[:200]}")
            wrong += 1
            continue
        far = {}
        for name, error in errors.items():
            if name not in found and ("states" in name or "hidden" in name):
                continue  # older versions do not give them from an inner module
            distance = float((found[name].double() - stored[f"outputs/{name}"].double()).abs().max())
            if not distance <= 20 * error + 1e-6:
                far[name] = distance
        wrong += bool(far)
        print(f"{folder.name}: {'differs ' + str(far) if far else 'agrees'}")
    if wrong:
        raise SystemExit(f"{wrong} folders differ")
