"""From log-probabilities of cells to labels of pixels."""

from __future__ import annotations

import numpy as np
import torch

from common.ops.crf import crf_posterior
from common.ops.crf_params import CRFParams
from common.ops.resize import resize_maps_aligned


def pixel_log_prob(log_prob: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Log-probabilities of cells, float32 [K, h4, w4], at the photo's size (h, w): bilinear, corners aligned."""
    return resize_maps_aligned(torch.from_numpy(log_prob), size).numpy()


def refined_scores(log_prob: np.ndarray, image: np.ndarray, crf: CRFParams) -> np.ndarray:
    """Marginals of the final CRF, float32 [K, h, w].

    The probabilities of the kept classes go through a softmax once more before the CRF: they lie in 0..1, so its unary
    is nearly flat and the photo decides much (released code).

    log_prob: of `pixel_log_prob`, the background and the photo's classes, [K, h, w]; image: uint8 [h, w, 3].
    """
    flat = torch.from_numpy(log_prob).exp().softmax(dim=0).numpy()
    return crf_posterior(image, flat, crf)
