"""DRS's paper as stages of a recipe: maps, refined maps, pseudo labels, and its controls.

Constants of the paper have no default.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.fragments import Classes, Stage, stage

__all__ = ["pseudo_labels", "refined_maps", "saliency_alone", "suppressed_maps"]


def suppressed_maps(
    config: str,
    split: str,
    *,
    size: int,
    sizes: tuple[int, ...],
    judged: str,
    classes: Classes = None,
    options: Mapping[str, Any] | None = None,
) -> list[Stage]:
    """Stages `cam`, `eval_tags`, `make_cam`, `eval_cam`: the classifier with suppression, its tags, its maps.

    Args:
        config: the classifier's, relative to the recipe.
        split: the images it learns from, which get maps.
        size: the photos are squashed to so many pixels a side; sizes: at which the classifier then sees them.
        judged: the list whose masks judge the maps at their best threshold, without saliency.
        classes: the mean is taken over these; None: over all.
        options: keys of the config to override, such as {"model.ratio": 1.0}.
    """
    return [
        stage("train", "cam", config=config, split=split, **_changed(options)),
        stage("eval_tags", "eval_tags", weights="cam", split=split, squash=size),
        stage("drs.localise", "make_cam", weights="cam", split=split, size=size, sizes=sizes),
        stage("eval_cam", "eval_cam", cams="make_cam", split=judged, thresholds="best", classes=classes),
    ]


def refined_maps(
    config: str,
    split: str,
    *,
    size: int,
    sizes: tuple[int, ...],
    judged: str,
    classes: Classes = None,
) -> list[Stage]:
    """Stages `refinement`, `refined`, `eval_refined`: a second network regresses the maps, its own are judged.

    Args:
        config: the refinement network's, relative to the recipe.
        split, size, sizes, judged, classes: as of `suppressed_maps`.
    """
    return [
        stage("train", "refinement", config=config, split=split, inputs={"maps": "make_cam"}),
        stage("drs.refine", "refined", weights="refinement", split=split, size=size, sizes=sizes),
        stage("eval_cam", "eval_refined", cams="refined", split=judged, thresholds="best", classes=classes),
    ]


def pseudo_labels(
    scores: str,
    split: str,
    *,
    rule: Mapping[str, Any],
    judged: str,
    classes: Classes = None,
    plain: str | None = None,
) -> list[Stage]:
    """Stages `saliency`, `pseudo`, `eval_pseudo`: maps and saliency give labels.

    Args:
        scores: the name of the stage that made the maps.
        split: the images that get labels; the data set must have their saliency.
        rule: the numbers of `common.ops.saliency_labels`.
        judged: the list whose masks judge; classes: the mean is taken over these; None: over all.
        plain: other maps, whose labels by the same rule without open pixels are judged as `eval_plain`; None: no.
    """
    closed = {key: value for key, value in rule.items() if key not in ("conflict", "conflicts")} | {"leave_open": False}
    stages = [
        stage("read_maps", "saliency", what="saliency", split=split),
        stage("saliency_labels", "pseudo", scores=scores, saliency="saliency", rule=dict(rule)),
        stage("eval_labels", "eval_pseudo", labels="pseudo", split=judged, classes=classes),
    ]
    if plain is None:
        return stages
    return [
        *stages,
        stage("saliency_labels", "plain", scores=plain, saliency="saliency", rule=closed),
        stage("eval_labels", "eval_plain", labels="plain", split=judged, classes=classes),
    ]


def saliency_alone(split: str, *, rule: Mapping[str, Any], judged: str, classes: Classes = None) -> list[Stage]:
    """Stages `tags`, `saliency`, `pseudo`, `eval_pseudo`: the control without a network.

    The first class of each image is painted on its salient pixels. split, rule, judged, classes: as of `pseudo_labels`.
    """
    tags = stage("first_tag", "tags", split=split)
    return [tags, *pseudo_labels("tags", split, rule=rule, judged=judged, classes=classes)]


def _changed(options: Mapping[str, Any] | None) -> dict[str, Any]:
    return {} if options is None else {"options": dict(options)}
