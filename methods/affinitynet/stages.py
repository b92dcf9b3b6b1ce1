"""AffinityNet's stages: score volumes to learn affinities from, and the random walk with them."""

# No `from __future__ import annotations` here: the pipeline reads the annotations of these functions.

from typing import Annotated, Literal

import numpy as np

from common.artifacts import CAMs, Labels, Weights
from common.ops.crf_params import CRFParams
from common.pipeline import Image, PerImage, Positive, Range, Run, per_image
from methods.affinitynet.scores import ScoreVolume, ScoreVolumes


def score_volumes(
    run: Run, cams: CAMs, crf: CRFParams, low_alpha: Positive = 4.0, high_alpha: Positive = 32.0
) -> PerImage[ScoreVolumes]:
    """Scores of background (1 - max CAM)^alpha and classes after a CRF, with a strong background (the low alpha) and a
    weak one: where they agree, AffinityNet learns (sec. 3.2.1).
    """
    from methods.affinitynet.labels import score_volume

    def volume(image: Image) -> ScoreVolume:
        return score_volume(cams.read(image.id), image.pixels, low_alpha, high_alpha, crf)

    return per_image(volume)


def random_walk(
    run: Run,
    cams: CAMs,
    weights: Weights,
    alpha: Positive = 16.0,
    beta: Positive = 8.0,
    logt: Annotated[int, Range(0, 16)] = 8,
    radius: Annotated[int, Range(2)] = 5,
    border: Literal["released", "complete"] = "released",
    crf: CRFParams | None = None,
    scale: Positive = 1.0,
) -> PerImage[Labels]:
    """Semantic pseudo labels: CAMs and background (1 - max CAM)^alpha walk 2^logt steps along affinities^beta.

    border: "released" joins cells at the border as the released code does, "complete" all closer than `radius`; crf: of
    the walked scores, None: they stay as they are; scale: the photo is enlarged for the network by this, for small
    pictures.
    """
    from common.checkpoints.networks import load_model
    from common.ops.crf import crf_posterior
    from methods.affinitynet.labels import Walk, walked_scores

    network = load_model(weights.file, weights.config, run.device)
    walk = Walk(alpha, beta, logt, radius, border)

    def label(image: Image) -> np.ndarray:
        cam = cams.read(image.id)
        scores = walked_scores(network, image.pixels, cam, walk, scale).cpu().numpy()
        if crf is not None:
            scores = crf_posterior(image.pixels, scores, crf)
        return np.append(0, cam.keys)[scores.argmax(axis=0)].astype(np.uint8)

    return per_image(label)
