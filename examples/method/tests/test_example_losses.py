"""The losses against loops over pixels, and the weight that follows the training."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from common.models.progress import progress_at
from methods.example.losses import contrast, region_loss
from methods.example.model import Example


def plain_region_loss(scores: np.ndarray, regions: np.ndarray, colours: np.ndarray) -> float:
    weights = [np.linalg.norm(colour - colours.mean(0)) / np.sqrt(3) for colour in colours]
    total, inside = 0.0, 0
    for y, x in np.argwhere(regions >= 0):
        own = regions == regions[y, x]
        total += weights[regions[y, x]] * ((scores[:, y, x] - scores[:, own].mean(1)) ** 2).sum()
        inside += 1
    return total / inside


def test_region_loss_is_the_plain_loop() -> None:
    rng = np.random.default_rng(0)
    scores, colours = rng.random((3, 5, 6), np.float32), rng.random((4, 3), np.float32)
    regions = rng.integers(-1, 4, (5, 6))
    given = region_loss(*map(torch.from_numpy, (scores, regions, colours)))
    assert float(given) == pytest.approx(plain_region_loss(scores, regions, colours), rel=1e-5)


def test_a_crop_beyond_the_image_costs_nothing() -> None:
    assert region_loss(torch.rand(3, 2, 2), torch.full((2, 2), -1), torch.rand(4, 3)) == 0


def test_black_against_white_is_a_contrast_of_a_half() -> None:
    torch.testing.assert_close(contrast(torch.tensor([[0.0] * 3, [1.0] * 3])), torch.tensor([0.5, 0.5]))


def test_the_weight_of_the_regions_grows_over_the_training() -> None:
    network = Example({"type": "ExampleBackbone", "width": 4}, num_classes=2)
    assert network.ramp() == 1
    network.progress = progress_at(5, 20, epoch_length=4)
    assert network.ramp() == 0.25
