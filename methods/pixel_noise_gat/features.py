"""What the clean model sees of a photo's superpixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from common.base.errors import UserError
from common.models.preprocess import normalize
from common.ops.superpixels import enlarged_photo, fitting_scale, pool_by_segment
from methods.pixel_noise_gat.graph import centroids, projected, units, upsampled_means


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
        found.append(units(upsampled_means(narrow.cpu().numpy(), segments)))
    return np.concatenate(found, axis=1).astype(np.float32)


def colours_and_places(pixels: np.ndarray, segments: np.ndarray) -> np.ndarray:
    """Mean RGB of 0..1, and the centre's row and column over the photo's sides, float32 [S, 5]."""
    colours = pool_by_segment(pixels.transpose(2, 0, 1) / 255, segments)
    return np.concatenate([colours, centroids(segments) / segments.shape], axis=1).astype(np.float32)
