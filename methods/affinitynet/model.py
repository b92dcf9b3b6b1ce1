"""AffinityNet's network: three maps of a backbone, reduced and fused to features whose L1 distance is an affinity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import common.base.compat  # isort: skip
import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor, nn

import common.models.register  # noqa: F401  (the backbones)
from common.models.preprocess import ImageModel
from common.ops.affinity import Border, PairSet, affinity_loss
from methods.affinitynet.affinity import pair_affinity


@MODELS.register_module()
class AffinityNet(ImageModel):
    """AffinityNet (Ahn & Kwak, CVPR 2018, sec. 3.2), layers as in the released code.

    With the taps t_1, t_2, t_3 of the backbone, all at one stride, and convolutions 1x1 without bias:

        f = ELU(fuse [ELU(norm_i(reduce_i t_i))]_i),   a_ij = exp(-mean |f_i - f_j|)

    Learning-rate groups are given by the names `reduce`, `norm`, `fuse` and `backbone`; the released code
    calls `reduce` and `fuse` "new". The backbone decides which of its parts get no gradient.

    Args:
        backbone: config of a registered backbone with three taps at one stride.
        widths: channels of the reduced taps.
        groups: groups of a GroupNorm on each reduced tap (VGG16: 8, 16, 32); None: no norm (ResNet-38).
        radius: pairs of cells closer than this make the loss.
        border: which pairs make the loss, see `PairSet.pad`.
        data_preprocessor: mmseg's SegDataPreProcessor with the backbone's mean and std.
    """

    def __init__(
        self,
        backbone: dict[str, Any],
        widths: Sequence[int] = (64, 128, 256),
        groups: Sequence[int] | None = None,
        radius: int = 5,
        border: Border = "released",
        data_preprocessor: dict[str, Any] | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        self.backbone = MODELS.build(backbone)
        self.pairs, self.border = PairSet(radius), border
        if len(set(self.backbone.strides)) > 1:
            raise ValueError(f"the backbone's taps have strides {self.backbone.strides}: AffinityNet needs equal ones")
        parts = zip(self.backbone.channels, widths, strict=True)
        self.reduce = nn.ModuleList(nn.Conv2d(channels, width, 1, bias=False) for channels, width in parts)
        self.norm = nn.ModuleList(
            nn.Identity() if groups is None else nn.GroupNorm(group, width)
            for group, width in zip(groups or widths, widths, strict=True)
        )
        self.fuse = nn.Conv2d(sum(widths), sum(widths), 1, bias=False)
        for conv in self.reduce:
            nn.init.kaiming_normal_(conv.weight)
        nn.init.xavier_uniform_(self.fuse.weight, gain=4)

    @property
    def stride(self) -> int:
        """Input pixels per cell."""
        return self.backbone.strides[0]

    def features(self, x: Tensor) -> Tensor:
        """Normalised float [B, 3, H, W] -> f, float [B, sum of widths, h, w] at the stride of the taps."""
        reduced = [
            F.elu(norm(reduce(tap))) for tap, reduce, norm in zip(self.backbone(x), self.reduce, self.norm, strict=True)
        ]
        return F.elu(self.fuse(torch.cat(reduced, dim=1)))

    def loss(self, features: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """`affinity_loss` of the pairs closer than the radius, its terms and total.

        features: [B, C, h, w]; labels: integer [B, h, w], 0 background, 255 unknown; other values need only
        differ between the classes of one image.

        Raises:
            ValueError: the grids differ.
        """
        if features.shape[-2:] != labels.shape[-2:]:
            raise ValueError(
                f"labels {tuple(labels.shape[-2:])} do not fit features {tuple(features.shape[-2:])}: "
                f"crops must be multiples of {self.stride} pixels, labels on the grid of stride {self.stride}"
            )
        pairs = self.pairs.labels(self.pairs.pad(labels, 255, self.border))
        features = self.pairs.pad(features.float(), torch.inf, self.border)  # half precision rounds 1 + 1e-5 to 1
        return affinity_loss(pair_affinity(features, self.pairs), pairs)

    def forward(self, inputs: Tensor, data_samples: list | None = None, mode: str = "tensor") -> Any:
        """mmengine's interface; `inputs` are normalised.

        Returns:
            "loss": `loss(...)` for the label maps `data_samples[i].gt_sem_seg` on the grid of the features;
            "tensor": `features(inputs)`.
        """
        if mode == "tensor":
            return self.features(inputs)
        if mode == "loss":
            labels = torch.stack([sample.gt_sem_seg.data[0] for sample in data_samples])
            return self.loss(self.features(inputs), labels)
        raise ValueError(f"mode is {mode!r}, not 'loss' or 'tensor'")


class ColourFeatures(nn.Module):
    """Mean colours of cells in the place of learned features, for comparison: a_ij = exp(-contrast mean |c_i - c_j|).

    Nothing learns its one parameter. Colours are 0..1; the photo is padded with grey.

    Args:
        contrast: at least 0; with 0 all affinities are 1.
        stride: pixels a cell.
    """

    def __init__(self, contrast: float, stride: int = 8) -> None:
        super().__init__()
        self.contrast = nn.Parameter(torch.tensor(float(contrast)), requires_grad=False)
        self.stride = stride

    def normalize(self, images: Tensor) -> Tensor:
        """[B, 3, H, W] RGB in 0..255 -> float32, 0 at grey, half the contrast at 255."""
        return self.contrast * (images.float() / 255 - 0.5)

    def features(self, x: Tensor) -> Tensor:
        """What `normalize` gives, [B, 3, H, W] -> its means over cells, [B, 3, h, w]."""
        return F.avg_pool2d(x, self.stride)
