"""Wide ResNet-38 (Wu et al. 2019, model A1), dilated to output stride 8, under the names of the psa family's code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import common.base.compat  # isort: skip  # noqa: F401
import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from common.models.backbone import Taps, batch_norm_eval, freeze


def _conv(inputs: int, outputs: int, kernel: int, stride: int = 1, dilation: int = 1) -> nn.Conv2d:
    padding = dilation * (kernel // 2)
    return nn.Conv2d(inputs, outputs, kernel, stride, padding=padding, dilation=dilation, bias=False)


def _norm_relu(norm: nn.BatchNorm2d, x: Tensor, keep: bool = False) -> Tensor:
    """relu(norm(x)) with the ReLU in place; at inference the norm, too, unless x is needed again (`keep`).

    At the photo's own resolution a map of 64 channels is what most memory goes into.
    """
    if keep or norm.training or torch.is_grad_enabled():
        return F.relu(norm(x), inplace=True)
    scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
    shift = norm.bias - norm.running_mean * scale
    return torch.addcmul(shift[:, None, None], x, scale[:, None, None], out=x).relu_()


def _add_pointwise(total: Tensor, conv: nn.Conv2d, x: Tensor) -> Tensor:
    """total + conv(x) of a 1x1 convolution; at inference without a second map of that size (4096 channels in b7)."""
    if torch.is_grad_enabled():
        return conv(x).add_(total)
    pixels = [each.permute(0, 2, 3, 1) for each in (total, x)]
    rows = [each.flatten(0, 2) for each in pixels]
    return rows[0].addmm_(rows[1], conv.weight.flatten(1).T).view(pixels[0].shape).permute(0, 3, 1, 2)


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

    def forward(self, active: Tensor, skip: Tensor) -> Tensor:
        """active: the input behind `bn_branch2a` and ReLU; skip: the input, or `active` where a 1x1 follows."""
        main = _norm_relu(self.bn_branch2b1, self.conv_branch2a(active))
        main = self.conv_branch2b1(main)
        return main.add_(skip if self.conv_branch1 is None else self.conv_branch1(skip))


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

    def forward(self, active: Tensor, skip: Tensor) -> Tensor:
        """As of `PlainBlock`."""
        main = self.dropout(_norm_relu(self.bn_branch2b1, self.conv_branch2a(active)))
        main = self.dropout(_norm_relu(self.bn_branch2b2, self.conv_branch2b1(main)))
        return _add_pointwise(self.conv_branch1(skip), self.conv_branch2b2, main)


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


STAGES = ("conv1a", "b2", "b2_1", "b2_2")
FROZEN = {"none": STAGES[:0], "stem": STAGES[:1], "b2": STAGES}
TAPS = ("b4", "b5", "b6")  # conv3, conv4, conv5 are the activated inputs of these blocks


@MODELS.register_module()
class ResNet38(Taps, BaseModule):
    """ResNet-38 at output stride 8; taps conv3, conv4, conv5 (activated inputs of b4, b5, b6) and conv6 (ReLU of bn7).

    Input: RGB, ImageNet mean and std. The channel dropout of b6 and b7 acts in training. Scale and shift of the batch
    normalisation are never trained.

    Args:
        out_indices: taps to return, 0..3 with 256, 512, 1024, 4096 channels at strides 4, 8, 8, 8.
        frozen: modules without a gradient: "none" (SEAM's DeepLab as it was run), the stem alone ("stem", as that code
            was meant), or the stem and b2 ("b2", classifiers and affinity networks); no activation of theirs is kept
            for the backward pass.
        statistics: of the batch normalisation in training: the "stored" ones, as in classifiers and affinity networks,
            or those of the "batch" (SEAM's DeepLab as it was run), which the stored ones then follow.
        bn_momentum: share of the batch in the stored statistics.
    """

    title = "ResNet-38"

    def __init__(
        self,
        out_indices: Sequence[int] = (0, 1, 2, 3),
        frozen: Literal["none", "stem", "b2"] = "b2",
        statistics: Literal["stored", "batch"] = "stored",
        bn_momentum: float = 0.1,
        init_cfg: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if frozen not in FROZEN:
            raise ValueError(f"frozen is {frozen!r}, not one of {', '.join(FROZEN)}")
        if statistics not in ("stored", "batch"):
            raise ValueError(f"statistics is {statistics!r}, not 'stored' or 'batch'")
        self.conv1a = _conv(3, 64, 3)
        for name, block in _blocks().items():
            setattr(self, name, block)
        self.bn7 = nn.BatchNorm2d(4096)
        self.statistics = statistics
        self.taps = tuple(out_indices)
        self.channels = tuple((256, 512, 1024, 4096)[tap] for tap in self.taps)
        self.strides = tuple((4, 8, 8, 8)[tap] for tap in self.taps)
        for norm in self._norms():
            norm.momentum = bn_momentum
            norm.requires_grad_(False)
        freeze(getattr(self, name) for name in FROZEN[frozen])

    def _norms(self) -> Iterator[_BatchNorm]:
        return (module for module in self.modules() if isinstance(module, _BatchNorm))

    def train(self, mode: bool = True) -> ResNet38:
        """`statistics` says whether the batch normalisation follows."""
        super().train(mode)
        if self.statistics == "stored":
            batch_norm_eval(self)
        return self

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """x: float [B, 3, H, W], normalised -> the taps; sides are halved three times, rounded up."""
        if x.device.type == "cpu":  # its convolutions would copy maps of any other layout
            x = x.contiguous(memory_format=torch.channels_last)
        x = self.conv1a(x)
        maps = []
        for name, block in self.named_children():
            if isinstance(block, (PlainBlock, Bottleneck)):
                active = _norm_relu(block.bn_branch2a, x, keep=block.conv_branch1 is None)
                if name in TAPS:
                    maps.append(active)
                if block.conv_branch1 is not None:
                    x = active  # lets go of the input, which is large at full resolution
                x = block(active, x)
        maps.append(_norm_relu(self.bn7, x))
        return tuple(maps[tap] for tap in self.taps)
