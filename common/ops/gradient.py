"""The gradient of a photo, without a network: what controls put in the place of learned class boundaries."""

from __future__ import annotations

import numpy as np

from common.ops.resize import padded_size


def gradient_size(pixels: np.ndarray, stride: int = 4) -> np.ndarray:
    """The length of a photo's gradient on its grid of cells, float32 [ceil(H / stride), ceil(W / stride)].

    Central differences of the cells' mean colours, 0..1, down and right. The length is taken over both directions and
    the three colours: sqrt(3) / 2 on both sides of a step from black to white, 0 where the photo is flat. At the
    border pixels and cells are repeated.

    pixels: uint8 RGB [H, W, 3] of any size, one pixel too.
    """
    (height, width), (rows, columns) = pixels.shape[:2], padded_size(pixels.shape[:2], stride)
    whole = np.pad(pixels, ((0, rows - height), (0, columns - width), (0, 0)), mode="edge").astype(np.float32) / 255
    cells = whole.reshape(rows // stride, stride, columns // stride, stride, 3).mean(axis=(1, 3))
    cells = np.pad(cells, ((1, 1), (1, 1), (0, 0)), mode="edge")
    down, right = cells[2:, 1:-1] - cells[:-2, 1:-1], cells[1:-1, 2:] - cells[1:-1, :-2]
    return np.sqrt((down**2 + right**2).sum(axis=-1)) / 2


def photo_boundary(pixels: np.ndarray, stride: int, contrast: float) -> np.ndarray:
    """Boundaries from a photo alone, 1 - exp(-contrast |gradient|): float32 in [0, 1] on the grid of `gradient_size`.

    A contrast of 0 gives none anywhere.
    """
    return 1 - np.exp(-np.float32(contrast) * gradient_size(pixels, stride))
