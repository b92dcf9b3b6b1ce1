"""Controls: what stands in the place of a method's idea, to see what the idea adds."""

from typing import Annotated

import numpy as np

from common.artifacts import CAMs, ScoreMap, ScoreMaps, Squashed, Strided
from common.pipeline import Image, PerImage, Positive, Range, Run, Unit, per_image


def gradient_walk(
    run: Run,
    cams: CAMs,
    contrast: Annotated[float, Range(0)],
    beta: Positive = 10.0,
    exp_times: Annotated[int, Range(0, 16)] = 8,
    radius: Annotated[int, Range(2)] = 5,
) -> PerImage[ScoreMaps]:
    """The walk of `boundary_walk` without a network: its boundaries are 1 - exp(-contrast |gradient|) of the photo.

    The gradient is taken between the mean colours of the CAM's cells. With contrast 0 there are no boundaries: every
    step takes the mean of neighbours, so the CAM is blurred, the wider the more steps.
    """
    import torch

    from common.ops.gradient import photo_boundary
    from common.ops.random_walk import BoundaryWalk

    walk = BoundaryWalk(radius, beta, exp_times)

    def scores(image: Image) -> ScoreMap:
        cam = cams.read(image.id)
        edge = photo_boundary(image.pixels, cam.stride, contrast)
        walked = walk(cam.maps, torch.from_numpy(edge).to(run.device))
        return ScoreMap(cam.keys, walked.cpu().numpy(), cam.size, Strided(cam.stride))

    return per_image(scores)


def first_tag(run: Run, split: str, score: Unit = 0.5) -> PerImage[ScoreMaps]:
    """Maps without a network: the first class of each image has `score` everywhere, the others have 0.

    With `saliency_labels` behind it they show what saliency and tags alone are worth: a score between those of salient
    and other background lets saliency decide.
    """

    def scores(image: Image) -> ScoreMap:
        keys = np.array(image.tags, np.int64)
        maps = np.zeros((len(keys), 1, 1), np.float32)
        maps[:1] = score
        return ScoreMap(keys, maps, image.size, Squashed(1, 1))

    return per_image(scores, split=split)
