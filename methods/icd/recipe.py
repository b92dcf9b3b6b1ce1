"""ICD's paper as stages of a recipe: superpixels, the network with its maps, seeds, pseudo labels, and its controls.

Constants of the paper have no default.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.fragments import Classes, Stage, changed, stage

__all__ = ["crf_labels", "discriminated", "salient_seeds", "seeds", "superpixels"]


def superpixels(
    config: str,
    split: str,
    *,
    k: float,
    min_size: int,
    sigma: float,
    merge: int | None,
    canvas: int,
    scale: float,
) -> list[Stage]:
    """Stages `superpixels` and `merged`: Felzenszwalb's regions, joined by the features of an ImageNet network.

    Args:
        config: the network's, relative to the recipe; its backbone with its initial weights gives the features.
        split: the images.
        k, min_size, sigma: of Felzenszwalb's program, see `common.ops.superpixels.felzenszwalb`.
        merge: so many are left; None: they stay as they are, and there is no stage `merged`.
        canvas, scale: how large a photo is looked at, see `methods.icd.stages.localise`.
    """
    look = {"scale": scale}
    regions = {"k": k, "min_size": min_size, "sigma": sigma, "longest": canvas}
    stages = [stage("felzenszwalb", "superpixels", split=split, **regions, **look)]
    if merge is None:
        return stages
    joined = {"superpixels": "superpixels", "config": config, "count": merge, "canvas": canvas}
    return [*stages, stage("icd.merge", "merged", **joined, **look)]


def discriminated(
    config: str,
    split: str,
    *,
    segments: str | None,
    canvas: int,
    scale: float,
    squash: int | None,
    judged: str,
    classes: Classes = None,
    options: Mapping[str, Any] | None = None,
) -> list[Stage]:
    """Stages `icd`, `eval_tags`, `make_cam`, `eval_cam`, `discriminator`: the network, its tags, its two maps.

    Args:
        config: the network's, relative to the recipe.
        split: the images it learns from, which get maps.
        segments: the stage that made the superpixels; None: the network needs none.
        canvas, scale: how large a photo is looked at, see `methods.icd.stages.localise`.
        squash: the tags are judged on photos of so many pixels a side; None: on photos as they are.
        judged: the list whose masks judge the CAM at its best threshold.
        classes: the mean is taken over these; None: over all.
        options: keys of the config to override; with {"model.branches": False} there is no `discriminator`.
    """
    given = {} if segments is None else {"inputs": {"segments": segments}}
    look = {"weights": "icd", "split": split, "canvas": canvas, "scale": scale}
    stages = [
        stage("train", "icd", config=config, split=split, **given, **changed(options)),
        stage("eval_tags", "eval_tags", weights="icd", split=split, squash=squash),
        stage("icd.localise", "make_cam", what="cam", **look),
        stage("eval_cam", "eval_cam", cams="make_cam", split=judged, thresholds="best", classes=classes),
    ]
    if not (options or {}).get("model.branches", True):
        return stages
    return [*stages, stage("icd.localise", "discriminator", what="top_down", **look)]


def seeds(scores: str, *, judged: str, classes: Classes = None) -> list[Stage]:
    """Stages `seeds` and `eval_seeds`: label maps without saliency and without a CRF.

    scores: the stage whose maps decide by their sign; judged: the list whose masks judge; classes: the mean is taken
    over these; None: over all.
    """
    return [
        stage("icd.seeds", "seeds", scores=scores, ranking="make_cam"),
        stage("eval_labels", "eval_seeds", labels="seeds", split=judged, classes=classes),
    ]


def crf_labels(*, crf: Mapping[str, Any], confidence: float, judged: str, classes: Classes = None) -> list[Stage]:
    """Stages `pseudo` and `eval_pseudo`: the seeds after a dense CRF.

    crf: its numbers; confidence: of a seed's label; judged, classes: as of `seeds`.
    """
    return [
        stage("icd.refine", "pseudo", labels="seeds", crf=dict(crf), confidence=confidence),
        *_judged(judged, classes),
    ]


def salient_seeds(
    scores: str, split: str, *, rule: Mapping[str, Any], judged: str, classes: Classes = None
) -> list[Stage]:
    """Stages `saliency`, `pseudo`, `eval_pseudo`: seeds whose background is what is not salient, without a CRF.

    rule: the numbers of `common.ops.saliency_labels`; split: the images; scores, judged, classes: as of `seeds`.
    """
    return [
        stage("read_maps", "saliency", what="saliency", split=split),
        stage("icd.seeds", "pseudo", scores=scores, ranking="make_cam", saliency="saliency", rule=dict(rule)),
        *_judged(judged, classes),
    ]


def _judged(judged: str, classes: Classes) -> list[Stage]:
    return [stage("eval_labels", "eval_pseudo", labels="pseudo", split=judged, classes=classes)]
