"""Which losses are small: from a recipe's numbers to the largest loss of a clean pixel of each class."""

from __future__ import annotations

import math

import numpy as np

from common.base.constants import IGNORE
from common.metrics.confusion import mean, plain
from methods.pixel_noise_gat.judged import JudgedLabel
from methods.pixel_noise_gat.rules import SmallLoss

LEVELS = 0x7C00
"""Losses are stored in float16: so many values from 0 on, in the order of their bits as whole numbers."""
SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
TAUS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0)


def clean_label(judged: JudgedLabel, largest: np.ndarray | list[float]) -> np.ndarray:
    """The label where its loss is at most `largest` of its class, 255 elsewhere: uint8 [h, w].

    largest: of `largest_losses`, C numbers.
    """
    of_class = np.full(IGNORE + 1, -1, np.float32)
    of_class[: len(largest)] = largest
    return np.where(judged.loss <= of_class[judged.label], judged.label, np.uint8(IGNORE))


def class_levels(label: np.ndarray, loss: np.ndarray, classes: int) -> np.ndarray:
    """How many pixels of each class have each loss: int64 [C, LEVELS].

    label: uint8 [h, w], class ids, others do not count; loss: float32 [h, w], as stored.
    """
    known = label < classes
    flat = label[known].astype(np.int64) * LEVELS + loss[known].astype(np.float16).view(np.uint16)
    return np.bincount(flat, minlength=classes * LEVELS).reshape(classes, LEVELS)


def level_values() -> np.ndarray:
    """The losses of the levels, float32 [LEVELS], ascending."""
    return np.arange(LEVELS, dtype=np.uint16).view(np.float16).astype(np.float32)


def largest_losses(rule: SmallLoss, levels: np.ndarray) -> np.ndarray:
    """The largest loss of a clean pixel of each class, float32 [C].

    A loss below tau, or with quantile q those up to the rank of this share in their class, and all that are equal. -1
    for a class without a pixel.

    levels: of all weak images, the sum of `class_levels`.
    """
    wanted = rule.of_classes(len(levels))
    if rule.tau is not None:
        return np.nextafter(np.asarray(wanted, np.float32), np.float32(0))
    values = level_values()
    return np.array([_at_share(row, share, values) for row, share in zip(levels, wanted, strict=True)], np.float32)


def kept(levels: np.ndarray, largest: np.ndarray) -> np.ndarray:
    """Clean pixels of each class, int64 [C]; levels: of `class_levels`; largest: of `largest_losses`."""
    return (levels * (level_values() <= np.asarray(largest, np.float32)[:, None])).sum(axis=1)


def precision_and_coverage(right: np.ndarray, total: np.ndarray, largest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each class, how many clean pixels are right, and how many pixels are clean; float64 [C], NaN of none.

    right, total: levels of the right pixels and of all, as of `class_levels`; largest: of `largest_losses`.
    """
    clean, every = kept(total, largest), total.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return kept(right, largest) / clean, clean / every


def sweep(right: np.ndarray, total: np.ndarray, classes: list[int]) -> dict[str, dict[str, list]]:
    """`precision_and_coverage`, means over `classes`, for other rules: what they run over -> name -> points (x, y)."""
    rules = {
        "share kept of each class": [(share, SmallLoss(quantile=share)) for share in SHARES],
        "tau": [(tau, SmallLoss(tau=tau)) for tau in TAUS],
    }
    curves: dict[str, dict[str, list]] = {}
    for over, points in rules.items():
        lines = curves.setdefault(over, {"precision": [], "coverage": []})
        for x, rule in points:
            found = precision_and_coverage(right, total, largest_losses(rule, total))
            for line, values in zip(lines.values(), found, strict=True):
                line.append([x, plain(mean(values[classes]))])
    return curves


def _at_share(row: np.ndarray, share: float, values: np.ndarray) -> float:
    total = int(row.sum())
    return float(values[np.searchsorted(row.cumsum(), max(math.ceil(share * total), 1))]) if total else -1.0
