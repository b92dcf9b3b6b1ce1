"""ResNets as the papers vary them, on mmseg's ResNet: torchvision's state-dict names, five taps."""

from __future__ import annotations

from collections.abc import Sequence

import common.base.compat  # isort: skip  # noqa: F401
from mmseg.models.backbones import ResNet
from mmseg.registry import MODELS
from torch import Tensor, nn

from common.models.backbone import Taps


def _tap_strides(stage_strides: Sequence[int]) -> list[int]:
    strides = [4]
    for stride in stage_strides:
        strides.append(strides[-1] * stride)
    return strides


@MODELS.register_module()
class DilatedResNet(Taps, ResNet):
    """ResNet with a stride and a dilation per stage (He et al. 2016; torchvision's layout: stride on the 3x3).

    IRNet: strides (1, 2, 2, 1), no dilation. DeepLab v3+ at output stride 16: strides (1, 2, 2, 1), dilations
    (1, 1, 1, 2), contract_dilation (the first block of a dilated stage keeps the dilation of the stage before).

    Args:
        depth: 18, 34, 50, 101 or 152.
        strides, dilations: of the four stages.
        out_indices: taps to return; 0 is the stem after pooling, 1..4 the stages.
        frozen_stages: -1 trains everything; n >= 0 cuts the gradient after tap n (2: stem, layer1, layer2).
        frozen_bn: batch normalisation uses stored statistics in training too; its scale and shift train.
        ceil_mode: rounding of the max pool (Caffe rounds up).
        **kwargs: of mmseg's ResNet.
    """

    title = "ResNet-{depth}"

    def __init__(
        self,
        depth: int = 50,
        strides: Sequence[int] = (1, 2, 2, 2),
        dilations: Sequence[int] = (1, 1, 1, 1),
        out_indices: Sequence[int] = (0, 1, 2, 3, 4),
        frozen_stages: int = -1,
        frozen_bn: bool = False,
        ceil_mode: bool = False,
        zero_init_residual: bool = False,
        **kwargs,
    ) -> None:
        super().__init__(
            depth,
            strides=tuple(strides),
            dilations=tuple(dilations),
            frozen_stages=frozen_stages,
            norm_eval=frozen_bn,
            zero_init_residual=zero_init_residual,
            **kwargs,
        )
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1, ceil_mode=ceil_mode)
        self.taps = tuple(out_indices)
        channels = [self.stem_channels] + [self.base_channels * 2**i * self.block.expansion for i in range(4)]
        tap_strides = _tap_strides(strides)
        self.channels = tuple(channels[tap] for tap in self.taps)
        self.strides = tuple(tap_strides[tap] for tap in self.taps)  # replaces mmseg's stage strides

    def train(self, mode: bool = True) -> DilatedResNet:
        super().train(mode)  # mmseg's returns nothing
        return self

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """x: float [B, 3, H, W], normalised -> the taps, float [B, channels[i], ~H / strides[i], ~W / strides[i]]."""
        x = self.maxpool(self.relu(self.norm1(self.conv1(x))))
        maps = [x]
        for name in self.res_layers:
            maps.append(getattr(self, name)(maps[-1]))
        return tuple(maps[tap] for tap in self.taps)


@MODELS.register_module()
class CaffeResNet(DilatedResNet):
    """The MSRA ResNet of DeepLab v2 (Chen et al. 2018): stride on the first 1x1, pool rounding up, output stride 8.

    Batch normalisation is frozen altogether: stored statistics, and scale and shift get no gradient. Without ceil-mode
    pooling a 321 input at scales 0.75 and 0.5 would give 30 and 20 cells instead of 31 and 21.
    """

    def __init__(
        self,
        depth: int = 101,
        strides: Sequence[int] = (1, 2, 1, 1),
        dilations: Sequence[int] = (1, 1, 2, 4),
        **kwargs,
    ) -> None:
        norm = {"type": "BN", "requires_grad": False}
        super().__init__(
            depth, strides, dilations, style="caffe", ceil_mode=True, frozen_bn=True, norm_cfg=norm, **kwargs
        )
