"""From CAMs to labels: two score volumes, the confident labels made of them, and the labels of the random walk."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from mmseg.registry import TRANSFORMS
from torch import Tensor

from common.artifacts import CAM, Map, ScoreMap, Strided
from common.artifacts.labels import LABEL_MAP
from common.base.constants import IGNORE
from common.ops.affinity import Border, pair_offsets
from common.ops.cam import with_background
from common.ops.crf import ImageCRF, score_unary
from common.ops.crf_params import CRFParams
from common.ops.random_walk import walk
from common.ops.resize import padded_size, pool, rescale_image, resize_maps, upsample
from common.training.transforms import Results, Transform
from methods.affinitynet.affinity import feature_affinity, fitting_radius
from methods.affinitynet.model import AffinityNet, ColourFeatures
from methods.affinitynet.scores import ScoreVolume

EMPTY = 1e-5  # cells whose scores all lie below are padding


def score_volume(cam: CAM, pixels: np.ndarray, low_alpha: float, high_alpha: float, crf: CRFParams) -> ScoreVolume:
    """CRF posteriors of a CAM under a strong and a weak background (AffinityNet sec. 3.2.1).

    The scores are the CAMs and (1 - max CAM)^alpha; they do not sum to 1. Both volumes come from one lattice.

    pixels: uint8 RGB [h, w, 3].
    """
    maps = torch.from_numpy(cam.full())
    lattice = ImageCRF(pixels, 1 + len(cam.keys), crf)
    low, high = (
        lattice.posterior(score_unary(with_background(maps, alpha).numpy())) for alpha in (low_alpha, high_alpha)
    )
    return ScoreVolume(cam.keys, low, high)


def merge_scores(low: Tensor, high: Tensor) -> Tensor:
    """Confident labels uint8 [h, w]: 0 background, k the k-th class of the image, 255 unsure or padding.

    A class is sure where it wins against the strong background in `low`. Background is sure where it wins although
    it is weak, in `high`. Where both hold, background wins.

    low, high: float [K + 1, h, w], channel 0 the background.
    """
    label = low.argmax(dim=0)
    label[label == 0] = IGNORE
    label[high.argmax(dim=0) == 0] = 0
    label[torch.maximum(low.amax(dim=0), high.amax(dim=0)) < EMPTY] = IGNORE
    return label.to(torch.uint8)


@TRANSFORMS.register_module()
class MergeScores(Transform):
    """The label map an AffinityNet learns from: means of the score volumes over cells of the grid, merged.

    The maps `low` and `high` [h, w, K + 1] become the label map, uint8 [ceil(h / stride), ceil(w / stride)], in
    classes of the image (see `merge_scores`). It comes last, after the crop.
    """

    def __init__(self, stride: int = 8) -> None:
        self.stride = stride

    def __call__(self, results: Results) -> Results:
        volumes = (results["maps"].pop(name).values.transpose(2, 0, 1) for name in ("low", "high"))
        low, high = (pool(torch.from_numpy(np.ascontiguousarray(volume)), self.stride) for volume in volumes)
        results["maps"][LABEL_MAP] = Map(merge_scores(low, high).numpy(), IGNORE)
        return results


@dataclass(frozen=True)
class Walk:
    """Constants of the random walk (AffinityNet sec. 3.3).

    alpha: exponent of the background score; beta: of the affinities; logt: the walk has 2^logt steps; radius, border:
    which pairs are joined, see `common.ops.affinity.PairSet`.
    """

    alpha: float = 16.0
    beta: float = 8.0
    logt: int = 8
    radius: int = 5
    border: Border = "released"

    def fitted(self, height: int, width: int) -> Walk:
        """With the radius for a grid of height x width cells; with a complete border any radius fits."""
        if self.border == "complete":
            return self
        return replace(self, radius=fitting_radius(self.radius, height, width))

    def affinity(self, features: Tensor) -> Tensor:
        """Features [C, h, w] -> affinities [n, h, w], 0 where there is no pair."""
        return feature_affinity(features, self.radius, self.border)

    def __call__(self, scores: Tensor, affinity: Tensor) -> Tensor:
        """Walked scores, [C, h, w] as they came, along the affinities [n, h, w]."""
        return walk(scores, affinity.pow(self.beta), pair_offsets(self.radius), 2**self.logt)


@torch.no_grad()
def walked_scores(
    network: AffinityNet | ColourFeatures, pixels: np.ndarray, cam: CAM, walk: Walk, scale: float = 1.0
) -> ScoreMap:
    """Scores of background (class 0) and the CAM's classes after the walk.

    The photo is padded at the bottom and right with the mean colour to multiples of the network's stride, the scores
    with 0. Classes that the image lacks are 0 before and after the walk, so they are left out.

    pixels: uint8 RGB [h, w, 3]; scale: enlarges the photo, and with it the grid (small pictures); the cells of an
    enlarged photo fit no stride of the photo itself, so its scores come for every pixel.
    """
    photo = rescale_image(pixels, scale)
    size, device = photo.shape[:2], next(network.parameters()).device
    features = network.features(_padded(network, photo, device))[0]
    walk = walk.fitted(*features.shape[-2:])
    scores = with_background(torch.from_numpy(cam.full()).to(device), walk.alpha)
    pooled = pool(resize_maps(scores, size), network.stride)
    walked = walk(pooled, walk.affinity(features))
    keys = np.append(0, cam.keys)
    if scale == 1:
        return ScoreMap(keys, walked.cpu().numpy(), size, Strided(network.stride))
    every_pixel = resize_maps(upsample(walked, size, network.stride), pixels.shape[:2])
    return ScoreMap(keys, every_pixel.cpu().numpy(), pixels.shape[:2], Strided(1))


def _padded(network: AffinityNet | ColourFeatures, photo: np.ndarray, device: torch.device) -> Tensor:
    """uint8 [h, w, 3] -> network input [1, 3, h', w'], sides rounded up to multiples of the stride."""
    x = network.normalize(torch.from_numpy(np.ascontiguousarray(photo.transpose(2, 0, 1)))[None].to(device))
    (height, width), (rows, columns) = x.shape[-2:], padded_size(x.shape[-2:], network.stride)
    return F.pad(x, (0, columns - width, 0, rows - height))
