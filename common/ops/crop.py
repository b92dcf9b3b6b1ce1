"""Cropping, padding and mirroring of arrays [h, w] or [h, w, c]."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


def mirror(array: np.ndarray) -> np.ndarray:
    """Left becomes right."""
    return np.ascontiguousarray(array[:, ::-1])


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
