"""Networks on the CPU: every convolution through oneDNN, maps with their channels last."""

from __future__ import annotations

import torch
from torch import Tensor, nn

POINT = (1, 1)


class PointConv(nn.Conv2d):
    """A 1x1 convolution by oneDNN.

    PyTorch itself computes one of few images on one thread by a plain matrix product, which is slower.
    """

    def _conv_forward(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return torch.mkldnn_convolution(x, weight, bias, self.padding, self.stride, self.dilation, self.groups)


def with_onednn(network: nn.Module) -> nn.Module:
    """The network itself, ready to look at images on the CPU; its results differ by rounding, its state dict does not.

    network: float32, in evaluation mode. Where PyTorch was built without oneDNN it stays as it is.
    """
    if not torch.backends.mkldnn.is_available():
        return network
    for module in network.modules():
        if type(module) is nn.Conv2d and module.kernel_size == POINT and module.padding_mode == "zeros":
            module.__class__ = PointConv
    return network.to(memory_format=torch.channels_last)
