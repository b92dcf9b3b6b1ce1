"""Edges of a photo's graph: superpixels are its nodes; neighbours are joined, and nodes that look alike.

Every edge is stored in both directions, because attention gathers at the target alone.
"""

from __future__ import annotations

import numpy as np

from common.ops.superpixels import unit_vectors


def similarity_edges(features: np.ndarray, k: int, threshold: float) -> np.ndarray:
    """Each node and the k others of the highest cosine similarity, if that is at least `threshold`: int64 [2, E].

    Both directions, sorted by source, then target; equal similarities: the lower number first.

    features: float [S, c].
    """
    own = unit_vectors(features.astype(np.float64))
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
