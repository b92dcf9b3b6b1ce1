"""Class activation maps (Zhou et al. 2016): multi-scale inference, merging and normalisation as the methods do it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from common.data.geometry import rescale_image

Normalisation = Literal["class_max", "image_max", "class_min_max", "none"]
Merge = Literal["sum", "mean", "max"]


class CamModel(Protocol):
    """A classifier that gives class maps."""

    def normalize(self, images: Tensor) -> Tensor:
        """RGB in 0..255, [B, 3, H, W] -> network input."""

    def cam(self, x: Tensor) -> Tensor:
        """Network input -> class maps [B, C-1, h', w'], channel k = class id k + 1."""


def multi_scale_cam(model: CamModel, image: np.ndarray, scales: Sequence[float], flip: bool = True) -> list[Tensor]:
    """Class maps [C-1, h_s, w_s] of one image (uint8 RGB [h, w, 3]) per scale, with those of its mirror image added."""
    return [maps[0] for maps in multi_scale_cams(model, [image], scales, flip)]


@torch.inference_mode()
def multi_scale_cams(
    model: CamModel, images: Sequence[np.ndarray], scales: Sequence[float], flip: bool = True
) -> list[Tensor]:
    """The same for a batch of images of equal size: [B, C-1, h_s, w_s] per scale, on the model's device.

    Each scale resizes the uint8 images by PIL's bicubic filter to round-half-even(side x scale); 1 leaves them
    untouched. The mirror images follow the images, which halves the memory of one batch of both.
    """
    device = _device(model)
    maps = []
    for scale in scales:
        batch = np.stack([rescale_image(image, scale) for image in images])
        x = model.normalize(torch.from_numpy(batch).to(device).permute(0, 3, 1, 2).float())
        total = model.cam(x)
        maps.append(total + model.cam(x.flip(-1)).flip(-1) if flip else total)
    return maps


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
    kept = [resize(scale[channels.to(scale.device)], canvas or size) for scale in maps]
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


def upsample(maps: Tensor, size: tuple[int, int], stride: int = 4) -> Tensor:
    """Strided maps [K, h', w'] -> [K, h, w]: bilinear by the stride (corners not aligned), cropped to the image."""
    if not len(maps):
        return maps.new_zeros(0, *size)
    up = F.interpolate(maps[None], scale_factor=stride, mode="bilinear", align_corners=False)[0]
    return up[:, : size[0], : size[1]]


def pool(maps: Tensor, stride: int = 8) -> Tensor:
    """Maps [K, h, w] -> [K, ceil(h / stride), ceil(w / stride)]: means of cells, which count as 0 beyond the image."""
    height, width = maps.shape[-2:]
    rows, columns = padded_size((height, width), stride)
    return F.avg_pool2d(F.pad(maps, (0, columns - width, 0, rows - height)), stride)


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


def strided_size(size: tuple[int, int], stride: int = 4) -> tuple[int, int]:
    """(ceil(h / stride), ceil(w / stride))."""
    return -(-size[0] // stride), -(-size[1] // stride)


def padded_size(size: tuple[int, int], multiple: int = 16) -> tuple[int, int]:
    """(h, w) rounded up to multiples."""
    rows, columns = strided_size(size, multiple)
    return rows * multiple, columns * multiple


def resize(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Maps [K, h, w] at another size (h', w'): bilinear, corners not aligned."""
    if not len(maps):
        return maps.new_zeros(0, *size)
    return F.interpolate(maps[None], size, mode="bilinear", align_corners=False)[0]


def _merge(maps: list[Tensor], how: Merge) -> Tensor:
    stack = torch.stack(maps)
    if how == "sum":
        return stack.sum(dim=0)
    if how == "mean":
        return stack.mean(dim=0)
    if how == "max":
        return stack.amax(dim=0)
    raise ValueError(f"no merge '{how}': sum, mean or max")


def _device(model: CamModel) -> torch.device:
    parameter = next(iter(model.parameters()), None) if isinstance(model, torch.nn.Module) else None
    return parameter.device if parameter is not None else torch.device("cpu")
