"""Strong-Weak's heads: a neck that all images share, and a branch for each kind of labels.

The trunk is the backbone and the neck. At test `branch` answers, the one that learned from masks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor, nn

import common.models.register  # noqa: F401  (the backbones)
import methods.strong_weak.data  # noqa: F401  (named in options)
from common.models.backbone import freeze
from common.models.deeplab import DeepLabHead, conv_norm_relu
from methods.strong_weak.losses import dual_loss


def convolutions(inputs: int, width: int, count: int) -> nn.Sequential:
    """So many 3x3 convolutions of `width` channels, each with a ReLU."""
    return nn.Sequential(*(conv_norm_relu(width if i else inputs, width, 3, 1, None) for i in range(count)))


class Branch(nn.Sequential):
    """`convs`, 3x3 with ReLU, and a 1x1 `classifier`: float [B, width, h, w] -> logits [B, C, h, w]."""

    def __init__(self, width: int, num_classes: int, count: int) -> None:
        super().__init__()
        self.convs = convolutions(width, width, count)
        self.classifier = nn.Conv2d(width, num_classes, 1)


@MODELS.register_module()
class OneBranchHead(DeepLabHead):
    """Neck and one branch, a mean over all pixels of the batch: the baselines.

    Args:
        in_channels: of the backbone's last tap.
        num_classes: C, background among them.
        channels: width of all convolutions.
        neck: 3x3 convolutions that all images share, n in the paper.
        layers: 3x3 convolutions of a branch, in front of its classifier.
        frozen_neck: the neck gets no gradient, for a branch on a trunk that others trained.
        **kwargs: of `DeepLabHead`.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        channels: int = 512,
        neck: int = 3,
        layers: int = 1,
        frozen_neck: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(in_channels, channels, "image", num_classes=num_classes, **kwargs)
        del self.conv_seg
        self.neck = convolutions(in_channels, channels, neck)
        self.branch = Branch(channels, num_classes, layers)
        if frozen_neck:
            freeze([self.neck])

    def last_layers(self) -> list[nn.Conv2d]:
        """All convolutions: none has weights to start from."""
        return [module for module in self.modules() if isinstance(module, nn.Conv2d)]

    def shared(self, inputs: Sequence[Tensor]) -> Tensor:
        """The backbone's taps -> what every branch reads, float [B, channels, h, w]."""
        return self.neck(self._transform_inputs(inputs))

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """The backbone's taps -> logits [B, C, h, w] of `branch`."""
        return self.branch(self.shared(inputs))

    def enlarged(self, logits: Tensor, size: Sequence[int]) -> Tensor:
        """Logits at the size (h, w) of the labels, bilinear."""
        return F.interpolate(logits, tuple(size), mode="bilinear", align_corners=self.align_corners)


@MODELS.register_module()
class BalancedHead(OneBranchHead):
    """Neck and one branch, a mean for each kind of labels: the dual network without its second branch.

    A sample is strong if its meta information `strong` says so.

    Args:
        weak_weight: of the mean over the images with pseudo labels.
        **kwargs: of `OneBranchHead`.
    """

    def __init__(self, *args: Any, weak_weight: float = 1.0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.weak_weight = weak_weight

    @property
    def other(self) -> Branch:
        """The branch of the images with pseudo labels."""
        return self.branch

    def loss(self, inputs: Sequence[Tensor], batch_data_samples: list, train_cfg: Any = None) -> dict[str, Tensor]:
        """The two terms of `dual_loss`, each on its own images alone, at the size of the labels."""
        shared, labels = self.shared(inputs), self._stack_batch_gt(batch_data_samples).squeeze(1)
        strong = torch.tensor([sample.strong for sample in batch_data_samples], device=shared.device)
        own, other = (
            self.enlarged(branch(shared[images]), labels.shape[1:])
            for branch, images in ((self.branch, strong), (self.other, ~strong))
        )
        terms = dual_loss(own, other, labels, strong, self.weak_weight)
        return {f"loss_{kind}": terms[kind] for kind in ("strong", "weak")}


@MODELS.register_module()
class DualBranchHead(BalancedHead):
    """Neck and two equal branches (sec. 3): `branch` learns from masks alone, `weak` from pseudo labels alone.

    Arguments as of `BalancedHead`.
    """

    def __init__(self, in_channels: int, num_classes: int, channels: int = 512, layers: int = 1, **kwargs: Any) -> None:
        super().__init__(in_channels, num_classes, channels, layers=layers, **kwargs)
        self.weak = Branch(channels, num_classes, layers)

    @property
    def other(self) -> Branch:
        return self.weak
