"""VGG16 as DeepLab dilates it, under Caffe's layer names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import common.base.compat  # isort: skip  # noqa: F401
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from common.base.errors import UserError
from common.models.backbone import Taps, freeze

CHANNELS = (64, 128, 256, 512, 512)
CONVS = (2, 2, 3, 3, 3)


@MODELS.register_module()
class VGG16Dilated(Taps, BaseModule):
    """conv1_1 .. conv5_3 with biases, each followed by an activation; a max pool after each of the five stages.

    DeepLab LargeFOV (Chen et al. 2015): pools 3x3 pad 1, strides 2 2 2 1 1, conv5 dilated by 2, and a 3x3 average pool
    behind pool5 (padding counts); a side of 321 gives 41 cells. DeepLab v2's VGG16 has no average pool.

    Args:
        pool_kernel: 3 (pad 1) or 2 (no padding), of all pools or of each of the five.
        pool_strides: of the five pools; a stage whose stride is None has no pool.
        dilation5: dilation of conv5_x.
        avg_pool: the average pool behind pool5.
        out_indices: stages whose pooled output is returned.
        frozen_stages: stages 0..n get no gradient; -1 trains all.

    A network with other activations is a subclass with its own `activation`.
    """

    title = "VGG16"

    def __init__(
        self,
        pool_kernel: int | Sequence[int | None] = 3,
        pool_strides: Sequence[int | None] = (2, 2, 2, 1, 1),
        dilation5: int = 2,
        avg_pool: bool = True,
        out_indices: Sequence[int] = (4,),
        frozen_stages: int = -1,
        init_cfg: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.pool_kernels = (pool_kernel,) * 5 if isinstance(pool_kernel, int) else tuple(pool_kernel)
        self.pool_strides, self.avg_pool = tuple(pool_strides), avg_pool
        for name, given in (("pool_kernel", self.pool_kernels), ("pool_strides", self.pool_strides)):
            if len(given) != 5:
                raise UserError(f"VGG16: {name} needs five entries, one for each stage, not {len(given)}.")
        self.taps, self.frozen_stages = tuple(out_indices), frozen_stages
        channels = 3
        for stage, (width, count) in enumerate(zip(CHANNELS, CONVS, strict=True)):
            dilation = dilation5 if stage == 4 else 1
            for i in range(count):
                conv = nn.Conv2d(channels, width, 3, padding=dilation, dilation=dilation)
                name = f"conv{stage + 1}_{i + 1}"
                setattr(self, name, conv)
                setattr(self, f"act{stage + 1}_{i + 1}", self.activation(name, width))
                channels = width
        strides = [1]
        for stride in self.pool_strides:
            strides.append(strides[-1] * (stride or 1))
        self.channels = tuple(CHANNELS[tap] for tap in self.taps)
        self.strides = tuple(strides[tap + 1] for tap in self.taps)
        freeze(self.stage(i) for i in range(frozen_stages + 1))

    def activation(self, name: str, channels: int) -> nn.Module:
        """What follows the convolution `name`, which has so many channels: float [B, channels, h, w] -> the same.

        Parameters of its own are called `act1_1.*` .. `act5_3.*`.
        """
        return nn.ReLU(inplace=True)

    def adopt(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Released VGG16 files know no parameters of an activation: those keep their values."""
        own = {f"backbone.{key}": value for key, value in self.state_dict().items() if key.startswith("act")}
        return own | dict(state)

    def stage(self, index: int) -> nn.ModuleList:
        """The convolutions of one stage, 0..4."""
        return nn.ModuleList(getattr(self, f"conv{index + 1}_{i + 1}") for i in range(CONVS[index]))

    def _pool(self, x: Tensor, stage: int) -> Tensor:
        stride = self.pool_strides[stage]
        if stride is not None:
            kernel = self.pool_kernels[stage]
            x = F.max_pool2d(x, kernel, stride, padding=(kernel - 1) // 2)
        if stage == 4 and self.avg_pool:
            x = F.avg_pool2d(x, 3, 1, padding=1)
        return x

    def stages(self, x: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """The five stages in front of their pools and behind them."""
        active, pooled = [], []
        for stage in range(5):
            for i in range(1, CONVS[stage] + 1):
                conv, activation = (getattr(self, f"{part}{stage + 1}_{i}") for part in ("conv", "act"))
                x = activation(conv(x))
            active.append(x)
            x = self._pool(x, stage)
            pooled.append(x)
        return active, pooled

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """x: float [B, 3, H, W] as the weights want it (Caffe's: BGR minus mean) -> the stages of `out_indices`."""
        _, pooled = self.stages(x)
        return tuple(pooled[tap] for tap in self.taps)


@MODELS.register_module()
class VGG16FullyConv(VGG16Dilated):
    """VGG16 with fc6 and fc7 as convolutions, as AffinityNet's released code cuts it out of DeepLab's LargeFOV.

    Taps conv4 and conv5 (in front of their pools) and conv5fc, the activated fc7. Pools 3x3, strides 2 2 2 1, none
    behind conv5, which is dilated by 2. Output stride 8; sides are halved three times, rounded up.

    Args:
        fc6_dilation: 1 in the classifier, 4 in the affinity network.
        dropout: of whole channels, between fc6 and fc7.
        out_indices: taps to return, 0..2 with 512, 512, 1024 channels.
        frozen_stages: stages 0..n get no gradient; conv1 and conv2 in the released code.
    """

    def __init__(
        self,
        fc6_dilation: int = 1,
        dropout: float = 0.5,
        out_indices: Sequence[int] = (0, 1, 2),
        frozen_stages: int = 1,
        init_cfg: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(
            pool_strides=(2, 2, 2, 1, None), avg_pool=False, frozen_stages=frozen_stages, init_cfg=init_cfg
        )
        self.fc6 = nn.Conv2d(512, 1024, 3, padding=fc6_dilation, dilation=fc6_dilation)
        self.drop6 = nn.Dropout2d(dropout)
        self.fc7 = nn.Conv2d(1024, 1024, 1)
        self.taps = tuple(out_indices)
        self.channels = tuple((512, 512, 1024)[tap] for tap in self.taps)
        self.strides = (8,) * len(self.taps)

    def adopt(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Imported VGG16 files keep fc6 and fc7 in the head, as LargeFOV has them: here they are the backbone's."""
        head = "decode_head.branches.0."
        names = {f"{head}{layer}.conv.": f"backbone.{layer}." for layer in ("fc6", "fc7")}
        found = super().adopt(state)
        for old, new in names.items():
            found |= {new + key.removeprefix(old): value for key, value in state.items() if key.startswith(old)}
        return found

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """x: float [B, 3, H, W], BGR minus mean -> the taps."""
        active, _ = self.stages(x)
        fc6 = self.drop6(F.relu(self.fc6(active[4]), inplace=True))
        maps = [active[3], active[4], F.relu(self.fc7(fc6), inplace=True)]
        return tuple(maps[tap] for tap in self.taps)
