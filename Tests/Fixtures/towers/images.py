"""Image towers alone: timm's ViT, DeiT, DeiT-3 and CLIP tower, and Hugging Face's ViT and DeiT."""

import json

import timm
import torch
from timm.models._hub import save_for_hf as save_timm

from common import empty, fill, measured, pixels, write_expected, write_json

SMALL = dict(img_size=12, patch_size=4, depth=2, mlp_ratio=1.5, num_classes=5)


def timm_outputs(model, x):
    """Every layout of timm: all tokens after the last norm, and each block's output before it."""
    tokens = model.forward_features(x["pixel_values"])
    states = []
    hooks = [b.register_forward_hook(lambda _m, _i, o: states.append(o)) for b in model.blocks]
    model.forward_features(x["pixel_values"])
    for hook in hooks:
        hook.remove()
    return {"tokens": tokens} | {f"block.{n}": s for n, s in enumerate(states)}


def make_timm(layout, architecture, arguments, heads, named=False, outputs=timm_outputs, **facts):
    """`named`: without `model_args`, as most of the hub's files are, so that heads follow from the architecture."""
    folder = empty(layout)
    model = fill(timm.create_model(architecture, **arguments))
    size = arguments["img_size"]
    save_timm(model, folder, safe_serialization=True)
    if named:
        document = json.loads((folder / "config.json").read_text())
        del document["model_args"]
        write_json(folder / "config.json", document)
    inputs = {"pixel_values": pixels(size)}
    facts = dict(image=dict(heads=heads, activation="gelu", eps=1e-6) | facts, source=f"timm {architecture}")
    write_expected(folder, inputs, *measured(outputs, model, inputs), facts)
    return model, folder


def timm_vit():
    """ViT with a class token; config.json gives the sizes in model_args. Tokens [B, P + 1, D]."""
    arguments = dict(SMALL, img_size=16, patch_size=8, embed_dim=12, num_heads=2)
    make_timm("timm-vit", "vit_tiny_patch16_224", arguments, heads=2)


def timm_deit_distilled():
    """Two prefix tokens: class, distillation. Tokens [B, P + 2, D]; heads as the architecture's name has them (3)."""
    arguments = dict(SMALL, embed_dim=12)
    make_timm("timm-deit-distilled", "deit_tiny_distilled_patch16_224", arguments, heads=3, named=True)


def timm_deit3():
    """LayerScale, and positions for the patches only; heads by name (6)."""
    arguments = dict(SMALL, embed_dim=12)
    make_timm("timm-deit3", "deit3_small_patch16_224", arguments, heads=6, named=True)


def deit_original():
    """What facebookresearch/deit published: no config.json, weights under `model`, a head of classes.

    DeiT-3's LayerScale is `gamma_1`, `gamma_2` there. One block each.
    """
    folder = empty("deit-original")
    for name, architecture, arguments in (
        ("distilled", "deit_tiny_distilled_patch16_224", dict(SMALL, embed_dim=12)),
        ("deit3", "deit3_small_patch16_224", dict(SMALL, embed_dim=12)),
    ):
        model = fill(timm.create_model(architecture, **arguments | dict(depth=1)))
        state = {
            k.replace("ls1.gamma", "gamma_1").replace("ls2.gamma", "gamma_2"): v
            for k, v in model.state_dict().items()
        }
        torch.save({"model": state}, folder / f"{name}.pth")
        inputs = {"pixel_values": pixels(12)}
        heads = 3 if name == "distilled" else 6
        facts = dict(image=dict(heads=heads, activation="gelu", eps=1e-6), source=f"timm {architecture}")
        write_expected(folder, inputs, *measured(timm_outputs, model, inputs), facts, f"expected-{name}.safetensors")


def timm_clip():
    """A CLIP image tower in timm's names: norm_pre, no bias of patches, head = projection, QuickGELU, eps 1e-5."""

    def outputs(model, x):
        tokens = model.forward_features(x["pixel_values"])
        return timm_outputs(model, x) | {"features": model.forward_head(tokens)}

    arguments = dict(SMALL, embed_dim=12, num_classes=10)
    make_timm(
        "timm-clip", "vit_base_patch16_clip_quickgelu_224", arguments, heads=12, named=True,
        outputs=outputs,
        activation="quick_gelu", eps=1e-5,
    )


def timm_siglip():
    """A SigLIP image tower in timm's names: no class token, attention pooling, tanh GELU."""

    def outputs(model, x):
        tokens = model.forward_features(x["pixel_values"])
        return timm_outputs(model, x) | {"pooled": model.forward_head(tokens, pre_logits=True)}

    arguments = dict(SMALL, embed_dim=12, num_classes=0)
    make_timm(
        "timm-siglip", "vit_base_patch32_siglip_256", arguments, heads=12, named=True,
        outputs=outputs,
        activation="gelu_pytorch_tanh",
    )


# --- Hugging Face --------------------------------------------------------------------------------------------

VIT = dict(hidden_size=12, num_hidden_layers=2, num_attention_heads=2, intermediate_size=20, image_size=12, patch_size=4)


def hf_outputs(model, x):
    base = getattr(model, "vit", model)
    out = base(pixel_values=x["pixel_values"], output_hidden_states=True)
    states = {f"hidden.{n}": s for n, s in enumerate(out.hidden_states)}
    return states | {"tokens": out.last_hidden_state}


def make_hf(layout, model, processor, facts, **how):
    folder = empty(layout)
    fill(model)
    model.save_pretrained(folder, **how)
    processor.save_pretrained(folder)
    inputs = {"pixel_values": pixels(12)}
    write_expected(folder, inputs, *measured(hf_outputs, model, inputs), facts)


def hf_vit():
    """ViTModel, classic names, no prefix, a pooler to ignore, eps 1e-12."""
    from transformers import ViTConfig, ViTImageProcessor, ViTModel

    model = ViTModel(ViTConfig(**VIT))
    facts = dict(image=dict(heads=2, activation="gelu", eps=1e-12), source="transformers ViTModel")
    make_hf("hf-vit", model, ViTImageProcessor(size={"height": 12, "width": 12}), facts)


def hf_vit_new():
    """ViTForImageClassification, names of transformers 5's refactored ViT under `vit.`, a classifier, eps 1e-6.

    transformers 5 turns the names back to the classic ones on saving; `save_original_format=False`, or saving
    `state_dict()`, gives the new ones.
    """
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor

    model = ViTForImageClassification(ViTConfig(**VIT, layer_norm_eps=1e-6, num_labels=3))
    facts = dict(image=dict(heads=2, activation="gelu", eps=1e-6), source="transformers ViTForImageClassification")
    make_hf("hf-vit-new", model, ViTImageProcessor(size={"height": 12, "width": 12}), facts, save_original_format=False)


def hf_vit_prefixed():
    """ViTForImageClassification, classic names under `vit.`: facebook/deit-base-patch16-224 is stored so. One layer."""
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor

    model = ViTForImageClassification(ViTConfig(**VIT | dict(num_hidden_layers=1), layer_norm_eps=1e-12, num_labels=3))
    facts = dict(image=dict(heads=2, activation="gelu", eps=1e-12), source="transformers ViTForImageClassification")
    make_hf("hf-vit-prefixed", model, ViTImageProcessor(size={"height": 12, "width": 12}), facts)


def hf_deit():
    """DeiTModel: class and distillation token. Tokens [B, P + 2, D]. One layer."""
    from transformers import DeiTConfig, DeiTImageProcessor, DeiTModel

    model = DeiTModel(DeiTConfig(**VIT | dict(num_hidden_layers=1)))
    facts = dict(image=dict(heads=2, activation="gelu", eps=1e-12), source="transformers DeiTModel")
    processor = DeiTImageProcessor(
        size={"height": 14, "width": 14}, crop_size={"height": 12, "width": 12}, do_center_crop=True
    )
    make_hf("hf-deit", model, processor, facts)


LAYOUTS = {
    "timm-vit": timm_vit,
    "timm-deit-distilled": timm_deit_distilled,
    "timm-deit3": timm_deit3,
    "deit-original": deit_original,
    "timm-clip": timm_clip,
    "timm-siglip": timm_siglip,
    "hf-vit": hf_vit,
    "hf-vit-prefixed": hf_vit_prefixed,
    "hf-vit-new": hf_vit_new,
    "hf-deit": hf_deit,
}
