"""The threshold curve from one histogram, against one pass per threshold."""

from __future__ import annotations

import numpy as np

from benchmarks.result import Result, seconds
from common.metrics import BestThreshold, ConfusionMatrix


def threshold_curve(full: bool) -> Result:
    """60 thresholds over a few images of VOC size."""
    rng = np.random.default_rng(0)
    thresholds = np.arange(60) / 100
    size, images = (375, 500), 6 if full else 2
    truths = [rng.choice([0, 1, 2, 255], size).astype(np.uint8) for _ in range(images)]
    cams = [rng.random((2, *size), np.float32).round(2) for _ in range(images)]

    def passes() -> list[np.ndarray]:
        """The original: for each threshold an arg-max with a constant background plane, then a confusion matrix."""
        matrices = []
        for threshold in thresholds:
            matrix = ConfusionMatrix(21)
            for maps, truth in zip(cams, truths, strict=True):
                planes = np.concatenate([np.full((1, *size), threshold, np.float32), maps])
                matrix.add(planes.argmax(0), truth)
            matrices.append(matrix.matrix)
        return matrices

    def histogram() -> np.ndarray:
        curve = BestThreshold(21, thresholds)
        for maps, truth in zip(cams, truths, strict=True):
            curve.add(maps, [1, 2], truth)
        return curve.matrices()

    ours, fast = seconds(histogram)
    original, slow = seconds(passes, repeats=1)
    different = int((np.stack(slow) != fast).sum())
    return Result(original, ours, f"{different} counts differ", f"60 thresholds, {images} images 375 x 500")


BENCHMARKS = {"threshold_curve": threshold_curve}
