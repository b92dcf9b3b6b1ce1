"""The graph of a photo of any size: A x without a matrix of all pairs of cells.

With the walk's affinities S (unit diagonal), their sums d and s = sqrt(d), M = S_ij / (s_i s_j) is symmetric, and
T^t_ij = M^t_ij s_i / s_j. So max(T^t, (T^t)^T)_ij = M^t_ij max(s_i / s_j, s_j / s_i).

M^t has few eigenvalues that count, most of them in cells inside a boundary, which the walk hardly leaves. Cells that it
does not leave at all stand on the diagonal. With Q a unit vector for each of the others and orthonormal vectors that
span the smooth modes outside, M^t ~ b b^T + own, b = M^(t/2) Q: float [N, r], r about 1500 of 11 750. What is lost are
modes outside of Q, damped by t steps.

In the order of s the factor max(...) is s_i / s_j below the diagonal and s_j / s_i above it. Blocks of cells then need
sums over the blocks before and behind them, and the exact factor on the diagonal blocks alone.
"""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor

from common.base.errors import DataError
from common.ops.affinity import path_set, stencil_affinity
from common.ops.random_walk import chebyshev_coefficients

WALL = 1e-3
"""A cell counts as one inside a boundary where more than this stays in it over all steps: d^-steps."""
ALONE = 1e-6
"""A cell stands on the diagonal where less than this leaves it over all steps: (d - 1) steps."""
SHARE = 4
"""At most one in so many cells gets a unit vector, those that the walk leaves least; else b would grow to N x N."""
COLUMNS = 64
"""Columns that walk at once: so few stay in the processor's cache."""
BLOCK = 256
"""Cells in a block."""
PROBES = 16
"""Random vectors on which the error is estimated."""
ROOM = 2**30
"""Bytes that b may take."""
TOLERANCE = 1e-7
"""Of the polynomial of M^t: float32 holds no more."""


def symmetric_walk(affinity: Tensor, radius: int) -> tuple[Tensor, Tensor]:
    """M as a sparse matrix [N, N], float32, at most 69 values a row for radius 5; and d, float64 [N].

    affinity: a stencil [n, h, w] of `stencil_affinity`, float64: 256 steps would make 5e-4 of what float32 loses here.
    """
    height, width = affinity.shape[-2:]
    cells = torch.arange(height * width, device=affinity.device).view(height, width)
    rows, columns, values = [cells.flatten()], [cells.flatten()], [affinity.new_ones(height * width)]
    for (dy, dx), weight in zip(path_set(radius).points, affinity, strict=True):
        y, x = (weight > 0).nonzero(as_tuple=True)  # pairs that leave the grid have none
        one, other = cells[y, x], cells[y + dy, x + dx]
        rows, columns = [*rows, one, other], [*columns, other, one]
        values += [weight[y, x]] * 2
    row, column, value = torch.cat(rows), torch.cat(columns), torch.cat(values)
    degree = affinity.new_zeros(height * width).index_add_(0, row, value)
    value = value / (degree[row] * degree[column]).sqrt()
    size = (height * width, height * width)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # PyTorch calls its sparse matrices a beta
        return torch.sparse_coo_tensor(torch.stack([row, column]), value.float(), size).to_sparse_csr(), degree


def walked(matrix: Tensor, x: Tensor, steps: int) -> Tensor:
    """M^steps x for x [N, r], by its Chebyshev series; see `common.ops.random_walk`."""
    first, *others = chebyshev_coefficients(steps, TOLERANCE)
    parts = []
    for part in x.split(COLUMNS, dim=1):
        previous = part.contiguous()
        total, current = first * previous, matrix @ previous
        for number, coefficient in enumerate(others):
            if number:
                previous, current = current, torch.addmm(previous, matrix, current, beta=-1, alpha=2)
            total.add_(current, alpha=coefficient)
        parts.append(total)
    return torch.cat(parts, dim=1)


def factor(matrix: Tensor, degree: Tensor, steps: int, modes: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """b [N, r] and own [N] with M^steps ~ b b^T + diag(own).

    matrix, degree: of `symmetric_walk`; steps: an even number; modes: how many vectors outside the boundaries;
    generator: draws them.

    Raises:
        DataError: the photo is so large that b would take more than `ROOM`.
    """
    stays = degree**-steps
    alone = (degree - 1) * steps < ALONE
    held = (stays > WALL) & ~alone
    walls = degree.masked_fill(~held, torch.inf).argsort()[: min(int(held.sum()), len(degree) // SHARE)]
    apart = alone.index_fill(0, walls, True)
    modes = min(modes, int((~apart).sum()))
    start = _room(len(degree), len(walls) + modes, degree.device)
    start[walls, torch.arange(len(walls), device=walls.device)] = 1
    smooth = torch.randn(len(degree), modes, generator=generator, device=degree.device)
    smooth[apart] = 0
    smooth = walked(matrix, smooth, steps // 2)  # fast modes are gone then
    # without the rows apart: columns of no weight would find room there, and count what the unit vectors count
    start[~apart, len(walls) :] = torch.linalg.qr(smooth[~apart])[0]
    return walked(matrix, start, steps // 2), stays.where(alone, 0).float()


def _room(cells: int, columns: int, device: torch.device) -> Tensor:
    """Zeros, float32 [cells, columns]."""
    size = cells * columns * 4
    if size > ROOM:
        raise DataError(
            f"The graph of {cells} cells takes {size / 2**30:.1f} GB several times over: scale the photo down to about "
            "1000 pixels a side or less."
        )
    return torch.zeros(cells, columns, device=device)


def relative_error(matrix: Tensor, b: Tensor, own: Tensor, steps: int, generator: torch.Generator) -> float:
    """|M^steps g - (b b^T + own) g| / |M^steps g| on a few random g: an estimate of the factor's relative error."""
    probes = torch.randn(len(b), PROBES, generator=generator, device=b.device)
    exact = walked(matrix, probes, steps)
    return float((exact - b @ (b.T @ probes) - own[:, None] * probes).norm() / exact.norm())


class FactoredAdjacency:
    """A = D^-1 (B + I), B = max(T^t, (T^t)^T), M^t = b b^T + own: `adjacency @ x` for x [N, c], differentiable in x.

    b: float32 [N, r]; own: float32 [N]; degree: float64 [N]; error: what `relative_error` says of them.
    """

    def __init__(self, b: Tensor, own: Tensor, degree: Tensor, error: float) -> None:
        self.error = error
        cells = len(degree)
        self.order = degree.argsort(stable=True)
        self.place = self.order.argsort()
        self.padding = -cells % BLOCK
        self.scale = self._blocks(degree.sqrt().float()[:, None], fill=1.0)
        self.b = self._blocks(b)
        ratio = self.scale / self.scale.transpose(1, 2)
        self.diagonal = self.b @ self.b.transpose(1, 2) * torch.maximum(ratio, 1 / ratio)
        self.diagonal.diagonal(dim1=1, dim2=2).add_(self._blocks(own[:, None])[..., 0])
        self.sums = self.symmetric(b.new_ones(cells, 1)) + 1

    def __matmul__(self, x: Tensor) -> Tensor:
        return _Propagate.apply(x, self)

    def symmetric(self, x: Tensor) -> Tensor:
        """B x, float [N, c]."""
        blocks, width = self._blocks(x), x.shape[1]
        # of every block what its cells send to those behind it (x / s) and before it (x s), [blocks, r, 2c]
        sent = self.b.transpose(1, 2) @ torch.cat([blocks / self.scale, blocks * self.scale], dim=2)
        before = sent[..., :width].cumsum(dim=0).roll(1, dims=0)
        before[0] = 0
        behind = sent[..., width:].flip(0).cumsum(dim=0).flip(0).roll(-1, dims=0)
        behind[-1] = 0
        heard = self.b @ torch.cat([before, behind], dim=2)
        total = heard[..., :width] * self.scale + heard[..., width:] / self.scale + self.diagonal @ blocks
        return total.flatten(0, 1)[self.place]

    def _blocks(self, x: Tensor, fill: float = 0.0) -> Tensor:
        """x [N, c] in the order of s and filled up, [blocks, BLOCK, c]."""
        padded = torch.cat([x[self.order], x.new_full((self.padding, x.shape[1]), fill)])
        return padded.unflatten(0, (-1, BLOCK))


class _Propagate(torch.autograd.Function):
    """A x = D^-1 (B x + x); B is symmetric, so the gradient is B (D^-1 g) + D^-1 g."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, adjacency: FactoredAdjacency) -> Tensor:
        ctx.adjacency = adjacency
        return (adjacency.symmetric(x) + x) / adjacency.sums

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        scaled = gradient / ctx.adjacency.sums
        return ctx.adjacency.symmetric(scaled) + scaled, None


def factored_adjacency(
    edge: Tensor, radius: int, beta: float, exp_times: int, modes: int, generator: torch.Generator
) -> FactoredAdjacency:
    """A of a boundary map, as `dense_adjacency` of its `walk_matrix` up to the error that it says.

    edge: float [h, w]; radius, beta: of `stencil_affinity`; exp_times: 1 or more, the walk has 2^exp_times steps;
    modes, generator: of `factor`.
    """
    matrix, degree = symmetric_walk(stencil_affinity(edge.double(), radius, beta), radius)
    b, own = factor(matrix, degree, 2**exp_times, modes, generator)
    return FactoredAdjacency(b, own, degree, relative_error(matrix, b, own, 2**exp_times, generator))
