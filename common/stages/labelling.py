"""From scores to label maps."""

from typing import Annotated, Literal

import numpy as np

from common.artifacts import CAMs, GreyMaps, Labels, ScoreMap, ScoreMaps, Strided, Weights
from common.base.errors import UserError
from common.ops.crf_params import CRFParams
from common.ops.saliency_labels import SaliencyRule
from common.pipeline import Count, Image, PerImage, Positive, Range, Run, Unit, per_image


def boundary_walk(
    run: Run,
    cams: CAMs,
    weights: Weights,
    beta: Positive = 10.0,
    exp_times: Annotated[int, Range(0, 16)] = 8,
    radius: Annotated[int, Range(2)] = 5,
    canvas: Count = 512,
) -> PerImage[ScoreMaps]:
    """Scores after a random walk of 2^exp_times steps, which spreads the CAM up to the class boundaries (IRNet sec.
    4.2); weights: of a `BoundaryNet`.
    """
    import torch

    from common.checkpoints.networks import load_model
    from common.ops.random_walk import BoundaryWalk

    network = load_model(weights.file, weights.config, run.device)
    walk = BoundaryWalk(radius, beta, exp_times)

    def scores(image: Image) -> ScoreMap:
        pixels = torch.from_numpy(np.ascontiguousarray(image.pixels.transpose(2, 0, 1))).to(run.device)
        cam = cams.read(image.id)
        walked = walk(cam.maps, network.boundary(pixels, canvas))
        return ScoreMap(cam.keys, walked.cpu().numpy(), cam.size, Strided(cam.stride))

    return per_image(scores)


def crf(
    run: Run,
    labels: Labels,
    crf: CRFParams,
    confidence: Unit = 0.7,
    choices: Literal["tagged"] | None = None,
) -> PerImage[Labels]:
    """Label maps refined by a dense CRF; a pixel's label is trusted with probability `confidence`.

    choices: the labels that share what is left of the probability. None: those that the map shows; "tagged": also the
    background and all tagged classes of the image (the code of Puzzle-CAM). A label that the map does not show wins
    nowhere, but the more there are, the less likely is each.
    """
    from common.ops.crf import crf_labels

    def refined(image: Image) -> np.ndarray:
        given = labels.read(image.id)
        values = np.unique(given)
        if choices == "tagged":
            values = np.union1d(values, (0, *image.tags)).astype(given.dtype)
        found = crf_labels(image.pixels, np.searchsorted(values, given), crf, len(values), confidence)
        return values[found]

    return per_image(refined)


def cam_labels(run: Run, cams: CAMs, background: Unit, split: str | None = None) -> PerImage[Labels]:
    """Label maps of CAMs as they are: the arg-max over the image's classes and a constant background, no 255.

    background: the score of the background, compared as `eval_cam` does; split: the images, by default all that have a
    CAM. Such labels are noisy: walks and other methods make better ones.
    """
    import torch

    from common.ops.cam import argmax_with_background

    def label(image: Image) -> np.ndarray:
        cam = cams.read(image.id)
        best = argmax_with_background(torch.from_numpy(cam.full()), background).numpy()
        return np.append(0, cam.keys)[best].astype(np.uint8)

    return per_image(label, split=split)


def cam_to_ir_label(run: Run, cams: CAMs, crf: CRFParams, fg: Unit = 0.30, bg: Unit = 0.05) -> PerImage[Labels]:
    """Confident labels to learn boundaries from (IRNet sec. 3.1): classes where the CAM exceeds `fg`, background where
    it stays below `bg`, each after a CRF; the rest is open (255).
    """
    from common.ops.labels import confident_labels

    if bg > fg:
        raise UserError(f"bg is {bg} and fg {fg}: the score that background stays below must not exceed fg.")

    def label(image: Image) -> np.ndarray:
        cam = cams.read(image.id)
        return confident_labels(cam.full(), cam.keys, image.pixels, crf, fg, bg)

    return per_image(label)


def labels(
    run: Run, scores: ScoreMaps, background: Unit | Literal["own"], crf: CRFParams | None = None
) -> PerImage[Labels]:
    """Label maps: the arg-max of scores and background, after a dense CRF where there is one.

    background: a constant, compared with the scores over their maximum in the image; "own": the maps carry it as class
    0, as AffinityNet's do.
    """
    from common.ops.crf import crf_posterior
    from common.ops.labels import planes_with_background

    def label(image: Image) -> np.ndarray:
        value = scores.read(image.id)
        planes, keys = value.full(), value.keys
        if (background == "own") != (0 in keys):
            state, cure = ("lack", "say a number") if background == "own" else ("carry", 'say background="own"')
            raise UserError(f"The scores of '{scores.name}' {state} a background of their own: {cure}.")
        if background != "own":
            planes, keys = planes_with_background(planes, keys, background)
        if crf is not None:
            planes = crf_posterior(image.pixels, planes, crf)
        return keys[planes.argmax(axis=0)].astype(np.uint8)

    return per_image(label)


def saliency_labels(
    run: Run, scores: CAMs | ScoreMaps, saliency: GreyMaps, rule: SaliencyRule, ranking: ScoreMaps | None = None
) -> PerImage[Labels]:
    """Label maps from the scores of an image's classes and its saliency (DRS, Group-WSSS, ICD).

    rule: see `common.ops.saliency_labels`; ranking: decides between classes where several have a score above 0; None:
    the scores do.
    """
    from common.ops.saliency_labels import saliency_labels

    def label(image: Image) -> np.ndarray:
        value = scores.read(image.id)
        ranks = None if ranking is None else ranking.read(image.id)
        if ranks is not None and not np.array_equal(ranks.keys, value.keys):
            raise UserError(
                f"'{ranking.name}' ranks other classes than '{scores.name}' has: make both of the same tags."
            )
        full = None if ranks is None else ranks.full()
        return saliency_labels(value.full(), value.keys, saliency.read(image.id), rule, full)

    return per_image(label)
