"""Superpixels: two ways to make them, their neighbours, means over them, and merging those that look alike.

A map of superpixels is an integer array [h, w] of region numbers. What is made here counts from 0 without gaps.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from common.ops.resize import resize_label

EPS = 1e-12


def felzenszwalb(image: np.ndarray, k: float, min_size: int, sigma: float = 0.8) -> np.ndarray:
    """Felzenszwalb and Huttenlocher 2004: int32 [h, w], numbers by first appearance, row by row.

    The partition of the authors' C++ program: Euclidean distance of RGB 0..255 between 8 neighbours.

    Args:
        image: uint8 RGB [h, w, 3].
        k: the larger, the larger are the regions.
        min_size: pixels of a region, at least, unless the image has fewer.
        sigma: of the smoothing in front, pixels; 0: none.
    """
    from skimage.segmentation import felzenszwalb as segment

    smooth = smoothed(image, sigma).astype(np.float64) / 255  # skimage divides k by 255
    return by_appearance(segment(smooth, scale=k, sigma=0, min_size=min_size, channel_axis=2))


def smoothed(image: np.ndarray, sigma: float) -> np.ndarray:
    """The Gaussian of Felzenszwalb's program: float32 [h, w, c] of an image [h, w, c]; sigma 0 changes nothing.

    Cut at ceil(4 sigma) pixels, borders repeated, horizontally first. skimage's own cuts and mirrors: with that 0.07 of
    the pixels of a noisy image fall into other regions.
    """
    values = image.astype(np.float32)
    if sigma == 0:
        return values
    taps = np.exp(-0.5 * (np.arange(math.ceil(4 * sigma) + 1) / sigma) ** 2).astype(np.float32)
    taps /= 2 * np.abs(taps[1:]).sum() + abs(taps[0])
    for axis in (1, 0):
        side = values.shape[axis]
        places = np.arange(side)
        total = taps[0] * values
        for step, tap in enumerate(taps[1:], 1):
            before, behind = np.maximum(places - step, 0), np.minimum(places + step, side - 1)
            total += tap * (values.take(before, axis) + values.take(behind, axis))
        values = total
    return values


def slic(image: np.ndarray, count: int, compactness: float, sigma: float = 0.0) -> np.ndarray:
    """SLIC (Achanta et al. 2012) in Lab: int32 [h, w], connected regions, numbered as skimage does it.

    Args:
        image: uint8 RGB [h, w, 3].
        count: of the regions, about.
        compactness: the larger, the squarer are they.
        sigma: of a smoothing in front, pixels.
    """
    from skimage.segmentation import slic as segment

    found = segment(image, n_segments=count, compactness=compactness, sigma=sigma, start_label=0, channel_axis=2)
    return without_gaps(found)


def without_gaps(segments: np.ndarray) -> np.ndarray:
    """The same regions numbered 0, 1, ..., in the order of their numbers: int32."""
    _, found = np.unique(segments, return_inverse=True)
    return found.reshape(segments.shape).astype(np.int32)


def by_appearance(segments: np.ndarray) -> np.ndarray:
    """The same regions numbered 0, 1, ..., in the order in which they appear, row by row: int32."""
    _, first, found = np.unique(segments, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first)).astype(np.int32)[found].reshape(segments.shape)


def fitting_scale(size: tuple[int, int], scale: float = 1.0, longest: int | None = None) -> float:
    """`scale`, or what makes the longer side of `size` (h, w) `longest` pixels, if that is less."""
    return scale if longest is None else min(scale, longest / max(size))


def enlarged_photo(image: np.ndarray, scale: float) -> np.ndarray:
    """A photo, uint8 [h, w, 3], at `scale` times its size, bilinear; sides round(scale side), at least 1."""
    if scale == 1:
        return image
    size = tuple(max(1, round(side * scale)) for side in image.shape[:2])
    return cv2.resize(image, size[::-1], interpolation=cv2.INTER_LINEAR if scale > 1 else cv2.INTER_AREA)


def at_size(segments: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Superpixels at another size (h, w): the nearest pixel counts, regions without a pixel go: int32."""
    return without_gaps(resize_label(segments, size))


def region_adjacency(segments: np.ndarray, connectivity: int = 4) -> np.ndarray:
    """Pairs of regions that touch, in both directions, sorted: int64 [2, E].

    segments: integer [h, w]; connectivity: 4, or 8 with the diagonals.

    Raises:
        ValueError: another connectivity.
    """
    if connectivity not in (4, 8):
        raise ValueError(f"connectivity is {connectivity}, not 4 or 8")
    ids = np.asarray(segments, np.int64)
    sides = [(ids[:, :-1], ids[:, 1:]), (ids[:-1], ids[1:])]
    if connectivity == 8:
        sides += [(ids[:-1, :-1], ids[1:, 1:]), (ids[:-1, 1:], ids[1:, :-1])]
    one, other = (np.concatenate([pair[i].ravel() for pair in sides]) for i in (0, 1))
    one, other = one[one != other], other[one != other]
    span = int(ids.max(initial=0)) + 1
    pairs = np.unique(np.concatenate([one * span + other, other * span + one]))
    return np.stack([pairs // span, pairs % span])


def pool_by_segment(values: np.ndarray, segments: np.ndarray) -> np.ndarray:
    """The mean of each region: float32 [S, c]; a number without a pixel gets 0.

    values: [c, h, w]; segments: integer [h, w], 0..S-1.
    """
    flat, count = segments.ravel(), int(segments.max(initial=-1)) + 1
    sizes = np.maximum(np.bincount(flat, minlength=count), 1)
    sums = [np.bincount(flat, weights=plane.ravel(), minlength=count) for plane in values]
    return (np.stack(sums, axis=1) / sizes[:, None] if sums else np.zeros((count, 0))).astype(np.float32)


def merge_superpixels(segments: np.ndarray, features: np.ndarray, count: int) -> np.ndarray:
    """Join the two most similar regions until `count` are left: int32 [h, w], 0.. in the order of the numbers.

    Similar are all pairs, not neighbours alone, by cosine(f_i, f_j) + 1 - (n_i + n_j) / pixels, so that small regions
    go first. The pair with the larger number joins the other, of equal pairs the first by row; features are then the
    means by size.

    Args:
        segments: integer [h, w], 0..S-1, each with a pixel.
        features: float [S, c].
        count: 1 or more.

    Raises:
        ValueError: the features are of another number of regions.
    """
    sizes = np.bincount(segments.ravel()).astype(np.float64)
    if len(features) != len(sizes):
        raise ValueError(f"{len(features)} features for {len(sizes)} regions")
    vectors, owner = np.array(features, np.float64), np.arange(len(sizes))
    units = unit_vectors(vectors)
    similar = units @ units.T + 1 - (sizes[:, None] + sizes) / segments.size
    similar[np.tri(len(sizes), dtype=bool)] = -np.inf  # pairs one < other
    partner, rows = similar.argmax(axis=1), np.arange(len(sizes))  # of each row the best, so that few are looked at
    best = similar[rows, partner]
    for _ in range(len(sizes) - count):
        one = int(best.argmax())
        other = int(partner[one])
        total = sizes[one] + sizes[other]
        vectors[one] = (sizes[one] * vectors[one] + sizes[other] * vectors[other]) / total
        sizes[one], units[one] = total, unit_vectors(vectors[one])
        owner[owner == other] = one
        similar[other], similar[:, other] = -np.inf, -np.inf
        fresh = units @ units[one] + 1 - (sizes + total) / segments.size
        similar[one] = np.where((rows > one) & (owner == rows), fresh, -np.inf)
        similar[:one, one] = np.where(owner[:one] == rows[:one], fresh[:one], -np.inf)
        better = (similar[:, one] > best) | ((similar[:, one] == best) & (one < partner))
        partner[better] = one
        lost = np.flatnonzero((partner == one) | (partner == other) | (rows == one) | (rows == other))
        partner[lost] = similar[lost].argmax(axis=1)
        best[lost] = similar[lost, partner[lost]]
    return without_gaps(owner[segments])


def unit_vectors(vectors: np.ndarray) -> np.ndarray:
    """Vectors [..., c] of length 1; those of length 0 stay."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), EPS)
