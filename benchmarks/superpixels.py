"""Superpixels against plain loops: merging and neighbours."""

from __future__ import annotations

import numpy as np

from benchmarks.result import Result, seconds
from common.ops.superpixels import by_appearance, merge_superpixels, region_adjacency


def plain_adjacency(segments: np.ndarray, connectivity: int = 4) -> np.ndarray:
    """`region_adjacency` pixel by pixel."""
    steps = [(0, 1), (1, 0)] + ([(1, 1), (1, -1)] if connectivity == 8 else [])
    height, width = segments.shape
    pairs = set()
    for y in range(height):
        for x in range(width):
            for dy, dx in steps:
                if y + dy < height and 0 <= x + dx < width:
                    one, other = int(segments[y, x]), int(segments[y + dy, x + dx])
                    if one != other:
                        pairs |= {(one, other), (other, one)}
    return np.array(sorted(pairs), np.int64).reshape(-1, 2).T


def plain_merge(segments: np.ndarray, features: np.ndarray, count: int) -> np.ndarray:
    """`merge_superpixels` with all similarities made anew for every merge, and masks as the authors keep them."""
    masks = [segments == number for number in range(len(features))]
    vectors = [np.asarray(feature, np.float64) for feature in features]
    while len(masks) > count:
        best, chosen = -np.inf, (0, 0)
        for i in range(len(masks)):
            for j in range(i + 1, len(masks)):
                norms = max(np.linalg.norm(vectors[i]), 1e-12) * max(np.linalg.norm(vectors[j]), 1e-12)
                share = (masks[i].sum() + masks[j].sum()) / segments.size
                similar = vectors[i] @ vectors[j] / norms + 1 - share
                if similar > best + 1e-12:  # of equal pairs the first, whatever the last digit of both is
                    best, chosen = similar, (i, j)
        i, j = chosen
        sizes = masks[i].sum(), masks[j].sum()
        vectors[i] = (sizes[0] * vectors[i] + sizes[1] * vectors[j]) / sum(sizes)
        masks[i] = masks[i] | masks[j]
        del masks[j], vectors[j]
    return np.stack(masks).argmax(axis=0).astype(np.int32)


def regions(size: tuple[int, int], count: int, seed: int = 0) -> np.ndarray:
    """Cells of so many random points: int32 [h, w]."""
    rng = np.random.default_rng(seed)
    points = rng.random((count, 2)) * size
    rows, columns = np.mgrid[: size[0], : size[1]]
    distance = (rows[..., None] - points[:, 0]) ** 2 + (columns[..., None] - points[:, 1]) ** 2
    return by_appearance(distance.argmin(axis=2))


def merging(full: bool) -> Result:
    """Regions of a photo by 512 features."""
    size, count = ((375, 500), 300) if full else ((60, 80), 120)
    segments = regions(size, count)
    features = np.random.default_rng(1).random((int(segments.max()) + 1, 512)).astype(np.float32)
    ours, found = seconds(lambda: merge_superpixels(segments, features, 64))
    original, wanted = seconds(lambda: plain_merge(segments, features, 64))
    note = f"{len(features)} regions of {size[0]} x {size[1]} to 64, 512 features"
    return Result(original, ours, f"{int((found != wanted).sum())} pixels differ", note)


def adjacency(full: bool) -> Result:
    """All pairs of neighbours of a photo's regions."""
    size = (375, 500) if full else (160, 200)
    segments = regions(size, 500)
    ours, found = seconds(lambda: region_adjacency(segments))
    original, wanted = seconds(lambda: plain_adjacency(segments))
    note = f"{int(segments.max()) + 1} regions of {size[0]} x {size[1]}, {found.shape[1]} pairs"
    return Result(original, ours, "equal" if np.array_equal(found, wanted) else "other pairs", note)


BENCHMARKS = {"superpixel_merge": merging, "region_adjacency": adjacency}
