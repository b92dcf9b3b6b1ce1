"""A backbone of the method's own, small enough to train on two CPU cores in seconds."""

from __future__ import annotations

from typing import Any

import common.base.compat  # isort: skip  # noqa: F401
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from common.models.backbone import Taps


@MODELS.register_module()
class ExampleBackbone(Taps, BaseModule):
    """Three 3x3 convolutions `conv1` .. `conv3`, each with a group norm and a ReLU; two of them halve the sides.

    Args:
        width: channels of the first convolution; the others have twice as many.
    """

    title = "ExampleNet-{width}"

    def __init__(self, width: int = 16, init_cfg: dict[str, Any] | None = None) -> None:
        super().__init__(init_cfg)
        self.channels, self.strides = (2 * width,), (4,)
        self.conv1, self.norm1 = nn.Conv2d(3, width, 3, stride=2, padding=1), nn.GroupNorm(4, width)
        self.conv2, self.norm2 = nn.Conv2d(width, 2 * width, 3, stride=2, padding=1), nn.GroupNorm(4, 2 * width)
        self.conv3, self.norm3 = nn.Conv2d(2 * width, 2 * width, 3, padding=1), nn.GroupNorm(4, 2 * width)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Normalised float [B, 3, H, W] -> one map [B, 2 width, ceil(H / 4), ceil(W / 4)]."""
        for conv, norm in ((self.conv1, self.norm1), (self.conv2, self.norm2), (self.conv3, self.norm3)):
            x = norm(conv(x)).relu()
        return (x,)
