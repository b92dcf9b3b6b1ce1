"""Strong-Weak's paper as stages of a recipe: the dual network, its baselines, branches on frozen trunks.

They follow stages that make weak labels of images without masks, such as IRNet's. Constants have no default. All rows
have one network config, one schedule and one size of batch; they differ in the head and in what makes up a batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from common.fragments import Classes, Stage, evaluations, stage, strong_and_weak, strong_only

__all__ = ["baselines", "dual", "fresh_branches"]

Options = dict[str, Any]

ONE = {"model.decode_head.type": "OneBranchHead"}
SHUFFLED = {"train_dataloader.sampler": {"_delete_": True, "type": "SeekingSampler", "shuffle": True}}
"""One list of all images in the place of so many of each kind in a batch."""


def dual(
    config: str,
    labelled: str,
    weak: str,
    *,
    labels: str,
    iterations: int,
    step: int,
    classes: Classes = None,
    **look: Any,
) -> list[Stage]:
    """Stages `dual`, `branch`, `segment_branch`, `val`: two branches on one trunk, then the strong one alone.

    Args:
        config: the network's, relative to the recipe.
        labelled: the list whose masks it learns from; weak: the images with weak labels, none of these.
        labels: the stage that made the weak labels.
        iterations: of the training; step: from which on the rates are a tenth.
        classes: the mean is taken over these; None: over all.
        look: how the network looks at a photo, parameters of the stage `infer_seg`.
    """
    return [
        strong_and_weak("dual", config, labelled, weak, labels=labels, options=_schedule(iterations, step)),
        stage("strong_weak.strong_branch", "branch", weights="dual"),
        *evaluations({"val": "branch"}, classes=classes, split="val", **look),
    ]


def baselines(
    rows: Sequence[str],
    config: str,
    labelled: str,
    weak: str,
    *,
    every: str,
    labels: str,
    iterations: int,
    step: int,
    repeats: int | None = None,
    classes: Classes = None,
    **look: Any,
) -> list[Stage]:
    """For each row stages ROW, `segment_ROW`, `val_ROW`: networks with one branch.

    Args:
        rows: some of "strong", the masks alone; "weak", weak labels of all images; "mixed", both in one list;
            "repeated", the same with every mask so many times; "pooled", so many of each kind in a batch, one mean;
            "balanced", the same with a mean for each kind: the dual network without its second branch.
        config, labelled, weak, labels, iterations, step, classes, look: as of `dual`.
        every: the list of all images.
        repeats: of a mask in "repeated".

    Raises:
        ValueError: there is no such row.
    """
    found: list[Stage] = []
    for row in rows:
        options = {**_schedule(iterations, step), **_options(row, repeats)}
        made = {"labels": labels, "options": options}
        if row == "strong":
            found.append(strong_only(row, config, labelled, options=options))
        elif row == "weak":
            found.append(stage("train", row, config=config, split=every, **made))
        else:
            found.append(strong_and_weak(row, config, labelled, weak, **made))
    return [*found, *evaluations({f"val_{row}": row for row in rows}, classes=classes, split="val", **look)]


def fresh_branches(
    networks: Mapping[str, str],
    config: str,
    labelled: str,
    *,
    frozen: int,
    iterations: int,
    step: int,
    classes: Classes = None,
    **look: Any,
) -> list[Stage]:
    """For each network stages `trunk_NAME`, `fresh_NAME`, `segment_fresh_NAME`, `val_fresh_NAME`: is its trunk better?

    A new branch learns from the masks alone, on the network's trunk as it is.

    Args:
        networks: NAME -> the stage that trained it.
        frozen: the backbone's last stage, as its `frozen_stages` counts.
        config, labelled, iterations, step, classes, look: as of `dual`.
    """
    fixed = {"model.backbone.frozen_stages": frozen, "model.decode_head.frozen_neck": True}
    options = {**_schedule(iterations, step), **ONE, **SHUFFLED, **fixed}
    found: list[Stage] = []
    for name, weights in networks.items():
        found.append(stage("strong_weak.trunk", f"trunk_{name}", weights=weights))
        found.append({**strong_only(f"fresh_{name}", config, labelled, options=options), "init": f"trunk_{name}"})
    judged = {f"val_fresh_{name}": f"fresh_{name}" for name in networks}
    return [*found, *evaluations(judged, classes=classes, split="val", **look)]


def _schedule(iterations: int, step: int) -> Options:
    return {"train_cfg.max_iters": iterations, "param_scheduler.0.milestones": [step]}


def _options(row: str, repeats: int | None) -> Options:
    repeated = {"train_dataloader.dataset.type": "StrongRepeated", "train_dataloader.dataset.times": repeats}
    listed = {**ONE, **SHUFFLED}
    options = {
        "strong": listed,
        "weak": listed,
        "mixed": listed,
        "repeated": {**listed, **repeated},
        "pooled": ONE,
        "balanced": {"model.decode_head.type": "BalancedHead"},
    }
    if row not in options:
        raise ValueError(f"there is no row {row!r}: there are {', '.join(options)}")
    return options[row]
