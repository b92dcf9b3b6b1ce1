"""Puzzle-CAM's paper as stages of a recipe: its CAMs, class boundaries and pseudo labels.

Constants of the paper have no default. A segmentation network follows: `common.fragments.retrained`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.fragments import Classes, Stage, best_snapshot, cams, stage


def puzzle_cams(
    config: str,
    split: str,
    *,
    scales: tuple[float, ...],
    flip: bool,
    threshold: float | str,
    judged: str,
    best: Mapping[str, Any] | None = None,
    classes: Classes = None,
) -> list[Stage]:
    """Stages `cam`, `make_cam` and `eval_cam`: a classifier learns from images and their tiles; its CAMs are judged.

    Args:
        config, split, scales, flip, threshold, judged, classes: of `common.fragments.cams`.
        best: None: the last snapshot. The parameters of a `KeepBestHook`: masks choose it, so the stage is an oracle,
            and all that follows is marked. The authors choose by the CAM of one scale on train after every epoch:
            dict(by="cam", split="train", interval=330).
    """
    first, *others = cams(config, split, scales=scales, flip=flip, threshold=threshold, judged=judged, classes=classes)
    return [first | best_snapshot(best), *others]


def boundaries(
    config: str,
    split: str,
    *,
    fg: float,
    bg: float,
    crf: Mapping[str, Any],
    judged: str,
    classes: Classes = None,
) -> list[Stage]:
    """Stages `aff_label`, `eval_aff_label` and `aff`: sure pixels of the CAMs teach class boundaries.

    Args:
        config: the boundary network's, relative to the recipe; split: the images it learns from.
        fg, bg: the scores above and below which a pixel is sure, after the CRF.
        judged: the list whose masks judge; classes: the mean is taken over these; None: over all.
    """
    return [
        stage("cam_to_ir_label", "aff_label", cams="make_cam", fg=fg, bg=bg, crf=crf),
        stage("eval_labels", "eval_aff_label", labels="aff_label", split=judged, classes=classes),
        stage("train", "aff", config=config, labels="aff_label", split=split),
    ]


def pseudo_labels(
    *,
    beta: float,
    exp_times: int,
    radius: int,
    canvas: int,
    background: float,
    crf: Mapping[str, Any],
    confidence: float,
    thresholds: tuple[float, ...] | str,
    judged: str,
    classes: Classes = None,
) -> list[Stage]:
    """Stages `walk`, `eval_walk`, `walked`, `pseudo` and `eval_pseudo`: CAMs walk to the boundaries, a CRF follows.

    Args:
        beta: power of the affinities; exp_times: the walk has 2^exp_times steps; radius: it joins cells closer than
            this; canvas: the photos are padded to this many pixels.
        background: the score of the background.
        crf: refines the label maps; confidence: the probability with which it trusts a label.
        thresholds: the background scores at which the walked CAMs are judged, in one pass and without a CRF; "best":
            0, 0.01 .. 1.
        judged: the list whose masks judge; classes: the mean is taken over these; None: over all.
    """
    walk = {"beta": beta, "exp_times": exp_times, "radius": radius, "canvas": canvas}
    judge = {"split": judged, "classes": classes}
    return [
        stage("boundary_walk", "walk", cams="make_cam", weights="aff", **walk),
        stage("eval_cam", "eval_walk", cams="walk", thresholds=thresholds, **judge),
        stage("labels", "walked", scores="walk", background=background),
        stage("crf", "pseudo", labels="walked", crf=crf, confidence=confidence, choices="tagged"),
        stage("eval_labels", "eval_pseudo", labels="pseudo", **judge),
    ]
