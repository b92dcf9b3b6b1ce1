"""Pairs of neighbouring cells: their geometry and labels, affinities from class boundaries, the loss of affinities.

Ahn & Kwak, AffinityNet (CVPR 2018), sec. 3.2; Ahn et al., IRNet (CVPR 2019), sec. 3.1-3.2. A pair is (source,
destination = source + offset). Offsets point down or right, so that every unordered pair is met once. Pair tensors are
[..., offset, source] with the sources in row-major order.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import Literal, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

Point = tuple[int, int]
Border = Literal["released", "complete"]
EPS = 1e-5


class PairLabels(NamedTuple):
    """What is known of each pair: bool [..., n, m] each; a pair with an ignored cell is in none of them."""

    background: Tensor  # both cells are background
    foreground: Tensor  # both cells are of the same class
    negative: Tensor  # the classes differ


def pair_offsets(radius: int) -> list[Point]:
    """(dy, dx) of all neighbours closer than `radius` that point right or down: 34 for radius 5, 152 for radius 10."""
    if radius < 2:
        raise ValueError(f"pairs need a radius of 2 or more, not {radius}")
    right = [(0, x) for x in range(1, radius)]
    below = [(y, x) for y in range(1, radius) for x in range(1 - radius, radius) if x * x + y * y < radius * radius]
    return right + below


def path_points(offset: Point) -> list[Point]:
    """The cells closer than 1 to the line from (0, 0) to `offset`, both ends included, the destination first."""
    dy, dx = offset
    box = [(y, x) for y in range(dy + 1) for x in range(min(dx, 0), max(dx, 0) + 1)]
    line = [(y, x) for y, x in box if (dy * x - dx * y) ** 2 < dy * dy + dx * dx]
    return sorted(line, key=lambda point: -abs(point[0]) - abs(point[1]))


class PairSet:
    """The pairs of a grid closer than `radius`, offsets in the order of AffinityNet.

    Sources are the cells from which every offset stays inside the grid: without the last `margin` = radius - 1 rows
    and without `margin` columns on each side. Smaller grids have no pairs.
    """

    def __init__(self, radius: int) -> None:
        self.radius, self.margin = radius, radius - 1
        self.points = self._order(pair_offsets(radius))

    def _order(self, points: list[Point]) -> list[Point]:
        return points

    @cached_property
    def offsets(self) -> np.ndarray:
        """int64 [n, 2]: (dy, dx), in cells."""
        return np.array(self.points, dtype=np.int64)

    def source_grid(self, height: int, width: int) -> Point:
        """Rows and columns of the sources; their product is m."""
        return max(height - self.margin, 0), max(width - 2 * self.margin, 0)

    def sources(self, height: int, width: int) -> Tensor:
        """int64 [m]: row-major cell numbers of the sources."""
        cells = torch.arange(height * width).view(height, width)
        return self.shift(cells, (0, 0)).flatten()

    def destinations(self, height: int, width: int) -> Tensor:
        """int64 [n, m]: row-major cell numbers of the destinations."""
        steps = torch.tensor([dy * width + dx for dy, dx in self.points])
        return self.sources(height, width) + steps[:, None]

    def pad(self, x: Tensor, value: float, border: Border = "complete") -> Tensor:
        """[..., h, w] -> [..., h + margin, w + 2 margin], filled with `value`: now every cell of x is a source.

        border: "released" gives x itself; as in the released code of AffinityNet, cells at the border are no sources,
        and a seventh of the pairs of a 56 x 56 grid is missing.
        """
        if border == "released":
            return x
        if border != "complete":
            raise ValueError(f"border is {border!r}, not 'released' or 'complete'")
        return F.pad(x, (self.margin, self.margin, 0, self.margin), value=value)

    def at_sources(self, x: Tensor) -> Tensor:
        """[..., h, w] -> [..., 1, m]: the value at each source, to be broadcast against `at_destinations`."""
        return self.shift(x, (0, 0)).flatten(-2).unsqueeze(-2)

    def at_destinations(self, x: Tensor) -> Tensor:
        """[..., h, w] -> [..., n, m]: the value at each destination, differentiable."""
        return _gather(x, self.destinations(*x.shape[-2:]).to(x.device))

    def labels(self, labels: Tensor | np.ndarray, ignore_index: int = 255) -> PairLabels:
        """Affinity labels of a label map [..., h, w] (0 background, `ignore_index` unknown): IRNet eq. 2-3."""
        labels = torch.as_tensor(labels)
        source = self.at_sources(labels)
        destination = torch.stack([self.shift(labels, point).flatten(-2) for point in self.points], dim=-2)
        valid = (source != ignore_index) & (destination != ignore_index)
        equal = source == destination
        return PairLabels(equal & (source == 0), equal & (source != 0) & valid, ~equal & valid)

    def stencil(self, values: Tensor, height: int, width: int) -> Tensor:
        """Pair values [..., n, m] laid out at their sources, [..., n, h, w], 0 where a cell is no source."""
        grid = values.new_zeros(*values.shape[:-1], height, width)
        self.shift(grid, (0, 0)).copy_(values.unflatten(-1, self.source_grid(height, width)))
        return grid

    def shift(self, x: Tensor, point: Point) -> Tensor:
        """View [..., h - margin, w - 2 margin] of x at source + point."""
        rows, columns = self.source_grid(*x.shape[-2:])
        top, left = point[0], self.margin + point[1]
        return x[..., top : top + rows, left : left + columns]


class PathSet(PairSet):
    """Pairs with the straight path between their cells, offsets grouped by path length as in IRNet (sec. 3.2).

    `paths[k]` lists the (dy, dx) of the cells between source and destination `offsets[k]`, both included, the
    destination first.
    """

    def _order(self, points: list[Point]) -> list[Point]:
        return sorted(points, key=lambda point: len(path_points(point)))

    @cached_property
    def paths(self) -> list[list[Point]]:
        return [path_points(point) for point in self.points]

    def path_max(self, x: Tensor) -> Tensor:
        """Maximum along the path of every pair: [..., h, w] -> [..., n, m].

        The gradient goes to one cell of each path: the maximum, and among equal ones the first in path order. The
        search needs no gradient; one gather of [n, m] cells then takes the values, instead of one of all the paths'
        cells.
        """
        if not (x.requires_grad and torch.is_grad_enabled()):
            return torch.stack(self._running_max(x, x), dim=-3).flatten(-2)
        return _gather(x, self.path_argmax(x))

    def affinity(self, edge: Tensor) -> Tensor:
        """a = 1 - max of the boundary probability on the path (IRNet eq. 6): [..., h, w] -> [..., n, m]."""
        return 1 - self.path_max(edge)

    @torch.no_grad()
    def path_argmax(self, x: Tensor) -> Tensor:
        """int64 [..., n, m]: the row-major cell number of the maximum of every path (compared in float32)."""
        height, width = x.shape[-2:]
        right, left = _sort_keys(x.detach())
        best = self._running_max(right, left)
        cells = [_cell(key, dx >= 0, height, width) for key, (_, dx) in zip(best, self.points, strict=True)]
        return torch.stack(cells, dim=-3).flatten(-2)

    def _running_max(self, right: Tensor, left: Tensor) -> list[Tensor]:
        """Per offset the maximum over shifted views of `right` (dx >= 0) or `left`, each starting from the path it
        contains.
        """
        best: list[Tensor] = []
        for (_, dx), (base, rest) in zip(self.points, self._plan, strict=True):
            x = right if dx >= 0 else left
            value = self.shift(x, rest[0]) if base is None else torch.maximum(best[base], self.shift(x, rest[0]))
            for point in rest[1:]:
                value = torch.maximum(value, self.shift(x, point))
            best.append(value)
        return best

    @cached_property
    def _plan(self) -> list[tuple[int | None, list[Point]]]:
        """Per offset the longest earlier path on the same side that its path contains, and the points that are left.

        Reusing that path's maximum leaves 646 of 2134 shifted views at radius 10.
        """
        plan: list[tuple[int | None, list[Point]]] = []
        for k, path in enumerate(self.paths):
            side = self.points[k][1] >= 0
            inside = [j for j in range(k) if (self.points[j][1] >= 0) == side and set(self.paths[j]) < set(path)]
            base = max(inside, key=lambda j: len(self.paths[j]), default=None)
            known = set() if base is None else set(self.paths[base])
            plan.append((base, [point for point in path if point not in known]))
        return plan


@lru_cache(maxsize=8)
def path_set(radius: int) -> PathSet:
    """The `PathSet` of a radius, built once."""
    return PathSet(radius)


def stencil_affinity(edge: Tensor, radius: int = 5, beta: float = 10.0) -> Tensor:
    """Affinities of all pairs inside the grid (IRNet sec. 4.2): edge [..., h, w] in [0, 1] -> [..., n, h, w].

    a[k, y, x] = (1 - max edge on the path)^beta for the pair ((y, x), (y, x) + offsets[k]) of `path_set(radius)`; 0
    where it leaves the grid.
    """
    paths = path_set(radius)
    return paths.affinity(paths.pad(edge, 1.0)).pow(beta).unflatten(-1, edge.shape[-2:])


def affinity_loss(affinity: Tensor, pairs: PairLabels) -> dict[str, Tensor]:
    """Cross entropy of affinities, balanced over the kinds of pairs (AffinityNet sec. 3.2, IRNet sec. 3.2).

        loss = (bg_pos + fg_pos) / 4 + neg / 2

    Sums run over the whole batch; a kind of pairs that is missing adds 0.

    Args:
        affinity: [B, n, m] in [0, 1].
        pairs: bool [B, n, m] each.

    Returns:
        The terms `bg_pos`, `fg_pos`, `neg` and the total, `loss`.
    """
    same, different = -torch.log(affinity + EPS), -torch.log(1 + EPS - affinity)
    terms = {
        "bg_pos": mean_over(pairs.background, same),
        "fg_pos": mean_over(pairs.foreground, same),
        "neg": mean_over(pairs.negative, different),
    }
    return {"loss": (terms["bg_pos"] + terms["fg_pos"]) / 4 + terms["neg"] / 2, **terms}


def mean_over(pairs: Tensor, values: Tensor) -> Tensor:
    """Mean of `values` over the marked pairs; 0 where there are none."""
    return (pairs * values).sum() / (pairs.sum() + EPS)


def _gather(x: Tensor, index: Tensor) -> Tensor:
    """Values [..., n, m] of the flattened grids of x [..., h, w] at index [n, m] or [..., n, m]."""
    index = index.expand(*x.shape[:-2], *index.shape[-2:])
    return x.flatten(-2).gather(-1, index.flatten(-2)).unflatten(-1, index.shape[-2:])


def _sort_keys(x: Tensor) -> tuple[Tensor, Tensor]:
    """Two int64 maps whose maximum over a path is its arg-max: float32 order in the high half, rank on the path in the
    low.

    Along a path that leads right (left) y + x (y - x) falls, with smaller y first among equals; so a rank of the cell
    alone breaks ties in path order.
    """
    height, width = x.shape[-2:]
    bits = x.to(torch.float32).contiguous().view(torch.int32)
    ordered = torch.where(bits < 0, bits ^ 0x7FFFFFFF, bits).long() << 32
    y, x_ = torch.arange(height, device=x.device)[:, None], torch.arange(width, device=x.device)
    last = height - 1 - y
    return ordered + ((y + x_) * height + last), ordered + ((y - x_ + width - 1) * height + last)


def _cell(key: Tensor, right: bool, height: int, width: int) -> Tensor:
    """Row-major cell number of a sort key."""
    rank = key & 0xFFFFFFFF
    y = height - 1 - rank % height
    diagonal = rank.div(height, rounding_mode="floor")
    x = diagonal - y if right else y + width - 1 - diagonal
    return y * width + x


def boundary_loss(edge_logit: Tensor, pairs: PairLabels, paths: PathSet) -> dict[str, Tensor]:
    """`affinity_loss` of the affinities that a boundary map gives its pairs (IRNet sec. 3.2).

    edge_logit: [B, 1, h, w]; pairs: `paths.labels(...)` of label maps on the same grid.
    """
    return affinity_loss(paths.affinity(torch.sigmoid(edge_logit[:, 0])), pairs)
