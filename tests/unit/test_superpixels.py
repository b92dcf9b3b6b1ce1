"""Superpixels: the released partitions, neighbours, means, and merging, each against its plain form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.superpixels import plain_adjacency, plain_merge, regions
from common.artifacts import IdMaps
from common.data.dataset import open_dataset
from common.ops.superpixels import (
    at_size,
    by_appearance,
    enlarged_photo,
    felzenszwalb,
    fitting_scale,
    merge_superpixels,
    pool_by_segment,
    region_adjacency,
    slic,
    smoothed,
    without_gaps,
)
from common.pipeline import Image, Run
from common.stages import felzenszwalb as felzenszwalb_stage
from common.stages import slic as slic_stage


def photo(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Blocks with noise, uint8 [h, w, 3]."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 256, (-(-height // 12), -(-width // 12), 3))
    large = blocks.repeat(12, axis=0).repeat(12, axis=1)[:height, :width]
    return np.clip(large + rng.normal(0, 12, large.shape), 0, 255).astype(np.uint8)


# --- making them ---------------------------------------------------------------------------------------------------


def test_felzenszwalb_smooths_as_the_released_program():
    """Plain form: two passes over pixels, borders repeated. skimage's own smoothing gives other regions."""
    from skimage.segmentation import felzenszwalb as segment

    image = photo(9, 14)
    taps = np.exp(-0.5 * (np.arange(5) / 0.8) ** 2)
    taps /= 2 * taps[1:].sum() + taps[0]
    wanted = image.astype(np.float64)
    for axis in (1, 0):
        before = wanted.copy()
        for y, x in np.ndindex(*image.shape[:2]):
            at = [y, x]
            total = taps[0] * before[y, x]
            for step in range(1, 5):
                for sign in (-1, 1):
                    place = list(at)
                    place[axis] = min(max(at[axis] + sign * step, 0), image.shape[axis] - 1)
                    total = total + taps[step] * before[tuple(place)]
            wanted[y, x] = total
    assert np.abs(smoothed(image, 0.8) - wanted).max() < 1e-3
    assert (smoothed(image, 0) == image).all()
    noisy = np.random.default_rng(0).integers(0, 256, (120, 150, 3)).astype(np.uint8)
    theirs = by_appearance(segment(noisy / 255, scale=75, sigma=0.8, min_size=75, channel_axis=2))
    assert (felzenszwalb(noisy, 75, 75) != theirs).mean() > 1e-3


def test_regions_have_no_gaps_and_their_least_size():
    image = photo(60, 80)
    for segments in (felzenszwalb(image, 75, 30), slic(image, 40, 10)):
        sizes = np.bincount(segments.ravel())
        assert segments.dtype == np.int32 and segments.shape == (60, 80) and sizes.min() > 0
    assert np.bincount(felzenszwalb(image, 75, 30).ravel()).min() >= 30
    first = felzenszwalb(image, 75, 30)
    assert (by_appearance(first) == first).all() and first[0, 0] == 0
    assert 20 <= slic(image, 40, 10).max() + 1 <= 60


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (3, 2)])
def test_tiny_photos(size: tuple[int, int]):
    image = photo(*size)
    assert felzenszwalb(image, 75, 75).tolist() == np.zeros(size).tolist()  # fewer pixels than a region
    assert slic(image, 100, 10).shape == size


def test_numbers():
    segments = np.array([[7, 7, 2], [5, 2, 2]])
    assert without_gaps(segments).tolist() == [[2, 2, 0], [1, 0, 0]]
    assert by_appearance(segments).tolist() == [[0, 0, 1], [2, 1, 1]]


def test_sizes():
    assert fitting_scale((3000, 4000), 2.0, 640) == 0.16 and fitting_scale((90, 128), 2.0, 640) == 2.0
    assert fitting_scale((3000, 4000), 0.5) == 0.5
    image = photo(30, 41)
    assert enlarged_photo(image, 1.0) is image
    assert enlarged_photo(image, 2.0).shape == (60, 82, 3) and enlarged_photo(image, 0.01).shape == (1, 1, 3)
    segments = regions((60, 82), 20)
    small = at_size(segments, (30, 41))
    assert small.shape == (30, 41) and (small == without_gaps(segments[1::2, 1::2])).all()  # PIL's nearest pixel


# --- neighbours and means ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("connectivity", [4, 8])
def test_neighbours_are_those_of_the_plain_loop(connectivity: int):
    for segments in (regions((20, 30), 25), np.zeros((4, 5), np.int32), np.array([[0, 1], [1, 0]])):
        pairs = region_adjacency(segments, connectivity)
        assert pairs.dtype == np.int64 and np.array_equal(pairs, plain_adjacency(segments, connectivity))
    with pytest.raises(ValueError, match="not 4 or 8"):
        region_adjacency(np.zeros((2, 2), int), 6)


def test_neighbours_come_in_both_directions():
    assert region_adjacency(np.array([[0, 0, 3]])).tolist() == [[0, 3], [3, 0]]


def test_means_of_regions():
    values, segments = np.random.default_rng(0).normal(size=(3, 8, 9)), regions((8, 9), 6)
    found = pool_by_segment(values, segments)
    wanted = [[values[c][segments == k].mean() for c in range(3)] for k in range(segments.max() + 1)]
    assert found.dtype == np.float32 and np.abs(found - wanted).max() < 1e-6
    gap = pool_by_segment(np.ones((2, 1, 2)), np.array([[0, 2]]))
    assert gap.tolist() == [[1, 1], [0, 0], [1, 1]]
    assert pool_by_segment(np.zeros((0, 1, 2)), np.array([[0, 1]])).shape == (2, 0)


# --- merging -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("count", [1, 4, 12, 99])
def test_merging_is_that_of_the_plain_loop(seed: int, count: int):
    segments = regions((18, 22), 20, seed)
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(segments.max() + 1, 5)).astype(np.float32)
    if seed == 1:
        features[:] = 1  # size alone decides
    if seed == 2:
        features[3] = 0
    if seed == 3:
        features = rng.integers(0, 2, (segments.max() + 1, 2)).astype(np.float32)  # many equal pairs
    merged = merge_superpixels(segments, features, count)
    assert np.array_equal(merged, plain_merge(segments, features, count))
    assert merged.dtype == np.int32 and merged.max() + 1 == min(count, segments.max() + 1)


def test_regions_that_do_not_touch_are_merged_too_and_small_ones_first():
    segments = np.array([[0, 1, 1, 1, 2]])
    alike = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    assert merge_superpixels(segments, alike, 2).tolist() == [[0, 1, 1, 1, 0]]
    sizes = np.array([[0, 0, 0, 0, 1, 1, 1, 2, 3]])
    assert merge_superpixels(sizes, np.ones((4, 3)), 3).tolist() == [[0, 0, 0, 0, 1, 1, 1, 2, 2]]
    with pytest.raises(ValueError, match="2 features for 3 regions"):
        merge_superpixels(segments, alike[:2], 2)


# --- stages --------------------------------------------------------------------------------------------------------


def test_the_stages_give_regions_of_the_photos_size(tiny_voc: Path, tmp_path: Path):
    data = open_dataset(tiny_voc)
    run = Run(data.guarded(()), None, tmp_path, 0)
    image = Image(data, data.ids("train")[0])
    made = IdMaps(tmp_path / "regions")
    made.path.mkdir()
    plain = felzenszwalb_stage(run, "train", k=75.0, min_size=20).make(image)
    assert np.array_equal(plain, felzenszwalb(image.pixels, 75, 20))
    doubled = felzenszwalb_stage(run, "train", k=75.0, min_size=20, scale=2.0).make(image)
    large = felzenszwalb(enlarged_photo(image.pixels, 2.0), 75, 20)
    assert np.array_equal(doubled, at_size(large, image.size)) and doubled.max() > plain.max()
    shrunk = felzenszwalb_stage(run, "train", k=75.0, min_size=20, scale=2.0, longest=16).make(image)
    assert shrunk.shape == image.size and shrunk.max() <= 16 * 10 // 20
    for value in (doubled, shrunk, slic_stage(run, "train", count=12, scale=1.5).make(image)):
        made.write(image.id, value)
        assert np.array_equal(made.read(image.id), value) and np.unique(value).tolist() == list(range(value.max() + 1))
