"""A backbone of the method's own, and one that inherits its title."""

import torch
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from common.models.backbone import Taps
from common.models.resnet import DilatedResNet


@MODELS.register_module()
class ToyNet(Taps, BaseModule):
    """One convolution."""

    title = "Toy-{size} of {width}"

    def __init__(self, size: str, width: int = 8, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.channels, self.strides = (width,), (1,)
        self.conv = nn.Conv2d(3, width, 1)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (torch.relu(self.conv(x)),)


@MODELS.register_module()
class ToyResNet(DilatedResNet):
    """A ResNet that goes by the name of its base class."""
