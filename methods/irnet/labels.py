"""From CAMs to labels: confident ones to learn from, then semantic and instance pseudo labels by random walk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from common.artifacts import CAM, Instances
from common.cam import argmax_with_background, normalise, upsample
from common.crf import crf_label_maps
from common.random_walk import random_walk
from methods.irnet.instances import centroids, cluster_centroids, detect, instance_cams


@dataclass(frozen=True)
class Walk:
    """Constants of the random walk: pairs closer than `radius` cells, affinity (1 - max B)^beta, 2^exp_times steps."""

    radius: int = 5
    beta: float = 10.0
    exp_times: int = 8

    def __call__(self, planes: np.ndarray, edge: Tensor) -> Tensor:
        """float32 [P, h4, w4] -> the same, walked, on the device of `edge` [h4, w4]."""
        start = torch.from_numpy(planes).to(edge.device)
        return random_walk(start, edge, self.radius, self.beta, 2**self.exp_times)


def confident_labels(
    cam: np.ndarray, keys: np.ndarray, pixels: np.ndarray, fg: float = 0.30, bg: float = 0.05, crf: str = "irn"
) -> np.ndarray:
    """Labels to learn inter-pixel relations from: uint8 [h, w], class ids, 0 sure background, 255 unsure.

    The arg-max over the CAM and a constant background score is taken with a high score (`fg`) and a low one (`bg`),
    each refined by a dense CRF over the image's classes. A class is sure where the high score leaves one, background
    where even the low score leaves none.

    cam: float32 [K, h, w]; keys: class ids [K]; pixels: uint8 RGB [h, w, 3]; crf: name of a CRF preset.
    """
    maps = [argmax_with_background(torch.from_numpy(cam), score).numpy() for score in (fg, bg)]
    sure, likely = crf_label_maps(pixels, maps, n_labels=1 + len(keys), params=crf)
    label = np.append(0, keys)[sure]
    label[(sure == 0) & (likely != 0)] = 255
    return label.astype(np.uint8)


def semantic_labels(cam: CAM, edge: Tensor, walk: Walk, bg: float = 0.25) -> np.ndarray:
    """Class ids uint8 [h, w]: the CAM walks, then arg-max over its classes and the background score `bg`.

    edge: class boundary probability [h4, w4].
    """
    _, index = walked_scores(walk(cam.maps, edge), cam.size, bg)
    return np.append(0, cam.keys)[index].astype(np.uint8)


def instance_labels(
    cam: CAM,
    edge: Tensor,
    displacement: np.ndarray,
    walk: Walk,
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


def walked_scores(walked: Tensor, size: tuple[int, int], bg: float) -> tuple[np.ndarray, np.ndarray]:
    """Walked planes [P, h4, w4] -> scores float32 [P, h, w] and arg-max index int64 [h, w], 0 = background.

    Scores are divided by their maximum over all planes and pixels, so the best of every image is 1. Planes that are 0
    everywhere stay 0 and give background.
    """
    scores = normalise(upsample(walked, size), "image_max")
    return scores.cpu().numpy(), argmax_with_background(scores, bg).cpu().numpy()
