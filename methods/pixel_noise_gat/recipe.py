"""Pixel-noise GAT's paper as stages of a recipe: clean model, noise detection, correction, final network, controls.

They follow the stages that make noisy labels (`common.fragments`: `cams`, `cam_labels`). Constants have no default.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.fragments import Classes, Stage, evaluations, stage, strong_and_weak, strong_only

__all__ = ["clean_model", "controls", "corrected_labels", "final_network", "half_models", "small_losses"]

Numbers = Mapping[str, Any]


def clean_model(config: str, labelled: str, *, iterations: int, classes: Classes = None, **look: Any) -> list[Stage]:
    """Stages `clean`, `segment_clean`, `val_clean`: a network learns from the masks alone; the row "strong only".

    It never sees an image with a noisy label: else it would find its own errors clean.

    Args:
        config: the network's, relative to the recipe.
        labelled: the list whose masks it learns from.
        iterations: of the training, those of the final network.
        classes: the mean is taken over these; None: over all.
        look: how it looks at a photo when it is judged, parameters of the stage `infer_seg`.
    """
    return [
        strong_only("clean", config, labelled, options=_iterations(iterations)),
        *evaluations({"val_clean": "clean"}, classes=classes, split="val", **look),
    ]


def small_losses(
    noisy: str, *, scales: tuple[float, ...], select: Numbers, judged: str, classes: Classes = None
) -> list[Stage]:
    """Stages `losses`, `thresholds`, `small_loss`, `eval_small_loss`: which pixels of the noisy labels are clean.

    Args:
        noisy: the stage that made the noisy labels.
        scales: at which the clean model sees a photo.
        select: the numbers of `methods.pixel_noise_gat.rules.SmallLoss`.
        judged: the list whose masks judge the clean pixels; classes: means are taken over these; None: over all.
    """
    judge = {"labels": "losses", "thresholds": "thresholds", "split": judged, "classes": classes}
    return [
        stage("pixel_noise_gat.judge_labels", "losses", labels=noisy, weights="clean", scales=scales),
        stage("pixel_noise_gat.thresholds", "thresholds", labels="losses", select=dict(select)),
        stage("pixel_noise_gat.small_loss", "small_loss", labels="losses", thresholds="thresholds"),
        stage("pixel_noise_gat.eval_small_loss", "eval_small_loss", **judge),
    ]


def half_models(config: str, labelled: str, *, iterations: int) -> list[Stage]:
    """Stages `half_0` and `half_1`: the clean model on every second image of the list, for graphs of the others.

    Args: as of `clean_model`.
    """
    halved = {
        "custom_imports.imports": ["methods.pixel_noise_gat.data"],
        "train_dataloader.dataset.type": "HalfDataset",
    }
    return [
        strong_only(
            f"half_{half}",
            config,
            labelled,
            options={**_iterations(iterations), **halved, "train_dataloader.dataset.half": half},
        )
        for half in (0, 1)
    ]


def corrected_labels(
    noisy: str,
    weak: str,
    *,
    slic: Numbers,
    graph: Numbers,
    gat: Numbers,
    crf: Numbers,
    confidence: float,
    judged: str,
    strong: str | None = None,
    classes: Classes = None,
) -> list[Stage]:
    """Stages `superpixels`, `graphs`, `gat`, `corrected`, `eval_corrected`, `pseudo`, `eval_pseudo`.

    Args:
        noisy: the stage that made the noisy labels.
        weak: the images that have them.
        slic: `count` and `compactness` of the superpixels, and the `scale` at which a photo is segmented.
        graph: of the stage `pixel_noise_gat.graphs`.
        gat: the numbers of `methods.pixel_noise_gat.rules.GATRule`.
        crf, confidence: of the labels: a painted label is trusted with this probability.
        judged: the list whose masks judge; classes: the mean is taken over these; None: over all.
        strong: images with masks whose graphs join, after `half_models`; None: they are left out.
    """
    images = weak if strong is None else f"{weak}+{strong}"
    joined = {} if strong is None else {"strong": strong, "halves": ["half_0", "half_1"]}
    made = {"labels": "small_loss", "superpixels": "superpixels", "weights": "clean", "split": images}
    judge = {"split": judged, "classes": classes}
    return [
        stage("slic", "superpixels", split=images, **slic),
        stage("pixel_noise_gat.graphs", "graphs", **made, **graph, **joined),
        stage("pixel_noise_gat.fit_gat", "gat", graphs="graphs", gat=dict(gat)),
        stage(
            "pixel_noise_gat.correct",
            "corrected",
            noisy=noisy,
            clean="small_loss",
            superpixels="superpixels",
            graphs="graphs",
            weights="gat",
        ),
        stage("eval_labels", "eval_corrected", labels="corrected", **judge),
        stage("crf", "pseudo", labels="corrected", crf=crf, confidence=confidence),
        stage("eval_labels", "eval_pseudo", labels="pseudo", **judge),
    ]


def final_network(
    config: str, labelled: str, weak: str, *, iterations: int, classes: Classes = None, **look: Any
) -> list[Stage]:
    """Stages `deeplab`, `segment_deeplab`, `val`: the network that learns from masks and corrected labels.

    Args: as of `clean_model`; weak: the images with corrected labels.
    """
    return [
        strong_and_weak("deeplab", config, labelled, weak, labels="pseudo", options=_iterations(iterations)),
        *evaluations({"val": "deeplab"}, classes=classes, split="val", **look),
    ]


def controls(
    rows: tuple[str, ...],
    config: str,
    labelled: str,
    weak: str,
    *,
    noisy: str,
    scales: tuple[float, ...],
    crf: Numbers,
    confidence: float,
    judged: str,
    iterations: int,
    classes: Classes = None,
    **look: Any,
) -> list[Stage]:
    """For each row the network `net_ROW` that learns from masks and the row's labels, and `val_ROW`.

    First "own" and "voted" make labels of these names, which go through the CRF as the corrected ones do, `own_crf` and
    `voted_crf`; all are judged.

    Args:
        rows: some of "noisy", the noisy labels as they are; "small_loss", their clean pixels alone; "own", the clean
            model's arg-max among the tags; "voted", the most voted clean class of each superpixel.
        config, labelled, weak, iterations, classes, look: as of `final_network`.
        noisy, crf, confidence, judged: as of `corrected_labels`; scales: as of `small_losses`.

    Raises:
        ValueError: there is no such row.
    """
    regions = {"noisy": noisy, "clean": "small_loss", "superpixels": "superpixels"}
    made = {
        "own": stage("pixel_noise_gat.own_labels", "own", weights="clean", split=weak, scales=scales),
        "voted": stage("pixel_noise_gat.vote_labels", "voted", **regions),
    }
    labels = {"noisy": noisy, "small_loss": "small_loss", "own": "own_crf", "voted": "voted_crf"}
    judge = {"split": judged, "classes": classes}
    found: list[Stage] = []
    for row in rows:
        if row not in labels:
            raise ValueError(f"there is no row {row!r}: there are {', '.join(labels)}")
        if row in made:
            found += [
                made[row],
                stage("eval_labels", f"eval_{row}", labels=row, **judge),
                stage("crf", f"{row}_crf", labels=row, crf=crf, confidence=confidence),
                stage("eval_labels", f"eval_{row}_crf", labels=f"{row}_crf", **judge),
            ]
    options = _iterations(iterations)
    found += [
        strong_and_weak(f"net_{row}", config, labelled, weak, labels=labels[row], options=options) for row in rows
    ]
    networks = {f"val_{row}": f"net_{row}" for row in rows}
    return [*found, *evaluations(networks, classes=classes, split="val", **look)]


def _iterations(count: int) -> dict[str, Any]:
    return {"train_cfg.max_iters": count}
