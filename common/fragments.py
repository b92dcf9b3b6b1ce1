"""What many papers share, as stages of a recipe: class activation maps, and a segmentation network.

Constants of a paper have no default here: the recipe says them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = [
    "Classes",
    "Stage",
    "best_snapshot",
    "cam_labels",
    "cams",
    "changed",
    "evaluations",
    "retrained",
    "saliency_alone",
    "salient_labels",
    "stage",
    "strong_and_weak",
    "strong_only",
    "supervised",
    "until",
    "walked_labels",
    "with_configs",
]

Stage = dict[str, Any]
Classes = tuple[str, ...] | None


def cams(
    config: str,
    split: str,
    *,
    scales: tuple[float, ...],
    flip: bool,
    threshold: float | str,
    judged: str,
    classes: Classes = None,
    **look: Any,
) -> list[Stage]:
    """The stages `cam`, `make_cam` and `eval_cam`: a classifier learns from tags, its CAMs are judged.

    Args:
        config: the classifier's, relative to the recipe.
        split: the images it learns from, which get CAMs.
        scales, flip: the sizes at which it sees a photo, and whether its mirror image, too.
        threshold: the background score of the paper, and `eval_cam_best` then takes the best one; or "best".
        judged: the list whose masks judge.
        classes: the mean is taken over these; None: over all.
        look: more parameters of the stage `infer_cam`.
    """
    judge = {"cams": "make_cam", "split": judged, "classes": classes}
    stages = [
        stage("train", "cam", config=config, split=split),
        stage("infer_cam", "make_cam", weights="cam", split=split, scales=scales, flip=flip, **look),
        stage("eval_cam", "eval_cam", thresholds=threshold, **judge),
    ]
    return stages if threshold == "best" else [*stages, stage("eval_cam", "eval_cam_best", thresholds="best", **judge)]


def walked_labels(background: float | str, judged: str, classes: Classes = None) -> list[Stage]:
    """The stages `pseudo` and `eval_pseudo`: labels of the scores that the stage `walk` made, judged.

    Args:
        background: its score, or "own" where the scores hold it.
        judged: the list whose masks judge; classes: the mean is taken over these; None: over all.
    """
    return [
        stage("labels", "pseudo", scores="walk", background=background),
        stage("eval_labels", "eval_pseudo", labels="pseudo", split=judged, classes=classes),
    ]


def cam_labels(name: str, split: str, *, background: float, judged: str, classes: Classes = None) -> list[Stage]:
    """The stages NAME and `eval_NAME`: labels of the CAMs that the stage `make_cam` made, as they are, judged.

    Args:
        name: what the labels are called.
        split: the images that get them.
        background: its score.
        judged: the list whose masks judge; classes: the mean is taken over these; None: over all.
    """
    return [
        stage("cam_labels", name, cams="make_cam", background=background, split=split),
        stage("eval_labels", f"eval_{name}", labels=name, split=judged, classes=classes),
    ]


def salient_labels(
    scores: str, split: str, *, rule: Mapping[str, Any], judged: str, classes: Classes = None
) -> list[Stage]:
    """The stages `saliency`, `pseudo` and `eval_pseudo`: labels of scores and saliency, judged.

    Args:
        scores: the name of the stage that made them.
        split: the images that get labels; the data set must have their saliency.
        rule: the numbers of `common.ops.saliency_labels`.
        judged: the list whose masks judge; classes: the mean is taken over these; None: over all.
    """
    return [
        stage("read_maps", "saliency", what="saliency", split=split),
        stage("saliency_labels", "pseudo", scores=scores, saliency="saliency", rule=dict(rule)),
        stage("eval_labels", "eval_pseudo", labels="pseudo", split=judged, classes=classes),
    ]


def saliency_alone(split: str, *, rule: Mapping[str, Any], judged: str, classes: Classes = None) -> list[Stage]:
    """The stage `tags` and those of `salient_labels`, a control without a network.

    The first class of each image is painted on its salient pixels. split, rule, judged, classes: as there.
    """
    first = stage("first_tag", "tags", split=split)
    return [first, *salient_labels("tags", split, rule=rule, judged=judged, classes=classes)]


def retrained(config: str, labels: str, split: str, classes: Classes = None, **look: Any) -> list[Stage]:
    """The stages `deeplab`, `segment` and `val`: a segmentation network learns from pseudo labels.

    Args:
        config: the network's, relative to the recipe.
        labels: the name of the stage that made the pseudo labels.
        split: the images it learns from.
        classes: the mean is taken over these; None: over all.
        look: how the network looks at a photo, parameters of the stage `infer_seg`.
    """
    return [stage("train", "deeplab", config=config, labels=labels, split=split), *_judged(classes, look)]


def supervised(
    config: str,
    labelled: str,
    iterations: int | None = None,
    best: Mapping[str, Any] | None = None,
    classes: Classes = None,
    **look: Any,
) -> list[Stage]:
    """The same three stages for a supervised reference: the network learns from the masks of one list.

    Tables compare every method with it: with few masks alone, or with all.

    Args:
        config: the network's, relative to the recipe.
        labelled: the list whose masks it learns from; the recipe's `pixel_labels`.
        iterations: of the training; None: as the config says.
        best: `split` and `interval` of a `KeepBestHook`, if masks choose the snapshot; None: the last one.
        classes: the mean is taken over these; None: over all.
        look: how the network looks at a photo, parameters of the stage `infer_seg`.
    """
    chosen = best_snapshot(None if best is None else {**best, **look})
    options = None if iterations is None else {"train_cfg.max_iters": iterations}
    return [{**strong_only("deeplab", config, labelled, options=options), **chosen}, *_judged(classes, look)]


def strong_only(name: str, config: str, labelled: str, *, options: Mapping[str, Any] | None = None) -> Stage:
    """The stage NAME: a segmentation network learns from the masks of one list alone.

    Args:
        config: the network's, relative to the recipe.
        labelled: the list; the recipe's `pixel_labels`.
        options: keys of the config to override; None: nothing.
    """
    return stage("train", name, config=config, split=labelled, pixel_labels=labelled, **changed(options))


def strong_and_weak(
    name: str, config: str, labelled: str, weak: str, *, labels: str, options: Mapping[str, Any] | None = None
) -> Stage:
    """The stage NAME: a segmentation network learns from the masks of one list and from pseudo labels of another.

    Args:
        config, labelled, options: as of `strong_only`.
        weak: the images with pseudo labels; none of the labelled ones.
        labels: the name of the stage that made these.
    """
    both = {"labels": labels, "split": f"{weak}+{labelled}", "pixel_labels": labelled}
    return stage("train", name, config=config, **both, **changed(options))


def evaluations(networks: Mapping[str, str], classes: Classes = None, **segment: Any) -> list[Stage]:
    """Label maps and mIoU of trained networks: name of the evaluation -> name of the stage that made the weights.

    classes: the mean is taken over these; None: over all; segment: parameters of the `infer_seg` stages, the split
    among them.
    """
    stages = []
    for name, weights in networks.items():
        stages.append(stage("infer_seg", f"segment_{weights}", weights=weights, **segment))
        judged = {"labels": f"segment_{weights}", "split": segment["split"], "classes": classes}
        stages.append(stage("eval_labels", name, **judged))
    return stages


def _judged(classes: Classes, look: Mapping[str, Any]) -> list[Stage]:
    return [
        stage("infer_seg", "segment", weights="deeplab", split="val", **look),
        stage("eval_labels", "val", labels="segment", split="val", classes=classes),
    ]


def best_snapshot(best: Mapping[str, Any] | None) -> dict[str, Any]:
    """Parameters of a `train` stage whose snapshot is chosen by masks; none where `best` is None.

    best: the parameters of a `KeepBestHook`.
    """
    return {} if best is None else {"best": dict(best), "oracle": True}


def changed(options: Mapping[str, Any] | None) -> dict[str, Any]:
    """The parameters of a stage that trains with keys of its config overridden; None: nothing."""
    return {} if options is None else {"options": dict(options)}


def with_configs(stages: Iterable[Stage], **configs: str) -> list[Stage]:
    """The same stages with other network configs: another row of a paper's table.

    stages: of a recipe; configs: by the name of the stage, relative to the recipe.

    Raises:
        ValueError: a name is no stage with a config.
    """
    stages = list(stages)
    if unknown := sorted(set(configs) - {entry["name"] for entry in stages if "config" in entry}):
        raise ValueError(f"no stage with a config is called {', '.join(unknown)}")
    return [{**entry, "config": configs[entry["name"]]} if entry["name"] in configs else entry for entry in stages]


def until(stages: Iterable[Stage], name: str) -> list[Stage]:
    """The stages up to the one called `name`, itself among them: what a control shares with its method.

    Raises:
        ValueError: there is none of that name.
    """
    stages = list(stages)
    return stages[: [entry["name"] for entry in stages].index(name) + 1]


def stage(stage: str, name: str, **parameters: Any) -> Stage:
    """An entry of a recipe's pipeline."""
    return {"stage": stage, "name": name, **parameters}
