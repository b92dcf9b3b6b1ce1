"""WSGCN's paper as stages of a recipe: partial labels, graph networks, complete labels, and its controls.

They follow IRNet's `cams` (`common.fragments`) and `boundaries` (`methods.irnet.recipe`), whose run they share.
Constants of the paper have no default.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.fragments import Classes, Stage, stage

__all__ = ["complete_labels", "controls", "partial_labels"]

FIT = "gcn"
Numbers = Mapping[str, Any]


def partial_labels(
    *,
    alphas: tuple[float, float],
    confidence: float,
    share: float,
    floor: float,
    background: float,
    crf: Numbers,
    judged: str,
    classes: Classes = None,
) -> list[Stage]:
    """Stages `partial` and `eval_partial`: labels of the sure cells, judged with their coverage.

    Args:
        alphas, confidence, share, floor, background: of `methods.wsgcn.partial.PartialRule`.
        crf: of both passes, at stride 4.
        judged: the list whose masks judge; classes: the mean is taken over these; None: over all.
    """
    sure = {"alphas": alphas, "confidence": confidence, "share": share, "floor": floor, "background": background}
    return [
        stage("wsgcn.partial_labels", "partial", cams="make_cam", **sure, crf=crf),
        stage("eval_labels", "eval_partial", labels="partial", split=judged, classes=classes),
    ]


def complete_labels(
    *,
    walk: Numbers,
    graph: Numbers,
    fit: Numbers,
    crf: Numbers,
    judged: str,
    classes: Classes = None,
) -> list[Stage]:
    """Stages `nodes`, `graph_error`, `complete`, `eval_complete`, `pseudo`, `eval_pseudo`: a graph network for every
    photo, its labels without and with a CRF, both judged.

    Args:
        walk: `beta`, `exp_times`, `radius`, `canvas` of IRNet's walk.
        graph: `window`, `colour`, `place` of the smoothness, `dense`, `modes` of large photos; of the stage `complete`.
        fit: the numbers of `methods.wsgcn.fit.FitRule`.
        crf: of the labels, at the photo's size.
        judged: the list whose masks judge; classes: the mean is taken over these; None: over all.
    """
    judge = {"split": judged, "classes": classes}
    return [
        *_nodes({FIT: fit}, walk, graph, None),
        stage("wsgcn.decode", "complete", scores="nodes", fit=FIT),
        stage("eval_labels", "eval_complete", labels="complete", **judge),
        stage("wsgcn.decode", "pseudo", scores="nodes", fit=FIT, crf=crf),
        stage("eval_labels", "eval_pseudo", labels="pseudo", **judge),
    ]


def controls(
    fits: Mapping[str, Numbers | None],
    *,
    walk: Numbers,
    graph: Numbers,
    irnet: float,
    crf: Numbers,
    judged: str,
    split: str | None = None,
    classes: Classes = None,
) -> list[Stage]:
    """Stages `nodes` and `graph_error`, for every fit NAME `NAME` and `eval_NAME`, then `walk`, `irnet`, `eval_irnet`.

    All fits of a photo share one graph. Their labels have the CRF. IRNet's own labels come from the same run.

    Args:
        fits: of `methods.wsgcn.fit.Fits`.
        walk, graph, crf, judged, classes: as of `complete_labels`.
        irnet: the score of the background in IRNet's own labels.
        split: the images; None: all that have partial labels.
    """
    judge = {"split": judged, "classes": classes}
    stages = _nodes(fits, walk, graph, split)
    for name in fits:
        stages.append(stage("wsgcn.decode", name, scores="nodes", fit=name, crf=crf))
        stages.append(stage("eval_labels", f"eval_{name}", labels=name, **judge))
    return [
        *stages,
        stage("boundary_walk", "walk", cams="make_cam", weights="irn", **walk),
        stage("labels", "irnet", scores="walk", background=irnet),
        stage("eval_labels", "eval_irnet", labels="irnet", **judge),
    ]


def _nodes(fits: Numbers, walk: Numbers, graph: Numbers, split: str | None) -> list[Stage]:
    some = {} if split is None else {"split": split}
    return [
        stage("wsgcn.complete", "nodes", labels="partial", weights="irn", fits=dict(fits), **walk, **graph, **some),
        stage("wsgcn.graph_error", "graph_error", scores="nodes"),
    ]
