"""The layers of the text encoder with packed weights, for one short text.

They are the layers that the program calls, in bfloat16 or with 8-bit weights, from PyTorch.
"""

import torch
import torch.nn.functional as F

WIDTH, HEADS, LAYERS = 768, 12, 6
# Outputs and inputs of the four products of a layer: query, key and value; output; both of the MLP.
SHAPES = ((3 * WIDTH, WIDTH), (WIDTH, WIDTH), (4 * WIDTH, WIDTH), (WIDTH, 4 * WIDTH))


class BFloat16:
    """A product in bfloat16."""

    def __init__(self, weight):
        self.weight = torch.ops.mkldnn._reorder_linear_weight(weight.bfloat16(), 64)
        self.bias = torch.zeros(len(weight), dtype=torch.bfloat16)

    def __call__(self, x, ending="none"):
        return self.prepared(x.bfloat16(), ending)

    def prepared(self, x, ending="none"):
        return torch.ops.mkldnn._linear_pointwise(x, self.weight, self.bias, ending, [], "none")

    def input(self, rows, inputs):
        return torch.randn(rows, inputs).bfloat16()


class Int8:
    """A product of 8-bit integers, with a scale per output and, at each call, per row."""

    def __init__(self, weight):
        self.scales = weight.abs().amax(1) / 127
        self.weight = torch.ops.onednn.qlinear_prepack(
            (weight / self.scales[:, None]).round().to(torch.int8), None)
        self.zeros = torch.zeros(len(weight), dtype=torch.int32)
        self.bias = torch.zeros(len(weight))

    def __call__(self, x, ending="none"):
        largest = torch.linalg.vector_norm(x, float("inf"), -1, True)
        rounded = (x * (127 / largest)).round_().to(torch.int8)
        y = torch.addcmul(self.bias, self.prepared(rounded), largest / 127)
        return F.gelu(y) if ending == "gelu" else y

    def prepared(self, x, ending="none"):
        return torch.ops.onednn.qlinear_pointwise(
            x, 1.0, 0, self.weight, self.scales, self.zeros, None, 1.0, 0, torch.float32,
            ending, [], "none")

    def input(self, rows, inputs):
        return torch.randint(-127, 127, (rows, inputs), dtype=torch.int8)


def made(kind):
    """The products of all layers, with random weights."""
    form = {"bfloat16": BFloat16, "int8": Int8}[kind]
    return [[form(torch.randn(shape) * 0.02) for shape in SHAPES] for _ in range(LAYERS)]


def products(layers, rows):
    """A call of every product, whose inputs are ready."""
    inputs = [product.input(rows, shape[1]) for product, shape in zip(layers[0], SHAPES)]

    def call():
        for layer in layers:
            for number, (product, x) in enumerate(zip(layer, inputs)):
                product.prepared(x, "gelu" if number == 2 else "none")

    return call


def whole(layers, rows):
    """A call of whole layers: attention, norms and residual sums too."""
    start, scale = torch.randn(rows, WIDTH), torch.ones(WIDTH)

    def norm(x):
        return F.layer_norm(x, (WIDTH,), scale, scale, 1e-12)

    def call():
        x = start
        for joint, output, wide, narrow in layers:
            parts = joint(x).view(1, rows, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
            context = F.scaled_dot_product_attention(*parts)
            x = norm(x + output(context.transpose(1, 2).reshape(rows, WIDTH)))
            x = norm(x + narrow(wide(x, "gelu")))

    return call
