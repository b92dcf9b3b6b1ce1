"""Random walk over a grid of cells: semantic propagation of class maps (AffinityNet sec. 3.3, IRNet sec. 4.2).

Affinities are a stencil [n, h, w]: a[k, y, x] joins cell (y, x) with (y, x) + offsets[k], 0 where there is no such
pair. With A symmetric, A(i, i) = 1, the transition matrix is T(i, j) = A(i, j) / sum_i A(i, j) and a walk of t steps
gives x T^t. One step,

    y_j = sum_i A(i, j) x_i / sum_i A(i, j),

is a weighted mean over the neighbours of j. It is applied to the planes only; T^t (N x N) is never formed. T is
similar to a symmetric matrix with spectrum in [-1, 1], where x^t is its Chebyshev series sum_k c_k T_k(x) with c_k =
2^(1 - t) binomial(t, (t - k) / 2) (half of it at k = 0, none where t - k is odd). Its tail falls fast: 256 steps take
96 applications.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import torch
from torch import Tensor

from common.ops.affinity import path_set, stencil_affinity

Offsets = np.ndarray | list[tuple[int, int]]
Pairs = list[tuple[int, Tensor]]
Step = Callable[[Tensor], Tensor]


def random_walk(planes: Tensor, edge: Tensor, radius: int = 5, beta: float = 10.0, steps: int = 256) -> Tensor:
    """IRNet's propagation: start at planes x (1 - edge), walk with a(i, j) = (1 - max edge on the path)^beta.

    Args:
        planes: [C, h, w] class maps >= 0 on the stride-4 grid, on the CPU or a GPU.
        edge: [h, w], class boundary probability in [0, 1].
        steps: number of steps (256 = "exp_times 8").

    Returns:
        [C, h, w], dtype of `planes`; no value exceeds the maximum at the start.
    """
    affinity = stencil_affinity(edge.to(planes.dtype), radius, beta)
    return walk(planes * (1 - edge), affinity, path_set(radius).points, steps)


@torch.no_grad()
def walk(planes: Tensor, affinity: Tensor, offsets: Offsets, steps: int) -> Tensor:
    """x T^steps for planes [C, h, w] and a stencil [n, h, w] of affinities; computed in float64, returned as it came.

    Planes that are 0 everywhere stay so and cost nothing. A weighted mean never leaves the range of what it started
    from; the clamp holds the rounding to that.
    """
    walked = planes.flatten(1).double()
    alive = (walked != 0).any(dim=1)
    if alive.any():
        x = walked[alive]
        power = _chebyshev_power(x, affinity.double(), offsets, steps)
        walked[alive] = power.clamp(x.amin(1, keepdim=True), x.amax(1, keepdim=True))
    return walked.view_as(planes).to(planes.dtype)


def transition_matrix(affinity: Tensor, offsets: Offsets) -> Tensor:
    """The dense T [N, N], columns sum to 1, from a stencil [n, h, w]: 550 MB in float32 for a 94 x 125 grid."""
    dense = dense_affinity(affinity, offsets)
    return dense / dense.sum(dim=0)


def dense_affinity(affinity: Tensor, offsets: Offsets) -> Tensor:
    """The symmetric A [N, N] with unit diagonal, from a stencil [n, h, w]."""
    cells = affinity.shape[-2] * affinity.shape[-1]
    dense = torch.eye(cells, dtype=affinity.dtype, device=affinity.device)
    for shift, weight in _pairs(affinity, offsets):
        dense.diagonal(shift).add_(weight)  # on narrow grids two offsets share a diagonal, not its cells
        dense.diagonal(-shift).add_(weight)
    return dense


def chebyshev_coefficients(steps: int, tolerance: float = 1e-9) -> list[float]:
    """c_0 ... c_K of x^steps = sum_k c_k T_k(x) on [-1, 1], cut where the rest sums to less than `tolerance`."""
    exact = [0.0 if (steps - k) % 2 else math.comb(steps, (steps - k) // 2) / 2**steps for k in range(steps + 1)]
    exact = exact[:1] + [2 * c for c in exact[1:]]
    rest = list(accumulate(reversed(exact)))[::-1]
    kept = [c for c, left in zip(exact, rest, strict=True) if left >= tolerance]
    return [c / sum(kept) for c in kept]  # T(x) of a constant stays that constant


def _chebyshev_power(x: Tensor, affinity: Tensor, offsets: Offsets, steps: int) -> Tensor:
    """x T^steps by T_k+1 = 2 T_k T - T_k-1, x [C, N]."""
    first, *others = chebyshev_coefficients(steps)
    total = first * x
    if not others:
        return total
    pairs = _pairs(affinity, offsets)
    step = _gather_step(pairs, x) if x.is_cuda else _stencil_step(pairs, x)
    previous, current = x, step(x).clone()
    total += others[0] * current
    for coefficient in others[1:]:
        previous, current = current, step(current).mul(2).sub_(previous)
        total.add_(current, alpha=coefficient)
    return total


def _pairs(affinity: Tensor, offsets: Offsets) -> Pairs:
    """Per offset the distance of its cells in row-major order and the weights [N - distance] of the sources.

    The destination of cell j is cell j + distance. Weights of pairs that leave the grid, and would wrap around a row,
    are 0.
    """
    height, width = affinity.shape[-2:]
    pairs = []
    for (dy, dx), plane in zip(np.asarray(offsets).tolist(), affinity, strict=True):
        rows, columns, left = height - dy, width - abs(dx), max(-dx, 0)
        if rows <= 0 or columns <= 0:
            continue
        inside = torch.zeros_like(plane)
        inside[:rows, left : left + columns] = plane[:rows, left : left + columns]
        distance = dy * width + dx
        pairs.append((distance, inside.flatten()[: height * width - distance]))
    return pairs


def _degree(pairs: Pairs, like: Tensor) -> Tensor:
    """Column sums of A: [N]."""
    degree = torch.ones_like(like)
    for distance, weight in pairs:
        degree[:-distance] += weight
        degree[distance:] += weight
    return degree


def _stencil_step(pairs: Pairs, like: Tensor) -> Step:
    """x [C, N] -> x T on the CPU: one multiply-add of two shifted views per direction of an offset. The result is
    overwritten by the next call.
    """
    x, y = torch.empty_like(like), torch.empty_like(like)
    forward = [(y[:, :-distance], weight, x[:, distance:]) for distance, weight in pairs]
    backward = [(y[:, distance:], weight, x[:, :-distance]) for distance, weight in pairs]
    scale = 1 / _degree(pairs, like[0])

    def step(planes: Tensor) -> Tensor:
        x.copy_(planes)
        y.copy_(planes)
        for target, weight, source in forward + backward:
            target.addcmul_(weight, source)
        return y.mul_(scale)

    return step


def _gather_step(pairs: Pairs, like: Tensor) -> Step:
    """x [C, N] -> x T in three kernels: on a GPU the many small calls of the stencil would cost more than the
    arithmetic.
    """
    cells = torch.arange(like.shape[1], device=like.device)
    neighbours, weights = [cells], [torch.ones_like(like[0])]
    for distance, weight in pairs:
        absent = weight.new_zeros(distance)
        neighbours += [cells + distance, cells - distance]
        weights += [torch.cat([weight, absent]), torch.cat([absent, weight])]
    index = torch.stack(neighbours).clamp_(0, len(cells) - 1)
    weight = torch.stack(weights) / _degree(pairs, like[0])
    return lambda planes: (planes[:, index] * weight).sum(dim=1)


@dataclass(frozen=True)
class BoundaryWalk:
    """IRNet's random walk: pairs closer than `radius` cells, affinity (1 - max B)^beta, 2^exp_times steps."""

    radius: int = 5
    beta: float = 10.0
    exp_times: int = 8

    def __call__(self, planes: np.ndarray, edge: Tensor) -> Tensor:
        """float32 [P, h4, w4] -> the same, walked, on the device of `edge` [h4, w4]."""
        start = torch.from_numpy(planes).to(edge.device)
        return random_walk(start, edge, self.radius, self.beta, 2**self.exp_times)
