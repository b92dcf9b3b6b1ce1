"""Training the quick backbone: its depthwise convolutions against PyTorch's own."""

from __future__ import annotations

import copy

import torch
from torch import nn

from benchmarks.result import Result, seconds
from common.models.depthwise import SameDepthwiseConv
from common.models.efficientnet import EfficientNetLite


def step(network: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Forward and backward; returns the gradients of the weights in one row."""
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    found = torch.autograd.grad(network(images)[-1].sum(), weights, allow_unused=True)
    return torch.cat([gradient.flatten() for gradient in found if gradient is not None])


def training_step(full: bool) -> Result:
    """A step of EfficientNet-Lite0 at stride 8, as AffinityNet's and SEAM's small recipes train it."""
    torch.manual_seed(0)
    quick = EfficientNetLite("lite0", 8, conv_head=True, frozen_bn=True).train()
    plain = copy.deepcopy(quick)
    for module in plain.modules():
        if type(module) is SameDepthwiseConv:
            module.__class__ = nn.Conv2d
    side = 225 if full else 128
    images = torch.rand(8, 3, side, side)
    original, expected = seconds(lambda: step(plain, images))
    ours, found = seconds(lambda: step(quick, images))
    error = f"{float((found - expected).norm() / expected.norm()):.0e} relative"
    return Result(original, ours, error, f"EfficientNet-Lite0, 8 images of {side} x {side}, output stride 8")


BENCHMARKS = {"train_lite0": training_step}
