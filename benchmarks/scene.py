"""A boundary map, features and partial labels of a made-up photo, for the tests and benchmarks of WSGCN."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from methods.wsgcn.fit import FitRule

RULE = FitRule(250, 16, 0.3, 0.01, 5e-4, entropy=10, laplacian=0.01)
WALK = (5, 10.0)  # radius, beta


class Scene(NamedTuple):
    """edge: float32 [h, w]; features: float32 [h w, 160]; labels: int64 [h w], 255 open; image: uint8 [h, w, 3];
    truth: uint8 [h, w].
    """

    edge: Tensor
    features: Tensor
    labels: Tensor
    image: np.ndarray
    truth: np.ndarray


def scene(height: int, width: int, seed: int = 0, known: float = 0.05) -> Scene:
    """Two discs of the classes 3 and 7 on background; boundaries of uneven strength, one cell in twenty is labelled."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / [[[height]], [[width]]]
    distance = [np.hypot(y - cy, x - cx) - radius for cy, cx, radius in ((0.35, 0.3, 0.2), (0.6, 0.7, 0.22))]
    truth = np.where(distance[0] < 0, 3, np.where(distance[1] < 0, 7, 0)).astype(np.uint8)
    nearest = np.abs(np.minimum(*map(np.abs, distance))) * min(height, width)
    strength = 0.9 + 0.1 * np.sin(9 * np.arctan2(y - 0.5, x - 0.5))
    texture = 0.45 * rng.random((height, width)) ** 2
    edge = np.maximum(np.exp(-((nearest / 1.2) ** 2)) * strength, texture).clip(0, 0.999).astype(np.float32)
    colours = np.array([[90, 120, 60], [200, 40, 40], [40, 60, 210]])[np.searchsorted([0, 3, 7], truth)]
    image = (colours + rng.integers(-25, 26, (height, width, 1))).clip(0, 255).astype(np.uint8)
    mix = rng.random((3, 160)).astype(np.float32)
    features = image.reshape(-1, 3).astype(np.float32) / 255 @ mix + 0.3 * rng.random((height * width, 160))
    labels = np.where(rng.random(truth.shape) < known, truth, 255).astype(np.int64).flatten()
    features = features.astype(np.float32) / 10
    return Scene(torch.from_numpy(edge), torch.from_numpy(features), torch.from_numpy(labels), image, truth)
