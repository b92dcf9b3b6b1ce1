"""WSGCN's graph and its Laplacian in the forms that hold no matrix of all pairs of cells, against those that do."""

from __future__ import annotations

import sys
from typing import Any

import torch
from torch import Tensor

from benchmarks.result import Result, in_own_process, seconds, status
from benchmarks.scene import RULE, WALK, Scene, scene
from common.base.memory import give_back_freed_memory
from methods.wsgcn.fit import fit
from methods.wsgcn.graph import adjacency_of
from methods.wsgcn.laplacian import GridLaplacian, grid_laplacian, pair_slices, smoothness
from methods.wsgcn.layers import PropagationGCN

SMALL, VOC_GRID = (45, 60), (94, 125)  # photos of 240 x 180 and 500 x 375 pixels at stride 4


def graph(made: Scene, dense: bool) -> tuple[Any, float]:
    """A after 256 steps, and its estimated error."""
    most = made.edge.numel() if dense else 0
    return adjacency_of(made.edge, *WALK, 8, dense=most, modes=384, generator=torch.Generator().manual_seed(0))


def labels(made: Scene, adjacency: Any, seed: int = 1) -> Tensor:
    """What a fit of 250 steps says of the cells."""
    generator = torch.Generator().manual_seed(seed)
    model = PropagationGCN(made.features.shape[1], RULE.width, 21, RULE.dropout, generator)
    smooth = grid_laplacian(made.image, 2, 12, 20)
    given = (adjacency @ made.features, adjacency, made.labels, smooth, RULE, generator)
    return fit(model, *given).argmax(dim=1)


def against_dense(full: bool) -> Result:
    """A whole photo: graph and 250 steps. Memory of each form in a process of its own."""
    grid = VOC_GRID if full else SMALL
    made = scene(*grid)
    (factored, error), (dense, _) = graph(made, dense=False), graph(made, dense=True)
    ours, mine = seconds(lambda: labels(made, graph(made, dense=False)[0]), repeats=1)
    original, theirs = seconds(lambda: labels(made, graph(made, dense=True)[0]), repeats=1)
    x = made.features
    off = float((factored @ x - dense @ x).norm() / (dense @ x).norm())
    other = float((theirs != labels(made, dense, seed=2)).float().mean())
    memory = {name: float(in_own_process("benchmarks.propagation", name, *map(str, grid))) for name in FORMS}
    note = (
        f"{grid[0]} x {grid[1]} cells, graph and 250 steps: memory {memory['ours'] / memory['plain']:.2f} of the dense "
        f"form; {float((mine != theirs).float().mean()):.2%} of the labels differ, another seed changes {other:.2%}"
    )
    return Result(original, ours, f"{off:.0e} of A X, estimate {error:.0e}", note)


def dense_laplacian(laplacian: GridLaplacian) -> Tensor:
    """D - W as a matrix, float64 as the original."""
    cells = torch.arange(laplacian.size[0] * laplacian.size[1]).view(laplacian.size)
    matrix = torch.zeros(cells.numel(), cells.numel(), dtype=torch.float64)
    for (dy, dx), weight in laplacian.weights.items():
        one, other = (cells[slices] for slices in pair_slices(dy, dx, laplacian.size))
        matrix[one, other] = matrix[other, one] = -weight.double()
    return matrix - torch.diag(matrix.sum(dim=1))


def against_matrix(full: bool) -> Result:
    """The term and its gradient."""
    grid = VOC_GRID if full else SMALL
    laplacian = grid_laplacian(scene(*grid).image, 2, 12, 20)
    matrix = dense_laplacian(laplacian).float()
    z = torch.randn(len(matrix), 21, generator=torch.Generator().manual_seed(0)).log_softmax(dim=1).requires_grad_()

    def plain() -> Tensor:
        return torch.autograd.grad(torch.trace(z.T @ matrix @ z) / len(z), z)[0]

    original, theirs = seconds(plain)
    ours, mine = seconds(lambda: torch.autograd.grad(smoothness(z, laplacian), z)[0])
    error = f"{float((mine - theirs).abs().max()):.0e} of {float(theirs.abs().max()):.1e}"
    return Result(original, ours, error, f"{grid[0]} x {grid[1]} cells, 21 classes, forward and backward")


def _measure(name: str, height: str, width: str) -> None:
    """Print the MB that a form adds at its peak."""
    made = scene(int(height), int(width))
    give_back_freed_memory()
    before = status("VmRSS")
    labels(made, graph(made, dense=FORMS[name])[0])
    print(status("VmHWM") - before)


FORMS = {"ours": False, "plain": True}
BENCHMARKS = {"wsgcn_graph": against_dense, "wsgcn_laplacian": against_matrix}

if __name__ == "__main__":
    torch.set_num_threads(1)
    _measure(*sys.argv[1:])
