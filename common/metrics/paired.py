"""Two results on the same photos, compared photo by photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from common.base.errors import UserError
from common.metrics.confusion import ConfusionMatrix
from common.metrics.photos import PhotoMatrices


@dataclass(frozen=True)
class Difference:
    """How much higher a second result is than a first, 0..1.

    photos: how many both judged; miou: of the mean IoU over these; low, high: the middle 95 % of that difference when
    the photos are drawn again; better, worse: photos whose own mean IoU is higher, or lower.
    """

    photos: int
    miou: float
    low: float
    high: float
    better: int
    worse: int


def difference(
    first: PhotoMatrices,
    second: PhotoMatrices,
    subset: Sequence[int] | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> Difference:
    """The second result compared with the first; subset: the class ids of the mean, None: all.

    `draws` times as many photos as there are are drawn with replacement, the same for both results: what the photos
    have in common cancels out, so smaller differences stand out from chance than between two means.

    Raises:
        UserError: they judged other photos, or other classes.
    """
    ids = first.ids
    if set(ids) != set(second.ids) or first.num_classes != second.num_classes or not ids:
        raise UserError("The two results judged other photos or other classes: they cannot be compared photo by photo.")
    stacks = [result.stacked(ids).reshape(len(ids), -1).astype(np.float64) for result in (first, second)]
    rng, drawn = np.random.default_rng(seed), []
    for _ in range(draws):
        weights = np.bincount(rng.integers(len(ids), size=len(ids)), minlength=len(ids)).astype(np.float64)
        drawn.append(_gain([weights @ stack for stack in stacks], first.num_classes, subset))
    own = np.array([_gain([stack[k] for stack in stacks], first.num_classes, subset) for k in range(len(ids))])
    low, high = np.nanquantile(drawn, (0.025, 0.975)) if draws else (np.nan, np.nan)
    whole = _gain([stack.sum(axis=0) for stack in stacks], first.num_classes, subset)
    return Difference(len(ids), whole, float(low), float(high), int((own > 0).sum()), int((own < 0).sum()))


def _gain(cells: Sequence[np.ndarray], num_classes: int, subset: Sequence[int] | None) -> float:
    """The mean IoU of the second minus that of the first."""
    before, after = (
        ConfusionMatrix(num_classes, matrix=found.reshape(num_classes, num_classes)).miou(subset) for found in cells
    )
    return after - before
