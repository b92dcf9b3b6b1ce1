"""Pairs at IRNet's training size (radius 10, 128 x 128): path maxima and pair labels, against gathering everything."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from benchmarks.result import Result, seconds
from common.ops.affinity import PathSet

RADIUS, SIDE, BATCH = 10, 128, 2


def gathered_max(edge: Tensor, cells: list[Tensor]) -> Tensor:
    """The original: gather the cells of all paths, group by path length, then the maximum: [B, n, m]."""
    flat = edge.flatten(1)
    lengths = [flat.index_select(1, group.flatten()).view(-1, *group.shape).amax(dim=2) for group in cells]
    return torch.cat(lengths, dim=1)


def path_cells(paths: PathSet) -> list[Tensor]:
    """Per path length the cell numbers int64 [n, length, m]."""
    sources = paths.sources(SIDE, SIDE)
    groups: dict[int, list[Tensor]] = {}
    for path in paths.paths:
        groups.setdefault(len(path), []).append(torch.stack([sources + y * SIDE + x for y, x in path]))
    return [torch.stack(group) for group in groups.values()]


def path_max(full: bool) -> Result:
    """Forward and backward of the affinity of a batch."""
    paths = PathSet(RADIUS)
    cells = path_cells(paths)
    edge = torch.rand(BATCH, SIDE, SIDE, generator=torch.Generator().manual_seed(0))

    def step(maximum: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
        x = edge.clone().requires_grad_()
        value = maximum(x)
        value.square().sum().backward()
        return value.detach(), x.grad

    paths.path_max(edge.clone().requires_grad_())  # the plan is made once
    ours, (value, gradient) = seconds(lambda: step(paths.path_max))
    original, (expected, expected_gradient) = seconds(lambda: step(lambda x: gathered_max(x, cells)))
    relative = float((gradient - expected_gradient).abs().max() / expected_gradient.abs().max())
    error = f"{int((value != expected).sum())} values differ, gradient {relative:.0e} of its maximum"
    return Result(original, ours, error, f"radius {RADIUS}, {SIDE} x {SIDE}, batch {BATCH}, forward and backward")


def pair_labels(full: bool) -> Result:
    """Labels of all pairs of one label map."""
    paths = PathSet(RADIUS)
    generator = torch.Generator().manual_seed(0)
    label = torch.tensor([0, 1, 2, 255], dtype=torch.uint8)[torch.randint(4, (SIDE, SIDE), generator=generator)]

    def gathered() -> list[Tensor]:
        """The original: float labels gathered at every source and destination, the indices built for each image."""
        flat = label.flatten().float()
        source = flat[paths.sources(SIDE, SIDE)].expand(len(paths.points), -1)
        destination = flat[paths.destinations(SIDE, SIDE)]
        valid = (source < 21) & (destination < 21)
        equal = (source == destination) & valid
        return [equal & (source == 0), equal & (source > 0), valid & ~equal]

    ours, labels = seconds(lambda: paths.labels(label))
    original, expected = seconds(gathered)
    different = sum(int((a != b).sum()) for a, b in zip(labels, expected, strict=True))
    return Result(original, ours, f"{different} labels differ", f"radius {RADIUS}, {SIDE} x {SIDE}")


BENCHMARKS = {"path_max": path_max, "pair_labels": pair_labels}
