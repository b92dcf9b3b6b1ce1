"""The recipe of a supervised reference: what masks alone give, few of them or all, beside every method of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["best_snapshot", "supervised"]


def supervised(
    config: str,
    labelled: str,
    iterations: int | None = None,
    best: Mapping[str, Any] | None = None,
    classes: tuple[str, ...] | None = None,
    **look: Any,
) -> list[dict[str, Any]]:
    """The stages `deeplab`, `segment` and `val`: one network, trained on the masks of one list and judged on val.

    Args:
        config: the network's, relative to the recipe.
        labelled: the list whose masks it learns from; the recipe's `pixel_labels`.
        iterations: of the training; None: as the config says.
        best: `split` and `interval` of a `KeepBestHook` where masks choose the snapshot; None: the last.
        classes: the mean is taken over these; None: over all.
        look: how the network looks at a photo, parameters of the stage `infer_seg`.
    """
    chosen = best_snapshot(None if best is None else {**best, **look})
    options = {} if iterations is None else {"options": {"train_cfg.max_iters": iterations}}
    learned = {"config": config, "split": labelled, "pixel_labels": labelled}
    return [
        {"stage": "train", "name": "deeplab", **learned, **options, **chosen},
        {"stage": "infer_seg", "name": "segment", "weights": "deeplab", "split": "val", **look},
        {"stage": "eval_labels", "name": "val", "labels": "segment", "split": "val", "classes": classes},
    ]


def best_snapshot(best: Mapping[str, Any] | None) -> dict[str, Any]:
    """What a recipe says of a `train` stage whose snapshot masks choose; nothing where `best` is None.

    best: the parameters of a `KeepBestHook`.
    """
    return {} if best is None else {"best": dict(best), "oracle": True}
