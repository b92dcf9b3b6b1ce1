"""IRNet's network: a frozen backbone and two small heads, one for class boundaries, one for displacements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor, nn

import common.models.register  # noqa: F401  (the backbones)
from common.affinity import shrink_labels
from common.cam import padded_size, strided_size
from common.models.preprocess import ImageModel
from methods.irnet.losses import irn_loss

STRIDE = 4  # of both outputs


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

    def forward(self, taps: Sequence[Tensor]) -> Tensor:
        """taps: float [B, c_i, h_i, w_i], finest first, the first at stride 4."""
        maps = [reduce(tap) for reduce, tap in zip(self.taps, taps, strict=True)]
        return self.out(_concat(maps))


class DisplacementHead(nn.Module):
    """Displacement [B, 2, h4, w4], (dy, dx) in cells: coarse taps meet at stride 8, then all at stride 4.

    In evaluation the buffer `mean_shift` [2] is subtracted. It is 0 until training is over, then the mean displacement
    over images, so that background and object centres lie near 0 (see `mean_displacement` in stages.py).
    """

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        widths: Sequence[int] = (64, 128, 256, 256, 256),
        groups: Sequence[int] = (8, 16, 16, 16, 16),
    ) -> None:
        super().__init__()
        self.fine = sum(stride <= STRIDE for stride in strides)
        if not 0 < self.fine < len(strides) or strides[self.fine] != 2 * STRIDE:
            raise ValueError(f"the displacement head needs taps at stride {STRIDE} and {2 * STRIDE}, not {strides}")
        parts = zip(channels, widths, groups, strides, strict=True)
        self.taps = nn.ModuleList(Reduce(c, w, g, up=max(s // (2 * STRIDE), 1)) for c, w, g, s in parts)
        width, group = widths[-1], groups[-1]
        self.coarse = Reduce(sum(widths[self.fine :]), width, group, up=2)
        self.fuse = Reduce(sum(widths[: self.fine]) + width, width, group)
        self.out = nn.Conv2d(width, 2, kernel_size=1, bias=False)
        self.register_buffer("mean_shift", torch.zeros(2))

    def forward(self, taps: Sequence[Tensor]) -> Tensor:
        """taps: as in `EdgeHead`."""
        maps = [reduce(tap) for reduce, tap in zip(self.taps, taps, strict=True)]
        coarse = self.coarse(_concat(maps[self.fine :]))
        displacement = self.out(self.fuse(_concat([*maps[: self.fine], coarse])))
        return displacement if self.training else displacement - self.mean_shift[:, None, None]


def _concat(maps: Sequence[Tensor]) -> Tensor:
    """Along the channels; what up-sampling made larger than the first map is cut at the right and bottom."""
    height, width = maps[0].shape[-2:]
    return torch.cat([x[..., :height, :width] for x in maps], dim=1)


@MODELS.register_module()
class InterPixelNet(ImageModel):
    """Inter-pixel relation network (IRNet; Ahn et al., CVPR 2019).

    The backbone, with its ImageNet weights, is never trained; its taps are pooled to stride 4 where they are finer.

    Args:
        backbone: config of a registered backbone with `channels` and `strides` of its taps, one of them at stride 8.
        radius: pairs of cells closer than this make the loss.
        displacement: options of `DisplacementHead`; None leaves that branch out. The semantic labels do not depend on
            it: the two heads share no parameter, so the boundaries come out the same.
        data_preprocessor: mmseg's SegDataPreProcessor with the backbone's mean and std.
    """

    def __init__(
        self,
        backbone: dict[str, Any],
        radius: int = 10,
        edge: dict[str, Any] | None = None,
        displacement: dict[str, Any] | None = {},  # noqa: B006  (never changed)
        data_preprocessor: dict[str, Any] | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        self.radius = radius
        self.backbone = MODELS.build(backbone).requires_grad_(False)
        shape = self.backbone.channels, [max(stride, STRIDE) for stride in self.backbone.strides]
        self.edge_head = EdgeHead(*shape, **(edge or {}))
        self.displacement_head = None if displacement is None else DisplacementHead(*shape, **displacement)

    def train(self, mode: bool = True) -> InterPixelNet:
        """The backbone stays in evaluation mode."""
        super().train(mode)
        self.backbone.eval()
        return self

    def relations(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Normalised float [B, 3, H, W] -> boundary logit [B, 1, h4, w4], displacement [B, 2, h4, w4] in cells."""
        with torch.no_grad():
            taps = [self._pool(tap, stride) for tap, stride in self._taps(x)]
        displacement = None if self.displacement_head is None else self.displacement_head(taps)
        return self.edge_head(taps), displacement

    def _taps(self, x: Tensor) -> Iterable[tuple[Tensor, int]]:
        return zip(self.backbone(x), self.backbone.strides, strict=True)

    @staticmethod
    def _pool(tap: Tensor, stride: int) -> Tensor:
        """To stride 4 by the pool of the ResNet stem, once per factor of 2."""
        while stride < STRIDE:
            tap, stride = F.max_pool2d(tap, kernel_size=3, stride=2, padding=1), stride * 2
        return tap

    @torch.no_grad()
    def infer(self, image: Tensor, canvas: int = 512) -> tuple[Tensor, Tensor | None]:
        """Boundaries and displacements of one image; evaluation mode.

        image: [3, H, W] RGB, 0..255. The image and its mirror image are laid at the top left of a `canvas` (see
        `on_canvas`). Returns the boundary probability [h4, w4], from the mean logit of both, and the displacement
        [2, h4, w4] of the image itself; h4 = ceil(H / 4).
        """
        pair = self.normalize(torch.stack([image, image.flip(-1)]))
        edge, displacement = self.relations(on_canvas(pair, canvas))
        height, width = strided_size(pair.shape[-2:], STRIDE)
        upright, mirrored = edge[:, 0, :height, :width]
        probability = torch.sigmoid((upright + mirrored.flip(-1)) / 2)
        return probability, None if displacement is None else displacement[0, :, :height, :width]

    def forward(self, inputs: Tensor, data_samples: list | None = None, mode: str = "tensor") -> Any:
        """mmengine's interface; `inputs` are normalised.

        Returns:
            "loss": the terms of `irn_loss` for the label maps `data_samples[i].gt_sem_seg` at input size; "tensor":
            `relations(inputs)`.
        """
        if mode == "tensor":
            return self.relations(inputs)
        if mode == "loss":
            labels = torch.stack([shrink_labels(sample.gt_sem_seg.data[0], STRIDE) for sample in data_samples])
            return irn_loss(*self.relations(inputs), labels, self.radius)
        raise ValueError(f"mode is {mode!r}, not 'loss' or 'tensor'")


def on_canvas(x: Tensor, canvas: int) -> Tensor:
    """[B, 3, H, W] at the top left of zeros, [B, 3, canvas, canvas]; a longer side grows it to a multiple of 16.

    GroupNorm counts the zeros, so the size of the canvas is part of the result.
    """
    sides = zip(x.shape[-2:], padded_size(x.shape[-2:], 16), strict=True)
    height, width = (canvas if side <= canvas else grown for side, grown in sides)
    return F.pad(x, (0, width - x.shape[-1], 0, height - x.shape[-2]))


@torch.no_grad()
def estimate_mean_shift(network: InterPixelNet, batches: Iterable[Tensor]) -> Tensor:
    """Set the mean shift of the displacement head to the mean displacement, and return it, [2] in cells.

    batches: normalised [B, 3, H, W]. The mean is over images, rows and columns (padding included), then over batches.
    """
    network.eval()
    shift = network.displacement_head.mean_shift.zero_()
    means = [network.relations(batch)[1].double().mean(dim=(0, 2, 3)) for batch in batches]
    return shift.copy_(torch.stack(means).mean(dim=0))
