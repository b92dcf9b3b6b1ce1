"""Label maps from the signs of the top-down maps; the CAM decides between classes (sec. 3.4, released code)."""

from __future__ import annotations

import numpy as np

from common.base.constants import IGNORE
from common.ops.crf import crf_posterior
from common.ops.crf_params import CRFParams
from common.ops.saliency_labels import SaliencyRule, saliency_labels

EPS = 1e-5
UNSURE = 0.1
"""The probability below which the released code leaves a pixel open; with 21 labels it does not happen."""
NO_SALIENCY = SaliencyRule(salient=1, conflict=0.0, min_salient=1.0)
"""On a map of zeros: background is where all classes speak against it."""


def seed_labels(
    responses: np.ndarray,
    cam: np.ndarray,
    keys: np.ndarray,
    saliency: np.ndarray | None = None,
    rule: SaliencyRule = NO_SALIENCY,
) -> np.ndarray:
    """uint8 [h, w]: class ids, 0 background, 255 undefined.

    A class holds where its response is positive; of several the CAM, times the relative response, decides. Without
    saliency background is where all responses are negative. With it, `rule` says: background is what is not salient,
    and a pixel is undefined where that and a class hold, or neither.

    Args:
        responses: top-down maps of the photo's pixels, float [K, h, w].
        cam: raw CAM, float [K, h, w].
        keys: integer [K], class ids, ascending; K may be 0.
        saliency: uint8 [h, w]; None: there is none.
        rule: its numbers, see `common.ops.saliency_labels`.
    """
    maps = relative_responses(responses)
    if saliency is None:
        saliency, rule = np.zeros(responses.shape[1:], np.uint8), NO_SALIENCY
    return saliency_labels(maps, keys, saliency, rule, ranks(cam, maps))


def relative_responses(responses: np.ndarray) -> np.ndarray:
    """Positive responses over the class's maximum, negative ones over its minimum: float32 [K, h, w] in [-1, 1].

    Values of at most 1e-5 count as 0, as in the released code.
    """
    if not responses.size:
        return np.zeros(responses.shape, np.float32)
    maps = responses.astype(np.float32)
    top, low = (np.maximum(side.max(axis=(1, 2), keepdims=True), EPS) for side in (maps, -maps))
    relative = np.where(maps > 0, maps / top, maps / low)
    return np.where(np.abs(relative) > EPS, relative, 0)


def ranks(cam: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Who wins where several classes hold: float32 [K, h, w].

    The positive CAM, scaled to [0, 1] over all classes and pixels jointly, times the positive relative response.
    """
    if not cam.size:
        return np.zeros(cam.shape, np.float32)
    active = np.maximum(cam, 0).astype(np.float32)
    low = active.min()
    return (active - low) / max(active.max() - low, EPS) * np.maximum(maps, 0)


def seed_probabilities(labels: np.ndarray, classes: int, confidence: float) -> np.ndarray:
    """What the CRF is given, float32 [classes, h, w]: the label has `confidence`, each other one (1 - confidence) /
    classes, over their sum; where the label is undefined all are equal.

    labels: uint8 [h, w]; classes: C with the background.
    """
    others = (1 - confidence) / classes
    total = confidence + (classes - 1) * others
    given = labels[None] == np.arange(classes)[:, None, None]
    found = np.where(given, confidence / total, others / total)
    return np.where(labels == IGNORE, 1 / classes, found).astype(np.float32)


def refined_seeds(
    image: np.ndarray, labels: np.ndarray, classes: int, crf: CRFParams, confidence: float = 0.5
) -> np.ndarray:
    """Seeds after a dense CRF over all classes: uint8 [h, w].

    Classes that the seed does not show take part: each has a share of the probability, so leaving them out would change
    the others'. image: uint8 RGB [h, w, 3]; labels, classes, confidence: as of `seed_probabilities`.
    """
    posterior = crf_posterior(image, seed_probabilities(labels, classes, confidence), crf)
    found = posterior.argmax(axis=0).astype(np.uint8)
    return np.where(posterior.max(axis=0) < UNSURE, np.uint8(IGNORE), found)
