"""Resizing and cropping of images and label maps, without a random draw: the pure halves of `transforms`.

Images are RGB [h, w, 3], uint8 or float32 in 0..255; label maps are uint8 [h, w].
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from common.models.labels import nearest_index


def resize_image(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """PIL bicubic to `size` (h, w) on uint8 [H, W, 3]; the image itself where the size fits already."""
    if image.shape[:2] == size:
        return image
    return np.asarray(Image.fromarray(image).resize(size[::-1], Image.Resampling.BICUBIC))


def resize_label(label: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """PIL's nearest rule to `size` (h, w) on [H, W] or [H, W, c] of any dtype: reads cell floor((i + 0.5) in / out)."""
    if label.shape[:2] == size:
        return label
    rows, columns = (nearest_index(side, wanted).numpy() for side, wanted in zip(label.shape, size, strict=False))
    return label[rows[:, None], columns]


def scaled_size(size: Sequence[int], scale: float) -> tuple[int, int]:
    """Both sides times `scale`, rounded half to even, at least 1."""
    height, width = (max(1, int(np.round(side * scale))) for side in size[:2])
    return height, width


def rescale_image(image: np.ndarray, scale: float) -> np.ndarray:
    """PIL bicubic by a factor on uint8 [H, W, 3] (IRNet, psa)."""
    return resize_image(image, scaled_size(image.shape, scale))


def rescale_label(label: np.ndarray, scale: float) -> np.ndarray:
    """PIL nearest by a factor on uint8 [H, W]."""
    return resize_label(label, scaled_size(label.shape, scale))


def scale_to_long(image: np.ndarray, target: int) -> float:
    """The factor that makes the longer side `target`."""
    return target / max(image.shape[:2])


def truncated_size(size: Sequence[int], scale: float) -> tuple[int, int]:
    """Both sides times `scale`, cut to integers, at least 1 (DeepLab v2)."""
    height, width = (max(1, int(side * scale)) for side in size[:2])
    return height, width


def scale_image_bilinear(image: np.ndarray, scale: float) -> np.ndarray:
    """cv2 bilinear by a factor with truncated size; float32 [h, w, 3], because the original scales floats."""
    size = truncated_size(image.shape, scale)
    return cv2.resize(image.astype(np.float32), size[::-1], interpolation=cv2.INTER_LINEAR)


def scale_label_truncated(label: np.ndarray, scale: float) -> np.ndarray:
    """PIL nearest by a factor with truncated size, uint8 [h, w]."""
    return resize_label(label, truncated_size(label.shape, scale))


def scale_image_torch(image: np.ndarray, scale: float) -> np.ndarray:
    """torch bilinear by a factor with truncated size, corners not aligned; float32 [h, w, 3] (DMT).

    `scale_image_bilinear` up to the rounding of cv2, which is 2e-4 of 255.
    """
    planes = torch.from_numpy(np.ascontiguousarray(image, np.float32)).permute(2, 0, 1)[None]
    size = truncated_size(image.shape, scale)
    scaled = F.interpolate(planes, size, mode="bilinear", align_corners=False)
    return np.ascontiguousarray(scaled[0].permute(1, 2, 0).numpy())


def scale_label_floor(label: np.ndarray, scale: float) -> np.ndarray:
    """torch's nearest rule by a factor with truncated size: reads cell floor(i in / out), in float32 (DMT)."""
    rows, columns = (
        np.minimum((np.arange(wanted, dtype=np.float32) * np.float32(side / wanted)).astype(np.int64), side - 1)
        for side, wanted in zip(label.shape, truncated_size(label.shape, scale), strict=False)
    )
    return label[rows[:, None], columns]


def shrink_label(label: np.ndarray, stride: int) -> np.ndarray:
    """uint8 [h // stride, w // stride] by PIL nearest: reads pixel stride k + stride // 2 (IRNet)."""
    height, width = label.shape
    return resize_label(label, (height // stride, width // stride))


def mirror(array: np.ndarray) -> np.ndarray:
    """Left becomes right."""
    return np.ascontiguousarray(array[:, ::-1])


def adjust_color(image: np.ndarray, factors: Sequence[tuple[str, float]]) -> np.ndarray:
    """Apply `ColorJitter.draw`'s factors in order to uint8 [h, w, 3]."""
    from torchvision.transforms import functional

    picture = Image.fromarray(image)
    for name, factor in factors:
        picture = getattr(functional, f"adjust_{name}")(picture, factor)
    return np.asarray(picture)


class CropBox(NamedTuple):
    """Where a crop comes from (`image_*`) and where it lies in its container (`to_*`); ends are excluded."""

    to_top: int
    to_bottom: int
    to_left: int
    to_right: int
    image_top: int
    image_bottom: int
    image_left: int
    image_right: int


def draw_crop_box(rng: random.Random, size: Sequence[int], crop: int) -> CropBox:
    """Random crop of an image of `size` (h, w), per axis, the horizontal one first (psa, IRNet).

    space = side - crop: where positive the source offset is uniform in [0, space], otherwise the image lies at a
    uniform offset of [0, -space] in the container.
    """

    def axis(side: int) -> tuple[int, int, int, int]:
        space = side - crop
        source, target = (rng.randrange(space + 1), 0) if space > 0 else (0, rng.randrange(-space + 1))
        length = min(side, crop)
        return target, target + length, source, source + length

    left, right, image_left, image_right = axis(size[1])
    top, bottom, image_top, image_bottom = axis(size[0])
    return CropBox(top, bottom, left, right, image_top, image_bottom, image_left, image_right)


def top_left_box(size: Sequence[int], crop: int) -> CropBox:
    """The crop from the top left corner, padded at the right and bottom."""
    height, width = min(size[0], crop), min(size[1], crop)
    return CropBox(0, height, 0, width, 0, height, 0, width)


def crop_into(array: np.ndarray, box: CropBox, crop: int, pad: float | Sequence[float]) -> np.ndarray:
    """The part `box` of `array` [h, w] or [h, w, c] in a crop x crop container filled with `pad`.

    A fractional pad colour makes an uint8 image float32, so that the padding is exactly 0 after normalisation.
    """
    colour = np.asarray(pad)
    dtype = array.dtype if (colour == np.rint(colour)).all() else np.float32
    container = np.empty((crop, crop, *array.shape[2:]), dtype)
    container[...] = colour
    container[box.to_top : box.to_bottom, box.to_left : box.to_right] = array[
        box.image_top : box.image_bottom, box.image_left : box.image_right
    ]
    return container


Size = int | tuple[int, int]
"""The side of a square, or (height, width)."""


def pad_bottom_right(array: np.ndarray, size: Size, pad: float | Sequence[float]) -> np.ndarray:
    """At least `size`, filled at the bottom and right; a fractional colour makes uint8 float32."""
    height, width = array.shape[:2]
    rows, columns = _sides(size)
    if height >= rows and width >= columns:
        return array
    colour = np.asarray(pad)
    dtype = array.dtype if (colour == np.rint(colour)).all() else np.float32
    padded = np.empty((max(height, rows), max(width, columns), *array.shape[2:]), dtype)
    padded[...] = colour
    padded[:height, :width] = array
    return padded


def pad_crop(array: np.ndarray, start: tuple[int, int], size: Size, pad: float | Sequence[float]) -> np.ndarray:
    """`pad_bottom_right`, then the crop of `size` at `start` (top, left)."""
    top, left = start
    rows, columns = _sides(size)
    return pad_bottom_right(array, size, pad)[top : top + rows, left : left + columns]


def _sides(size: Size) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else size
