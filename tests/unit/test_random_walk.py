"""The walk on the planes, held against powers of the dense matrix in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from common.ops import random_walk as module
from common.ops.affinity import PairSet, path_set, stencil_affinity
from common.ops.random_walk import chebyshev_coefficients, dense_affinity, random_walk, transition_matrix, walk


def scene(height: int, width: int, planes: int = 3, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Class planes and a boundary map with flat areas and strong lines."""
    generator = torch.Generator().manual_seed(seed)
    return (
        torch.rand(planes, height, width, generator=generator),
        torch.rand(height, width, generator=generator) ** 4,
    )


def dense_walk(planes: torch.Tensor, edge: torch.Tensor, radius: int, beta: float, steps: int) -> torch.Tensor:
    """The definition: affinities of all pairs from the paths, N x N, its power, in float64."""
    height, width = edge.shape
    edge = edge.double()
    matrix = torch.eye(height * width, dtype=torch.float64)
    for path in path_set(radius).paths:
        for y in range(height):
            for x in range(width):
                cells = [(y + dy, x + dx) for dy, dx in path]
                if all(0 <= a < height and 0 <= b < width for a, b in cells):
                    value = (1 - max(float(edge[c]) for c in cells)) ** beta
                    i, j = y * width + x, cells[0][0] * width + cells[0][1]
                    matrix[i, j] = matrix[j, i] = value
    power = torch.linalg.matrix_power(matrix / matrix.sum(0), steps)
    return ((planes.double() * (1 - edge)).flatten(1) @ power).view_as(planes)


@pytest.mark.parametrize(
    ("size", "radius", "beta", "steps"),
    [
        ((9, 11), 5, 10.0, 256),
        ((9, 11), 3, 6.0, 16),
        ((3, 4), 5, 10.0, 7),
        ((12, 2), 4, 8.0, 64),
        ((1, 1), 5, 10.0, 256),
    ],
)
def test_walk_is_the_power_of_the_dense_matrix(size: tuple[int, int], radius: int, beta: float, steps: int) -> None:
    planes, edge = scene(*size)
    expected = dense_walk(planes, edge, radius, beta, steps)
    actual = random_walk(planes, edge, radius, beta, steps)
    assert actual.dtype == planes.dtype
    torch.testing.assert_close(actual.double(), expected, rtol=0, atol=1e-5 * float(expected.max()))
    assert torch.equal(actual.argmax(0), expected.argmax(0))


def test_float32_walk_is_the_float64_walk() -> None:
    planes, edge = scene(30, 41, seed=2)
    single, double = random_walk(planes, edge), random_walk(planes.double(), edge.double())
    assert (single - double).norm() < 1e-4 * double.norm()
    assert torch.equal(single.argmax(0), double.argmax(0))


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 16, 100, 256, 1000])
def test_chebyshev_series_is_the_power(steps: int) -> None:
    x = np.linspace(-1, 1, 301)
    series = np.polynomial.chebyshev.chebval(x, chebyshev_coefficients(steps))
    assert np.abs(series - x**steps).max() < 1e-8


def test_256_steps_take_fewer_than_100_products() -> None:
    assert len(chebyshev_coefficients(256)) <= 100


def test_the_gpu_form_of_a_step_is_the_cpu_form() -> None:
    planes, edge = scene(8, 9)
    x = planes.flatten(1).double()
    pairs = module._pairs(stencil_affinity(edge.double()), path_set(5).points)
    torch.testing.assert_close(module._gather_step(pairs, x)(x), module._stencil_step(pairs, x)(x))


def test_boundaries_everywhere_leave_nothing() -> None:
    planes, _ = scene(6, 7)
    assert random_walk(planes, torch.ones(6, 7)).abs().max() == 0


def test_without_boundaries_the_walk_ends_in_the_mean_weighted_by_degree() -> None:
    planes, _ = scene(6, 7)
    degree = dense_affinity(stencil_affinity(torch.zeros(6, 7)), path_set(5).points).sum(0)
    mean = (planes.flatten(1) * degree).sum(1) / degree.sum()
    walked = random_walk(planes, torch.zeros(6, 7), steps=256)
    torch.testing.assert_close(walked, mean[:, None, None].expand_as(walked))


def test_walked_values_stay_in_the_range_of_the_start() -> None:
    planes, edge = scene(15, 17, seed=5)
    planes[planes < 0.9] = 0
    start, walked = planes * (1 - edge), random_walk(planes, edge)
    assert (walked.amax((1, 2)) <= start.amax((1, 2))).all() and walked.min() >= 0


def test_a_constant_stays_constant() -> None:
    affinity = stencil_affinity(scene(8, 9)[1])
    walked = walk(torch.full((1, 8, 9), 0.37), affinity, path_set(5).points, 256)
    assert torch.equal(walked, torch.full((1, 8, 9), 0.37))


def test_empty_planes_stay_empty_and_change_nothing() -> None:
    planes, edge = scene(8, 9, planes=2)
    padded = torch.cat([torch.zeros(1, 8, 9), planes, torch.zeros(1, 8, 9)])
    walked = random_walk(padded, edge)
    assert torch.equal(walked[1:3], random_walk(planes, edge))
    assert not walked[[0, 3]].any()
    assert random_walk(torch.zeros(0, 8, 9), edge).shape == (0, 8, 9)


def test_columns_of_the_transition_matrix_sum_to_1() -> None:
    matrix = transition_matrix(stencil_affinity(scene(7, 8)[1].double()), path_set(5).points)
    torch.testing.assert_close(matrix.sum(0), torch.ones(56, dtype=torch.float64))


def test_affinities_of_other_pairs_can_walk() -> None:
    """AffinityNet: pairs in its own order, none from sources near the border."""
    pairs = PairSet(3)
    values = torch.rand(len(pairs.points), 5 * 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    dense = torch.eye(7 * 8, dtype=torch.float64)
    for k, cells in enumerate(pairs.destinations(7, 8)):
        dense[pairs.sources(7, 8), cells] = values[k]
        dense[cells, pairs.sources(7, 8)] = values[k]
    stencil = pairs.stencil(values, 7, 8)
    torch.testing.assert_close(dense_affinity(stencil, pairs.offsets), dense)
    planes = torch.rand(2, 7, 8, dtype=torch.float64)
    expected = planes.flatten(1) @ torch.linalg.matrix_power(dense / dense.sum(0), 64)
    torch.testing.assert_close(walk(planes, stencil, pairs.offsets, 64).flatten(1), expected, rtol=0, atol=1e-8)


def test_offsets_that_share_a_diagonal_do_not_overwrite_each_other() -> None:
    """On 7 columns (0, 3) and (1, -4) are both 3 cells apart in row-major order."""
    dense = dense_affinity(stencil_affinity(torch.zeros(4, 7)), path_set(5).points)
    y, x = np.divmod(np.arange(28), 7)
    near = (y[:, None] - y) ** 2 + (x[:, None] - x) ** 2 < 25
    assert np.array_equal(dense.numpy(), near.astype(np.float32))


def test_pairs_that_would_leave_the_grid_are_not_walked() -> None:
    """Weights a caller left outside the grid must not wrap around to the next row."""
    offsets = path_set(2).points
    clean = walk(scene(4, 5)[0], stencil_affinity(torch.zeros(4, 5), 2), offsets, 8)
    careless = walk(scene(4, 5)[0], torch.ones(len(offsets), 4, 5), offsets, 8)
    torch.testing.assert_close(careless, clean)
