"""From class maps to label maps: confident labels, and the labels of walked maps."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from common.base.constants import IGNORE
from common.ops.cam import argmax_with_background, normalise
from common.ops.crf import crf_label_maps
from common.ops.crf_params import CRFParams
from common.ops.random_walk import BoundaryWalk
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


def semantic_labels(
    maps: np.ndarray, keys: np.ndarray, size: tuple[int, int], edge: Tensor, walk: BoundaryWalk, bg: float = 0.25
) -> np.ndarray:
    """Class ids uint8 [h, w]: a CAM walks, then arg-max over its classes and the background score `bg`.

    maps: float32 [K, h4, w4] of the class ids `keys` [K]; size: (h, w); edge: class boundary probability [h4, w4].
    """
    _, index = walked_scores(walk(maps, edge), size, bg)
    return np.append(0, keys)[index].astype(np.uint8)


def walked_scores(walked: Tensor, size: tuple[int, int], bg: float) -> tuple[np.ndarray, np.ndarray]:
    """Walked planes [P, h4, w4] -> scores float32 [P, h, w] and arg-max index int64 [h, w], 0 = background.

    Scores are divided by their maximum over all planes and pixels, so the best of every image is 1. Planes that are 0
    everywhere stay 0 and give background.
    """
    scores = normalise(upsample(walked, size), "image_max")
    return scores.cpu().numpy(), argmax_with_background(scores, bg).cpu().numpy()
