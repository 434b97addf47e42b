"""EfficientNet-Lite0 with its batch norms folded into the convolutions, and random weights."""

import torch
import torch.nn.functional as F

# Kernel, stride, factor that widens, channels, blocks: the stages of the published network.
STAGES = ((3, 1, 1, 16, 1), (3, 2, 6, 24, 2), (5, 2, 6, 40, 2), (3, 2, 6, 80, 3),
          (5, 1, 6, 112, 3), (5, 2, 6, 192, 4), (3, 1, 6, 320, 1))


class Same(torch.nn.Conv2d):
    """A convolution with TensorFlow's padding, which puts the odd pixel to the right and below."""

    def forward(self, x):
        kernel, stride, side = self.kernel_size[0], self.stride[0], x.shape[-1]
        total = max(0, (-(-side // stride) - 1) * stride + kernel - side)
        before, after = total // 2, total - total // 2
        if before == after:
            return F.conv2d(x, self.weight, self.bias, stride, before, 1, self.groups)
        padded = F.pad(x, (before, after, before, after))
        return F.conv2d(padded, self.weight, self.bias, stride, 0, 1, self.groups)


class Block(torch.nn.Module):
    def __init__(self, inputs, kernel, stride, factor, outputs):
        super().__init__()
        inner = inputs * factor
        self.expansion = Same(inputs, inner, 1) if factor > 1 else None
        self.depthwise = Same(inner, inner, kernel, stride, groups=inner)
        self.projection = Same(inner, outputs, 1)
        self.is_residual = stride == 1 and inputs == outputs

    def forward(self, x):
        inner = F.relu6(self.expansion(x)) if self.expansion else x
        output = self.projection(F.relu6(self.depthwise(inner)))
        return output + x if self.is_residual else output


class Lite0(torch.nn.Module):
    """Normalised pixels [B, 3, S, S] to the feature map [B, 1280, S / 32, S / 32]."""

    def __init__(self):
        super().__init__()
        self.stem = Same(3, 32, 3, 2)
        blocks, width = [], 32
        for kernel, stride, factor, channels, count in STAGES:
            for number in range(count):
                blocks.append(Block(width, kernel, stride if number == 0 else 1, factor, channels))
                width = channels
        self.blocks = torch.nn.Sequential(*blocks)
        self.head = Same(width, 1280, 1)

    def forward(self, x):
        return F.relu6(self.head(self.blocks(F.relu6(self.stem(x)))))
