"""Average precision of image-level tags."""

from __future__ import annotations

import numpy as np


def multilabel_average_precision(scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """AP of every class, float64 [C]: sum_n (R_n - R_n-1) P_n over the distinct scores, without an envelope.

    scores: float [N, C], higher means more likely; targets: [N, C], 0 or 1. NaN for a class without a positive.
    """
    return np.array([_average_precision(*column) for column in zip(scores.T, targets.T, strict=True)])


def exact_match_accuracy(scores: np.ndarray, targets: np.ndarray, threshold: float = 0.5) -> float:
    """Share of the images whose tags are all right, 0..1: scores of `threshold` and above count as a tag.

    scores: float [N, C], probabilities; targets: [N, C], 0 or 1. NaN without images.
    """
    right = ((scores >= threshold) == (targets > 0)).all(axis=1)
    return float(right.mean()) if len(right) else float("nan")


def _average_precision(scores: np.ndarray, targets: np.ndarray) -> float:
    if not targets.any():
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    scores, found = scores[order], targets[order].astype(np.float64).cumsum()
    last = np.append(scores[1:] != scores[:-1], True)  # equal scores are one step
    precision = (found / np.arange(1, len(found) + 1))[last]
    recall = found[last] / found[-1]
    return float((np.diff(recall, prepend=0.0) * precision).sum())
