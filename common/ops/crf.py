"""Fully connected CRF (Krähenbühl & Koltun, NIPS 2011) over one image, by pydensecrf.

The energy of a label map is the sum of unaries (-log of a score, or agreement with a given label map) and two Potts
terms: a Gaussian in position and a bilateral one in position and colour. The bilateral kernel treats the channels
alike, so RGB or BGR is the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pydensecrf.densecrf as densecrf


@dataclass(frozen=True)
class CRFParams:
    """Mean-field iterations, and width and weight of the pairwise terms.

    gaussian_sxy, bilateral_sxy: standard deviation in pixels; bilateral_srgb: in grey levels 0..255; *_compat: weight.
    """

    iterations: int = 10
    gaussian_sxy: float = 3.0
    gaussian_compat: float = 3.0
    bilateral_sxy: float = 80.0
    bilateral_srgb: float = 13.0
    bilateral_compat: float = 10.0

    def shrunk(self, factor: float) -> CRFParams:
        """The same terms on an image that is `factor` times smaller."""
        return replace(self, gaussian_sxy=self.gaussian_sxy / factor, bilateral_sxy=self.bilateral_sxy / factor)


PRESETS: dict[str, CRFParams] = {
    "psa": CRFParams(10, 3, 3, 80, 13, 10),  # AffinityNet, SEAM and WSGCN on CAM scores; Puzzle-CAM at test
    "irn": CRFParams(10, 3, 3, 50, 5, 10),  # IRNet and Puzzle-CAM on label maps
    "deeplab": CRFParams(10, 1, 3, 67, 3, 4),  # DeepLab v2 at test
    "largefov": CRFParams(10, 3, 3, 140, 5, 5),  # DeepLab-LargeFOV at test (PyTorch port)
    "largefov_caffe": CRFParams(10, 3, 3, 49, 5, 4),  # DeepLab-LargeFOV at test (the authors' scripts)
    "seam_retrain": CRFParams(1, 3, 3, 32, 13, 10),  # SEAM's DeepLab v1 at test
}


def crf_params(params: CRFParams | str) -> CRFParams:
    """Parameters by the name of a preset, or as they are.

    Raises:
        ValueError: there is no such preset.
    """
    if isinstance(params, CRFParams):
        return params
    if params not in PRESETS:
        raise ValueError(f"no CRF preset '{params}': there are {', '.join(PRESETS)}")
    return PRESETS[params]


class ImageCRF:
    """The CRF of one image: the pairwise terms are set up once and serve any number of unaries.

    Args:
        image: uint8 [h, w, 3].
        n_labels: number of labels, 1 or more.
    """

    def __init__(self, image: np.ndarray, n_labels: int, params: CRFParams | str) -> None:
        params = crf_params(params)
        height, width = image.shape[:2]
        self.shape, self.iterations = (n_labels, height, width), params.iterations
        self._crf = densecrf.DenseCRF2D(width, height, n_labels)
        self._crf.addPairwiseGaussian(sxy=params.gaussian_sxy, compat=params.gaussian_compat)
        self._crf.addPairwiseBilateral(
            sxy=params.bilateral_sxy,
            srgb=params.bilateral_srgb,
            rgbim=np.ascontiguousarray(image, dtype=np.uint8),
            compat=params.bilateral_compat,
        )

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
    n_labels: int | None = None,
    params: CRFParams | str = "irn",
    confidence: float = 0.7,
) -> np.ndarray:
    """Refine a label map (uint8 [h, w]) by its image (uint8 [h, w, 3]); returns uint8 [h, w].

    With `n_labels` the labels are 0..n_labels-1 and may turn into any of them; without, they are any values and may
    turn into each other.
    """
    return crf_label_maps(image, [labels], n_labels, params, confidence)[0]


def crf_label_maps(
    image: np.ndarray,
    maps: Iterable[np.ndarray],
    n_labels: int | None = None,
    params: CRFParams | str = "irn",
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


def crf_posterior(
    image: np.ndarray, scores: np.ndarray, params: CRFParams | str = "deeplab", drop_below: float = 0.0
) -> np.ndarray:
    """Refine scores or probabilities [n, h, w] in [0, 1] by the image (uint8 [h, w, 3]); returns float32 [n, h, w].

    `drop_below` leaves labels out whose score is smaller everywhere (their posterior is 0): faster with many labels,
    but not identical.
    """
    kept = scores.max(axis=(1, 2)) >= drop_below
    kept[scores.max(axis=(1, 2)).argmax()] = True
    posterior = np.zeros(scores.shape, np.float32)
    posterior[kept] = ImageCRF(image, int(kept.sum()), params).posterior(score_unary(scores[kept]))
    return posterior
