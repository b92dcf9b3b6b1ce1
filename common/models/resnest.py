"""ResNeSt at output stride 16, on timm's: the state-dict names of its authors, five taps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import common.base.compat  # isort: skip  # noqa: F401
import timm
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from common.base.errors import UserError
from common.models.backbone import Taps, batch_norm_eval, freeze

TIMM_NAMES = {50: "resnest50d", 101: "resnest101e", 200: "resnest200e", 269: "resnest269e"}
STAGE_CHANNELS = (256, 512, 1024, 2048)
STRIDES = (4, 4, 8, 16, 16)


@MODELS.register_module()
class DilatedResNeSt(Taps, BaseModule):
    """ResNeSt (Zhang et al. 2020) with dilation 2 in stage 4, as its authors build it and Puzzle-CAM takes it.

    Input: RGB, ImageNet's mean and standard deviation. Stage 4 has stride 1; its first block has no dilation, the
    others 2. That first block differs from timm's: the authors keep the 3x3 average pool behind its split attention,
    at stride 1, and do not pool its shortcut. So `TimmBackbone("resnest50d")` gives other maps from the same weights.

    Taps: 64 channels at depth 50, else 128; then 256, 512, 1024, 2048; strides 4, 4, 8, 16, 16, sides rounded up.

    Initial weights: the authors' files, imported as `resnest50_imagenet` and so on, or timm's.

    In training without `frozen_bn`, a batch must hold two images or more: the split attention normalises one value per
    image and channel.

    Args:
        depth: 50, 101, 200 or 269.
        out_indices: taps to return; 0 is the stem after pooling, 1..4 the stages.
        frozen_stages: -1 trains everything; n >= 0 cuts the gradient after tap n (2: stem, layer1, layer2).
        frozen_bn: batch normalisation uses stored statistics in training too; its scale and shift train.

    Raises:
        UserError: there is no ResNeSt of that depth.
    """

    title = "ResNeSt-{depth}"

    def __init__(
        self,
        depth: int = 50,
        out_indices: Sequence[int] = (0, 1, 2, 3, 4),
        frozen_stages: int = -1,
        frozen_bn: bool = False,
        init_cfg: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if depth not in TIMM_NAMES:
            raise UserError(f"A ResNeSt has depth 50, 101, 200 or 269, not {depth}.")
        net = timm.create_model(
            TIMM_NAMES[depth], pretrained=False, output_stride=16, num_classes=0, global_pool="", zero_init_last=False
        )
        self.conv1, self.bn1, self.act1, self.maxpool = net.conv1, net.bn1, net.act1, net.maxpool
        self.layer1, self.layer2, self.layer3, self.layer4 = net.layer1, net.layer2, net.layer3, net.layer4
        self.layer4[0].avd_last = nn.AvgPool2d(3, stride=1, padding=1)
        self.layer4[0].downsample[0] = nn.Identity()
        channels = (net.bn1.num_features, *STAGE_CHANNELS)
        self.taps = tuple(out_indices)
        self.channels = tuple(channels[tap] for tap in self.taps)
        self.strides = tuple(STRIDES[tap] for tap in self.taps)
        self.frozen_stages, self.frozen_bn = frozen_stages, frozen_bn
        self._freeze_stages()

    def _stages(self) -> tuple[nn.Module, ...]:
        return self.layer1, self.layer2, self.layer3, self.layer4

    def _freeze_stages(self) -> None:
        if self.frozen_stages >= 0:
            freeze([self.conv1, self.bn1, *self._stages()[: self.frozen_stages]])

    def train(self, mode: bool = True) -> DilatedResNeSt:
        super().train(mode)
        self._freeze_stages()
        if self.frozen_bn:
            batch_norm_eval(self)
        return self

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """x: float [B, 3, H, W], normalised -> the taps, [B, channels[i], ceil(H / stride), ceil(W / stride)]."""
        maps = [self.maxpool(self.act1(self.bn1(self.conv1(x))))]
        for stage in self._stages():
            maps.append(stage(maps[-1]))
        return tuple(maps[tap] for tap in self.taps)
