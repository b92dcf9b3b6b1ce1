"""VGG16 as DeepLab dilates it, under Caffe's layer names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import common.compat  # isort: skip  # noqa: F401
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from common.models.backbone import Taps, freeze

CHANNELS = (64, 128, 256, 512, 512)
CONVS = (2, 2, 3, 3, 3)


@MODELS.register_module()
class VGG16Dilated(Taps, BaseModule):
    """conv1_1 .. conv5_3 with biases, each followed by a ReLU; a max pool after each of the five stages.

    DeepLab LargeFOV (Chen et al. 2015): pools 3x3 pad 1, strides 2 2 2 1 1, conv5 dilated by 2, and a 3x3 average pool
    behind pool5 (padding counts); a side of 321 gives 41 cells. DeepLab v2's VGG16 has no average pool.

    Args:
        pool_kernel: 3 (pad 1) or 2 (no padding).
        pool_strides: of the five pools; a stage whose stride is None has no pool.
        dilation5: dilation of conv5_x.
        avg_pool: the average pool behind pool5.
        out_indices: stages whose pooled output is returned.
        frozen_stages: stages 0..n get no gradient; -1 trains all.
    """

    def __init__(
        self,
        pool_kernel: int = 3,
        pool_strides: Sequence[int | None] = (2, 2, 2, 1, 1),
        dilation5: int = 2,
        avg_pool: bool = True,
        out_indices: Sequence[int] = (4,),
        frozen_stages: int = -1,
        init_cfg: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.pool_kernel, self.pool_strides, self.avg_pool = pool_kernel, tuple(pool_strides), avg_pool
        self.taps, self.frozen_stages = tuple(out_indices), frozen_stages
        channels = 3
        for stage, (width, count) in enumerate(zip(CHANNELS, CONVS, strict=True)):
            dilation = dilation5 if stage == 4 else 1
            for i in range(count):
                conv = nn.Conv2d(channels, width, 3, padding=dilation, dilation=dilation)
                setattr(self, f"conv{stage + 1}_{i + 1}", conv)
                channels = width
        strides = [1]
        for stride in self.pool_strides:
            strides.append(strides[-1] * (stride or 1))
        self.channels = tuple(CHANNELS[tap] for tap in self.taps)
        self.strides = tuple(strides[tap + 1] for tap in self.taps)
        freeze(self.stage(i) for i in range(frozen_stages + 1))

    def stage(self, index: int) -> nn.ModuleList:
        """The convolutions of one stage, 0..4."""
        return nn.ModuleList(getattr(self, f"conv{index + 1}_{i + 1}") for i in range(CONVS[index]))

    def _pool(self, x: Tensor, stage: int) -> Tensor:
        stride = self.pool_strides[stage]
        if stride is not None:
            x = F.max_pool2d(x, self.pool_kernel, stride, padding=(self.pool_kernel - 1) // 2)
        if stage == 4 and self.avg_pool:
            x = F.avg_pool2d(x, 3, 1, padding=1)
        return x

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """x: float [B, 3, H, W], BGR minus mean -> the stages of `out_indices`."""
        maps = []
        for stage in range(5):
            for conv in self.stage(stage):
                x = F.relu(conv(x))
            x = self._pool(x, stage)
            maps.append(x)
        return tuple(maps[tap] for tap in self.taps)
