"""DRS's paper as stages of a recipe: maps, refined maps, pseudo labels.

Constants of the paper have no default.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.fragments import Classes, Stage, changed, salient_labels, stage

__all__ = ["pseudo_labels", "refined_maps", "suppressed_maps"]


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
        stage("train", "cam", config=config, split=split, **changed(options)),
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
    plain: str,
    classes: Classes = None,
) -> list[Stage]:
    """The stages of `salient_labels`, and `plain` and `eval_plain`: the same of other maps, without open pixels.

    Args:
        scores, split, rule, judged, classes: as of `salient_labels`.
        plain: the name of the stage that made the other maps.
    """
    closed = {key: value for key, value in rule.items() if key not in ("conflict", "conflicts")} | {"leave_open": False}
    return [
        *salient_labels(scores, split, rule=rule, judged=judged, classes=classes),
        stage("saliency_labels", "plain", scores=plain, saliency="saliency", rule=closed),
        stage("eval_labels", "eval_plain", labels="plain", split=judged, classes=classes),
    ]
