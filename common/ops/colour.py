"""Colours of RGB images, uint8 [h, w, 3]."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image


def adjust_color(image: np.ndarray, factors: Sequence[tuple[str, float]]) -> np.ndarray:
    """Apply `ColorJitter.draw`'s factors in order to uint8 [h, w, 3]."""
    from torchvision.transforms import functional

    picture = Image.fromarray(image)
    for name, factor in factors:
        picture = getattr(functional, f"adjust_{name}")(picture, factor)
    return np.asarray(picture)


HUES = 180  # OpenCV's hue of an uint8 image is in units of 2 degrees


def shift_hsv(image: np.ndarray, shift: tuple[int, int, int]) -> np.ndarray:
    """Add integers to hue (2 degrees, around the circle), saturation and value (0..255, clipped); uint8 [h, w, 3]."""
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV).astype(np.int64) + shift
    hsv[..., 0] %= HUES
    return cv2.cvtColor(hsv.clip(0, 255).astype(np.uint8), cv2.COLOR_HSV2RGB)
