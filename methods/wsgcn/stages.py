"""WSGCN's stages: partial labels, a graph network for every photo, labels of what it says."""

# No `from __future__ import annotations` here: the pipeline reads the annotations of these functions.

from typing import Annotated

import numpy as np

from common.artifacts import CAMs, Labels, Scores, Weights
from common.base.errors import UserError
from common.ops.crf_params import CRFParams
from common.pipeline import Count, Image, PerImage, Positive, Range, Run, Unit, per_image
from methods.wsgcn.fit import Fits
from methods.wsgcn.scores import NodeScores

PPM = 1e6


def partial_labels(
    run: Run,
    cams: CAMs,
    alphas: Annotated[tuple[float, float], Range(0, above=True)],
    confidence: Unit,
    share: Unit,
    floor: Unit,
    background: Unit,
    crf: CRFParams | None,
) -> PerImage[Labels]:
    """Labels of the sure cells; the others are open (255). See `partial_label`.

    They are made at stride 4 and enlarged by the nearest rule, so that they can be judged; shrinking gives the same
    cells back.
    """
    from common.ops.resize import lanczos_image, resize_label
    from methods.wsgcn.partial import PartialRule, partial_label

    if alphas[0] > alphas[1]:
        raise UserError(f"alphas are {alphas}: the first, of the strong background, must not exceed the second.")

    rule = PartialRule(alphas, confidence, share, floor, background)

    def label(image: Image) -> np.ndarray:
        cam = cams.read(image.id)
        cells = lanczos_image(image.pixels, cam.maps.shape[1:])
        return resize_label(partial_label(cam.maps, cam.keys, cells, crf, rule), cam.size)

    return per_image(label)


def complete(
    run: Run,
    labels: Labels,
    weights: Weights,
    fits: Fits,
    beta: Positive,
    exp_times: Annotated[int, Range(1, 16)],
    radius: Annotated[int, Range(2)],
    canvas: Count,
    window: Count,
    colour: Positive,
    place: Positive,
    dense: Annotated[int, Range(0)],
    modes: Count,
    split: str | None = None,
) -> PerImage[NodeScores]:
    """A graph network of its own for every photo: what it says of each cell, of one fit or several on one graph.

    The graph comes from the boundaries of IRNet's network and its walk (`boundary_walk`), the features from the same
    network. Random numbers depend on the seed and the photo alone, and are the same for all fits of a photo.

    labels: partial ones; weights: of a `BoundaryNet`; fits: see `Fits`; beta, exp_times, radius, canvas: of
    `boundary_walk`; window, colour, place: of `grid_laplacian`; dense: photos of at most so many cells get the matrix
    of all pairs, larger ones its factor with `modes` random vectors (`factor.py`); split: the images, by default all
    that have labels.
    """
    from methods.wsgcn.photo import photo_scores

    walk = {"beta": beta, "exp_times": exp_times, "radius": radius, "canvas": canvas}
    smooth = {"window": window, "colour": colour, "place": place}
    return per_image(photo_scores(run, labels, weights, fits, **walk, **smooth, dense=dense, modes=modes), split=split)


def graph_error(run: Run, scores: NodeScores) -> Scores:
    """How far the graphs of large photos are from exact, in parts per million, by photo; see `relative_error`.

    The graphs of other photos are exact.
    """
    ids = scores.ids()
    errors = {image_id: scores.read(image_id).error for image_id in ids}
    found = {image_id: round(PPM * error, 1) for image_id, error in errors.items() if error}
    return {
        "largest_ppm": round(max(found.values(), default=0)),
        "mean_ppm": round(sum(found.values()) / max(len(found), 1)),
        "estimated": len(found),
        "images": len(ids),
        "photos_ppm": found,
    }


def decode(run: Run, scores: NodeScores, fit: str, crf: CRFParams | None = None) -> PerImage[Labels]:
    """Label maps of what a fit says.

    crf: None: the arg-max over all classes. With a CRF the background and the photo's tags alone compete, and their
    probabilities go through a second softmax first (`refined_scores`).
    """
    from methods.wsgcn.decode import pixel_log_prob, refined_scores

    def label(image: Image) -> np.ndarray:
        value = scores.read(image.id)
        if crf is None:
            return value.label(fit)
        own = np.isin(value.keys, (0, *image.tags))
        full = pixel_log_prob(value.of(fit)[own], value.size)
        return value.keys[own][refined_scores(full, image.pixels, crf).argmax(axis=0)].astype(np.uint8)

    return per_image(label)
