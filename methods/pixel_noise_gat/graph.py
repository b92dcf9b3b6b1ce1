"""The graph of a photo: superpixels as nodes, edges between neighbours and between nodes that look alike.

Every edge is stored in both directions, because attention gathers at the target alone.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

EPS = 1e-12


def upsampled_means(features: np.ndarray, segments: np.ndarray) -> np.ndarray:
    """Means over superpixels of a feature map enlarged to the photo, without enlarging it: float32 [S, c].

    Bilinear enlarging (corners not aligned) and means are both linear: each superpixel weighs the cells. So one that is
    smaller than a cell has features of its own, too.

    features: float32 [c, h', w']; segments: int [h, w], 0..S-1, each with a pixel.
    """
    rows, columns = (_between(cells, pixels) for cells, pixels in zip(features.shape[1:], segments.shape, strict=True))
    numbers = segments.ravel()
    sizes = np.bincount(numbers)
    owner, cell, weight = [], [], []
    for row, row_weight in rows:
        for column, column_weight in columns:
            owner.append(numbers)
            cell.append((row[:, None] * features.shape[2] + column).ravel())
            weight.append((row_weight[:, None] * column_weight).ravel())
    places = np.concatenate(owner), np.concatenate(cell)
    cells = features.shape[1] * features.shape[2]
    means = csr_array((np.concatenate(weight) / sizes[places[0]], places), shape=(len(sizes), cells))
    return (means @ features.reshape(len(features), -1).T).astype(np.float32)


def _between(cells: int, pixels: int) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """The two cells that each pixel of a side lies between, with their weights; as torch's bilinear rule."""
    place = np.maximum((np.arange(pixels) + 0.5) * cells / pixels - 0.5, 0)
    low = np.minimum(place.astype(np.int64), cells - 1)
    high = np.minimum(low + 1, cells - 1)
    return (low, 1 - (place - low)), (high, place - low)


def centroids(segments: np.ndarray) -> np.ndarray:
    """The mean row and column of each superpixel, pixels, float32 [S, 2]."""
    numbers = segments.ravel()
    sizes = np.bincount(numbers)
    rows, columns = np.indices(segments.shape)
    sums = [np.bincount(numbers, weights=axis.ravel()) / sizes for axis in (rows, columns)]
    return np.stack(sums, axis=1).astype(np.float32)


def units(features: np.ndarray) -> np.ndarray:
    """Vectors [S, c] of length 1; those of length 0 stay."""
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), EPS)


def similarity_edges(features: np.ndarray, k: int, threshold: float) -> np.ndarray:
    """Each node and the k others of the highest cosine similarity, if that is at least `threshold`: int64 [2, E].

    Both directions, sorted by source, then target; equal similarities: the lower number first.

    features: float [S, c].
    """
    own = units(features.astype(np.float64))
    similar = own @ own.T
    np.fill_diagonal(similar, -np.inf)
    best = np.argsort(-similar, axis=1, kind="stable")[:, :k]
    source = np.repeat(np.arange(len(own)), best.shape[1])
    enough = similar[source, best.ravel()] >= threshold
    return both_ways(np.stack([source[enough], best.ravel()[enough]]), len(own))


def both_ways(edges: np.ndarray, nodes: int) -> np.ndarray:
    """Edges [2, E] and their reverse, each once, sorted by source, then target: int64 [2, E']."""
    one, other = np.concatenate([edges, edges[::-1]], axis=1)
    packed = np.unique(one.astype(np.int64) * nodes + other)
    return np.stack([packed // nodes, packed % nodes])


def projected(features: Tensor, width: int) -> Tensor:
    """Feature maps [c, h, w] on `width` random directions, the same for every photo: float [width, h, w].

    Cosine similarities of wide features are kept up to about 1 / sqrt(width).
    """
    generator = torch.Generator().manual_seed(len(features))
    directions = torch.randn(width, len(features), generator=generator).to(features) / width**0.5
    return torch.einsum("dc,chw->dhw", directions, features)
