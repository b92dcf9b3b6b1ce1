"""IRNet's paper as stages of a recipe: boundaries, semantic and instance pseudo labels.

They follow the stages `cam` and `make_cam` of `common.fragments.cams`. Constants of the paper have no default.
"""

from __future__ import annotations

from typing import Any

from common.fragments import Classes, Stage, stage, walked_labels


def boundaries(
    config: str,
    split: str,
    *,
    fg: float,
    bg: float,
    crf: dict[str, Any],
    judged: str | None = None,
    classes: Classes = None,
) -> list[Stage]:
    """Stages `ir_label` and `irn`: sure pixels of the CAMs teach boundaries and displacements.

    Args:
        config: the inter-pixel network's, relative to the recipe.
        split: the images it learns from.
        fg, bg: the scores above and below which a pixel is sure, after the CRF.
        judged: the list whose masks judge the sure pixels in a stage `eval_ir_label`; None: they are not judged.
        classes: the mean is taken over these; None: over all.
    """
    judge = stage("eval_labels", "eval_ir_label", labels="ir_label", split=judged, classes=classes)
    return [
        stage("cam_to_ir_label", "ir_label", cams="make_cam", fg=fg, bg=bg, crf=crf),
        *([] if judged is None else [judge]),
        stage("train", "irn", config=config, labels="ir_label", split=split),
    ]


def pseudo_labels(
    *,
    beta: float,
    exp_times: int,
    radius: int,
    canvas: int,
    background: float,
    judged: str,
    classes: Classes = None,
) -> list[Stage]:
    """Stages `walk`, `pseudo` and `eval_pseudo`: the CAMs walk as far as the boundaries let them.

    Args:
        beta: power of the affinities; exp_times: the walk has 2^exp_times steps; radius: it joins cells closer than
            this.
        canvas: the photos are padded to this many pixels.
        background: the score of the background.
        judged: the list whose masks judge; classes: the mean is taken over these; None: over all.
    """
    walk = {"beta": beta, "exp_times": exp_times, "radius": radius, "canvas": canvas}
    return [
        stage("boundary_walk", "walk", cams="make_cam", weights="irn", **walk),
        *walked_labels(background, judged, classes),
    ]


def control_labels(
    *,
    contrast: float,
    beta: float,
    exp_times: int,
    radius: int,
    background: float,
    judged: str,
    classes: Classes = None,
) -> list[Stage]:
    """The stages of `pseudo_labels`, with the photo's gradients in the place of learned boundaries.

    Args:
        contrast: how much of a boundary a gradient makes; 0: there are none, the CAMs are blurred.
        beta, exp_times, radius, background, judged, classes: as of `pseudo_labels`.
    """
    walk = {"contrast": contrast, "beta": beta, "exp_times": exp_times, "radius": radius}
    return [
        stage("gradient_walk", "walk", cams="make_cam", **walk),
        *walked_labels(background, judged, classes),
    ]


def instances(
    split: str,
    *,
    crop: int,
    batch: int,
    beta: float,
    exp_times: int,
    radius: int,
    canvas: int,
    background: float,
    iterations: int,
    weak: float,
    min_area: float,
    iou: float,
) -> list[Stage]:
    """Stages `irn_shifted`, `instances` and `eval_instances`: displacements divide the CAM of a class.

    Args:
        split: the images that get instances.
        crop: pixels; batch: images in a batch; both of the mean displacement.
        beta, exp_times, radius, canvas, background: as for the semantic labels.
        iterations: how often displacements are followed; weak: a displacement of fewer cells counts as none.
        min_area: the least share of a photo that an instance covers; iou: the least IoU of a found instance.
    """
    walk = {"beta": beta, "exp_times": exp_times, "radius": radius, "bg": background, "canvas": canvas}
    centres = {"iterations": iterations, "weak": weak, "min_area": min_area}
    return [
        stage("irnet.mean_displacement", "irn_shifted", weights="irn", split=split, crop=crop, batch=batch),
        stage("irnet.instances", "instances", cams="make_cam", weights="irn_shifted", split=split, **walk, **centres),
        stage("irnet.eval_instances", "eval_instances", instances="instances", split=split, iou=iou),
    ]
