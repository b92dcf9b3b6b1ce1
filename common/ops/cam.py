"""Class activation maps (Zhou et al. 2016): merging, normalisation and background as the methods do it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from common.ops.resize import resize_maps

Normalisation = Literal["class_max", "image_max", "class_min_max", "none"]
Merge = Literal["sum", "mean", "max"]


def merge_cams(
    maps: Sequence[Tensor],
    size: tuple[int, int],
    keys: Sequence[int] | np.ndarray,
    *,
    merge: Merge = "sum",
    normalisation: Normalisation = "class_max",
    canvas: tuple[int, int] | None = None,
) -> np.ndarray:
    """Merge the class maps of all scales, keep the image's classes, normalise: float32 [K, h, w].

    Args:
        maps: per scale [C-1, h_s, w_s]; channel k belongs to class id k + 1.
        size: (h, w) of the result: of the image, or of its grid (`strided_size`).
        keys: class ids (1..C-1) to keep, K of them.
        canvas: (h', w') the maps are resized to before the result is cut out at the top left; None: `size`. IRNet's
            code makes maps of the image's size on the canvas `padded_size(size, 16)`.
    """
    channels = torch.as_tensor(np.asarray(keys, dtype=np.int64)) - 1
    kept = [resize_maps(scale[channels.to(scale.device)], canvas or size) for scale in maps]
    merged = _merge(kept, merge)[:, : size[0], : size[1]]
    return normalise(merged, normalisation).float().cpu().numpy()


def normalise(maps: Tensor, by: Normalisation = "class_max", eps: float = 1e-5) -> Tensor:
    """Class maps [K, h, w] on a common scale, at most 1.

    class_max: m / (max m + eps), per class (AffinityNet, IRNet).
    class_min_max: with m = relu(m), (m - min m - eps) / (max m - min m + eps), per class; values below min m + eps
        count as 0 first, which makes them negative (SEAM).
    image_max: m / max m over all classes and pixels; 0 where that is 0 (IRNet, after the random walk).
    none: as they are.
    """
    if by == "none" or not maps.numel():
        return maps
    if by == "image_max":
        return maps / maps.max().clamp_min(torch.finfo(maps.dtype).tiny)
    if by == "class_max":
        return maps / (maps.amax(dim=(1, 2), keepdim=True) + eps)
    if by == "class_min_max":
        maps = maps.relu()
        lowest, highest = maps.amin(dim=(1, 2), keepdim=True), maps.amax(dim=(1, 2), keepdim=True)
        maps = torch.where(maps < lowest + eps, 0.0, maps)
        return (maps - lowest - eps) / (highest - lowest + eps)
    raise ValueError(f"no normalisation '{by}': class_max, class_min_max, image_max or none")


def background_score(cam: Tensor, alpha: float) -> Tensor:
    """[h, w]: (1 - max over classes)^alpha of CAMs [K, h, w] of at most 1 (AffinityNet sec. 3.1); 1 where K = 0.

    The larger alpha, the weaker the background: alone, a class wins above 0.28 for alpha 4, 0.12 for 16, 0.08 for 32.
    """
    if not len(cam):
        return cam.new_ones(cam.shape[1:])
    return (1 - cam.amax(dim=0)).pow(alpha)


def with_background(cam: Tensor, alpha: float) -> Tensor:
    """[K + 1, h, w]: the background score in front of the CAMs [K, h, w]."""
    return torch.cat([background_score(cam, alpha)[None], cam])


def argmax_with_background(maps: Tensor, background: float | Tensor) -> Tensor:
    """int64 [h, w]: k + 1 where maps[k] of [K, h, w] is the largest, 0 where none is larger than the background."""
    plane = torch.as_tensor(background, dtype=maps.dtype, device=maps.device).expand(1, *maps.shape[1:])
    return torch.cat([plane, maps]).argmax(dim=0)


def _merge(maps: list[Tensor], how: Merge) -> Tensor:
    stack = torch.stack(maps)
    if how == "sum":
        return stack.sum(dim=0)
    if how == "mean":
        return stack.mean(dim=0)
    if how == "max":
        return stack.amax(dim=0)
    raise ValueError(f"no merge '{how}': sum, mean or max")
