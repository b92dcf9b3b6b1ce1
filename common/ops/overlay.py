"""Maps painted over a grey photo, for the eye. All pictures are uint8 RGB [h, w, 3]."""

from __future__ import annotations

import cv2
import numpy as np


def blend(photo: np.ndarray, colours: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """`colours` [h, w, 3] in 0..255 over the grey photo, as opaque as `alpha`, float [h, w] in 0..1."""
    grey = photo.mean(2, keepdims=True)
    return (grey * (1 - alpha[..., None]) + colours * alpha[..., None]).round().astype(np.uint8)


def paint_labels(photo: np.ndarray, labels: np.ndarray, palette: np.ndarray, ignore_index: int = 255) -> np.ndarray:
    """Class ids [h, w] in their colours (`palette` uint8 [256, 3]), ignored pixels white, the background clear."""
    colours = palette[labels]
    colours[labels == ignore_index] = 255
    return blend(photo, colours, np.where(labels == 0, 0.0, 0.7))


def paint_scores(photo: np.ndarray, scores: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Each pixel in the colour of its strongest map, as opaque as that is high.

    scores: float [K, h, w] in 0..1; colours: uint8 [K, 3].
    """
    if not len(scores):
        return blend(photo, np.zeros_like(photo), np.zeros(photo.shape[:2]))
    return blend(photo, colours[scores.argmax(0)], 0.9 * np.clip(scores.max(0), 0, 1))


def enlarged(maps: np.ndarray, reach: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """float32 [K, h, w] from maps [K, rows, columns] that cover `reach` pixels, cut to `size` (h, w).

    `resize.upsample` for the eye: equal up to rounding, and a report need not start torch for it.
    """
    planes = [cv2.resize(plane, reach[::-1], interpolation=cv2.INTER_LINEAR) for plane in maps]
    return np.array(planes, np.float32).reshape(-1, *reach)[:, : size[0], : size[1]]
