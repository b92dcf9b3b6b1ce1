"""Mutual training as stages, for the recipes in configs/dmt: supervised phase, rounds, confident labels.

A recipe names its networks, for example "a" and "b":

    networks = dict(a=dict(labelled=SPLIT, seed=1, supervised=CONFIG, mutual=CONFIG), b=dict(...))

labelled: the split whose masks the network learns from; seed: added to the run's; supervised, mutual: its config in
phase 0 and in the rounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.fragments import Classes, Stage, best_snapshot, stage, strong_only

__all__ = ["confident_labels", "mutual_rounds", "supervised_phase"]

Networks = Mapping[str, Mapping[str, Any]]
Best = Mapping[str, Any] | None


def supervised_phase(networks: Networks, iterations: int, best: Best = None) -> list[Stage]:
    """Phase 0, stages a0, b0: every network learns from its labelled images alone."""
    stages = []
    for name, network in networks.items():
        options = {"seed": network["seed"], "train_cfg.max_iters": iterations}
        learned = strong_only(f"{name}0", network["supervised"], network["labelled"], options=options)
        stages.append({**learned, **best_snapshot(best)})
    return stages


def mutual_rounds(
    networks: Networks,
    unlabelled: str,
    epochs: int,
    ratios: tuple[float, ...],
    predict: Mapping[str, Any] | None = None,
    loss: Mapping[str, Any] | None = None,
    prefix: str = "",
    best: Best = None,
) -> list[Stage]:
    """A round for each ratio: stages labels_a0, thresholds_a0, labels_b0, thresholds_b0, a1, b1, labels_a1, ...

    Every network learns from its labelled images and from pseudo labels of the other network, as that was before
    the round. A single network teaches itself. Of the pseudo labels of each class only the surest `ratio` counts
    (class-balanced curriculum).

    Args:
        unlabelled: the split that gets pseudo labels.
        epochs: passes over it, per round.
        predict: parameters of the `dmt.predict` stages.
        loss: instead of the config's, see `methods.dmt.losses.RULES`.
        prefix: of the names of all stages, where a recipe has rounds of several kinds.
        best: the parameters of a `KeepBestHook`, if masks choose the snapshot of each round, as they do for the
            published numbers; None: the last one.
    """
    teacher = dict(zip(networks, reversed(networks), strict=True))
    replaced = {} if loss is None else {"model.decode_head.loss": {**loss, "_delete_": True}}
    stages: list[Stage] = []
    for number, ratio in enumerate(ratios, 1):
        before = {name: f"{'' if number == 1 else prefix}{name}{number - 1}" for name in networks}
        said = {name: _said(prefix, name, number - 1) for name in networks}
        for name in networks:
            labels, thresholds = said[name].values()
            stages.append(stage("dmt.predict", labels, weights=before[name], split=unlabelled, **(predict or {})))
            stages.append(stage("dmt.class_thresholds", thresholds, labels=labels, ratio=ratio))
        for name, network in networks.items():
            stages.append(
                stage(
                    "train",
                    f"{prefix}{name}{number}",
                    config=network["mutual"],
                    init=before[name],
                    **said[teacher[name]],
                    split=f"{unlabelled}+{network['labelled']}",
                    pixel_labels=network["labelled"],
                    options={"seed": network["seed"], "train_cfg.max_epochs": epochs, **replaced},
                    **best_snapshot(best),
                )
            )
    return stages


def _said(prefix: str, name: str, number: int) -> dict[str, str]:
    """The names of the stages that hold a network's pseudo labels."""
    return {"labels": f"{prefix}labels_{name}{number}", "thresholds": f"{prefix}thresholds_{name}{number}"}


def confident_labels(said: str, split: str, classes: Classes = None) -> list[Stage]:
    """The stage `eval_pseudo`: the masks of the unlabelled images judge the pseudo labels that count.

    said: network and round, such as "b4"; split: the unlabelled images; classes: the mean is taken over these.
    """
    judged = {"labels": f"labels_{said}", "thresholds": f"thresholds_{said}", "split": split, "classes": classes}
    return [stage("dmt.eval_confident", "eval_pseudo", **judged)]
