"""Makes vit-layer-decay.safetensors: PyTorch's AdamW over timm's groups of a small ViT's parameters.

    python make.py

Needs torch, timm and safetensors. timm decides the groups: a learning rate for each block, no decay of biases, norms,
class token and positions. The last norm alone is moved: BEiT and MAE give it the head's rate, timm that of the last block.
The gradients are random numbers of many sizes, so that the weights of every step depend on the averages of the steps
before.

The file holds start/NAME, gradient/STEP/NAME and, after each step, after/STEP/NAME under the project's names. Its
metadata hold the settings, the learning rate of each step, and each parameter's factor and decay.
"""

import json
import pathlib

import timm.optim
import torch
from safetensors.torch import save_file
from timm.models.vision_transformer import VisionTransformer

LAYER_DECAY = 0.75
WEIGHT_DECAY = 0.05
RATES = [1e-3, 4e-3, 2.5e-4]


def main():
    torch.manual_seed(7)
    model = VisionTransformer(
        img_size=8, patch_size=4, embed_dim=8, depth=3, num_heads=2, mlp_ratio=2, num_classes=2
    )
    # The head has the full rate, but is not the project's.
    parameters = {f"visual_encoder.{name}": p for name, p in model.named_parameters() if "head" not in name}
    names = {id(parameter): name for name, parameter in parameters.items()}
    groups = timm.optim.param_groups_layer_decay(
        model, WEIGHT_DECAY, no_weight_decay_list=model.no_weight_decay(), layer_decay=LAYER_DECAY
    )
    norms = {id(model.norm.weight), id(model.norm.bias)}
    for group in groups:
        group["params"] = [p for p in group["params"] if id(p) in names and id(p) not in norms]
    groups = [group for group in groups if group["params"]]
    groups.append({"params": list(model.norm.parameters()), "weight_decay": 0.0, "lr_scale": 1.0})
    with torch.no_grad():
        for parameter in parameters.values():
            parameter.copy_(torch.randn_like(parameter) * 0.3)
    optimizer = torch.optim.AdamW(groups, lr=RATES[0])

    tensors = {f"start/{names[id(p)]}": p.detach().clone() for p in parameters.values()}
    for step, rate in enumerate(RATES):
        for group in optimizer.param_groups:
            group["lr"] = rate * group["lr_scale"]
        for parameter in parameters.values():
            size = 10 ** torch.empty_like(parameter).uniform_(-4, 1)
            parameter.grad = torch.randn_like(parameter) * size
            tensors[f"gradient/{step}/{names[id(parameter)]}"] = parameter.grad.clone()
        optimizer.step()
        for parameter in parameters.values():
            tensors[f"after/{step}/{names[id(parameter)]}"] = parameter.detach().clone()

    factors = {
        names[id(parameter)]: [group["lr_scale"], group["weight_decay"]]
        for group in optimizer.param_groups
        for parameter in group["params"]
    }
    metadata = {
        "layer_decay": json.dumps(LAYER_DECAY),
        "weight_decay": json.dumps(WEIGHT_DECAY),
        "rates": json.dumps(RATES),
        "factors": json.dumps(factors, sort_keys=True),
    }
    save_file(
        {name: tensor.contiguous() for name, tensor in tensors.items()},
        pathlib.Path(__file__).with_name("vit-layer-decay.safetensors"),
        metadata,
    )


if __name__ == "__main__":
    main()
