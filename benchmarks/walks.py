"""The random walk: planes through a stencil, against the dense matrix squared eight times."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks.result import Result, in_own_process, seconds, status
from common.ops.affinity import path_set, stencil_affinity
from common.ops.random_walk import random_walk, transition_matrix

VOC_GRID = (94, 125)  # a 375 x 500 image at stride 4


def scene(grid: tuple[int, int], planes: int = 3) -> tuple[Tensor, Tensor]:
    """Class planes [3, h, w] and a boundary map [h, w] with flat areas and lines."""
    generator = torch.Generator().manual_seed(0)
    maps = torch.rand(planes, grid[0] // 8 + 1, grid[1] // 8 + 1, generator=generator)
    smooth = torch.nn.functional.interpolate(maps[None], grid, mode="bilinear")[0]
    return smooth, torch.rand(grid, generator=generator) ** 4


def dense_walk(planes: Tensor, edge: Tensor, exp_times: int = 8) -> Tensor:
    """The original: T [N, N], squared `exp_times` times, then one product."""
    matrix = transition_matrix(stencil_affinity(edge), path_set(5).points)
    for _ in range(exp_times):
        matrix = matrix @ matrix
    return ((planes * (1 - edge)).flatten(1) @ matrix).view_as(planes)


def against_dense(full: bool) -> Result:
    """Time and error of both against the float64 walk."""
    grid = VOC_GRID if full else (40, 50)
    planes, edge = scene(grid)
    exact = random_walk(planes.double(), edge.double())
    ours, walked = seconds(lambda: random_walk(planes, edge))
    original, squared = seconds(lambda: dense_walk(planes, edge))
    error = f"{_relative(walked, exact):.0e} (original {_relative(squared, exact):.0e}) relative to float64"
    changed = int((walked.argmax(0) != squared.argmax(0)).sum())
    return Result(original, ours, error, f"grid {grid[0]} x {grid[1]}, 3 planes, 256 steps; {changed} labels differ")


def at_voc_size(full: bool) -> Result:
    """Time and peak memory of the walk alone, in its own process; the original's from a slice of its product."""
    took, added, peak, error = map(float, in_own_process("benchmarks.walks").split())
    cells = VOC_GRID[0] * VOC_GRID[1]
    rows, columns = torch.rand(512, cells), torch.rand(cells, 512)
    block, _ = seconds(lambda: rows @ columns)
    note = (
        f"grid 94 x 125: peak {added:.0f} MB above the start ({peak:.0f} MB with torch), one dense matrix "
        f"{cells**2 * 4 / 2**20:.0f} MB; original: 8 dense products, estimated from 512 rows by 512 columns"
    )
    return Result(8 * block * (cells / 512) ** 2, took, f"{error:.0e} relative to float64", note)


def _relative(actual: Tensor, exact: Tensor) -> float:
    return float((actual.double() - exact).norm() / exact.norm())


def _measure() -> None:
    """Print seconds of a walk on the VOC grid, MB it adds at its peak, peak in MB, and its error."""
    torch.set_num_threads(1)
    planes, edge = scene(VOC_GRID)
    before = status("VmRSS")
    took, walked = seconds(lambda: random_walk(planes, edge))
    peak = status("VmHWM")
    print(took, peak - before, peak, _relative(walked, random_walk(planes.double(), edge.double())))


BENCHMARKS = {"random_walk": against_dense, "random_walk_voc": at_voc_size}

if __name__ == "__main__":
    _measure()
