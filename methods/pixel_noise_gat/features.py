"""What the clean model sees of a photo's superpixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

from common.base.errors import UserError
from common.models.preprocess import normalize
from common.ops.superpixels import enlarged_photo, fitting_scale, pool_by_segment, unit_vectors


@torch.no_grad()
def seen(
    model: Any,
    pixels: np.ndarray,
    segments: np.ndarray,
    taps: Sequence[int],
    width: int | None,
    scale: float,
    longest: int | None,
) -> np.ndarray:
    """Means over superpixels of the backbone's maps, of one length each, side by side: float32 [S, d].

    model: a segmentor; pixels: uint8 [h, w, 3]; segments: int [h, w]; taps: which of the backbone's maps; width: a map
    of more channels goes on so many random directions (`projected`), None: all maps stay whole; scale, longest: the
    backbone sees the photo at `fitting_scale`.

    Raises:
        UserError: the backbone has no such tap.
    """
    photo = enlarged_photo(pixels, fitting_scale(pixels.shape[:2], scale, longest))
    device = next(model.parameters()).device
    x = normalize(model, torch.from_numpy(np.ascontiguousarray(photo.transpose(2, 0, 1)))[None].to(device))
    maps = model.backbone(x)
    if max(taps) >= len(maps):
        raise UserError(f"taps={tuple(taps)}: the backbone has {len(maps)} taps, 0 to {len(maps) - 1}.")
    found = []
    for tap in taps:
        features = maps[tap][0]
        narrow = features if width is None or len(features) <= width else projected(features, width)
        found.append(unit_vectors(upsampled_means(narrow.cpu().numpy(), segments)))
    return np.concatenate(found, axis=1).astype(np.float32)


def colours_and_places(pixels: np.ndarray, segments: np.ndarray) -> np.ndarray:
    """Mean RGB of 0..1, and the centre's row and column over the photo's sides, float32 [S, 5]."""
    colours = pool_by_segment(pixels.transpose(2, 0, 1) / 255, segments)
    centres = pool_by_segment(np.indices(segments.shape), segments)
    return np.concatenate([colours, centres / segments.shape], axis=1).astype(np.float32)


def projected(features: Tensor, width: int) -> Tensor:
    """Feature maps [c, h, w] on `width` random directions, the same for every photo: float [width, h, w].

    Cosine similarities of wide features are kept up to about 1 / sqrt(width).
    """
    generator = torch.Generator().manual_seed(len(features))
    directions = torch.randn(width, len(features), generator=generator).to(features) / width**0.5
    return torch.einsum("dc,chw->dhw", directions, features)


def upsampled_means(features: np.ndarray, segments: np.ndarray) -> np.ndarray:
    """Means over superpixels of a feature map enlarged to the photo, without enlarging it: float32 [S, c].

    Bilinear enlarging (corners not aligned) and means are both linear: each superpixel weighs the cells. So one that is
    smaller than a cell has features of its own, too.

    features: float32 [c, h', w']; segments: int [h, w], 0..S-1, each with a pixel.
    """
    rows, columns = (_between(cells, pixels) for cells, pixels in zip(features.shape[1:], segments.shape, strict=True))
    numbers = segments.ravel()
    sizes = np.bincount(numbers)
    owner, cell, weight = [], [], []
    for row, row_weight in rows:
        for column, column_weight in columns:
            owner.append(numbers)
            cell.append((row[:, None] * features.shape[2] + column).ravel())
            weight.append((row_weight[:, None] * column_weight).ravel())
    places = np.concatenate(owner), np.concatenate(cell)
    cells = features.shape[1] * features.shape[2]
    means = csr_array((np.concatenate(weight) / sizes[places[0]], places), shape=(len(sizes), cells))
    return (means @ features.reshape(len(features), -1).T).astype(np.float32)


def _between(cells: int, pixels: int) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """The two cells that each pixel of a side lies between, with their weights; as torch's bilinear rule."""
    place = np.maximum((np.arange(pixels) + 0.5) * cells / pixels - 0.5, 0)
    low = np.minimum(place.astype(np.int64), cells - 1)
    high = np.minimum(low + 1, cells - 1)
    return (low, 1 - (place - low)), (high, place - low)
