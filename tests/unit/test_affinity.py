"""Pair geometry and affinities, held against loops over pairs and path points."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from common.ops.affinity import (
    PairLabels,
    PairSet,
    PathSet,
    affinity_loss,
    pair_offsets,
    path_points,
    path_set,
    stencil_affinity,
)
from common.ops.resize import nearest_index, shrink_labels
from methods.affinitynet.affinity import feature_affinity, fitting_radius, pair_affinity


def plain_path_max(x: torch.Tensor, paths: PathSet) -> torch.Tensor:
    """Gathers every path's cells, then takes the maximum: [..., h, w] -> [..., n, m]."""
    width = x.shape[-1]
    sources = paths.sources(*x.shape[-2:])
    flat = x.flatten(-2)
    planes = []
    for path in paths.paths:
        cells = torch.stack([sources + y * width + left for y, left in path])
        planes.append(flat[..., cells].max(dim=-2).values)
    return torch.stack(planes, dim=-2)


@pytest.mark.parametrize(("radius", "offsets", "points"), [(5, 34, 242), (10, 152, 2134)])
def test_number_of_offsets_and_path_points(radius: int, offsets: int, points: int) -> None:
    paths = PathSet(radius)
    assert len(paths.offsets) == offsets
    assert sum(map(len, paths.paths)) == points


def test_a_path_holds_both_ends_the_destination_first() -> None:
    for offset in pair_offsets(7):
        path = path_points(offset)
        assert path[0] == offset and path[-1] == (0, 0)


def test_orders_of_the_offsets() -> None:
    assert PairSet(5).points[:5] == [(0, 1), (0, 2), (0, 3), (0, 4), (1, -4)]
    assert PathSet(5).points[:8] == [(0, 1), (1, 0), (0, 2), (2, 0), (0, 3), (1, -1), (1, 1), (3, 0)]


def test_every_neighbour_is_met_once() -> None:
    both = pair_offsets(6) + [(-dy, -dx) for dy, dx in pair_offsets(6)]
    disc = {(y, x) for y in range(-6, 7) for x in range(-6, 7) if 0 < y * y + x * x < 36}
    assert len(both) == len(disc) and set(both) == disc


def test_a_radius_without_pairs_is_refused() -> None:
    with pytest.raises(ValueError, match="radius of 2"):
        PathSet(1)


@pytest.mark.parametrize("radius", [2, 3, 5, 8])
def test_path_max_is_that_of_the_gathered_paths(radius: int) -> None:
    paths = PathSet(radius)
    x = torch.randn(2, 13, 21, generator=torch.Generator().manual_seed(radius))
    expected = plain_path_max(x, paths)
    assert torch.equal(paths.path_max(x), expected)
    assert torch.equal(paths.path_max(x.clone().requires_grad_()), expected)


@pytest.mark.parametrize("radius", [3, 5, 8])
def test_equal_maxima_go_to_the_first_of_the_path(radius: int) -> None:
    """Values of five levels, negative ones and zeros of both signs among them: nearly every path has ties."""
    paths = PathSet(radius)
    levels = torch.tensor([-1.5, -0.25, 0.0, 0.5, 2.0])
    x = levels[torch.randint(5, (14, 20), generator=torch.Generator().manual_seed(radius))]
    sources, flat = paths.sources(14, 20), x.flatten()
    for path, found in zip(paths.paths, paths.path_argmax(x), strict=True):
        cells = torch.stack([sources + y * 20 + left for y, left in path], dim=1).tolist()
        first = [max(line, key=lambda cell: float(flat[cell])) for line in cells]  # max keeps the first
        assert found.tolist() == first


def test_gradient_of_the_path_maximum() -> None:
    paths = PathSet(5)
    x = torch.rand(2, 12, 18, dtype=torch.float32, generator=torch.Generator().manual_seed(0))
    weight = torch.rand(2, 34, *(8 * 10,), generator=torch.Generator().manual_seed(1))
    fast, slow = x.clone().requires_grad_(), x.clone().requires_grad_()
    (paths.path_max(fast) * weight).sum().backward()
    (plain_path_max(slow, paths) * weight).sum().backward()
    torch.testing.assert_close(fast.grad, slow.grad, rtol=1e-5, atol=1e-5)


def test_affinity_of_a_constant_boundary() -> None:
    paths = path_set(4)
    affinity = paths.affinity(torch.full((10, 12), 0.3))
    assert torch.allclose(affinity, torch.tensor(0.7)) and affinity.numel()


def test_stencil_affinity_is_0_outside_and_exact_inside() -> None:
    edge = torch.rand(7, 6, generator=torch.Generator().manual_seed(3))
    stencil = stencil_affinity(edge, radius=3, beta=2.0)
    for k, path in enumerate(path_set(3).paths):
        for y in range(7):
            for x in range(6):
                cells = [(y + dy, x + dx) for dy, dx in path]
                inside = all(0 <= a < 7 and 0 <= b < 6 for a, b in cells)
                expected = (1 - max(float(edge[c]) for c in cells)) ** 2 if inside else 0.0
                assert float(stencil[k, y, x]) == pytest.approx(expected, abs=1e-6)


def test_pair_labels_are_those_of_a_loop() -> None:
    pairs = PathSet(4)
    label = np.random.default_rng(0).choice([0, 1, 2, 255], (11, 14)).astype(np.uint8)
    background, foreground, negative = pairs.labels(label)
    source = label.ravel()[pairs.sources(11, 14).numpy()]
    for k, cells in enumerate(pairs.destinations(11, 14).numpy()):
        for m, (a, b) in enumerate(zip(source, label.ravel()[cells], strict=True)):
            known = a != 255 and b != 255
            assert bool(background[k, m]) == (known and a == b == 0)
            assert bool(foreground[k, m]) == (known and a == b != 0)
            assert bool(negative[k, m]) == (known and a != b)


def test_ignored_labels_give_no_pair() -> None:
    assert not torch.stack(list(PathSet(3).labels(np.full((2, 8, 9), 255, np.uint8)))).any()


def test_a_grid_smaller_than_the_radius_has_no_pairs() -> None:
    assert PathSet(5).path_max(torch.rand(4, 8)).shape == (34, 0)
    assert PathSet(5).labels(torch.zeros(4, 8, dtype=torch.uint8)).negative.shape == (34, 0)


def test_values_at_sources_and_destinations() -> None:
    pairs = PairSet(3)
    x = torch.rand(2, 6, 9, requires_grad=True)
    flat = x.flatten(1)
    assert torch.equal(pairs.at_sources(x)[:, 0], flat[:, pairs.sources(6, 9)])
    assert torch.equal(pairs.at_destinations(x), flat[:, pairs.destinations(6, 9)])


def test_stencil_puts_pair_values_at_their_sources() -> None:
    pairs = PairSet(3)
    values = torch.rand(len(pairs.points), 4 * 5)
    grid = pairs.stencil(values, 6, 9)
    assert torch.equal(grid.flatten(1)[:, pairs.sources(6, 9)], values)
    assert grid.sum() == pytest.approx(float(values.sum()), rel=1e-5)


@pytest.mark.parametrize("size", [(96, 96), (64, 20), (97, 113), (1, 3)])
def test_labels_shrink_as_pil_resizes_them(size: tuple[int, int]) -> None:
    label = np.random.default_rng(1).integers(0, 256, size).astype(np.uint8)
    grid = tuple(-(-side // 4) for side in size)
    expected = np.asarray(Image.fromarray(label).resize(grid[::-1], Image.Resampling.NEAREST))
    assert np.array_equal(shrink_labels(label), expected)
    assert np.array_equal(shrink_labels(torch.from_numpy(label)[None])[0].numpy(), expected)


def test_nearest_index_of_stride_4_is_pixel_4k_plus_2() -> None:
    assert nearest_index(64, 16).tolist() == list(range(2, 64, 4))


def plain_pair_affinity(features: torch.Tensor, pairs: PairSet) -> torch.Tensor:
    """Gathers the features of every pair, as the released code does: [B, C, h, w] -> [B, n, m]."""
    height, width = features.shape[-2:]
    flat = features.flatten(2)
    source = flat[:, :, pairs.sources(height, width)].unsqueeze(2)
    destination = flat[:, :, pairs.destinations(height, width)]
    return torch.exp(-(destination - source).abs().mean(dim=1))


@pytest.mark.parametrize("radius", [2, 3, 5])
def test_pair_affinity_is_that_of_the_gathered_features(radius: int) -> None:
    pairs, generator = PairSet(radius), torch.Generator().manual_seed(radius)
    features = torch.randn(2, 7, 9, 14, generator=generator)
    fast, slow = features.clone().requires_grad_(), features.clone().requires_grad_()
    found, expected = pair_affinity(fast, pairs), plain_pair_affinity(slow, pairs)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=0)
    weight = torch.rand(found.shape, generator=generator)
    (found * weight).sum().backward()
    (expected * weight).sum().backward()
    torch.testing.assert_close(fast.grad, slow.grad, rtol=1e-5, atol=1e-6)


def test_gradient_of_the_pair_affinity_is_that_of_finite_differences() -> None:
    features = torch.randn(1, 2, 4, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: pair_affinity(x, PairSet(2)), features)


def test_equal_features_have_affinity_1_and_no_gradient() -> None:
    features = torch.ones(1, 3, 6, 10, requires_grad=True)
    affinity = pair_affinity(features, PairSet(3))
    affinity.sum().backward()
    assert (affinity == 1).all() and (features.grad == 0).all()


@pytest.mark.parametrize("border", ["released", "complete"])
def test_a_stencil_of_features_holds_the_pairs_of_its_border(border: str) -> None:
    """Every pair of cells by itself; "released" leaves out pairs whose upper or left cell lies at the border."""
    features, radius = torch.randn(4, 7, 11, generator=torch.Generator().manual_seed(1)), 3
    stencil = feature_affinity(features, radius, border)
    for k, (dy, dx) in enumerate(PairSet(radius).points):
        for y in range(7):
            for x in range(11):
                inside = 0 <= y + dy < 7 and 0 <= x + dx < 11
                source = border == "complete" or (y < 5 and 2 <= x < 9)
                difference = features[:, y, x] - features[:, y + dy, x + dx] if inside else torch.zeros(1)
                expected = float(torch.exp(-difference.abs().mean())) if inside and source else 0.0
                assert float(stencil[k, y, x]) == pytest.approx(expected, abs=1e-6)


def test_padding_makes_every_cell_a_source() -> None:
    pairs, label = PairSet(4), torch.zeros(2, 9, 12, dtype=torch.uint8)
    padded = pairs.pad(label, 255)
    assert pairs.source_grid(*padded.shape[-2:]) == (9, 12)
    assert pairs.labels(padded).background.sum() == 2 * sum((9 - dy) * (12 - abs(dx)) for dy, dx in pairs.points)
    assert pairs.pad(label, 255, "released") is label
    with pytest.raises(ValueError, match="border"):
        pairs.pad(label, 255, "open")


def test_the_border_of_the_released_code_misses_a_seventh_of_the_pairs() -> None:
    """Counted at 56 x 56 in the authors' code: 14.4 %."""
    pairs = PairSet(5)
    present = len(pairs.points) * len(pairs.sources(56, 56))
    assert 1 - present / sum((56 - dy) * (56 - abs(dx)) for dy, dx in pairs.points) == pytest.approx(0.144, abs=5e-4)


@pytest.mark.parametrize(("grid", "radius"), [((47, 63), 5), ((11, 30), 5), ((10, 30), 4), ((30, 8), 3), ((2, 2), 2)])
def test_radius_of_small_grids(grid: tuple[int, int], radius: int) -> None:
    assert fitting_radius(5, *grid) == radius
    if min(grid) > 4:
        assert len(PairSet(radius).sources(*grid))


def test_loss_is_the_balanced_cross_entropy() -> None:
    generator = torch.Generator().manual_seed(0)
    affinity, kind = torch.rand(2, 12, 20, generator=generator), torch.randint(4, (2, 12, 20), generator=generator)
    pairs = PairLabels(kind == 0, kind == 1, kind == 2)
    terms = affinity_loss(affinity, pairs)
    for name, number, value in (("bg_pos", 0, affinity), ("fg_pos", 1, affinity), ("neg", 2, 1 - affinity)):
        assert float(terms[name]) == pytest.approx(float(-value[kind == number].log().mean()), rel=1e-3)
    expected = terms["bg_pos"] / 4 + terms["fg_pos"] / 4 + terms["neg"] / 2
    torch.testing.assert_close(terms["loss"], expected)


def test_loss_is_finite_at_both_ends_and_0_without_pairs() -> None:
    affinity = torch.tensor([[[0.0, 1.0]]], requires_grad=True)
    nothing, everything = torch.zeros(1, 1, 2, dtype=torch.bool), torch.ones(1, 1, 2, dtype=torch.bool)
    terms = affinity_loss(affinity, PairLabels(everything, nothing, everything))
    terms["loss"].backward()
    assert torch.isfinite(terms["loss"]) and torch.isfinite(affinity.grad).all() and terms["fg_pos"] == 0
    assert affinity_loss(affinity, PairLabels(nothing, nothing, nothing))["loss"] == 0
