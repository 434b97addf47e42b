"""One small image tower in every container and wrapper that weights come in, and files that must be refused."""

import argparse
import collections
import sys
import types

import timm
import torch
from safetensors.torch import save_file

from common import empty, fill, measured, numbers, pixels, write_expected, write_json
from images import make_timm, timm_outputs

ARGUMENTS = dict(img_size=12, patch_size=4, depth=1, embed_dim=8, num_heads=2, mlp_ratio=1.5, num_classes=3)


def containers():
    """Every file holds the tower of model.safetensors (timm's ViT; config.json has its sizes), save half and bfloat16.

    Those two were rounded, and have expected-half and expected-bfloat16: what the rounded weights give in float32.
    """
    model, folder = make_timm("containers", "vit_tiny_patch16_224", ARGUMENTS, heads=2)
    state = collections.OrderedDict((k, v.clone()) for k, v in model.state_dict().items())
    torch.save(state, folder / "pytorch_model.bin")
    torch.save(state, folder / "legacy.pth", _use_new_zipfile_serialization=False)
    prefixed = {
        "module": {"epoch": 3, "state_dict": {f"module.{k}": v for k, v in state.items()}},
        "compiled": {"model": {f"_orig_mod.{k}": v for k, v in state.items()}},
        "both": {"state_dict": {f"module._orig_mod.{k}": v for k, v in state.items()}},
        "model": {f"model.{k}": v for k, v in state.items()},
    }
    for name, document in prefixed.items():
        torch.save(document, folder / f"{name}.pth")
    save_file({f"model.{k}": v for k, v in state.items()}, folder / "model-prefix.safetensors")
    shards(folder, state)
    rounded(folder, model)
    extras(folder, state)


def shards(folder, state):
    """Two shards and their index, as safetensors and as pickles."""
    names = sorted(state)
    halves = names[: len(names) // 2], names[len(names) // 2 :]
    total = sum(v.numel() * v.element_size() for v in state.values())
    for kind, stem, save in (
        ("sharded", "model-{:05d}-of-00002.safetensors", lambda d, p: save_file(d, p, metadata={"format": "pt"})),
        ("sharded-bin", "pytorch_model-{:05d}-of-00002.bin", torch.save),
    ):
        place = folder / kind
        place.mkdir()
        (place / "config.json").write_text((folder / "config.json").read_text())
        index = {}
        for n, half in enumerate(halves, 1):
            file = stem.format(n)
            save({name: state[name] for name in half}, place / file)
            index |= {name: file for name in half}
        first = "model.safetensors" if kind == "sharded" else "pytorch_model.bin"
        write_json(place / f"{first}.index.json", {"metadata": {"total_size": total}, "weight_map": index})


def rounded(folder, model):
    for name, dtype in (("half", torch.float16), ("bfloat16", torch.bfloat16)):
        state = {k: v.to(dtype) for k, v in model.state_dict().items()}
        save_file(state, folder / f"{name}.safetensors")
        if dtype == torch.float16:
            torch.save(state, folder / f"{name}.pth")
        same = timm.create_model("vit_tiny_patch16_224", **ARGUMENTS)
        same.load_state_dict({k: v.float() for k, v in state.items()})
        inputs = {"pixel_values": pixels(12)}
        facts = dict(image=dict(heads=2, activation="gelu", eps=1e-6), source=f"timm, weights rounded to {name}")
        write_expected(folder, inputs, *measured(timm_outputs, same, inputs), facts, f"expected-{name}.safetensors")


def extras(folder, state):
    """Training scripts leave objects beside the weights: they say nothing about them and need no class of theirs."""
    namespace = argparse.Namespace(lr=1e-4, model="tiny", resume="", sizes=[12, 4], nested=argparse.Namespace(a=1))
    optimizer = {"state": {0: {"step": 3, "exp_avg": torch.zeros(2)}}, "param_groups": [{"lr": 1e-4, "params": [0]}]}
    document = {"model": state, "args": namespace, "optimizer": optimizer, "epoch": 29, "scaler": None}
    torch.save(document, folder / "namespace.pth")

    names = ("omegaconf", "omegaconf.dictconfig", "omegaconf.base")
    for name in names:
        sys.modules[name] = types.ModuleType(name)
    try:
        config, metadata = (
            type(kind, (dict,) if kind == "DictConfig" else (), {"__module__": name})
            for kind, name in (("DictConfig", names[1]), ("ContainerMetadata", names[2]))
        )
        sys.modules[names[1]].DictConfig, sys.modules[names[2]].ContainerMetadata = config, metadata
        extra, about = config(arch="tiny", lr=0.1), metadata()
        about.ref_type, about.flags = "Any", {"readonly": True}
        extra.__dict__.update(_metadata=about, _parent=None)
        torch.save({"model": state, "config": extra}, folder / "omegaconf.pth")
    finally:
        for name in names:
            del sys.modules[name]


def refused():
    """Files that must be refused by name: a TorchScript archive; the ResNet of CLIP and of Chinese-CLIP; a ViT without
    a configuration; registers; SwiGLU; an average-pooled ViT (fc_norm and no norm); MobileCLIP's own; keys
    of no layout; a pickle that calls a function.
    """
    folder = empty("refused")

    class Tiny(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.visual = torch.nn.Linear(2, 2)

        def forward(self, x):
            return self.visual(x)

    torch.jit.save(torch.jit.trace(Tiny().eval(), torch.zeros(1, 2)), folder / "torchscript.pt")
    vit = fill(timm.create_model("vit_tiny_patch16_224", **ARGUMENTS)).state_dict()
    resnet = {"visual.conv1.weight": (4, 3, 3, 3), "visual.bn1.weight": (4,), "visual.layer1.0.conv1.weight": (4, 4, 1, 1)}
    resnet |= {"visual.attnpool.positional_embedding": (5, 8), "visual.attnpool.q_proj.weight": (8, 8), "logit_scale": ()}
    text = {"transformer.resblocks.0.attn.in_proj_weight": (24, 8), "token_embedding.weight": (80, 8)}
    text |= {"positional_embedding": (10, 8), "text_projection": (8, 8), "ln_final.weight": (8,)}
    bert = {"bert.encoder.layer.0.attention.self.query.weight": (8, 8), "text_projection": (8, 8)}
    mobile = {"image_encoder.model.patch_emb.0.block.conv.weight": (4, 3, 3, 3), "logit_scale": ()}
    pooled = {k.replace("norm.", "fc_norm.") if k.startswith("norm.") else k: v for k, v in vit.items()}
    gated = {k.replace("mlp.fc1.", "mlp.w12.").replace("mlp.fc2.", "mlp.w3."): v for k, v in vit.items()}
    made = {
        "resnet-clip": {k: numbers(k, v) for k, v in (resnet | text).items()},
        "resnet-chinese-clip": {k: numbers(k, v) for k, v in (resnet | bert).items()},
        "mobileclip": {k: numbers(k, v) for k, v in mobile.items()},
        "vit-no-configuration": vit,
        "vit-registers": vit | {"reg_token": numbers("reg_token", (1, 4, 8))},
        "vit-swiglu": gated,
        "vit-average-pooled": pooled,
        "unknown": {"backbone.stem.weight": numbers("stem", (2, 2)), "backbone.tail.bias": numbers("tail", (2,))},
    }
    for name, state in made.items():
        save_file({k: v.contiguous() for k, v in state.items()}, folder / f"{name}.safetensors")
    torch.save({"model": {"cls_token": Call()}}, folder / "calls.pth")


class Call:
    """Unpickling it would call `print`: a reader must not."""

    def __reduce__(self):
        return print, ("a pickle was run",)


LAYOUTS = {"containers": containers, "refused": refused}
