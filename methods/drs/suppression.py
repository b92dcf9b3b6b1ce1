"""Discriminative region suppression as a function, and the maps that both networks give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from common.ops.resize import resize_maps_aligned

EPS = 1e-5


def suppress(active: Tensor, share: Tensor | float) -> Tensor:
    """min(a, share max a), the maximum over each channel's positions (sec. 3.2).

    active: float [B, C, h, w], >= 0; share: in (0, 1], a number or [B, C, 1, 1]. The gradient of a capped position goes
    to the channel's first largest one, times the share, and to the share, times the maximum; where both sides are equal
    it is split in halves. So a share of 1 is the identity in value and gradient.
    """
    return torch.minimum(active, F.adaptive_max_pool2d(active, 1) * share)


def normalised_cam(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """The positive part of raw maps [K, h, w] at a size (h', w'), each over its maximum plus 1e-5: in [0, 1)."""
    large = resize_maps_aligned(maps.relu(), size)
    return large / (large.amax(dim=(1, 2), keepdim=True) + EPS)


class MapModel(Protocol):
    """A network with one raw map for every class."""

    def maps(self, x: Tensor) -> Tensor:
        """Network input [B, 3, H, W] -> raw maps [B, C - 1, h, w]."""


@torch.inference_mode()
def raw_maps(model: MapModel, x: Tensor, keys: Sequence[int], sizes: Sequence[int]) -> list[Tensor]:
    """Raw maps [K, h_s, w_s] of the class ids `keys` at every size.

    x: one normalised image, float [1, 3, H, W]; sizes: both sides in pixels that it is resized to, bilinear, corners
    not aligned.
    """
    channels = torch.as_tensor(list(keys), dtype=torch.long, device=x.device) - 1
    scaled = (F.interpolate(x, (side, side), mode="bilinear", align_corners=False) for side in sizes)
    return [model.maps(small)[0, channels] for small in scaled]


def localisation_maps(model: MapModel, x: Tensor, keys: Sequence[int], sizes: Sequence[int]) -> Tensor:
    """The classifier's maps, float32 [K, H, W] in [0, 1): the maximum over the sizes of its `normalised_cam`.

    x, keys, sizes: as of `raw_maps`.
    """
    maps = raw_maps(model, x, keys, sizes)
    return torch.stack([normalised_cam(scale, tuple(x.shape[-2:])) for scale in maps]).amax(dim=0)


def to_bytes(maps: Tensor) -> Tensor:
    """Maps in [0, 1] as whole levels, floor(255 x), uint8."""
    return (255 * maps).to(torch.uint8)


def refined_maps(
    model: MapModel, x: Tensor, keys: Sequence[int], sizes: Sequence[int], out_size: tuple[int, int]
) -> Tensor:
    """The refinement network's maps, float32 [K, *out_size], >= 0: the maximum over the sizes and 0 (sec. 3.3).

    x, keys, sizes: as of `raw_maps`; out_size: (h, w) of the photo.
    """
    maps = raw_maps(model, x, keys, sizes)
    return torch.stack([resize_maps_aligned(scale, out_size) for scale in maps]).amax(dim=0).clamp(min=0)
