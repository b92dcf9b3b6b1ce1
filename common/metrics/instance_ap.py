"""Average precision of instance masks, by the rules of the PASCAL VOC evaluation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from common.metrics.confusion import class_ids, mean, plain

VOID = (0, 255)  # ids of SegmentationObject that are no instance


class Found(Protocol):
    """Disjoint instances of one image, as `common.artifacts.Instances` holds them.

    score: float [n]; label: integer [h, w], index + 1 of the instance that owns the pixel, 0 for none; classes: [n].
    """

    score: np.ndarray
    label: np.ndarray
    classes: np.ndarray


class InstanceAP:
    """AP per class at one IoU, over all images.

    In an image the predictions of a class, by falling score, each take the ground truth of the highest IoU: a true
    positive if that IoU is at least `iou` and nobody took it before, otherwise a false positive. IoU counts all
    pixels. Equal scores keep the order in which they were added (the original sorts them unstably).

    num_classes: C, with the background; eleven_point: the older VOC rule instead of the area under the envelope.
    """

    def __init__(self, num_classes: int, iou: float = 0.5, eleven_point: bool = False) -> None:
        self.num_classes, self.iou, self.eleven_point = num_classes, iou, eleven_point
        self.positives = np.zeros(num_classes, np.int64)
        self._scores: list[list[float]] = [[] for _ in range(num_classes)]
        self._hits: list[list[bool]] = [[] for _ in range(num_classes)]

    def add(self, predictions: Found, instances: np.ndarray, mask: np.ndarray) -> None:
        """One image: predictions, ground truth instances [h, w] (0 and 255 are none) and their classes [h, w]."""
        ids = np.setdiff1d(np.unique(instances), VOID)
        truth = np.searchsorted(ids, instances) + 1
        truth = np.where(np.isin(instances, ids), truth, 0)
        classes = np.array([np.bincount(mask[truth == k + 1]).argmax() for k in range(len(ids))], np.int64)
        overlap = overlap_of_maps(predictions.label, truth, len(predictions.score), len(ids))
        self.add_overlaps(overlap, predictions.classes, predictions.score, classes)

    def add_overlaps(self, overlap: np.ndarray, predicted: np.ndarray, score: np.ndarray, classes: np.ndarray) -> None:
        """One image: IoU [P, G], classes [P] and scores [P] of the predictions, classes [G] of the ground truth."""
        self.positives += np.bincount(classes, minlength=self.num_classes)
        for class_id in np.unique(predicted).tolist():
            own = np.flatnonzero(predicted == class_id)
            own = own[np.argsort(-score[own], kind="stable")]
            self._scores[class_id] += score[own].tolist()
            self._hits[class_id] += self._match(overlap[np.ix_(own, np.flatnonzero(classes == class_id))])

    def _match(self, overlap: np.ndarray) -> list[bool]:
        """Which rows are true positives."""
        taken: set[int] = set()
        hits = []
        for row in overlap:
            best = int(row.argmax()) if row.size else -1
            hits.append(best >= 0 and row[best] >= self.iou and best not in taken)
            if hits[-1]:
                taken.add(best)
        return hits

    def ap(self) -> np.ndarray:
        """float64 [C], 0..1; NaN for a class without ground truth."""
        pairs = zip(self._scores, self._hits, self.positives.tolist(), strict=True)
        return np.array([average_precision(score, hit, count, self.eleven_point) for score, hit, count in pairs])

    def scores(self, names: Sequence[str], subset: Sequence[str] | None = None) -> dict[str, Any]:
        """map (over the classes that have ground truth, or those of `subset`) and ap {name: value}, ready for JSON."""
        ap = self.ap()
        chosen = ap[1:] if subset is None else ap[class_ids(names, subset)]
        named = zip(names[1:], ap[1:], strict=True)
        return {"map": plain(mean(chosen)), "ap": {name: plain(value) for name, value in named}}


def average_precision(
    scores: Sequence[float], hits: Sequence[bool], positives: int, eleven_point: bool = False
) -> float:
    """Area under the monotone envelope of precision over recall, or the mean of its value at recall 0, 0.1 .. 1.

    scores, hits: per prediction; positives: number of ground truths, of which NaN follows if it is 0.
    """
    if positives == 0:
        return math.nan
    order = np.argsort(-np.asarray(scores, np.float64), kind="stable")
    found = np.asarray(hits, np.float64)[order].cumsum()
    recall = np.concatenate([[0.0], found / positives])
    precision = np.concatenate([[0.0], found / np.arange(1, len(found) + 1)])
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    if eleven_point:
        return float(np.mean([envelope[recall >= level].max(initial=0.0) for level in np.arange(0.0, 1.1, 0.1)]))
    return float((np.diff(recall) * envelope[1:]).sum())


def overlap_of_maps(prediction: np.ndarray, truth: np.ndarray, predictions: int, truths: int) -> np.ndarray:
    """IoU float64 [P, G] of two maps [h, w] of disjoint instances (index + 1, 0 none); 0 for an empty instance."""
    cells = prediction.astype(np.int64) * (truths + 1) + truth
    shared = np.bincount(cells.ravel(), minlength=(predictions + 1) * (truths + 1)).reshape(predictions + 1, truths + 1)
    union = shared.sum(1, keepdims=True) + shared.sum(0, keepdims=True) - shared
    return (shared / np.maximum(union, 1))[1:, 1:]
