"""What every layout shares: numbers for the weights, the two precisions, and the file of expected outputs."""

import copy
import json
import math
import pathlib
import shutil
import struct
import zlib

import numpy
import torch
from torch.utils._python_dispatch import TorchDispatchMode

HERE = pathlib.Path(__file__).parent
NORMS = ("norm", "ln_", "LayerNorm", "layrnorm", "logit_norm")


# --- weights -------------------------------------------------------------------------------------------------


def numbers(name, shape, seed=0):
    """Normal numbers that depend on the name alone, so that no order of parameters matters."""
    generator = numpy.random.default_rng([seed, zlib.crc32(name.encode())])
    return torch.from_numpy(generator.standard_normal(tuple(shape)).astype(numpy.float32))


def value(name, shape, seed=0):
    """One parameter. No norm is the identity and no bias is zero, so that a swap shows.

    What stands before the first norm is small (0.02), as in trained towers, so that the norm's eps shows too.
    """
    n = numbers(name, shape, seed)
    last = name.rsplit(".", 1)[-1]
    if name.endswith("logit_scale"):
        return torch.full_like(n, math.log(6.0)) + 0.05 * n
    if name.endswith("logit_bias"):
        return torch.full_like(n, -1.7) + 0.05 * n
    if last in ("gamma", "gamma_1", "gamma_2") and "ls" in name:
        return 0.6 + 0.2 * n
    if len(shape) == 1 and any(part in name for part in NORMS) and last in ("weight", "gamma"):
        return 1 + 0.25 * n
    if last in ("probe", "latent"):
        return n
    if "patch_embed" in name or "conv1" in name:
        return 0.02 * n / (1 if len(shape) == 1 else math.sqrt(math.prod(shape[1:])))
    if "embed" in name or "token" in last:
        return 0.02 * n if not any(part in name for part in NORMS) else 0.2 * n
    if len(shape) == 1:
        return 0.2 * n
    return 1.4 * n / math.sqrt(shape[-1])


def fill(model, seed=0):
    """Fills a model in place and returns it, ready to be run."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(value(name, parameter.shape, seed))
    return model.eval()


# --- inputs --------------------------------------------------------------------------------------------------


def pixels(size, count=2, seed=7):
    """Prepared images [count, 3, size, size]: smooth gradients and noise, about zero mean and unit deviation."""
    axis = torch.linspace(-1, 1, size)
    ramp = torch.stack([axis[:, None] * (0.6 + b) + axis[None, :] * (0.9 - b) for b in range(count)])
    return (ramp[:, None] + 0.7 * numbers("pixels", (count, 3, size, size), seed)).contiguous()


def bert_ids(length=9, vocabulary=60):
    """Three texts of different lengths, padded with 0 on the right: ids [3, length] and mask of 1 and 0."""
    generator = numpy.random.default_rng(5)
    ids = torch.zeros(3, length, dtype=torch.long)
    for row, used in enumerate((length, length - 3, 3)):
        ids[row, :used] = torch.from_numpy(generator.integers(4, vocabulary - 4, used))
        ids[row, 0], ids[row, used - 1] = 2, 3
    return ids, (ids != 0).long()


def clip_ids(length=10, vocabulary=80, padding=0):
    """Three texts framed by start (vocabulary - 2) and end (vocabulary - 1), padded on the right."""
    generator = numpy.random.default_rng(6)
    ids = torch.full((3, length), padding, dtype=torch.long)
    for row, used in enumerate((length, length - 4, 3)):
        ids[row, :used] = torch.from_numpy(generator.integers(4, vocabulary - 4, used))
        ids[row, 0], ids[row, used - 1] = vocabulary - 2, vocabulary - 1
    mask = torch.zeros_like(ids)
    for row, used in enumerate((length, length - 4, 3)):
        mask[row, :used] = 1
    return ids, mask


# --- outputs -------------------------------------------------------------------------------------------------


class NoSingle(TorchDispatchMode):
    """Collects operations that give single precision while a model is run in double precision."""

    def __init__(self):
        super().__init__()
        self.found = set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        for part in out if isinstance(out, (tuple, list)) else (out,):
            if isinstance(part, torch.Tensor) and part.dtype in (torch.float32, torch.float16, torch.bfloat16):
                if part.numel() > 1:
                    self.found.add(str(function))
        return out


def normalised(x):
    return x / x.norm(dim=-1, keepdim=True)


def measured(run, model, inputs):
    """Runs a model in both precisions: the double one's outputs as float32, and how far the single one is."""
    results = []
    for dtype in (torch.float32, torch.float64):
        same = copy.deepcopy(model).to(dtype).eval()
        given = {k: v.to(dtype) if v.is_floating_point() else v for k, v in inputs.items()}
        watch = NoSingle()
        with torch.no_grad():
            if dtype == torch.float64:
                with watch:
                    results.append(run(same, given))
            else:
                results.append(run(same, given))
        if watch.found:
            raise SystemExit(f"single precision inside the double run: {sorted(watch.found)}")
    single, double = results
    errors = {k: float((single[k].double() - double[k].double()).abs().max()) for k in double}
    for name, error in errors.items():
        if not error < 1e-4:
            raise SystemExit(f"{name} differs by {error} between the precisions")
    return {k: v.float() for k, v in double.items()}, errors


def write_safetensors(path, tensors, metadata):
    """Writes safetensors with sorted names, so that making a file again gives the same bytes."""
    kinds = {torch.float32: "F32", torch.int64: "I64"}
    header, blobs, offset = {"__metadata__": dict(sorted(metadata.items()))}, [], 0
    for name in sorted(tensors):
        tensor = tensors[name].detach().contiguous()
        blob = tensor.numpy().tobytes()
        header[name] = {
            "dtype": kinds[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [offset, offset + len(blob)],
        }
        blobs.append(blob)
        offset += len(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def write_expected(folder, inputs, outputs, errors, facts, name="expected.safetensors"):
    """inputs/NAME and outputs/NAME; metadata: f32_err (as in the golden sets), facts, versions."""
    tensors = {f"inputs/{k}": v for k, v in inputs.items()} | {f"outputs/{k}": v for k, v in outputs.items()}
    write_safetensors(
        folder / name,
        tensors,
        {
            "f32_err": json.dumps({k: float(f"{v:.3e}") for k, v in sorted(errors.items())}),
            "facts": json.dumps(facts, sort_keys=True),
            "versions": json.dumps(versions()),
        },
    )


def versions():
    import importlib.metadata

    found = {"torch": torch.__version__}
    for package in ("transformers", "timm", "open_clip_torch", "cn_clip"):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            pass
    return found


def empty(name):
    folder = HERE / name
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    return folder


def write_json(path, document):
    path.write_text(json.dumps(document, indent=2) + "\n")


def pair_outputs(image, text, scale, bias=None):
    """Features of images [I, E] and texts [T, E], before and after L2, and the scores both ways.

    `probabilities` is the sigmoid of each pair where there is a bias, else the softmax over texts of an image and
    over images of a text.
    """
    image_unit, text_unit = normalised(image), normalised(text)
    logits = scale.exp() * text_unit @ image_unit.T
    out = {
        "image_features": image,
        "text_features": text,
        "image_features_normalised": image_unit,
        "text_features_normalised": text_unit,
    }
    if bias is None:
        out["logits_per_text"] = logits
        out["probabilities_per_image"] = logits.T.softmax(-1)
        out["probabilities_per_text"] = logits.softmax(-1)
    else:
        logits = logits + bias
        out["logits_per_text"] = logits
        out["probabilities"] = logits.sigmoid()
    return out
