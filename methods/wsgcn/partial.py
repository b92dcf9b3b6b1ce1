"""Partial labels: the cells that two CRF passes and the class maps agree on; the others are left open."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from common.base.constants import IGNORE
from common.ops.cam import with_background
from common.ops.crf import crf_posterior
from common.ops.crf_params import CRFParams


class PartialRule(NamedTuple):
    """The numbers of `partial_label`.

    alphas: low and high power of the background (4 and 32); confidence: least joined score of a label (0.8); share,
    floor, background: of `sure_cells`.
    """

    alphas: tuple[float, float]
    confidence: float
    share: float
    floor: float
    background: float


def partial_label(
    cam: np.ndarray, keys: np.ndarray, image: np.ndarray, crf: CRFParams | None, rule: PartialRule
) -> np.ndarray:
    """uint8 [h, w]: class ids, 0 background, 255 open (released code, GCN/utils.py).

    Two score stacks, each with the background (1 - max cam)^alpha: the low alpha makes it strong, so that classes
    survive only where they are sure; the high alpha makes it weak, so that background survives only where it is sure.
    A label stays where it is the arg-max of the joined scores (`unvoted_label`), where these reach the confidence, and
    where the cell is among the sure ones of the maps themselves (`sure_cells`).

    Args:
        cam: float32 [K, h, w] of at most 1; K may be 0, then all is background.
        keys: integer [K], class ids.
        image: uint8 [h, w, 3], the photo at the size of the maps.
        crf: applied to both stacks; None: they stay as they are.
        rule: its numbers.
    """
    label, scores = unvoted_label(cam, keys, image, crf, rule)
    voted = np.append(0, keys)[scores.argmax(axis=0)]
    return np.where(label == voted, label, IGNORE).astype(np.uint8)


def unvoted_label(
    cam: np.ndarray, keys: np.ndarray, image: np.ndarray, crf: CRFParams | None, rule: PartialRule
) -> tuple[np.ndarray, np.ndarray]:
    """The label before the vote, uint8 [h, w], and the joined scores, float32 [K + 1, h, w]: the background of the high
    alpha, the classes of the low one. Arguments: of `partial_label`.
    """
    low, high = (with_background(torch.from_numpy(cam), alpha).numpy() for alpha in rule.alphas)
    sure_low, sure_high = (stack if crf is None else crf_posterior(image, stack, crf) for stack in (low, high))
    ids = np.append(0, keys).astype(np.uint8)
    strict = sure_low.argmax(axis=0)
    label = np.where(strict == 0, IGNORE, ids[strict])
    label = np.where(sure_high.argmax(axis=0) == 0, 0, label)
    scores = np.concatenate([sure_high[:1], sure_low[1:]])
    sure = sure_cells(high, np.unique(strict), rule.share, rule.floor, rule.background)
    open_cells = (scores.max(axis=0) < np.float32(rule.confidence)) | ~sure
    return np.where(open_cells, IGNORE, label).astype(np.uint8), scores


def sure_cells(scores: np.ndarray, present: np.ndarray, share: float, floor: float, background: float) -> np.ndarray:
    """bool [h, w]: of each class the `share` (0.3) of its cells with the highest scores, and sure background.

    A class's cells are those where it is the arg-max with a score above `floor` (0.1). Of n such cells those above the
    value at place int(n (1 - share)) of the sorted values are sure; without such a cell none is (the released code ends
    with an IndexError). Background is sure where it is the arg-max with a score above `background` (0.8).

    scores: float [K + 1, h, w], the background first; present: the indices of classes that may be sure.
    """
    best = scores.argmax(axis=0)
    sure = (best == 0) & (scores[0] > background)
    for index in present[present > 0]:
        own = (best == index) & (scores[index] > floor)
        values = np.sort(scores[index][own])
        if len(values):
            sure |= own & (scores[index] > values[int(len(values) * (1 - share))])
    return sure
