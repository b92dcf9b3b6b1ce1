"""mIoU of class maps at every constant background score, from one pass over the images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from common.metrics.confusion import ConfusionMatrix, Over, class_ids, plain


class BestThreshold:
    """Confusion matrices of the arg-max over (constant background score t, class maps) for all t at once.

    A pixel with foreground maximum m is foreground exactly at the thresholds below m (the background wins ties, and
    the first class among equal ones). So one histogram over (ground truth, class, number of thresholds below m)
    holds them all; sums over its tail give the matrices.

    thresholds: compared as float32; None: 0, 0.01 .. 1.
    """

    def __init__(
        self, num_classes: int, thresholds: Sequence[float] | np.ndarray | None = None, ignore_index: int = 255
    ) -> None:
        grid = np.arange(101) / 100 if thresholds is None else np.asarray(thresholds, np.float64)
        self.thresholds = np.unique(grid)
        self.num_classes, self.ignore_index = num_classes, ignore_index
        self.histogram = np.zeros((num_classes, num_classes, len(self.thresholds) + 1), np.int64)

    def add(
        self, maps: np.ndarray, keys: Sequence[int] | np.ndarray, truth: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Count one image. Returns its part of the histogram, for `part_at`: the cells that are not 0, their counts.

        maps: float [K, h, w]; keys: their K class ids (1..C-1); truth: integer [h, w].
        """
        valid = truth != self.ignore_index
        rows = truth[valid].astype(np.int64)
        classes, below = np.zeros_like(rows), np.zeros_like(rows)
        if len(keys):
            scores = maps[:, valid].astype(np.float32)
            classes = np.asarray(keys, np.int64)[scores.argmax(axis=0)]
            below = np.searchsorted(self.thresholds.astype(np.float32), scores.max(axis=0), side="left")
        cells = np.ravel_multi_index((rows, classes, below), self.histogram.shape)
        own = np.bincount(cells, minlength=self.histogram.size)
        self.histogram += own.reshape(self.histogram.shape)
        filled = np.flatnonzero(own)
        return filled.astype(np.int32), own[filled].astype(np.int32)

    def part_at(self, part: tuple[np.ndarray, np.ndarray], threshold: float) -> np.ndarray:
        """int64 [C, C]: the confusion matrix of one image at one of the thresholds; part: what `add` returned.

        Raises:
            ValueError: it is none of the thresholds.
        """
        cells, counts = part
        rows, classes, below = np.unravel_index(cells, self.histogram.shape)
        columns = np.where(below > self._index(threshold), classes, 0)
        matrix = np.zeros((self.num_classes, self.num_classes), np.int64)
        np.add.at(matrix, (rows, columns), counts)
        return matrix

    def matrices(self) -> np.ndarray:
        """int64 [T, C, C]: the confusion matrix at every threshold."""
        tail = self.histogram[..., ::-1].cumsum(axis=2)[..., ::-1]
        foreground = np.moveaxis(tail[..., 1:], 2, 0).copy()
        foreground[:, :, 0] = 0
        foreground[:, :, 0] = self.histogram.sum(axis=(1, 2)) - foreground.sum(axis=2)
        return foreground

    def miou(self, subset: Sequence[int] | None = None, over: Over = "union") -> np.ndarray:
        """float64 [T]: `ConfusionMatrix.miou` at every threshold."""
        return np.array([self._confusion(matrix).miou(subset, over) for matrix in self.matrices()])

    def best(self, subset: Sequence[int] | None = None) -> tuple[float, ConfusionMatrix]:
        """The threshold of the highest mIoU (the lowest among equal ones), and its matrix."""
        miou = self.miou(subset)
        index = 0 if np.isnan(miou).all() else int(np.nanargmax(miou))
        return float(self.thresholds[index]), self._confusion(self.matrices()[index])

    def at(self, threshold: float) -> ConfusionMatrix:
        """The matrix at one of the thresholds.

        Raises:
            ValueError: it is none of them.
        """
        return self._confusion(self.matrices()[self._index(threshold)])

    def _index(self, threshold: float) -> int:
        index = int(np.abs(self.thresholds - threshold).argmin())
        if not np.isclose(self.thresholds[index], threshold, rtol=0, atol=1e-9):
            raise ValueError(f"{threshold} is none of the counted thresholds")
        return index

    def curve(self, names: Sequence[str], subset: Sequence[str] | None = None) -> dict[str, Any]:
        """{"thresholds": [T], "miou": [T]} over all classes or the named ones, ready for JSON."""
        miou = self.miou(None if subset is None else class_ids(names, subset))
        return {"thresholds": self.thresholds.tolist(), "miou": [plain(value) for value in miou]}

    def _confusion(self, matrix: np.ndarray) -> ConfusionMatrix:
        return ConfusionMatrix(self.num_classes, self.ignore_index, matrix)
