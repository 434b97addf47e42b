"""Compares features and losses of a model directory with those of LAVIS, on the same inputs.

    python Benchmarks/reference_check.py MODEL_DIRECTORY FIXED.safetensors [--double] [--tolerance X]

`Benchmarks/bench prepare` installs LAVIS. MODEL_DIRECTORY holds config.json and model.safetensors with
a momentum teacher (`*_m`) and queues. FIXED.safetensors holds a batch, every random choice, and the
values that swift-albef computed for them without dropout and without an update of the teacher:

    pixels [B, 3, S, S]               normalised images
    input_ids, attention_mask [B, L]  tokens
    neg_image_idx [B]                 the hard negative image of text b
    neg_text_idx [B]                  the hard negative text of image b
    mlm_input_ids, mlm_labels [B, L]  masked tokens; labels -100 where no token is hidden
    alpha                             the weight of the soft targets
    swift/image_features [B, E]       aligned features; also swift/text_features, and from the
                                      teacher swift/image_features_m, swift/text_features_m
    swift/loss_itc                    also swift/loss_itm, swift/loss_mlm

    swift/itm_logits [3B, 2]          positives, (text, hard image), (hard text, image)

Exits with 1 if a value is missing or differs by more than the tolerance. The teacher's features
and the logits may be missing. But the loss of an untrained model hardly depends on its hard
negatives, while the logits do.
"""

import argparse
import json
import pathlib
import re
import sys

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from lavis_albef import GivenTokens, pretraining_model

INPUTS = ("pixels", "input_ids", "attention_mask", "neg_image_idx", "neg_text_idx",
          "mlm_input_ids", "mlm_labels", "alpha")
OPTIONAL = ("image_features_m", "text_features_m", "itm_logits")

# Entries of a LAVIS state dictionary that are not parameters: the same tensors under a second name,
# and buffers that follow from the sizes or that the losses do not read.
TIED = {
    ".cls.predictions.decoder.weight": ".bert.embeddings.word_embeddings.weight",
    ".cls.predictions.decoder.bias": ".cls.predictions.bias",
}
BUFFERS = re.compile(r"text_encoder(_m)?\.bert\.embeddings\.position_ids|queue_ptr")


def load(directory):
    """The model with the directory's weights; every name must be accounted for."""
    directory = pathlib.Path(directory)
    configuration = json.loads((directory / "config.json").read_text())
    if configuration["task"] != "pretraining":
        sys.exit(f"{directory}/config.json: 'task' is {configuration['task']}, not pretraining")
    weights = load_file(directory / "model.safetensors")
    if "image_queue" not in weights:
        sys.exit(f"{directory}/model.safetensors: has no 'image_queue'; was it left out on import?")
    model = pretraining_model(
        configuration, queue_size=weights["image_queue"].shape[1], dropout=0.0, momentum=1.0)
    missing, unexpected = model.load_state_dict(weights, strict=False)
    faults = [f"'{name}' is unknown to LAVIS" for name in unexpected]
    for name in missing:
        if not BUFFERS.fullmatch(name) and not name.endswith(tuple(TIED)):
            faults.append(f"'{name}' is missing")
    for name in weights:
        for second, first in TIED.items():
            other = weights.get(name.replace(second, first))
            if name.endswith(second) and (other is None or not torch.equal(weights[name], other)):
                faults.append(f"'{name}' is not its twin '{name.replace(second, first)}'")
    if faults:
        sys.exit("\n".join(f"{directory}/model.safetensors: {fault}" for fault in faults))
    return model.eval()


def expected(model, fixed):
    """The features and losses of LAVIS's own forward pass, with every choice given."""
    module = sys.modules[type(model).__module__]
    model.tokenizer = GivenTokens(fixed["input_ids"].long(), fixed["attention_mask"].long())
    model.mask = lambda *_, **__: (
        fixed["mlm_input_ids"].long().clone(), fixed["mlm_labels"].long().clone())
    # Only the next step would use the new queues, whose length may not be a multiple of the batch.
    model._dequeue_and_enqueue = lambda *_: None
    # The ramp of alpha ends after two epochs.
    model.alpha = float(fixed["alpha"])
    # First an image for each text, then a text for each image.
    choices = [int(i) for name in ("neg_image_idx", "neg_text_idx") for i in fixed[name]]
    chosen = iter(choices)

    features = {}
    hooks = [
        getattr(model, module_name).register_forward_hook(
            lambda _, __, output, name=name: features.update({name: F.normalize(output, dim=-1)}))
        for module_name, name in (
            ("vision_proj", "image_features"), ("text_proj", "text_features"),
            ("vision_proj_m", "image_features_m"), ("text_proj_m", "text_features_m"))]
    multinomial = module.torch.multinomial
    module.torch.multinomial = lambda *_, **__: torch.tensor([next(chosen)])
    try:
        with torch.no_grad():
            output = model({
                "image": fixed["pixels"].to(model.temp.dtype), "text_input": None,
                "epoch": 2, "iters": 0, "num_iters_per_epoch": 1})
    finally:
        module.torch.multinomial = multinomial
        for hook in hooks:
            hook.remove()
    if next(chosen, None) is not None:
        sys.exit("LAVIS made fewer choices than were given")
    losses = {name: getattr(output, name) for name in ("loss_itc", "loss_itm", "loss_mlm")}
    return features | losses | {"itm_logits": output.intermediate_output.itm_logits}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", metavar="MODEL_DIRECTORY")
    parser.add_argument("fixed", metavar="FIXED.safetensors")
    parser.add_argument("--tolerance", type=float, default=1e-4)
    parser.add_argument("--double", action="store_true", help="let LAVIS compute in float64")
    options = parser.parse_args()

    fixed = load_file(options.fixed)
    for name in INPUTS:
        if name not in fixed:
            sys.exit(f"{options.fixed}: has no '{name}'")
    model = load(options.model)
    if options.double:
        torch.set_default_dtype(torch.float64)
        model = model.double()
    fails = False
    print(f"{'value':18s} {'shape':>12s} {'largest':>12s} {'difference':>12s}")
    for name, reference in expected(model, fixed).items():
        actual = fixed.get(f"swift/{name}")
        if actual is None:
            fails = fails or name not in OPTIONAL
            print(f"{name:18s} not in the file{'' if name in OPTIONAL else '  FAILS'}")
            continue
        if actual.numel() != reference.numel():
            fails = True
            print(f"{name:18s} is {list(actual.shape)}, not {list(reference.shape)}  FAILS")
            continue
        reference = reference.double()
        difference = (actual.double().reshape(reference.shape) - reference).abs().max().item()
        wrong = not difference <= options.tolerance  # also true for NaN
        fails = fails or wrong
        print(f"{name:18s} {str(list(reference.shape)):>12s} {reference.abs().max().item():12.6f} "
              f"{difference:12.2e}{'  FAILS' if wrong else ''}")
    sys.exit(1 if fails else 0)


if __name__ == "__main__":
    main()
