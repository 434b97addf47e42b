"""Writes the small PyTorch files that the reader's tests open, and what they should read as.

    python make.py        (needs torch and safetensors)
"""
from collections import OrderedDict

import torch
from safetensors.torch import save_file

torch.manual_seed(0)
base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
model = OrderedDict(
    plain=torch.randn(2, 3),
    transposed=base.t(),
    window=base[1:3, 2:5],
    step=base[::2, ::3],
    broadcast=torch.tensor([1.5]).expand(2, 3),
    scalar=torch.tensor(0.07),
    empty=torch.zeros(0, 4),
    half=torch.randn(3).half(),
    brain=torch.randn(3).bfloat16(),
    double=torch.randn(2).double(),
    long=torch.arange(3) - 1,
    int=torch.tensor([-5, 7], dtype=torch.int32),
    short=torch.tensor([-5, 7], dtype=torch.int16),
    char=torch.tensor([-5, 7], dtype=torch.int8),
    byte=torch.tensor([250, 7], dtype=torch.uint8),
    bool=torch.tensor([True, False]),
    parameter=torch.nn.Parameter(torch.ones(2)),
)
model._metadata = OrderedDict({"": {"version": 1}})
checkpoint = {
    "model": model,
    "optimizer": {"state": {0: {"step": 3, "exp_avg": torch.ones(2)}}, "lr": 1e-4},
    "config": {"name": "größe", "sizes": [1, 2, 300, 70000, -1, 1 << 40], "none": None},
    "shape": torch.Size([2, 3]),
    "dtype": torch.float32,
    "device": torch.device("cuda", 0),
    "flags": (True, False),
    "epoch": 29,
}
torch.save(checkpoint, "small.pth")
torch.save(checkpoint, "small-legacy.pth", _use_new_zipfile_serialization=False)
save_file({name: tensor.detach().contiguous() for name, tensor in model.items()},
          "small.safetensors")
