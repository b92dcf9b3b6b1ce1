"""Every rule by which images, label maps and class maps change their size. None draws at random.

Images are RGB [h, w, 3], uint8 or float32 in 0..255; label maps are uint8 [h, w]; class maps are float tensors
[K, h, w]. Nearest rules: PIL's reads cell floor((i + 1/2) in / out), torch's and OpenCV's floor(i in / out). Bilinear
rules do not align corners, but for `resize_maps_aligned`.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

# --- sizes -----------------------------------------------------------------------------------------------------------


def scaled_size(size: Sequence[int], scale: float) -> tuple[int, int]:
    """Both sides times `scale`, rounded half to even, at least 1."""
    height, width = (max(1, int(np.round(side * scale))) for side in size[:2])
    return height, width


def truncated_size(size: Sequence[int], scale: float) -> tuple[int, int]:
    """Both sides times `scale`, cut to integers, at least 1 (DeepLab v2)."""
    height, width = (max(1, int(side * scale)) for side in size[:2])
    return height, width


def strided_size(size: tuple[int, int], stride: int = 4) -> tuple[int, int]:
    """(ceil(h / stride), ceil(w / stride))."""
    return -(-size[0] // stride), -(-size[1] // stride)


def padded_size(size: tuple[int, int], multiple: int = 16) -> tuple[int, int]:
    """(h, w) rounded up to multiples."""
    rows, columns = strided_size(size, multiple)
    return rows * multiple, columns * multiple


def scale_to_long(image: np.ndarray, target: int) -> float:
    """The factor that makes the longer side `target`."""
    return target / max(image.shape[:2])


# --- images ----------------------------------------------------------------------------------------------------------


def resize_image(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """PIL bicubic to `size` (h, w) on uint8 [H, W, 3]; the image itself where the size fits already."""
    if image.shape[:2] == size:
        return image
    return np.asarray(Image.fromarray(image).resize(size[::-1], Image.Resampling.BICUBIC))


def rescale_image(image: np.ndarray, scale: float) -> np.ndarray:
    """PIL bicubic by a factor on uint8 [H, W, 3] (IRNet, psa)."""
    return resize_image(image, scaled_size(image.shape, scale))


def squash_image(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """PIL bilinear to `size` (h, w) on uint8 [H, W, 3], whatever its proportions."""
    return np.asarray(Image.fromarray(image).resize(size[::-1], Image.Resampling.BILINEAR))


def lanczos_image(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """PIL Lanczos to `size` (h, w) on uint8 [H, W, 3]; the image itself where the size fits already."""
    if image.shape[:2] == size:
        return image
    return np.array(Image.fromarray(image).resize(size[::-1], Image.Resampling.LANCZOS))  # writable, as a CRF needs it


def scale_image_bilinear(image: np.ndarray, scale: float) -> np.ndarray:
    """cv2 bilinear by a factor with truncated size; float32 [h, w, 3], because the original scales floats."""
    size = truncated_size(image.shape, scale)
    return cv2.resize(image.astype(np.float32), size[::-1], interpolation=cv2.INTER_LINEAR)


def scale_image_torch(image: np.ndarray, scale: float) -> np.ndarray:
    """torch bilinear by a factor with truncated size, corners not aligned; float32 [h, w, 3] (DMT).

    `scale_image_bilinear` up to the rounding of cv2, which is 2e-4 of 255.
    """
    planes = torch.from_numpy(np.ascontiguousarray(image, np.float32)).permute(2, 0, 1)[None]
    size = truncated_size(image.shape, scale)
    scaled = F.interpolate(planes, size, mode="bilinear", align_corners=False)
    return np.ascontiguousarray(scaled[0].permute(1, 2, 0).numpy())


def scale_cubic(image: np.ndarray, scale: float) -> np.ndarray:
    """cv2 cubic by a factor, rounded size, on uint8 or float32 [h, w, 3]."""
    return cv2.resize(image, scaled_size(image.shape, scale)[::-1], interpolation=cv2.INTER_CUBIC)


def resize_values(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """cv2 bilinear to `size` (h', w') on float32 [h, w] or [h, w, c], corners not aligned; c may be 0."""
    if not values.size:
        return np.zeros((*size, *values.shape[2:]), np.float32)
    scaled = cv2.resize(np.asarray(values, np.float32), size[::-1], interpolation=cv2.INTER_LINEAR)
    return scaled.reshape(*size, *values.shape[2:])  # cv2 drops a last axis of 1


# --- label maps: nearest ---------------------------------------------------------------------------------------------


def nearest_index(inputs: int, outputs: int) -> np.ndarray:
    """Source index of every output of PIL's nearest resize: floor((i + 1/2) inputs / outputs), int64 [outputs].

    321 -> 41 gives 3, 11, 19, ...: the centres of cells whose corners are not aligned. The positions are summed up in
    double precision as PIL does it; where one falls on a whole number its rounding decides.
    """
    step = inputs / outputs
    return np.add.accumulate(np.r_[step / 2, np.full(outputs - 1, step)]).astype(np.int64)


def resize_label(label: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """PIL's nearest rule to `size` (h, w) on [H, W] or [H, W, c] of any dtype: reads cell floor((i + 0.5) in / out)."""
    if label.shape[:2] == size:
        return label
    rows, columns = (nearest_index(side, wanted) for side, wanted in zip(label.shape, size, strict=False))
    return label[rows[:, None], columns]


def rescale_label(label: np.ndarray, scale: float) -> np.ndarray:
    """PIL nearest by a factor on uint8 [H, W]."""
    return resize_label(label, scaled_size(label.shape, scale))


def scale_label_truncated(label: np.ndarray, scale: float) -> np.ndarray:
    """PIL nearest by a factor with truncated size, uint8 [h, w]."""
    return resize_label(label, truncated_size(label.shape, scale))


def scale_label_floor(label: np.ndarray, scale: float) -> np.ndarray:
    """torch's nearest rule by a factor with truncated size: reads cell floor(i in / out), in float32 (DMT)."""
    rows, columns = (
        np.minimum((np.arange(wanted, dtype=np.float32) * np.float32(side / wanted)).astype(np.int64), side - 1)
        for side, wanted in zip(label.shape, truncated_size(label.shape, scale), strict=False)
    )
    return label[rows[:, None], columns]


def scale_nearest(label: np.ndarray, scale: float) -> np.ndarray:
    """cv2 nearest by a factor, rounded size: reads cell floor(i in / out)."""
    return cv2.resize(label, scaled_size(label.shape, scale)[::-1], interpolation=cv2.INTER_NEAREST)


def resize_labels(labels: Tensor, size: Sequence[int]) -> Tensor:
    """Labels [..., H, W] of any integer type, shrunk or enlarged to size (h, w) by `nearest_index`."""
    rows, columns = (
        torch.from_numpy(nearest_index(side, wanted)).to(labels.device)
        for side, wanted in zip(labels.shape[-2:], size, strict=True)
    )
    return labels[..., rows[:, None], columns]


def shrink_labels(labels: Tensor | np.ndarray, stride: int = 4) -> Tensor | np.ndarray:
    """Label map [..., h, w] at a grid of ceil(h / stride) x ceil(w / stride), by PIL's nearest rule.

    Output i is read at floor((i + 0.5) h / h'), that is pixel 4 i + 2 for stride 4.
    """
    height, width = labels.shape[-2:]
    rows, columns = (nearest_index(size, -(-size // stride)) for size in (height, width))
    return labels[..., rows[:, None], columns]


# --- class maps ------------------------------------------------------------------------------------------------------


def resize_maps(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Maps [K, h, w] at another size (h', w'): bilinear, corners not aligned."""
    if not len(maps):
        return maps.new_zeros(0, *size)
    return F.interpolate(maps[None], size, mode="bilinear", align_corners=False)[0]


def resize_maps_aligned(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Maps [K, h, w] at another size (h', w'): bilinear, corners aligned: the outer cells keep their values."""
    if not len(maps):
        return maps.new_zeros(0, *size)
    return F.interpolate(maps[None], size, mode="bilinear", align_corners=True)[0]


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
