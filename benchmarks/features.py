"""Feature affinities, labels and walk at AffinityNet's sizes, against plain transcriptions of the formulas."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from benchmarks.result import Result, seconds
from common.artifacts import Map
from common.ops.affinity import PairSet
from common.ops.random_walk import transition_matrix
from methods.affinitynet.affinity import feature_affinity, pair_affinity
from methods.affinitynet.labels import MergeScores, Walk

RADIUS, SIDE, BATCH, CHANNELS = 5, 56, 2, 448
VOC_GRID = (47, 63)  # a 375 x 500 image at stride 8


def gathered_affinity(features: Tensor, pairs: PairSet) -> Tensor:
    """The original: the features of all pairs side by side, [B, C, n, m], then their distance."""
    height, width = features.shape[-2:]
    flat = features.flatten(2)
    source = flat[:, :, pairs.sources(height, width)].unsqueeze(2)
    destination = flat.index_select(2, pairs.destinations(height, width).flatten())
    return torch.exp(-(destination.unflatten(2, (len(pairs.points), -1)) - source).abs().mean(dim=1))


def affinity(full: bool) -> Result:
    """Forward and backward of the affinities of a batch."""
    pairs = PairSet(RADIUS)
    features = torch.randn(BATCH, CHANNELS, SIDE, SIDE, generator=torch.Generator().manual_seed(0))

    def step(formula: Callable[[Tensor, PairSet], Tensor]) -> tuple[Tensor, Tensor]:
        x = features.clone().requires_grad_()
        value = formula(x, pairs)
        value.square().sum().backward()
        return value.detach(), x.grad

    ours, (value, gradient) = seconds(lambda: step(pair_affinity))
    original, (expected, expected_gradient) = seconds(lambda: step(gathered_affinity))
    error = f"value {_relative(value, expected):.0e}, gradient {_relative(gradient, expected_gradient):.0e} relative"
    note = f"radius {RADIUS}, {CHANNELS} channels, {SIDE} x {SIDE}, batch {BATCH}, forward and backward"
    return Result(original, ours, error, note)


def labels(full: bool) -> Result:
    """From the two score volumes of a crop to its pair labels."""
    rng, side = np.random.default_rng(0), 8 * SIDE
    volumes = {name: rng.random((side, side, 3), np.float32) for name in ("low", "high")}
    pairs, merge = PairSet(RADIUS), MergeScores(8)

    def original_labels() -> list[np.ndarray]:
        """The original: block means in numpy, the label rule, every offset sliced from the map, stacked as floats."""
        low, high = (v.reshape(SIDE, 8, SIDE, 8, -1).mean(axis=(1, 3)) for v in volumes.values())
        no_score = np.concatenate([low, high], axis=-1).max(axis=-1) < 1e-5
        label = low.argmax(axis=-1).astype(np.uint8)
        label[label == 0] = 255
        label[high.argmax(axis=-1) == 0] = 0
        label[no_score] = 255
        source = label[:-4, 4:-4].ravel()
        ends = [label[dy : dy + SIDE - 4, 4 + dx : 4 + dx + SIDE - 8].ravel() for dy, dx in pairs.points]
        start, end = np.repeat(source[None], len(ends), axis=0), np.stack(ends)
        valid = (start < 255) & (end < 255)
        same = start == end
        kinds = (same & valid & (start == 0), same & valid & (start > 0), ~same & valid)
        return [kind.astype(np.float32) for kind in kinds]

    ours, found = seconds(
        lambda: pairs.labels(
            merge({"maps": {name: Map(v) for name, v in volumes.items()}})["maps"]["gt_sem_seg"].values
        )
    )
    original, expected = seconds(original_labels)
    different = sum(int((a.numpy() != b).sum()) for a, b in zip(found, expected, strict=True))
    return Result(original, ours, f"{different} labels differ", f"2 classes, crop {side}, grid {SIDE} x {SIDE}")


def walk(full: bool) -> Result:
    """256 steps for background and two classes, against the dense matrix squared eight times with 21 channels."""
    grid = VOC_GRID if full else (28, 38)
    generator = torch.Generator().manual_seed(0)
    coarse = torch.randn(8, grid[0] // 6, grid[1] // 6, generator=generator)
    features = torch.nn.functional.interpolate(coarse[None], grid, mode="bilinear")[0]
    scores, rule = torch.rand(3, *grid, generator=generator), Walk()
    stencil = feature_affinity(features, rule.radius)

    def dense() -> Tensor:
        """The original: T [N, N] squared, then one product."""
        matrix = transition_matrix(stencil.pow(rule.beta), PairSet(rule.radius).points)
        for _ in range(rule.logt):
            matrix = matrix @ matrix
        every = torch.zeros(21, *grid)
        every[:3] = scores
        return (every.flatten(1) @ matrix).view(21, *grid)[:3]

    exact = rule(scores.double(), stencil.double())
    ours, walked = seconds(lambda: rule(scores, stencil))
    original, squared = seconds(dense)
    error = f"{_relative(walked, exact):.0e} (original {_relative(squared, exact):.0e}) relative to float64"
    changed = int((walked.argmax(0) != squared.argmax(0)).sum())
    return Result(original, ours, error, f"grid {grid[0]} x {grid[1]}, 256 steps; {changed} labels differ")


def _relative(actual: Tensor, exact: Tensor) -> float:
    return float((actual.double() - exact).norm() / exact.norm())


BENCHMARKS = {"feature_affinity": affinity, "affinity_labels": labels, "affinitynet_walk": walk}
