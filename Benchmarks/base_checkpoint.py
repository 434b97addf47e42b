"""Writes a randomly initialised full-size checkpoint in the layout of the official files.

usage: base_checkpoint.py OUTPUT.pth [--image-size 256] [--without-momentum]

Needs torch. The values follow the original initialisation (truncated normal 0.02), so that
timings and memory are those of a real checkpoint; the results mean nothing.
"""

import argparse

import torch


def vit(image_size: int, width=768, depth=12, patch=16):
    tokens = (image_size // patch) ** 2 + 1
    yield "cls_token", (1, 1, width)
    yield "pos_embed", (1, tokens, width)
    yield "patch_embed.proj.weight", (width, 3, patch, patch)
    yield "patch_embed.proj.bias", (width,)
    for i in range(depth):
        for norm in ("norm1", "norm2"):
            yield f"blocks.{i}.{norm}.weight", (width,)
            yield f"blocks.{i}.{norm}.bias", (width,)
        for name, rows, columns in (
            ("attn.qkv", 3 * width, width),
            ("attn.proj", width, width),
            ("mlp.fc1", 4 * width, width),
            ("mlp.fc2", width, 4 * width),
        ):
            yield f"blocks.{i}.{name}.weight", (rows, columns)
            yield f"blocks.{i}.{name}.bias", (rows,)
    yield "norm.weight", (width,)
    yield "norm.bias", (width,)


def bert(vocabulary=30522, width=768, depth=12, fusion=6, positions=512):
    yield "bert.embeddings.word_embeddings.weight", (vocabulary, width)
    yield "bert.embeddings.position_embeddings.weight", (positions, width)
    yield "bert.embeddings.token_type_embeddings.weight", (2, width)
    yield "bert.embeddings.LayerNorm.weight", (width,)
    yield "bert.embeddings.LayerNorm.bias", (width,)
    for i in range(depth):
        layer = f"bert.encoder.layer.{i}."
        for kind in ("attention", "crossattention") if i >= fusion else ("attention",):
            for name in ("self.query", "self.key", "self.value", "output.dense"):
                yield f"{layer}{kind}.{name}.weight", (width, width)
                yield f"{layer}{kind}.{name}.bias", (width,)
            yield f"{layer}{kind}.output.LayerNorm.weight", (width,)
            yield f"{layer}{kind}.output.LayerNorm.bias", (width,)
        yield f"{layer}intermediate.dense.weight", (4 * width, width)
        yield f"{layer}intermediate.dense.bias", (4 * width,)
        yield f"{layer}output.dense.weight", (width, 4 * width)
        yield f"{layer}output.dense.bias", (width,)
        yield f"{layer}output.LayerNorm.weight", (width,)
        yield f"{layer}output.LayerNorm.bias", (width,)
    head = "cls.predictions."
    yield head + "bias", (vocabulary,)
    yield head + "transform.dense.weight", (width, width)
    yield head + "transform.dense.bias", (width,)
    yield head + "transform.LayerNorm.weight", (width,)
    yield head + "transform.LayerNorm.bias", (width,)


def value(name: str, shape) -> torch.Tensor:
    if name.endswith("bias"):
        return torch.zeros(shape)
    if len(shape) == 1:
        return torch.ones(shape)
    return torch.nn.init.trunc_normal_(torch.empty(shape), std=0.02)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output")
    parser.add_argument("--image-size", type=int, default=256)
    parser.add_argument("--without-momentum", action="store_true")
    options = parser.parse_args()
    torch.manual_seed(0)

    state = {"temp": torch.tensor(0.07)}
    for name in ("image_queue", "text_queue"):
        state[name] = torch.nn.functional.normalize(torch.randn(256, 65536), dim=0)
    state["queue_ptr"] = torch.zeros(1, dtype=torch.long)
    twins = ("",) if options.without_momentum else ("", "_m")
    for twin in twins:
        for name, shape in vit(options.image_size):
            state[f"visual_encoder{twin}.{name}"] = value(name, shape)
        prefix = f"text_encoder{twin}."
        for name, shape in bert():
            state[prefix + name] = value(name, shape)
        state[prefix + "bert.embeddings.position_ids"] = torch.arange(512)[None]
        words = state[prefix + "bert.embeddings.word_embeddings.weight"]
        state[prefix + "cls.predictions.decoder.weight"] = words
        state[prefix + "cls.predictions.decoder.bias"] = state[prefix + "cls.predictions.bias"]
        for name in ("vision_proj", "text_proj"):
            state[f"{name}{twin}.weight"] = value("weight", (256, 768))
            state[f"{name}{twin}.bias"] = torch.zeros(256)
    state["itm_head.weight"] = value("weight", (2, 768))
    state["itm_head.bias"] = torch.zeros(2)
    config = {"image_res": options.image_size, "queue_size": 65536, "embed_dim": 256}
    torch.save({"model": state, "config": config, "epoch": 0}, options.output)


if __name__ == "__main__":
    main()
