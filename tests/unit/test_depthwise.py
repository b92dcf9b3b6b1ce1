"""Quick depthwise convolutions: values and gradients of PyTorch's own, which is the oracle."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from common.models.depthwise import SameDepthwiseConv, quick_depthwise
from common.models.efficientnet import EfficientNetLite
from common.models.timm_backbone import TimmBackbone


def gradients(conv: nn.Module, x: torch.Tensor, weight: torch.Tensor) -> list[torch.Tensor]:
    x = x.clone().requires_grad_()
    found = conv(x)
    return [found, *torch.autograd.grad((found * weight).sum(), (x, *conv.parameters()))]


@pytest.mark.parametrize("size", [(16, 16), (7, 10), (1, 1), (3, 17)])
@pytest.mark.parametrize("dilation", [1, 2, 3, 4])
@pytest.mark.parametrize("kernel", [(3, 3), (5, 5), (1, 7)])
def test_values_and_gradients_are_pytorchs(kernel: tuple[int, int], dilation: int, size: tuple[int, int]):
    torch.manual_seed(0)
    padding = tuple(dilation * (side // 2) for side in kernel)
    plain = nn.Conv2d(6, 6, kernel, padding=padding, dilation=dilation, groups=6).double()
    quick = quick_depthwise(copy.deepcopy(plain))
    assert type(quick) is SameDepthwiseConv
    x, weight = torch.randn(2, 3, 6, *size, dtype=torch.float64)
    for found, expected in zip(gradients(quick, x, weight), gradients(plain, x, weight), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)


def test_any_order_of_memory_is_right():
    torch.manual_seed(0)
    plain = nn.Conv2d(8, 8, 3, padding=4, dilation=4, groups=8, bias=False).double()
    x, weight = torch.randn(2, 2, 8, 9, 12, dtype=torch.float64)
    expected = gradients(plain, x, weight)
    quick = quick_depthwise(copy.deepcopy(plain)).to(memory_format=torch.channels_last)
    for found, other in zip(gradients(quick, x.to(memory_format=torch.channels_last), weight), expected, strict=True):
        torch.testing.assert_close(found, other, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    "options",
    [
        {"groups": 2},
        {"groups": 4, "stride": 2},
        {"groups": 4, "padding": 0},
        {"groups": 4, "padding_mode": "reflect"},
        {"groups": 4, "kernel_size": 4},
        {"groups": 4, "dilation": (1, 2), "padding": (1, 2)},
    ],
)
def test_other_convolutions_stay(options: dict):
    plain = nn.Conv2d(4, 4, **({"kernel_size": 3, "padding": 1} | options))
    assert type(quick_depthwise(plain)) is nn.Conv2d


@pytest.mark.parametrize(
    ("build", "least"),
    [(lambda: EfficientNetLite("lite0", 8), 10), (lambda: TimmBackbone("mobilenetv3_small_100"), 5)],
)
def test_backbones_have_them(build, least: int):
    network = build()
    assert sum(type(module) is SameDepthwiseConv for module in network.modules()) >= least
