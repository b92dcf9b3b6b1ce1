"""Augmentation as OpenCV does it: hue, saturation and value, cubic scaling (SEAM's segmentation code)."""

from __future__ import annotations

import random

import cv2
import numpy as np
from mmseg.registry import TRANSFORMS

from common.data.geometry import scaled_size
from common.data.transforms import RandomRescale, Results, Transform

HUES = 180  # OpenCV's hue of an uint8 image is in units of 2 degrees


def shift_hsv(image: np.ndarray, shift: tuple[int, int, int]) -> np.ndarray:
    """Add integers to hue (2 degrees, around the circle), saturation and value (0..255, clipped); uint8 [h, w, 3]."""
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV).astype(np.int64) + shift
    hsv[..., 0] %= HUES
    return cv2.cvtColor(hsv.clip(0, 255).astype(np.uint8), cv2.COLOR_HSV2RGB)


def scale_cubic(image: np.ndarray, scale: float) -> np.ndarray:
    """cv2 cubic by a factor, rounded size, on uint8 or float32 [h, w, 3]."""
    return cv2.resize(image, scaled_size(image.shape, scale)[::-1], interpolation=cv2.INTER_CUBIC)


def scale_nearest(label: np.ndarray, scale: float) -> np.ndarray:
    """cv2 nearest by a factor, rounded size: reads cell floor(i in / out)."""
    return cv2.resize(label, scaled_size(label.shape, scale)[::-1], interpolation=cv2.INTER_NEAREST)


@TRANSFORMS.register_module()
class RandomHSVShift(Transform):
    """Hue, saturation and value each plus a uniform integer of [-amount, amount]; see `shift_hsv`."""

    def __init__(self, hue: int = 10, saturation: int = 10, value: int = 10) -> None:
        self.hue, self.saturation, self.value = hue, saturation, value

    def draw(self, rng: random.Random) -> tuple[int, int, int]:
        """The three shifts."""
        hue, saturation, value = (rng.randint(-n, n) for n in (self.hue, self.saturation, self.value))
        return hue, saturation, value

    def __call__(self, results: Results) -> Results:
        results["img"] = shift_hsv(results["img"], self.draw(results["rng"]))
        return results


@TRANSFORMS.register_module()
class RandomScaleCubic(RandomRescale):
    """Both sides times a uniform factor (SEAM): sizes rounded, image cv2 cubic, labels cv2 nearest."""

    scale_image, scale_label = staticmethod(scale_cubic), staticmethod(scale_nearest)
