"""Mean intersection over union from one confusion matrix over all images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from common.base.errors import DataError, UserError

Over = Literal["union", "ground_truth", "all"]


class ConfusionMatrix:
    """Counts of pixels, int64 [C, C]: rows ground truth, columns prediction.

    Pixels whose ground truth is `ignore_index` do not count. Nor do pixels that the prediction leaves open
    (`ignore_index` again, in partial labels); the share of the others is the coverage.
    """

    def __init__(self, num_classes: int, ignore_index: int = 255, matrix: np.ndarray | None = None) -> None:
        self.num_classes, self.ignore_index = num_classes, ignore_index
        self.matrix = np.zeros((num_classes, num_classes), np.int64) if matrix is None else matrix
        self.open = 0

    def add(self, prediction: np.ndarray, truth: np.ndarray) -> np.ndarray:
        """Count one image, or a stack of them: integer arrays of the same shape. Returns their own matrix.

        Raises:
            DataError: the shapes differ, or a value is no class.
        """
        if prediction.shape != truth.shape:
            raise DataError(
                f"The prediction {prediction.shape} and its mask {truth.shape} differ in size: make it again."
            )
        valid = truth != self.ignore_index
        given = valid & (prediction != self.ignore_index)
        self.open += int(valid.sum() - given.sum())
        own = pair_counts(truth[given], prediction[given], self.num_classes)
        self.matrix += own
        return own

    def coverage(self) -> float:
        """Share of the counted ground truth that has a prediction, 0..1; NaN before the first pixel."""
        counted = int(self.matrix.sum())
        return counted / (counted + self.open) if counted + self.open else math.nan

    def iou(self) -> np.ndarray:
        """float64 [C]: n_cc / (row_c + column_c - n_cc); NaN for a class absent from both."""
        return _ratio(self.matrix.diagonal(), self.union())

    def union(self) -> np.ndarray:
        """int64 [C]: row_c + column_c - n_cc."""
        return self.matrix.sum(0) + self.matrix.sum(1) - self.matrix.diagonal()

    def false_positive(self) -> np.ndarray:
        """float64 [C]: share of the union that is only predicted, 1 - row_c / union_c; IoU + FP + FN = 1."""
        return 1 - _ratio(self.matrix.sum(1), self.union())

    def false_negative(self) -> np.ndarray:
        """float64 [C]: share of the union that is only in the ground truth, 1 - column_c / union_c."""
        return 1 - _ratio(self.matrix.sum(0), self.union())

    def recall(self) -> np.ndarray:
        """float64 [C]: n_cc / row_c; NaN for a class that is not in the ground truth."""
        return _ratio(self.matrix.diagonal(), self.matrix.sum(1))

    def pixel_accuracy(self) -> float:
        """Share of the counted pixels that are right; NaN before the first pixel."""
        counted = int(self.matrix.sum())
        return float(self.matrix.trace() / counted) if counted else math.nan

    def miou(self, subset: Sequence[int] | None = None, over: Over = "union") -> float:
        """Mean IoU over all classes, or the class ids of `subset`.

        over: "union" leaves out classes absent from both sides; "ground_truth" all that the ground truth lacks, even
            where they are predicted (the original DeepLab v2 script); "all" counts absent classes as 0 (SEAM).
        """
        iou = self.iou()
        if over == "ground_truth":
            iou = np.where(self.matrix.sum(1) > 0, iou, np.nan)
        elif over == "all":
            iou = np.nan_to_num(iou)
        elif over != "union":
            raise ValueError(f"no mean over '{over}': union, ground_truth or all")
        return mean(iou if subset is None else iou[list(subset)])

    def scores(self, names: Sequence[str], subset: Sequence[str] | None = None, over: Over = "union") -> dict[str, Any]:
        """Everything under its name, 0..1, ready for JSON; None where a class is absent.

        miou, iou {name: value}, false_positive, false_negative (likewise), pixel_accuracy, mean_accuracy, coverage.
        With `subset` (class names) the mean IoU is theirs and `miou_all` is that over all classes.

        Raises:
            UserError: `subset` names no class of the data set.
        """
        chosen = None if subset is None else class_ids(names, subset)
        scores = {
            "miou": plain(self.miou(chosen, over)),
            "iou": _named(names, self.iou()),
            "false_positive": _named(names, self.false_positive()),
            "false_negative": _named(names, self.false_negative()),
            "pixel_accuracy": plain(self.pixel_accuracy()),
            "mean_accuracy": plain(mean(self.recall())),
            "coverage": plain(self.coverage()),
        }
        return (
            scores if chosen is None else {**scores, "miou_all": plain(self.miou(over=over)), "classes": list(subset)}
        )


def pair_counts(rows: np.ndarray, columns: np.ndarray, num_classes: int) -> np.ndarray:
    """int64 [C, C]: how often (row, column) occurs.

    Raises:
        DataError: a value is not below `num_classes`.
    """
    for values, what in ((rows, "ground truth"), (columns, "prediction")):
        if values.size and not 0 <= values.min() <= values.max() < num_classes:
            raise DataError(f"The {what} holds the value {values.max()}, but there are {num_classes} classes.")
    cells = rows.astype(np.int64) * num_classes + columns
    return np.bincount(cells.ravel(), minlength=num_classes**2).reshape(num_classes, num_classes)


def class_ids(names: Sequence[str], subset: Sequence[str]) -> list[int]:
    """The class ids of the names in `subset`.

    Raises:
        UserError: there is no such class.
    """
    unknown = sorted(set(subset) - set(names))
    if unknown or not subset:
        raise UserError(f"No class {', '.join(unknown) or 'is chosen'}: the data set has {', '.join(names)}.")
    return [list(names).index(name) for name in subset]


def mean(values: np.ndarray) -> float:
    """Mean of the values that are not NaN; NaN if all are."""
    kept = values[~np.isnan(values)]
    return float(kept.mean()) if kept.size else math.nan


def plain(value: float) -> float | None:
    """A number for JSON: None for NaN."""
    return None if math.isnan(value) else float(value)


def _named(names: Sequence[str], values: np.ndarray) -> dict[str, float | None]:
    return {name: plain(value) for name, value in zip(names, values, strict=True)}


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
