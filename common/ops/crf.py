"""Fully connected CRF (Krähenbühl & Koltun, NIPS 2011) over one image, by pydensecrf.

The energy of a label map is the sum of unaries (-log of a score, or agreement with a given label map) and two Potts
terms: a Gaussian in position and a bilateral one in position and colour. The bilateral kernel treats the channels
alike, so RGB or BGR is the same.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pydensecrf.densecrf as densecrf

from common.ops.crf_params import CRFParams


class ImageCRF:
    """The CRF of one image: the pairwise terms are set up once and serve any number of unaries.

    Args:
        image: uint8 [h, w, 3].
        n_labels: number of labels, 1 or more.
    """

    def __init__(self, image: np.ndarray, n_labels: int, params: CRFParams) -> None:
        height, width = image.shape[:2]
        self.shape, self.iterations = (n_labels, height, width), params.iterations
        self._crf = densecrf.DenseCRF2D(width, height, n_labels)
        pixels, weight = params.gaussian
        self._crf.addPairwiseGaussian(sxy=pixels, compat=weight)
        pixels, levels, weight = params.bilateral
        rgb = np.ascontiguousarray(image, dtype=np.uint8)
        self._crf.addPairwiseBilateral(sxy=pixels, srgb=levels, rgbim=rgb, compat=weight)

    def posterior(self, unary: np.ndarray) -> np.ndarray:
        """Marginals float32 [n_labels, h, w] of an energy [n_labels, h, w]."""
        if unary.shape != self.shape:
            raise ValueError(f"unary {unary.shape} does not fit {self.shape} (labels, height, width)")
        self._crf.setUnaryEnergy(np.ascontiguousarray(unary.reshape(len(unary), -1), dtype=np.float32))
        return np.array(self._crf.inference(self.iterations), dtype=np.float32).reshape(self.shape)

    def labels(self, unary: np.ndarray) -> np.ndarray:
        """Most probable label of each pixel, uint8 [h, w]."""
        return self.posterior(unary).argmax(axis=0).astype(np.uint8)


def label_unary(labels: np.ndarray, n_labels: int, confidence: float = 0.7) -> np.ndarray:
    """Energy float32 [n, h, w] of labels 0..n-1, each trusted with probability `confidence`; 0 is a label like any
    other.

    -ln(confidence) for the given label, -ln((1 - confidence) / (n - 1)) for each other.
    """
    if n_labels == 1:
        return np.zeros((1, *labels.shape), np.float32)
    given = labels[None] == np.arange(n_labels)[:, None, None]
    other = (1 - confidence) / (n_labels - 1)
    return np.where(given, -np.log(confidence), -np.log(other)).astype(np.float32)


def score_unary(scores: np.ndarray, floor: float = 1e-5) -> np.ndarray:
    """Energy -ln(score) float32 [n, h, w] of scores clipped to [floor, 1]; they need not sum to 1."""
    return -np.log(np.clip(scores, floor, 1.0)).astype(np.float32)


def crf_labels(
    image: np.ndarray,
    labels: np.ndarray,
    params: CRFParams,
    n_labels: int | None = None,
    confidence: float = 0.7,
) -> np.ndarray:
    """Refine a label map (uint8 [h, w]) by its image (uint8 [h, w, 3]); returns uint8 [h, w].

    With `n_labels` the labels are 0..n_labels-1 and may turn into any of them; without, they are any values and may
    turn into each other.
    """
    return crf_label_maps(image, [labels], params, n_labels, confidence)[0]


def crf_label_maps(
    image: np.ndarray,
    maps: Iterable[np.ndarray],
    params: CRFParams,
    n_labels: int | None = None,
    confidence: float = 0.7,
) -> list[np.ndarray]:
    """`crf_labels` for several label maps of one image, on one lattice."""
    stack = np.stack(list(maps))
    values = np.arange(n_labels) if n_labels is not None else np.unique(stack)
    if stack.max() > values[-1]:
        raise ValueError(f"label {stack.max()} is not below n_labels = {n_labels}")
    if len(values) == 1:
        return [labels.astype(np.uint8) for labels in stack]
    crf = ImageCRF(image, len(values), params)
    unaries = (label_unary(np.searchsorted(values, labels), len(values), confidence) for labels in stack)
    return [values[crf.labels(unary)].astype(np.uint8) for unary in unaries]


def crf_posterior(image: np.ndarray, scores: np.ndarray, params: CRFParams, drop_below: float = 0.0) -> np.ndarray:
    """Refine scores or probabilities [n, h, w] in [0, 1] by the image (uint8 [h, w, 3]); returns float32 [n, h, w].

    `drop_below` leaves labels out whose score is smaller everywhere (their posterior is 0): faster with many labels,
    but not identical.
    """
    kept = scores.max(axis=(1, 2)) >= drop_below
    kept[scores.max(axis=(1, 2)).argmax()] = True
    posterior = np.zeros(scores.shape, np.float32)
    posterior[kept] = ImageCRF(image, int(kept.sum()), params).posterior(score_unary(scores[kept]))
    return posterior
