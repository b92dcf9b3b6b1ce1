"""Wide ResNet-38 (Wu et al. 2019, model A1), dilated to output stride 8, under the names of the psa family's code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import common.compat  # isort: skip  # noqa: F401
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from common.models.backbone import Taps, batch_norm_eval, freeze


def _conv(inputs: int, outputs: int, kernel: int, stride: int = 1, dilation: int = 1) -> nn.Conv2d:
    padding = dilation * (kernel // 2)
    return nn.Conv2d(inputs, outputs, kernel, stride, padding=padding, dilation=dilation, bias=False)


class PlainBlock(nn.Module):
    """Pre-activation block of two 3x3s; where the shape changes, the skip is a 1x1 of the activated input."""

    def __init__(
        self, inputs: int, middle: int, outputs: int, stride: int = 1, dilations: tuple[int, int] = (1, 1)
    ) -> None:
        super().__init__()
        self.bn_branch2a = nn.BatchNorm2d(inputs)
        self.conv_branch2a = _conv(inputs, middle, 3, stride, dilations[0])
        self.bn_branch2b1 = nn.BatchNorm2d(middle)
        self.conv_branch2b1 = _conv(middle, outputs, 3, 1, dilations[1])
        same = inputs == outputs and stride == 1
        self.conv_branch1 = None if same else _conv(inputs, outputs, 1, stride)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The output and the activated input (what the taps show)."""
        active = F.relu(self.bn_branch2a(x))
        skip = x if self.conv_branch1 is None else self.conv_branch1(active)
        main = self.conv_branch2a(active)
        return skip + self.conv_branch2b1(F.relu(self.bn_branch2b1(main))), active


class Bottleneck(nn.Module):
    """Pre-activation 1x1, dilated 3x3, 1x1, with channel dropout in front of the last two; the skip is always a 1x1."""

    def __init__(self, inputs: int, outputs: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.bn_branch2a = nn.BatchNorm2d(inputs)
        self.conv_branch2a = _conv(inputs, outputs // 4, 1)
        self.bn_branch2b1 = nn.BatchNorm2d(outputs // 4)
        self.conv_branch2b1 = _conv(outputs // 4, outputs // 2, 3, 1, dilation)
        self.bn_branch2b2 = nn.BatchNorm2d(outputs // 2)
        self.conv_branch2b2 = _conv(outputs // 2, outputs, 1)
        self.conv_branch1 = _conv(inputs, outputs, 1)
        self.dropout = nn.Dropout2d(dropout)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The output and the activated input."""
        active = F.relu(self.bn_branch2a(x))
        main = self.conv_branch2a(active)
        main = self.conv_branch2b1(self.dropout(F.relu(self.bn_branch2b1(main))))
        main = self.conv_branch2b2(self.dropout(F.relu(self.bn_branch2b2(main))))
        return self.conv_branch1(active) + main, active


def _blocks() -> dict[str, nn.Module]:
    blocks: dict[str, nn.Module] = {}
    for stage, (inputs, width, count) in {2: (64, 128, 3), 3: (128, 256, 3), 4: (256, 512, 6)}.items():
        blocks[f"b{stage}"] = PlainBlock(inputs, width, width, stride=2)
        blocks |= {f"b{stage}_{i}": PlainBlock(width, width, width) for i in range(1, count)}
    blocks["b5"] = PlainBlock(512, 512, 1024, dilations=(1, 2))
    blocks |= {f"b5_{i}": PlainBlock(1024, 512, 1024, dilations=(2, 2)) for i in (1, 2)}
    blocks["b6"] = Bottleneck(1024, 2048, dilation=4, dropout=0.3)
    blocks["b7"] = Bottleneck(2048, 4096, dilation=4, dropout=0.5)
    return blocks


@MODELS.register_module()
class ResNet38(Taps, BaseModule):
    """ResNet-38 at output stride 8; taps conv3, conv4, conv5 (activated inputs of b4, b5, b6) and conv6 (ReLU of bn7).

    Input: RGB, ImageNet mean and std. Batch normalisation is frozen (stored statistics, no gradient), as everywhere in
    the psa family; the channel dropout of b6 and b7 acts in training.

    Args:
        out_indices: taps to return, 0..3 with 256, 512, 1024, 4096 channels at strides 4, 8, 8, 8.
        frozen: modules without a gradient: the stem alone ("stem", SEAM's DeepLab), or the stem and b2 ("b2",
            classifiers and affinity networks).
    """

    def __init__(
        self,
        out_indices: Sequence[int] = (0, 1, 2, 3),
        frozen: str = "b2",
        init_cfg: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if frozen not in ("stem", "b2"):
            raise ValueError(f"frozen is {frozen!r}, not 'stem' or 'b2'")
        self.conv1a = _conv(3, 64, 3)
        for name, block in _blocks().items():
            setattr(self, name, block)
        self.bn7 = nn.BatchNorm2d(4096)
        self.taps = tuple(out_indices)
        self.channels = tuple((256, 512, 1024, 4096)[tap] for tap in self.taps)
        self.strides = tuple((4, 8, 8, 8)[tap] for tap in self.taps)
        freeze([self.conv1a] + ([self.b2, self.b2_1, self.b2_2] if frozen == "b2" else []))
        freeze(module for module in self.modules() if isinstance(module, _BatchNorm))

    def train(self, mode: bool = True) -> ResNet38:
        super().train(mode)
        batch_norm_eval(self)
        return self

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """x: float [B, 3, H, W], normalised -> the taps; sides are halved three times, rounded up."""
        x = self.conv1a(x)
        active = {}
        for name, block in self.named_children():
            if isinstance(block, (PlainBlock, Bottleneck)):
                x, active[name] = block(x)
        maps = [active["b4"], active["b5"], active["b6"], F.relu(self.bn7(x))]
        return tuple(maps[tap] for tap in self.taps)
