"""Group-WSSS: golden files of the authors' code that the shared pieces answer for."""

from __future__ import annotations

import numpy as np

from common.ops.saliency_labels import SaliencyRule, saliency_labels
from tests.parity.compare import equal

Golden = dict[str, np.ndarray]
RULE = SaliencyRule(salient=32, soft=True, conflict=0.9, strong=0.8, min_foreground=0.01)


def label(golden: Golden) -> None:
    """Labels of maps in bytes, each divided by its own range."""
    levels = golden["attention"].astype(np.float32)
    lowest, highest = levels.min(axis=(1, 2), keepdims=True), levels.max(axis=(1, 2), keepdims=True)
    maps = (levels - lowest) / (highest - lowest + 1e-8)
    equal(saliency_labels(maps, golden["class_id"] + 1, golden["saliency"], RULE), golden["label"], "labels")


CASES = {"label": label}
