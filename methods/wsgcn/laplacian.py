"""The smoothness of a map: neighbours of similar colour should have similar values."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from common.ops.affinity import Point


class GridLaplacian:
    """L = D - W of a grid of cells, as weights of shifted differences: `laplacian @ z` for z [h w, C].

    Each unordered pair of neighbours is held once, 12 offsets for radius 2, instead of a matrix [h w, h w].

    weights: (dy, dx), down or right -> float [h - dy, w - |dx|], w_ij of the cells (y, x) that lie first and their
    neighbours (y, x) + (dy, dx), in row-major order of those pairs that lie inside; size: (h, w).
    """

    def __init__(self, weights: dict[Point, Tensor], size: tuple[int, int]) -> None:
        self.weights, self.size = weights, size

    def __matmul__(self, z: Tensor) -> Tensor:
        """L z: of each cell the sum of w_ij (z_i - z_j), float [h w, C]."""
        planes = z.T.reshape(-1, *self.size)
        total = torch.zeros_like(planes)
        for (dy, dx), weight in self.weights.items():
            one, other = pair_slices(dy, dx, self.size)
            difference = (planes[:, *one] - planes[:, *other]) * weight
            total[:, *one] += difference
            total[:, *other] -= difference
        return total.flatten(1).T

    def to(self, device: torch.device) -> GridLaplacian:
        """The same on another device."""
        return GridLaplacian({offset: weight.to(device) for offset, weight in self.weights.items()}, self.size)


def grid_laplacian(image: np.ndarray, radius: int, colour: float, place: float) -> GridLaplacian:
    """Weights by colour and place (released code, GCN/utils.py): within a window of 2 radius + 1 cells a side

        w_ij = exp(-|rgb_i - rgb_j|^2 / colour - |yx_i - yx_j|^2 / place).

    Computed in float64, used in float32.

    image: uint8 [h, w, 3], the photo at the size of the grid; its colours count as 0..1. radius: 2; colour: 12; place,
    in cells: 20.
    """
    rgb, size = torch.from_numpy(image.astype(np.float64) / 255), image.shape[:2]
    weights = {}
    for dy, dx in window_offsets(radius):
        one, other = pair_slices(dy, dx, size)
        if rgb[one].numel():
            apart = (rgb[one] - rgb[other]).pow(2).sum(dim=-1)
            weights[dy, dx] = torch.exp(-apart / colour - (dy * dy + dx * dx) / place).float()
    return GridLaplacian(weights, size)


def window_offsets(radius: int) -> list[Point]:
    """(dy, dx) of the neighbours in a square window that point right or down: 12 for radius 2."""
    right = [(0, dx) for dx in range(1, radius + 1)]
    return right + [(dy, dx) for dy in range(1, radius + 1) for dx in range(-radius, radius + 1)]


def pair_slices(dy: int, dx: int, size: tuple[int, int]) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Where the first cells of an offset's pairs lie, and where the second; empty on a grid too small for any."""
    rows, columns = max(size[0] - dy, 0), max(size[1] - abs(dx), 0)
    left = max(-dx, 0)
    one = slice(0, rows), slice(left, left + columns)
    return one, (slice(dy, dy + rows), slice(left + dx, left + dx + columns))


class Smoothness(torch.autograd.Function):
    """trace(Z^T L Z) / N, the sum of w_ij |z_i - z_j|^2 over pairs of neighbours, over N; gradient 2 L Z / N.

    z: float [N, C]; laplacian: symmetric, anything with `@`.
    """

    @staticmethod
    def forward(ctx: Any, z: Tensor, laplacian: Any) -> Tensor:
        spread = laplacian @ z
        ctx.save_for_backward(spread)
        return (z * spread).sum() / len(z)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (spread,) = ctx.saved_tensors
        return gradient * 2 * spread / len(spread), None


def smoothness(z: Tensor, laplacian: Any) -> Tensor:
    """`Smoothness` of z [N, C]; laplacian: a `GridLaplacian`, or a symmetric matrix [N, N]."""
    return Smoothness.apply(z, laplacian)
