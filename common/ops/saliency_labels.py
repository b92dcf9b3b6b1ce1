"""Label maps from the scores of an image's classes and its saliency: the rule of DRS, Group-WSSS and ICD."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from common.base.constants import IGNORE
from common.base.errors import UserError
from common.base.numbers import read_numbers

UNDECIDED = 1e-5
"""Classes whose ranking differs by no more than this cannot be told apart (ICD's released code)."""


@dataclass(frozen=True)
class SaliencyRule:
    """The numbers of `saliency_labels`. Papers differ in them alone; their settings stand in the recipes.

    salient: level of 1..255 from which on a pixel is salient.
    soft: the background's score is 1 - level / 255; otherwise 1 where a pixel is not salient and 0 where it is.
    floor: lower scores of classes count as 0.
    conflict: a pixel is left open where `conflicts` or more scores exceed this, the background's among them; None:
        scores never conflict.
    leave_open: a salient pixel that the background wins is left open.
    strong: a pixel where a class exceeds this counts as salient, too, when it is left open; None: there is none.
    min_salient: least share of salient pixels in an image. Where there are fewer, only pixels where all classes have a
        score below 0 count as not salient.
    min_foreground: least share of pixels labelled with a class; an image with fewer is left open as a whole.

    Raises:
        UserError: a number is out of range.
    """

    salient: int
    soft: bool = False
    floor: float = 0.0
    conflict: float | None = None
    conflicts: int = 2
    leave_open: bool = True
    strong: float | None = None
    min_salient: float = 0.0
    min_foreground: float = 0.0

    def __post_init__(self) -> None:
        if not _whole(self.salient) or not 1 <= self.salient <= 255:
            raise UserError(f"salient={self.salient!r} must be a level, a whole number of 1..255.")
        if not _whole(self.conflicts) or self.conflicts < 2:
            raise UserError(f"conflicts={self.conflicts!r} must be a whole number, 2 or more.")
        for key in ("floor", "conflict", "strong", "min_salient", "min_foreground"):
            value = getattr(self, key)
            if value is None and key in ("conflict", "strong"):
                continue
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
                raise UserError(f"{key}={value!r} must be a number of 0..1.")
        for key in ("soft", "leave_open"):
            if not isinstance(getattr(self, key), bool):
                raise UserError(f"{key}={getattr(self, key)!r} must be True or False.")

    @classmethod
    def from_recipe(cls, value: Any) -> SaliencyRule:
        """Read dict(salient=51, floor=0.2, ...).

        Raises:
            UserError: it is no such dict; the sentence names the key and the nearest known one.
        """
        needs = "the level from which on a pixel is salient"
        return cls(**read_numbers(cls, value, "dict(salient=51, floor=0.2)", needs))


def saliency_labels(
    maps: np.ndarray,
    keys: np.ndarray,
    saliency: np.ndarray,
    rule: SaliencyRule,
    ranking: np.ndarray | None = None,
) -> np.ndarray:
    """uint8 [h, w]: class ids, 0 background, 255 left open.

    The label is the arg-max of the background's score and those of the classes; of equal ones the background wins, then
    the first class. Then pixels are left open, as `rule` says: DRS sec. 3.4, Group-WSSS's and ICD's released code.

    Args:
        maps: float [K, h, w], scores of at most about 1; below 0 they speak against the class.
        keys: integer [K], class ids, ascending; K may be 0.
        saliency: uint8 [h, w], 0..255.
        rule: its numbers.
        ranking: float [K, h, w]; where several classes have a score above 0, the one of the highest rank keeps its own
            and the others count as 0 (ICD: the CAM decides). A pixel that a class holds is left open where its ranks
            are equal. None: all classes keep their scores.

    Raises:
        ValueError: maps, keys, saliency and ranking do not fit each other.
    """
    if maps.shape != (len(keys), *saliency.shape) or (ranking is not None and ranking.shape != maps.shape):
        raise ValueError(f"maps {maps.shape}, {len(keys)} keys and saliency {saliency.shape} do not fit each other")
    quiet = saliency < rule.salient
    if (~quiet).mean() < rule.min_salient:
        quiet = quiet & (maps < 0).all(axis=0)
    undecided = np.zeros(saliency.shape, bool)
    if ranking is not None and len(keys) > 1:
        undecided = (maps > 0).any(axis=0) & (np.ptp(ranking, axis=0) <= UNDECIDED)
        maps = _winners(maps, ranking)
    # In float32, as the released codes: it decides between a class and a background of equal score.
    background = 1 - saliency.astype(np.float32) / 255 if rule.soft else quiet.astype(np.float32)
    scores = np.concatenate([background[None], np.where(maps < rule.floor, 0, maps)])
    label = np.append(0, keys)[scores.argmax(axis=0)].astype(np.uint8)
    beaten = label == 0
    if rule.conflict is not None:
        label[(scores > rule.conflict).sum(axis=0) >= rule.conflicts] = IGNORE
    if rule.leave_open:
        strong = (scores[1:] > (math.inf if rule.strong is None else rule.strong)).any(axis=0)
        label[beaten & (~quiet | strong)] = IGNORE
    label[undecided] = IGNORE
    if ((label > 0) & (label != IGNORE)).mean() < rule.min_foreground:
        label[:] = IGNORE
    return label


def _winners(maps: np.ndarray, ranking: np.ndarray) -> np.ndarray:
    """Maps whose scores above 0 are 0 except for the one of the highest rank."""
    best = np.where(maps > 0, ranking, -np.inf).argmax(axis=0)
    return np.where(np.arange(len(maps))[:, None, None] == best, maps, np.minimum(maps, 0))


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
