"""Depthwise convolutions that train quickly on the CPU."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from common.ops.resize import padded_size

WIDE = 3
"""Dilations from it on are slow on the CPU: the phases of the map are convolved without dilation instead."""


class _SameDepthwise(torch.autograd.Function):
    """A depthwise convolution whose output has its input's size; its two gradients are convolutions as well.

    PyTorch's own gradients of a dilated one, or of one of 5x5, take 5 to 25 times as long.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, padding: tuple[int, int], dilation: tuple[int, int]) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.padding, ctx.dilation = padding, dilation
        return F.conv2d(x, weight, None, 1, padding, dilation, groups=len(weight))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        of_x = of_weight = None
        if ctx.needs_input_grad[0]:  # the gradient goes back through the kernel turned by half a circle
            turned = weight.flip(2, 3)
            of_x = F.conv2d(gradient, turned, None, 1, ctx.padding, ctx.dilation, groups=len(weight))
        if ctx.needs_input_grad[1]:  # each plane of the input meets its gradient as a kernel of dilated steps
            planes = x.shape[0] * x.shape[1]
            maps, kernels = x.reshape(1, planes, *x.shape[2:]), gradient.reshape(planes, 1, *x.shape[2:])
            found = F.conv2d(maps, kernels, None, ctx.dilation, ctx.padding, groups=planes)
            of_weight = found.view(-1, *weight.shape).sum(0)
        return of_x, of_weight, None, None


class SameDepthwiseConv(nn.Conv2d):
    """A depthwise convolution with an output of its input's size: on the CPU as PyTorch's but for rounding, quicker."""

    def _conv_forward(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if x.device.type != "cpu":
            return super()._conv_forward(x, weight, bias)
        step, (height, width) = self.dilation[0], x.shape[2:]
        if step < WIDE:
            found = _SameDepthwise.apply(x, weight, self.padding, self.dilation)
        else:
            rows, columns = padded_size((height, width), step)
            phases = _to_phases(F.pad(x, (0, columns - width, 0, rows - height)), step)
            found = _SameDepthwise.apply(phases, weight, tuple(pad // step for pad in self.padding), (1, 1))
            found = _from_phases(found, step)[..., :height, :width]
        return found if bias is None else found + bias[:, None, None]


def quick_depthwise(network: nn.Module) -> nn.Module:
    """The network itself; its depthwise convolutions of stride 1 with "same" padding become `SameDepthwiseConv`.

    The state dict stays as it is, and so does all that the network computes on a GPU.
    """
    for module in network.modules():
        if type(module) is nn.Conv2d and _is_same_depthwise(module):
            module.__class__ = SameDepthwiseConv
    return network


def _is_same_depthwise(conv: nn.Conv2d) -> bool:
    step = conv.dilation[0]
    return (
        1 < conv.groups == conv.in_channels == conv.out_channels
        and conv.stride == (1, 1)
        and conv.dilation == (step, step)
        and conv.padding_mode == "zeros"
        and all(side % 2 for side in conv.kernel_size)
        and conv.padding == tuple(step * (side // 2) for side in conv.kernel_size)
    )


def _to_phases(x: Tensor, step: int) -> Tensor:
    """[B, C, H, W] -> [B step step, C, H / step, W / step]: the cells that one tap of a dilated kernel can see."""
    batch, channels, height, width = x.shape
    cells = x.view(batch, channels, height // step, step, width // step, step)
    return cells.permute(0, 3, 5, 1, 2, 4).reshape(-1, channels, height // step, width // step)


def _from_phases(x: Tensor, step: int) -> Tensor:
    """The inverse of `_to_phases`."""
    _, channels, height, width = x.shape
    cells = x.view(-1, step, step, channels, height, width)
    return cells.permute(0, 3, 4, 1, 5, 2).reshape(-1, channels, height * step, width * step)
