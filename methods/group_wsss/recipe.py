"""Group-WSSS's paper as stages of a recipe: mined maps.

Constants of the paper have no default.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.fragments import Classes, Stage, changed, stage

__all__ = ["mined_maps"]


def mined_maps(
    config: str,
    split: str,
    *,
    size: int,
    judged: str,
    classes: Classes = None,
    options: Mapping[str, Any] | None = None,
) -> list[Stage]:
    """Stages `cam`, `eval_tags`, `make_cam`, `eval_cam`: the training, its tags, the maps that it accumulated.

    Args:
        config: the network's, relative to the recipe.
        split: the images it learns from, which get maps.
        size: the photos are squashed to so many pixels a side when the tags are judged.
        judged: the list whose masks judge the maps at their best threshold, without saliency.
        classes: the mean is taken over these; None: over all.
        options: keys of the config to override, such as {"model.drop_rate": None}.
    """
    return [
        stage("group_wsss.mine", "cam", config=config, split=split, **changed(options)),
        stage("eval_tags", "eval_tags", weights="cam", split=split, squash=size),
        stage("group_wsss.mined_maps", "make_cam", weights="cam", split=split),
        stage("eval_cam", "eval_cam", cams="make_cam", split=judged, thresholds="best", classes=classes),
    ]
