"""Packs golden sets into one file each.

    python pack.py GOLDEN_FOLDER

GOLDEN_FOLDER holds what the Python implementations gave: a folder a set, with state, inputs, outputs and meta.json.
Written beside this script, one safetensors file a set: state/NAME before the first step (momentum twins and queues
included), inputs/NAME, outputs/NAME (traces, evaluations, grad/ and after3/ among them); the metadata holds the configuration, the
optimizer, the scalars, the distance of the reference's own single precision from its double precision, and texts.
Tied tensors and position ids, which the files hold twice, are left out.
"""

import json
import pathlib
import sys

from safetensors.numpy import load_file, save_file

SETS = {
    "albef-pretraining": ("albef/pretrain", ["outputs", "grads_step0", "after3"]),
    "lavis-pretraining": ("lavis/pretrain", ["outputs", "grads_step0", "after3"]),
    "albef-retrieval": ("albef/retrieval", ["outputs"]),
    "lavis-retrieval": ("lavis/retrieval", ["outputs"]),
    "lavis-entailment": ("lavis/ve", ["outputs"]),
    "lavis-vqa": ("lavis/vqa", ["outputs"]),
    "lavis-nlvr": ("lavis/nlvr", ["outputs"]),
    "lavis-transfer": ("lavis/transfer", ["outputs"]),
}

# What the sets of the tasks have beside numbers: texts, and the tensor that each tensor starts from.
FACTS = ["strings", "answer_list", "vqa_source_of"]


def is_kept(name):
    return "position_ids" not in name and "cls.predictions.decoder" not in name


def renamed(name):
    """The retrieval models have no `bert.`; the project's names are the pretraining model's."""
    for module in ("text_encoder", "text_encoder_m"):
        for part in ("embeddings.", "encoder."):
            for prefix in ("", "grad/", "after1/"):
                if name.startswith(f"{prefix}{module}.{part}"):
                    return name.replace(f"{module}.{part}", f"{module}.bert.{part}", 1)
    return name


def main():
    source = pathlib.Path(sys.argv[1])
    for name, (folder, files) in SETS.items():
        folder = source / folder
        meta = json.loads((folder / "meta.json").read_text())
        tensors, errors = {}, {}
        parts = [("state", "state"), ("inputs", "inputs")] + [(file, "outputs") for file in files]
        for file, prefix in parts:
            # The transferred model starts from the weights of pretraining.
            if not (folder / f"{file}.safetensors").exists():
                continue
            for key, value in load_file(folder / f"{file}.safetensors").items():
                if not is_kept(key):
                    continue
                error = meta["files"][f"{file}.safetensors"].get(key, {}).get("f32_err")
                key = renamed(key)
                tensors[f"{prefix}/{key}"] = value
                if error is not None:
                    errors[key] = error
        scalars = {k: v for k, v in meta["scalars"].items() if not k.endswith("#f32_err")}
        errors |= {k[: -len("#f32_err")]: v for k, v in meta["scalars"].items() if k.endswith("#f32_err")}
        save_file(
            tensors,
            pathlib.Path(__file__).parent / f"{name}.safetensors",
            metadata={
                "config": json.dumps(meta["config"]),
                "optimizer": json.dumps(meta.get("optimizer", {})),
                "scalars": json.dumps(scalars),
                "f32_err": json.dumps(errors),
            }
            | {key: json.dumps(meta[key]) for key in FACTS if meta.get(key)},
        )


main()
