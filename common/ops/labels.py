"""From class maps to label maps: confident labels, and the labels of walked maps."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from common.base.constants import IGNORE
from common.ops.cam import argmax_with_background, normalise
from common.ops.crf import crf_label_maps
from common.ops.crf_params import CRFParams
from common.ops.resize import upsample


def confident_labels(
    cam: np.ndarray,
    keys: np.ndarray,
    pixels: np.ndarray,
    crf: CRFParams,
    fg: float = 0.30,
    bg: float = 0.05,
) -> np.ndarray:
    """Labels to learn inter-pixel relations from: uint8 [h, w], class ids, 0 sure background, 255 unsure.

    The arg-max over the CAM and a constant background score is taken with a high score (`fg`) and a low one (`bg`),
    each refined by a dense CRF over the image's classes. A class is sure where the high score leaves one, background
    where even the low score leaves none.

    cam: float32 [K, h, w]; keys: class ids [K]; pixels: uint8 RGB [h, w, 3].
    """
    maps = [argmax_with_background(torch.from_numpy(cam), score).numpy() for score in (fg, bg)]
    sure, likely = crf_label_maps(pixels, maps, crf, n_labels=1 + len(keys))
    label = np.append(0, keys)[sure]
    label[(sure == 0) & (likely != 0)] = IGNORE
    return label.astype(np.uint8)


def planes_with_background(scores: np.ndarray, keys: np.ndarray, background: float) -> tuple[np.ndarray, np.ndarray]:
    """Scores float32 [K + 1, h, w] whose plane 0 is a constant background, and their class ids [K + 1].

    scores: float32 [K, h, w] of the classes `keys`, 0 and above; they are divided by their maximum over all planes and
    pixels, so that the best of every image is 1.
    """
    plane = np.full((1, *scores.shape[1:]), background, np.float32)
    return np.concatenate([plane, normalise(torch.from_numpy(scores), "image_max").numpy()]), np.append(0, keys)


def walked_scores(walked: Tensor, size: tuple[int, int], bg: float) -> tuple[np.ndarray, np.ndarray]:
    """Walked planes [P, h4, w4] -> scores float32 [P, h, w] and arg-max index int64 [h, w], 0 = background.

    Scores are divided by their maximum over all planes and pixels, so the best of every image is 1. Planes that are 0
    everywhere stay 0 and give background.
    """
    scores = normalise(upsample(walked, size), "image_max")
    return scores.cpu().numpy(), argmax_with_background(scores, bg).cpu().numpy()
