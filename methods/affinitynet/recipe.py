"""AffinityNet's paper as stages of a recipe: affinities, and pseudo labels by its random walk.

They follow the stages `cam` and `make_cam` of `common.fragments.cams`. Constants of the paper have no default.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.fragments import Classes, Stage, stage, walked_labels

Numbers = Mapping[str, Any]


def affinities(config: str, split: str, *, low_alpha: float, high_alpha: float, crf: Numbers) -> list[Stage]:
    """Stages `scores` and `aff`: pairs of cells that the CAMs are sure of teach affinities (sec. 3.2.1).

    Args:
        config: AffinityNet's, relative to the recipe.
        split: the images it learns from.
        low_alpha, high_alpha: powers of the strong and the weak background.
    """
    alphas = {"low_alpha": low_alpha, "high_alpha": high_alpha}
    return [
        stage("affinitynet.score_volumes", "scores", cams="make_cam", **alphas, crf=crf),
        stage("train", "aff", config=config, labels="scores", split=split),
    ]


def pseudo_labels(
    *,
    alpha: float,
    beta: float,
    logt: int,
    radius: int,
    judged: str,
    classes: Classes = None,
    crf: Numbers | None = None,
    **border: Any,
) -> list[Stage]:
    """Stages `walk`, `pseudo` and `eval_pseudo`: CAMs and background walk along the affinities (sec. 3.3).

    Args:
        alpha: power of the background.
        beta: power of the affinities; logt: the walk has 2^logt steps; radius: it joins cells closer than this.
        judged: the list whose masks judge; classes: the mean is taken over these; None: over all.
        crf: of two more stages, `pseudo_crf` and `eval_pseudo_crf`, which refine the same scores; None: without them.
        border: `border` and `scale` of the walk, for small pictures.
    """
    walk = {"alpha": alpha, "beta": beta, "logt": logt, "radius": radius, **border}
    judge = {"split": judged, "classes": classes}
    stages = [
        stage("affinitynet.random_walk", "walk", cams="make_cam", weights="aff", **walk),
        *walked_labels("own", judged, classes),
    ]
    if crf is None:
        return stages
    return [
        *stages,
        stage("labels", "pseudo_crf", scores="walk", background="own", crf=crf),
        stage("eval_labels", "eval_pseudo_crf", labels="pseudo_crf", **judge),
    ]


def control_labels(
    *,
    contrast: float,
    alpha: float,
    beta: float,
    logt: int,
    radius: int,
    judged: str,
    classes: Classes = None,
    **border: Any,
) -> list[Stage]:
    """The stages of `pseudo_labels` without a CRF, with differences of colour in the place of learned affinities.

    Args:
        contrast: how much a difference of colour parts two cells; 0: not at all, CAMs and background are blurred.
        alpha, beta, logt, radius, judged, classes, border: as of `pseudo_labels`.
    """
    walk = {"contrast": contrast, "alpha": alpha, "beta": beta, "logt": logt, "radius": radius, **border}
    return [
        stage("affinitynet.colour_walk", "walk", cams="make_cam", **walk),
        *walked_labels("own", judged, classes),
    ]


def labels_of_val(look: Numbers, walk: Numbers, threshold: float | None = None) -> list[Stage]:
    """Stages `make_cam_val`, `walk_val`, `pseudo_val`, `eval_pseudo_val`: the same on val, with its tags.

    Args:
        look: parameters of the stage `infer_cam`.
        walk: parameters of the walk.
        threshold: of the CAMs in a stage `eval_cam_val`; None: they are not judged.
    """
    judge = stage("eval_cam", "eval_cam_val", cams="make_cam_val", split="val", thresholds=threshold)
    return [
        stage("infer_cam", "make_cam_val", weights="cam", split="val", **look),
        *([] if threshold is None else [judge]),
        stage("affinitynet.random_walk", "walk_val", cams="make_cam_val", weights="aff", **walk),
        stage("labels", "pseudo_val", scores="walk_val", background="own"),
        stage("eval_labels", "eval_pseudo_val", labels="pseudo_val", split="val"),
    ]
