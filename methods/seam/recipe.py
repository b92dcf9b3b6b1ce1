"""SEAM's paper as stages of a recipe: the refined CAMs, then AffinityNet's own stages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.fragments import Classes, Stage, cams
from methods.affinitynet.recipe import affinities, labels_of_val, pseudo_labels

__all__ = ["affinity_labels", "labels_of_val", "refined_cams"]


def refined_cams(
    config: str,
    split: str,
    *,
    scales: tuple[float, ...],
    flip: bool,
    normalisation: str,
    stride: int,
    threshold: float | str,
    judged: str,
    classes: Classes = None,
) -> list[Stage]:
    """Stages `cam`, `make_cam`, `eval_cam`: the network with its correlation module, and its refined CAMs (sec. 3).

    The arguments are those of `common.fragments.cams`; normalisation: of the summed maps, per class; stride: pixels
    per cell of the stored maps.
    """
    look = {"scales": scales, "flip": flip, "normalisation": normalisation, "stride": stride}
    return cams(config, split, threshold=threshold, judged=judged, classes=classes, **look)


def affinity_labels(
    config: str,
    split: str,
    *,
    low_alpha: float,
    high_alpha: float,
    crf: Mapping[str, Any],
    walk: Mapping[str, Any],
    judged: str,
    classes: Classes = None,
) -> list[Stage]:
    """Stages `scores`, `aff`, `walk`, `pseudo`, `eval_pseudo`: AffinityNet makes pseudo labels of the CAMs (sec. 4.3).

    Args:
        config: AffinityNet's, relative to the recipe; split: the images it learns from.
        low_alpha, high_alpha, crf: of the scores it learns from; walk: the numbers of `pseudo_labels` of AffinityNet.
        judged: the list whose masks judge; classes: the mean is taken over these; None: over all.
    """
    return [
        *affinities(config, split, low_alpha=low_alpha, high_alpha=high_alpha, crf=crf),
        *pseudo_labels(**walk, judged=judged, classes=classes),
    ]
