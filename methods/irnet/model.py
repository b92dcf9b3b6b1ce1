"""IRNet's network: the boundary network and a second head on the same taps, for displacements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from mmseg.registry import MODELS
from torch import Tensor, nn

import common.models.register  # noqa: F401  (the backbones)
from common.models.boundary import STRIDE, BoundaryNet, Reduce, concat
from methods.irnet.losses import irn_loss


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
        coarse = self.coarse(concat(maps[self.fine :]))
        displacement = self.out(self.fuse(concat([*maps[: self.fine], coarse])))
        return displacement if self.training else displacement - self.mean_shift[:, None, None]


@MODELS.register_module()
class InterPixelNet(BoundaryNet):
    """Inter-pixel relation network (IRNet; Ahn et al., CVPR 2019): class boundaries and displacements.

    Args:
        backbone: config of a registered backbone with `channels` and `strides` of its taps, one of them at stride 8.
        displacement: options of `DisplacementHead`; None leaves that branch out. The semantic labels do not depend on
            it: the two heads share no parameter, so the boundaries come out the same.
        **options: of `BoundaryNet`.
    """

    def __init__(
        self,
        backbone: dict[str, Any],
        displacement: dict[str, Any] | None = {},  # noqa: B006  (never changed)
        **options: Any,
    ) -> None:
        super().__init__(backbone, **options)
        shape = self.backbone.channels, self.tap_strides
        self.displacement_head = None if displacement is None else DisplacementHead(*shape, **displacement)

    def relations(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Normalised float [B, 3, H, W] -> boundary logit [B, 1, h4, w4], displacement [B, 2, h4, w4] in cells."""
        taps = self.taps(x)
        displacement = None if self.displacement_head is None else self.displacement_head(taps)
        return self.edge_head(taps), displacement

    def loss(self, relations: tuple[Tensor, Tensor | None], labels: Tensor) -> dict[str, Tensor]:
        """The terms of `irn_loss` and their total, for labels integer [B, h4, w4]."""
        return irn_loss(*relations, labels, self.radius)

    @torch.no_grad()
    def infer(self, image: Tensor, canvas: int = 512) -> tuple[Tensor, Tensor | None]:
        """`boundary` of one image [3, H, W], RGB in 0..255, and the displacement [2, h4, w4] of the image itself."""
        edge, displacement = self.relations(self.pair(image, canvas))
        boundary = self.probability(edge, image.shape[-2:])
        height, width = boundary.shape
        return boundary, None if displacement is None else displacement[0, :, :height, :width]


@torch.no_grad()
def estimate_mean_shift(network: InterPixelNet, batches: Iterable[Tensor]) -> Tensor:
    """Set the mean shift of the displacement head to the mean displacement, and return it, [2] in cells.

    batches: normalised [B, 3, H, W]. The mean is over images, rows and columns (padding included), then over batches.
    """
    network.eval()
    shift = network.displacement_head.mean_shift.zero_()
    means = [network.relations(batch)[1].double().mean(dim=(0, 2, 3)) for batch in batches]
    return shift.copy_(torch.stack(means).mean(dim=0))
