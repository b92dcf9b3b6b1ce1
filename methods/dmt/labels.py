"""Pseudo labels with confidence, and the class-balanced thresholds that decide how many of them count."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from common.artifacts import ConfidentLabel
from common.ops.confidence import LEVELS, confidence_codes, confidence_values

KEEP_ALL = 1e-5
"""The threshold of a class that has too few sampled pixels for its ratio: below every confidence."""


def confident_label(logits: Tensor) -> ConfidentLabel:
    """The most probable class of every pixel and its probability; logits: float [C, h, w]."""
    confidence, label = logits.softmax(0).max(0)
    return ConfidentLabel(label.to(torch.uint8).cpu().numpy(), confidence.cpu().numpy())


def sampled(value: ConfidentLabel, every: int = 16) -> tuple[np.ndarray, np.ndarray]:
    """Label and confidence of every `every`-th pixel, row by row, the first one included; [ceil(h w / every)] each."""
    return value.label.ravel()[::every], value.confidence.ravel()[::every]


def threshold_rank(count: int, ratio: float) -> int | None:
    """Place of the threshold among `count` ascending confidences, so that int(count * ratio) + 1 of them reach it.

    The least one at ratio 1; None (keep all) where that would be less than one pixel, or there is none.
    """
    if count == 0 or (ratio < 1 and count * ratio < 1):
        return None
    return 0 if ratio >= 1 else count - 1 - int(count * ratio)


def class_thresholds(samples: Sequence[np.ndarray], ratio: float) -> np.ndarray:
    """Class-balanced curriculum (CBST): the least confidence per class that keeps the surest `ratio` of its pixels.

    samples: of each class the confidences of (some of) the pixels predicted as it, float32 [n], in any order. Returns
    float32 [C], `KEEP_ALL` where there is no `threshold_rank`.
    """
    ranks = [threshold_rank(len(values), ratio) for values in samples]
    kept = [KEEP_ALL if k is None else np.partition(v, k)[k] for v, k in zip(samples, ranks, strict=True)]
    return np.array(kept, np.float32)


class ConfidenceHistogram:
    """`class_thresholds` for more pixels than memory holds: one count per class and stored level of confidence.

    Equal to it, because stored confidences are one of 65 536 levels (`common.ops.confidence`).
    """

    def __init__(self, num_classes: int) -> None:
        self.counts = np.zeros((num_classes, LEVELS + 1), np.int64)

    def add(self, label: np.ndarray, confidence: np.ndarray) -> None:
        """Count pixels: uint8 class ids and stored confidences [n]."""
        np.add.at(self.counts, (label, confidence_codes(confidence)), 1)

    def thresholds(self, ratio: float) -> np.ndarray:
        """float32 [C], see `class_thresholds`."""
        return np.array([self._threshold(row, ratio) for row in self.counts], np.float32)

    def kept(self, thresholds: np.ndarray) -> np.ndarray:
        """Share of the counted pixels that reach their class's threshold, float64 [C]; NaN for a class without any."""
        reached = confidence_values(np.arange(LEVELS + 1)) >= np.asarray(thresholds, np.float32)[:, None]
        total = self.counts.sum(1)
        return np.divide((self.counts * reached).sum(1), total, out=np.full(len(total), np.nan), where=total > 0)

    @staticmethod
    def _threshold(row: np.ndarray, ratio: float) -> float:
        rank = threshold_rank(int(row.sum()), ratio)
        if rank is None:
            return KEEP_ALL
        return float(confidence_values(np.searchsorted(row.cumsum(), rank, side="right")))
