"""Makes albef-grounding.safetensors: heat maps by ITC and sums of boxes, computed by PyTorch.

    python3 Tests/Fixtures/golden/grounding.py     (needs torch, numpy and safetensors)

The weights, images and text features are those of albef-retrieval.safetensors. The image encoder is
written out here, so that the class token's attention in every block is at hand. Everything is
computed in double precision; `f32_err` is how far single precision is from that.
"""

import json
import pathlib

import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import save_file

FOLDER = pathlib.Path(__file__).parent
# The text of each of the six images.
PAIRS = [0, 2, 4, 6, 8, 1]
SIZE = (37, 53)  # height and width of the image of the boxes
BOXES = [[0, 0, 53, 37], [5, 4, 10, 20], [30, 0, 1, 37], [52, 36, 1, 1], [17, 20, 30, 9]]


def tokens(weights, config, images, watch):
    def get(name):
        return weights["visual_encoder." + name]

    def norm(x, name):
        return F.layer_norm(
            x, x.shape[-1:], get(name + ".weight"), get(name + ".bias"), config["vision_ln_eps"])

    def linear(x, name):
        return F.linear(x, get(name + ".weight"), get(name + ".bias"))

    x = F.conv2d(
        images, get("patch_embed.proj.weight"), get("patch_embed.proj.bias"),
        stride=config["patch_size"])
    x = x.flatten(2).transpose(1, 2)
    x = torch.cat([get("cls_token").expand(len(images), -1, -1), x], 1) + get("pos_embed")
    heads = config["vision_heads"]
    for block in range(config["vision_depth"]):
        name = f"blocks.{block}."
        batch, length, width = x.shape
        qkv = linear(norm(x, name + "norm1"), name + "attn.qkv")
        q, k, v = qkv.reshape(batch, length, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
        attention = ((q @ k.transpose(-2, -1)) * (width // heads) ** -0.5).softmax(-1)
        watch.append(attention)
        attended = (attention @ v).transpose(1, 2).reshape(batch, length, width)
        x = x + linear(attended, name + "attn.proj")
        hidden = F.gelu(linear(norm(x, name + "norm2"), name + "mlp.fc1"))
        x = x + linear(hidden, name + "mlp.fc2")
    return norm(x, "norm")


def maps(weights, config, images, texts):
    for weight in weights.values():
        weight.requires_grad_(weight.is_floating_point())
    watched = []
    state = tokens(weights, config, images, watched)[:, 0]
    features = F.normalize(F.linear(state, weights["vision_proj.weight"], weights["vision_proj.bias"]))
    similarities = (features * texts).sum(-1)
    gradients = torch.autograd.grad((similarities / weights["temp"]).sum(), watched)
    side = config["image_size"] // config["patch_size"]
    found = {"itc/similarities": similarities}
    for block, (attention, gradient) in enumerate(zip(watched, gradients)):
        heat = attention[:, :, 0, 1:] * gradient[:, :, 0, 1:].clamp(min=0)
        found[f"itc/block{block}"] = heat.mean(1).reshape(-1, side, side)
    return found


def boxes(heat):
    resized = F.interpolate(heat[None, None], size=SIZE, mode="bicubic")[0, 0]
    return {"box/sums": torch.stack([resized[y:y + h, x:x + w].sum() for x, y, w, h in BOXES])}


def main():
    source = safe_open(FOLDER / "albef-retrieval.safetensors", "pt")
    config = json.loads(source.metadata()["config"])
    names = [name for name in source.keys() if name.startswith("state/")]
    heat = torch.rand(4, 6, generator=torch.Generator().manual_seed(5))

    def run(dtype):
        weights = {
            name.removeprefix("state/"): source.get_tensor(name).to(dtype) for name in names
            if source.get_tensor(name).is_floating_point()}
        images = source.get_tensor("inputs/eval/image").to(dtype)
        texts = source.get_tensor("outputs/eval/text_feat").to(dtype)[PAIRS]
        found = maps(weights, config, images, texts) | boxes(heat.to(dtype))
        return {name: tensor.detach().double() for name, tensor in found.items()}

    exact, single = run(torch.float64), run(torch.float32)
    errors = {name: float((exact[name] - single[name]).abs().max()) for name in exact}
    tensors = {"outputs/" + name: tensor.float().contiguous() for name, tensor in exact.items()}
    tensors["inputs/box/map"] = heat
    tensors["inputs/box/boxes"] = torch.tensor(BOXES)
    tensors["inputs/itc/texts"] = torch.tensor(PAIRS)
    save_file(
        tensors, FOLDER / "albef-grounding.safetensors",
        {"config": json.dumps(config), "f32_err": json.dumps(errors), "scalars": "{}"})


if __name__ == "__main__":
    main()
