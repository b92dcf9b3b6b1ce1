"""Pseudo labels with the confidence of the network that made them, and which of them to trust."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from common.base.constants import IGNORE

LEVELS = 65535
"""Confidences are stored as whole multiples of 1 / LEVELS: the error is at most 7.7e-6, and the order is kept."""


def confidence_codes(confidence: np.ndarray) -> np.ndarray:
    """Confidences in [0, 1] of any shape -> the nearest uint16 level."""
    return np.rint(np.asarray(confidence, np.float64) * LEVELS).astype(np.uint16)


def confidence_values(codes: np.ndarray) -> np.ndarray:
    """What `confidence_codes` stored, float32 in [0, 1]."""
    return np.asarray(codes, np.float32) / np.float32(LEVELS)


def keep_confident(label: np.ndarray, confidence: np.ndarray, thresholds: Sequence[float] | np.ndarray) -> np.ndarray:
    """The label where the confidence reaches the threshold of its class, 255 elsewhere; uint8 [h, w].

    label: uint8 [h, w], class ids below C, or 255; confidence: float32 [h, w]; thresholds: C numbers. They are compared
    as float32, so that a threshold that is one of the confidences keeps it.
    """
    least = np.full(IGNORE + 1, np.inf, np.float32)
    least[: len(thresholds)] = thresholds
    return np.where(confidence >= least[label], label, np.uint8(IGNORE))
