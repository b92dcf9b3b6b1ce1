"""The pixel correlation module (PCM): class maps become means over the pixels that look alike (SEAM sec. 3.3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from methods.seam.losses import EPS, keep_largest, replace_background


class PixelCorrelation(nn.Module):
    """Refines class maps by the similarity of shallow features and colours.

    No gradient reaches what it reads: it trains its own three convolutions alone, which have no bias.

    Args:
        channels: of the taps it reads, shallow ones first.
        widths: channels each tap is reduced to (1x1 convolution, ReLU).
        embedding: channels of the features that are compared.
        chunk: columns of the similarity matrix that exist at a time, see `correlate`.
    """

    def __init__(
        self, channels: Sequence[int], widths: Sequence[int] = (64, 128), embedding: int = 192, chunk: int = 512
    ) -> None:
        super().__init__()
        pairs = zip(channels, widths, strict=True)
        self.reduce = nn.ModuleList(nn.Conv2d(c, width, kernel_size=1, bias=False) for c, width in pairs)
        self.embed = nn.Conv2d(3 + sum(widths), embedding, kernel_size=1, bias=False)
        self.chunk = chunk
        for convolution in self.reduce:
            nn.init.kaiming_normal_(convolution.weight)
        nn.init.xavier_uniform_(self.embed.weight, gain=4)

    def features(self, image: Tensor, taps: Sequence[Tensor], size: tuple[int, int]) -> Tensor:
        """Colours and reduced taps, side by side on the grid `size` of the class maps: [B, 3 + sum(widths), h, w].

        image: normalised [B, 3, H, W]; taps: [B, channels[i], h_i, w_i].
        """
        maps = [convolution(tap.detach()).relu() for convolution, tap in zip(self.reduce, taps, strict=True)]
        return torch.cat([to_grid(x.float(), size) for x in (image, *maps)], dim=1)

    def forward(self, maps: Tensor, features: Tensor) -> Tensor:
        """Maps [B, C, h, w] and what `features` gives -> refined maps [B, C, h, w]; float32, under autocast too."""
        with torch.autocast(maps.device.type, enabled=False):
            return correlate(maps.float(), self.embed(features.float()), self.chunk)


def correlate(maps: Tensor, features: Tensor, chunk: int = 512) -> Tensor:
    """Every pixel's mean of the maps, weighted by the similarity of its features to all pixels' (eq. 5 and 6).

    With unit features f (divided by their norm + 1e-5) and S = relu(f^T f), N x N for N pixels:

        refined = maps S / (1^T S + 1e-5)

    maps: float32 [B, C, h, w]; features: float32 [B, E, h, w]; returns [B, C, h, w]. S is made `chunk` columns at a
    time and never as a whole: a row of ones under the maps gives the sums of its columns. For a gradient the chunks are
    made a second time.
    """
    flat = features.flatten(2)
    unit = flat / (flat.norm(dim=1, keepdim=True) + EPS)
    rows = F.pad(maps.flatten(2), (0, 0, 0, 1), value=1.0)
    parts = unit.split(chunk, dim=2)
    if torch.is_grad_enabled() and unit.requires_grad:
        sums = torch.cat([_columns_again(rows, unit, part) for part in parts], dim=2)
    else:
        sums = torch.empty_like(rows)
        for target, part in zip(sums.split(chunk, dim=2), parts, strict=True):
            target.copy_(_columns(rows, unit, part))  # a small result kept after each large product leaves gaps
    return (sums[:, :-1] / (sums[:, -1:] + EPS)).view_as(maps)


def _columns_again(rows: Tensor, unit: Tensor, part: Tensor) -> Tensor:
    """`_columns`, made a second time for the gradient instead of kept."""
    return checkpoint(_columns, rows, unit, part, use_reentrant=False, preserve_rng_state=False)


def _columns(rows: Tensor, unit: Tensor, part: Tensor) -> Tensor:
    """rows [B, R, N], unit [B, E, N] and some of its columns [B, E, n] -> [B, R, n]."""
    return rows @ (unit.mT @ part).relu_()


@torch.no_grad()
def suppress_non_maximal(cam: Tensor, eps: float = EPS) -> Tensor:
    """Raw class maps [B, C, h, w] -> the maps that are averaged: per class relu(m) / max m, the largest class alone.

    The background is 1 - the largest class. All classes take part, also those that the image lacks: the network does
    not use the tags, so an absent class can suppress a present one.
    """
    maps = cam.relu()
    scale = maps.amax(dim=(2, 3), keepdim=True) + eps
    return keep_largest(replace_background((maps - eps).relu() / scale))


def to_grid(x: Tensor, size: tuple[int, int]) -> Tensor:
    """[B, C, H, W] -> [B, C, *size], bilinear with aligned corners."""
    if x.shape[-2:] == tuple(size):
        return x
    return F.interpolate(x, size, mode="bilinear", align_corners=True)
