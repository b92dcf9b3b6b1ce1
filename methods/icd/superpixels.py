"""Scores averaged in superpixels with a competition of the image's classes, and features of superpixels (sec. 3.3)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from methods.icd.losses import EPS

Sum = Callable[[Tensor], Tensor]
"""[B, C, h, w] -> the sum over each superpixel, [N, C]."""


@torch.no_grad()
def refine_by_superpixel(scores: Tensor, segments: Tensor, tags: Tensor) -> Tensor:
    """Every superpixel has one value for each class; one class of the image at most is positive there.

    A superpixel with more positive than negative positions for some class goes to the class with the largest mean of
    relative scores: that class takes its mean of the positive scores, the others those of the negative ones. Other
    superpixels have negative values alone, absent classes 0. Superpixels are brought to the maps' size by bilinear
    interpolation of their indicators with aligned corners; where that hits pixels exactly, as at stride 8 on 8 k + 1
    pixels, the pixels are taken.

    Args:
        scores: oriented, float [B, C, h, w].
        segments: numbers, integer [B, H, W]; any number is one, also the one beyond the image's border.
        tags: [B, C], 0 or 1.

    Returns:
        Float [B, C, h, w].
    """
    known = scores * tags[:, :, None, None]
    steps = [_step(large, small) for large, small in zip(segments.shape[1:], scores.shape[2:], strict=True)]
    if None not in steps:
        rows, columns = steps
        return _refined_hard(known, segments[:, ::rows, ::columns], tags)
    return torch.cat([_refined_soft(*(part[i : i + 1] for part in (known, segments, tags))) for i in range(len(tags))])


def _step(large: int, small: int) -> int | None:
    """The distance of pixels that aligned corners hit, None where they fall between pixels."""
    if small == 1:
        return large  # the first pixel
    return (large - 1) // (small - 1) if large >= small and (large - 1) % (small - 1) == 0 else None


def _refined_hard(known: Tensor, cells: Tensor, tags: Tensor) -> Tensor:
    """Every position belongs to one superpixel; cells: [B, h, w]."""
    batch, classes, height, width = known.shape
    first = cells.min()
    span = cells.max() - first + 1
    image = torch.arange(batch, device=cells.device)[:, None, None]
    regions, owner = torch.unique(image * span + cells - first, return_inverse=True)

    def total(values: Tensor) -> Tensor:
        flat = values.permute(0, 2, 3, 1).flatten(0, 2)
        return flat.new_zeros(len(regions), flat.shape[1]).index_add_(0, owner.flatten(), flat)

    values = _superpixel_values(known, tags[regions // span], total)
    return values[owner.flatten()].view(batch, height, width, classes).permute(0, 3, 1, 2).contiguous()


def _refined_soft(known: Tensor, segments: Tensor, tags: Tensor) -> Tensor:
    """A position belongs to several superpixels in shares; one image."""
    regions, owner = torch.unique(segments, return_inverse=True)
    indicators = F.one_hot(owner, len(regions)).permute(0, 3, 1, 2).to(known)
    shares = F.interpolate(indicators, known.shape[2:], mode="bilinear", align_corners=True)[0].flatten(1)
    values = _superpixel_values(known, tags.expand(len(regions), -1), lambda maps: shares @ maps[0].flatten(1).T)
    return (values.T @ shares).view(known.shape)


def _superpixel_values(known: Tensor, tags: Tensor, total: Sum) -> Tensor:
    """The value of each superpixel and class [N, C]; tags: those of its image, [N, C]."""
    positive = known.clamp(min=0)
    size = total(torch.ones_like(known[:, :1])).clamp(min=EPS)
    object_like = total(known.sign()).amax(dim=1, keepdim=True) > EPS
    relative = positive / positive.amax(dim=1, keepdim=True).clamp(min=EPS)
    winner = F.one_hot((total(relative) / size).argmax(dim=1), known.shape[1]) > 0
    return torch.where(object_like & winner & (tags > 0), total(positive), total(known.clamp(max=0))) / size


def superpixel_features(maps: np.ndarray, segments: np.ndarray, side: int) -> np.ndarray:
    """The mean features of each superpixel, float32 [S, D].

    The maps are enlarged to a canvas with aligned corners, at whose top left the photo lies, and averaged: a sum of
    cells with shares that depend on the superpixels alone, so that no large map is made.

    Args:
        maps: float [D, n, m] of the canvas.
        segments: integer [h, w], 0..S-1, each with a pixel; h and w at most `side`.
        side: of the canvas, pixels.
    """
    channels, rows, columns = maps.shape
    count = int(segments.max()) + 1
    shares = np.zeros(count * rows * columns)
    for y, share_y in _neighbours(rows, side, segments.shape[0]):
        for x, share_x in _neighbours(columns, side, segments.shape[1]):
            places = (segments.astype(np.int64) * rows + y[:, None]) * columns + x
            shares += np.bincount(places.ravel(), (share_y[:, None] * share_x).ravel(), minlength=len(shares))
    sizes = np.bincount(segments.ravel(), minlength=count)
    means = shares.reshape(count, -1) @ maps.reshape(channels, -1).T.astype(np.float64) / sizes[:, None]
    return means.astype(np.float32)


def _neighbours(cells: int, side: int, length: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """The two cells next to each of the first pixels of a side, with their shares."""
    place = np.arange(length) * ((cells - 1) / max(side - 1, 1))
    before = np.minimum(place.astype(np.int64), cells - 1)
    return [(before, 1 - (place - before)), (np.minimum(before + 1, cells - 1), place - before)]
