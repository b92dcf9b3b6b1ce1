"""AffinityNet's stages: score volumes to learn affinities from, and the random walk with them."""

# No `from __future__ import annotations` here: the pipeline reads the annotations of these functions.

from typing import TYPE_CHECKING, Annotated, Literal

from common.artifacts import CAMs, ScoreMap, ScoreMaps, Weights
from common.ops.crf_params import CRFParams
from common.pipeline import Image, PerImage, Positive, Range, Run, per_image
from methods.affinitynet.scores import ScoreVolume, ScoreVolumes

if TYPE_CHECKING:
    from methods.affinitynet.labels import Walk
    from methods.affinitynet.model import AffinityNet, ColourFeatures


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
    scale: Positive = 1.0,
) -> PerImage[ScoreMaps]:
    """Scores after the walk: CAMs and background (1 - max CAM)^alpha go 2^logt steps along affinities^beta (sec. 3.3).

    The background is class 0 of the maps: `labels` takes it with background="own". border: "released" joins cells at
    the border as the released code does, "complete" all closer than `radius`; scale: enlarges small
    pictures for the network.
    """
    from common.checkpoints.networks import load_model
    from methods.affinitynet.labels import Walk

    network = load_model(weights.file, weights.config, run.device)
    return _walked(network, cams, Walk(alpha, beta, logt, radius, border), scale)


def colour_walk(
    run: Run,
    cams: CAMs,
    contrast: Annotated[float, Range(0)],
    alpha: Positive = 16.0,
    beta: Positive = 8.0,
    logt: Annotated[int, Range(0, 16)] = 8,
    radius: Annotated[int, Range(2)] = 5,
    border: Literal["released", "complete"] = "released",
    scale: Positive = 1.0,
) -> PerImage[ScoreMaps]:
    """`random_walk` without a network: affinities are exp(-contrast mean |difference of colours|) of the cells.

    With contrast 0 all pairs are alike: the walk blurs CAMs and background, the wider the more steps.
    """
    from methods.affinitynet.labels import Walk
    from methods.affinitynet.model import ColourFeatures

    return _walked(ColourFeatures(contrast).to(run.device), cams, Walk(alpha, beta, logt, radius, border), scale)


def _walked(network: "AffinityNet | ColourFeatures", cams: CAMs, walk: "Walk", scale: float) -> PerImage[ScoreMaps]:
    from methods.affinitynet.labels import walked_scores

    def scores(image: Image) -> ScoreMap:
        return walked_scores(network, image.pixels, cams.read(image.id), walk, scale)

    return per_image(scores)
