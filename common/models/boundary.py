"""IRNet's class boundary network: a frozen backbone and a small head on its taps (Ahn et al., CVPR 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import common.base.compat  # isort: skip  # noqa: F401
import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor, nn

from common.models.preprocess import ImageModel
from common.ops.affinity import boundary_loss, path_set
from common.ops.resize import padded_size, shrink_labels, strided_size

STRIDE = 4  # of the output


class Reduce(nn.Sequential):
    """1x1 convolution without bias, GroupNorm, bilinear up-sampling by `up`, ReLU."""

    def __init__(self, channels: int, width: int, groups: int, up: int = 1) -> None:
        layers = [nn.Conv2d(channels, width, kernel_size=1, bias=False), nn.GroupNorm(groups, width)]
        if up > 1:
            layers.append(nn.Upsample(scale_factor=up, mode="bilinear", align_corners=False))
        super().__init__(*layers, nn.ReLU(inplace=True))


class EdgeHead(nn.Module):
    """Class boundary logit [B, 1, h4, w4] from every tap, brought to stride 4."""

    def __init__(self, channels: Sequence[int], strides: Sequence[int], width: int = 32, groups: int = 4) -> None:
        super().__init__()
        self.taps = nn.ModuleList(
            Reduce(c, width, groups, up=max(s // STRIDE, 1)) for c, s in zip(channels, strides, strict=True)
        )
        self.out = nn.Conv2d(width * len(channels), 1, kernel_size=1)

    def features(self, taps: Sequence[Tensor]) -> Tensor:
        """What the boundaries are read from: float [B, width x taps, h4, w4], >= 0 (160 channels for IRNet).

        taps: float [B, c_i, h_i, w_i], finest first, the first at stride 4.
        """
        return concat([reduce(tap) for reduce, tap in zip(self.taps, taps, strict=True)])

    def forward(self, taps: Sequence[Tensor]) -> Tensor:
        """taps: as in `features`."""
        return self.out(self.features(taps))


def concat(maps: Sequence[Tensor]) -> Tensor:
    """Along the channels; what up-sampling made larger than the first map is cut at the right and bottom."""
    height, width = maps[0].shape[-2:]
    return torch.cat([x[..., :height, :width] for x in maps], dim=1)


@MODELS.register_module()
class BoundaryNet(ImageModel):
    """Class boundaries, learned from pairs of confident pixels (IRNet without its displacement branch).

    The backbone, with its ImageNet weights, is never trained; its taps are pooled to stride 4 where they are finer.

    Args:
        backbone: config of a registered backbone with `channels` and `strides` of its taps.
        radius: pairs of cells closer than this make the loss.
        edge: options of `EdgeHead`.
        data_preprocessor: mmseg's SegDataPreProcessor with the backbone's mean and std.
    """

    def __init__(
        self,
        backbone: dict[str, Any],
        radius: int = 10,
        edge: dict[str, Any] | None = None,
        data_preprocessor: dict[str, Any] | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        self.radius = radius
        self.backbone = MODELS.build(backbone).requires_grad_(False)
        self.edge_head = EdgeHead(self.backbone.channels, self.tap_strides, **(edge or {}))

    @property
    def tap_strides(self) -> list[int]:
        """Input pixels per cell of `taps`."""
        return [max(stride, STRIDE) for stride in self.backbone.strides]

    def train(self, mode: bool = True) -> BoundaryNet:
        """The backbone stays in evaluation mode."""
        super().train(mode)
        self.backbone.eval()
        return self

    @torch.no_grad()
    def taps(self, x: Tensor) -> list[Tensor]:
        """Normalised float [B, 3, H, W] -> the backbone's taps [B, c_i, h_i, w_i], none finer than stride 4."""
        return [_pool(tap, stride) for tap, stride in zip(self.backbone(x), self.backbone.strides, strict=True)]

    @torch.no_grad()
    def boundary(self, image: Tensor, canvas: int = 512) -> Tensor:
        """Class boundary probability [h4, w4] of one image, h4 = ceil(H / 4); evaluation mode.

        image: [3, H, W] RGB, 0..255. It comes from the mean logit of the image and its mirror image, both laid at the
        top left of a `canvas` (see `on_canvas`).
        """
        return self.probability(self.edge_head(self.taps(self.pair(image, canvas))), image.shape[-2:])

    def pair(self, image: Tensor, canvas: int) -> Tensor:
        """Network input [2, 3, canvas, canvas]: an image [3, H, W] of 0..255 and its mirror image."""
        return on_canvas(self.normalize(torch.stack([image, image.flip(-1)])), canvas)

    @staticmethod
    def probability(edge: Tensor, size: Sequence[int]) -> Tensor:
        """Boundary logits [2, 1, h', w'] of a `pair` -> the probability [h4, w4] on an image of `size` (H, W)."""
        height, width = strided_size(size, STRIDE)
        upright, mirrored = edge[:, 0, :height, :width]
        return torch.sigmoid((upright + mirrored.flip(-1)) / 2)

    def forward(self, inputs: Tensor, data_samples: list | None = None, mode: str = "tensor") -> Any:
        """mmengine's interface; `inputs` are normalised.

        Returns:
            "loss": `loss(...)` for the label maps `data_samples[i].gt_sem_seg` at input size; "tensor":
            `relations(inputs)`.
        """
        if mode == "tensor":
            return self.relations(inputs)
        if mode == "loss":
            labels = torch.stack([shrink_labels(sample.gt_sem_seg.data[0], STRIDE) for sample in data_samples])
            return self.loss(self.relations(inputs), labels)
        raise ValueError(f"mode is {mode!r}, not 'loss' or 'tensor'")

    def relations(self, x: Tensor) -> Any:
        """Normalised float [B, 3, H, W] -> boundary logit [B, 1, h4, w4]."""
        return self.edge_head(self.taps(x))

    def loss(self, relations: Any, labels: Tensor) -> dict[str, Tensor]:
        """`boundary_loss` of `relations` and its terms, for labels integer [B, h4, w4]."""
        paths = path_set(self.radius)
        return boundary_loss(relations, paths.labels(labels), paths)


def _pool(tap: Tensor, stride: int) -> Tensor:
    """To stride 4 by the pool of the ResNet stem, once per factor of 2."""
    while stride < STRIDE:
        tap, stride = F.max_pool2d(tap, kernel_size=3, stride=2, padding=1), stride * 2
    return tap


def on_canvas(x: Tensor, canvas: int) -> Tensor:
    """[B, 3, H, W] at the top left of zeros, [B, 3, canvas, canvas]; a longer side grows it to a multiple of 16.

    GroupNorm counts the zeros, so the size of the canvas is part of the result.
    """
    sides = zip(x.shape[-2:], padded_size(x.shape[-2:], 16), strict=True)
    height, width = (canvas if side <= canvas else grown for side, grown in sides)
    return F.pad(x, (0, width - x.shape[-1], 0, height - x.shape[-2]))
