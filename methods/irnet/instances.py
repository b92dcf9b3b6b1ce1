"""Instances from a displacement field: follow it to the centroids, split the CAM by centroid, read off components."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from torch import Tensor

from common.artifacts import CAM, Instances
from common.ops.labels import walked_scores
from common.ops.random_walk import BoundaryWalk


def centroids(displacement: np.ndarray, iterations: int = 300) -> np.ndarray:
    """Where every cell ends when it follows the displacement field: c <- c + D(c).

    displacement: float32 [2, h, w], (dy, dx) in cells; read bilinearly and clamped to the grid at every step.
    Returns int64 [2, h, w], the end points (y, x) rounded half to even. Stops early at a fixed point, which changes
    nothing: the step depends on the position alone.
    """
    height, width = displacement.shape[1:]
    limit = np.array([height - 1, width - 1], np.float32)[:, None, None]
    position = np.indices((height, width)).astype(np.float32)
    for _ in range(iterations):
        moved = (position + _bilinear(displacement, position)).astype(np.float32)
        moved = np.clip(moved, 0, limit)
        if np.array_equal(moved, position):
            break
        position = moved
    return np.rint(position).astype(np.int64)


def _bilinear(field: np.ndarray, position: np.ndarray) -> np.ndarray:
    """`field` [2, h, w] at real positions (y, x) [2, ...], in float64; a whole-numbered position reads one cell."""
    (y0, x0), (y1, x1) = np.floor(position).astype(np.int64), np.ceil(position).astype(np.int64)
    fy, fx = position.astype(np.float64) - (y0, x0)
    return (
        (1 - fy) * (1 - fx) * field[:, y0, x0]
        + (1 - fy) * fx * field[:, y0, x1]
        + fy * (1 - fx) * field[:, y1, x0]
        + fy * fx * field[:, y1, x1]
    )


def cluster_centroids(points: np.ndarray, displacement: np.ndarray, threshold: float = 2.5) -> np.ndarray:
    """Cells whose centroids fall into the same weak region, |D| < `threshold`, form one instance.

    points: int [2, h, w] from `centroids`; displacement: float32 [2, h, w]. Regions are 4-connected.
    Returns int64 [h, w], ids 0..K-1 in raster order of the regions; centroids outside every region share one id,
    which then comes first.
    """
    weak = np.hypot(*displacement) < threshold
    regions, _ = ndimage.label(weak)
    return compress(regions[points[0], points[1]])


def compress(labels: np.ndarray) -> np.ndarray:
    """The same map with its values replaced by their ranks, int64 0..K-1."""
    return np.unique(labels, return_inverse=True)[1].reshape(labels.shape)


def instance_cams(cam: np.ndarray, clusters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The CAM of each class inside each cluster.

    cam: float32 [C, h, w]; clusters: int [h, w], ids 0..K-1.
    Returns the planes that are not all zero, float32 [P, h, w] (class by class, then cluster by cluster), and the
    index 0..C-1 of each plane's class, int64 [P]. A zero plane stays zero in the random walk and wins no pixel.
    """
    members = clusters == np.arange(clusters.max() + 1)[:, None, None]
    planes = cam[:, None] * members
    alive = planes.any(axis=(2, 3))
    return planes[alive], np.nonzero(alive)[0]


def detect(scores: np.ndarray, index: np.ndarray, classes: np.ndarray, min_area: float) -> Instances:
    """Split every plane's arg-max region into 4-connected components; each is a detection.

    scores: float32 [P, h, w]; index: int [h, w], 0 background, p + 1 the winning plane; classes: int [P].
    The score is the plane's maximum inside the component, 0 for components below `min_area` pixels. Detections are
    ordered by plane, then by first pixel; none where everything is background.
    """
    label = np.zeros(index.shape, np.uint16)
    found_scores: list[np.ndarray] = [np.zeros(0, np.float32)]
    found_classes: list[np.ndarray] = [np.zeros(0, np.int64)]
    total = 0
    for plane in np.setdiff1d(index, [0]) - 1:
        parts, count = ndimage.label(index == plane + 1)
        ids = np.arange(1, count + 1)
        score = np.maximum(ndimage.maximum(scores[plane], parts, ids), 0)
        area = np.bincount(parts.ravel(), minlength=count + 1)[1:]
        label[parts > 0] = parts[parts > 0] + total
        total += count
        found_scores.append(np.where(area < min_area, 0, score).astype(np.float32))
        found_classes.append(np.full(count, classes[plane], np.int64))
    return Instances(np.concatenate(found_scores), label, np.concatenate(found_classes))


def instance_labels(
    cam: CAM,
    edge: Tensor,
    displacement: np.ndarray,
    walk: BoundaryWalk,
    bg: float = 0.25,
    iterations: int = 300,
    weak: float = 2.5,
    min_area: float = 0.01,
) -> Instances:
    """The CAM of each class, split by the centroids the displacements lead to, walks; connected parts are detections.

    edge: [h4, w4]; displacement: float32 [2, h4, w4], cells; iterations: of following the displacements; weak: |D| of
    cells that can be a centroid; min_area: parts smaller than this share of the image get the score 0.
    """
    clusters = cluster_centroids(centroids(displacement, iterations), displacement, weak)
    planes, owner = instance_cams(cam.maps, clusters)
    scores, index = walked_scores(walk(planes, edge), cam.size, bg)
    return detect(scores, index, cam.keys[owner], min_area * cam.size[0] * cam.size[1])
