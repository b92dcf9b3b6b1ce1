"""Stages that many methods use. A recipe names them by these functions' names."""

# No `from __future__ import annotations` here: the pipeline reads the annotations of these functions.

from typing import Any, Literal

import numpy as np

import common.compat  # noqa: F401  (mmseg needs it before its first import)
from common.artifacts import CAM, CAMs, Labels, Scores, Weights
from common.cam import merge_cams, multi_scale_cam
from common.crf import PRESETS, DenseCRF
from common.errors import UserError
from common.metrics import BestThreshold, ConfusionMatrix
from common.models.io import load_model
from common.pipeline import Image, NetworkConfig, PerImage, Run, evaluation, every_rank, per_image
from common.progress import Progress
from common.recipe import read_config
from common.segment import multi_scale_logits
from common.train import set_data, train_network


@every_rank
def train(
    run: Run,
    config: NetworkConfig,
    labels: Labels | None = None,
    split: str = "train_aug",
    init: Weights | None = None,
    options: dict | None = None,
) -> Weights:
    """Train one network as its config says.

    labels: the label maps it learns from (none: image-level tags alone); split: the images; init: weights of an
    earlier stage to begin with; options: dotted keys of the config to override.
    """
    cfg = read_config(config, options)
    set_data(cfg, run.data.root, split, None if labels is None else labels.path)
    cfg.seed = run.seed
    train_network(
        cfg, run.out, device=run.device, launcher=run.launcher, init=None if init is None else init.file, log=run.log
    )


def infer_cam(
    run: Run, weights: Weights, split: str, scales: tuple[float, ...] = (1.0, 0.5, 1.5, 2.0), flip: bool = True
) -> PerImage[CAMs]:
    """Class activation maps of the tagged classes, summed over scales and mirror images, divided by their maximum."""
    model = load_model(weights.file, weights.config, run.device)

    def cam(image: Image) -> CAM:
        keys = np.array(image.tags, np.int64)
        maps = multi_scale_cam(model, image.pixels, scales, flip)
        strided, _ = merge_cams(maps, image.size, keys)
        return CAM(keys, strided, image.size)

    return per_image(cam, split=split)


@evaluation
def eval_cam(
    run: Run,
    cams: CAMs,
    split: str,
    thresholds: float | Literal["best"] = "best",
    classes: tuple[str, ...] | None = None,
) -> Scores:
    """mIoU of the CAMs' arg-max over a constant background score: a given one, or the best of 0, 0.01 .. 1.

    classes: the mean is taken over these; None: over all.
    """
    curve = BestThreshold(run.data.num_classes)
    ids = run.data.ids(split)
    with Progress(len(ids), "eval_cam") as progress:
        for image_id in ids:
            cam = cams.read(image_id)
            curve.add(cam.full(), cam.keys, run.data.mask(image_id))
            progress.step()
    threshold, matrix = curve.best() if thresholds == "best" else (thresholds, curve.at(thresholds))
    return {
        **matrix.scores(run.data.classes, subset=classes),
        "threshold": threshold,
        "threshold_rule": "best on the masks of this split" if thresholds == "best" else "given",
        "curve": curve.curve(run.data.classes, subset=classes),
        "images": len(ids),
    }


@evaluation
def eval_labels(run: Run, labels: Labels, split: str, classes: tuple[str, ...] | None = None) -> Scores:
    """mIoU of label maps; pixels they leave open (255) are not counted, and the coverage says how many those are."""
    matrix = ConfusionMatrix(run.data.num_classes, run.data.ignore_index)
    ids = run.data.ids(split)
    with Progress(len(ids), run.out.name) as progress:
        for image_id in ids:
            matrix.add(labels.read(image_id), run.data.mask(image_id))
            progress.step()
    return {**matrix.scores(run.data.classes, subset=classes), "images": len(ids)}


def infer_seg(
    run: Run,
    weights: Weights,
    split: str,
    scales: tuple[float, ...] = (1.0,),
    flip: bool = False,
    crf: str | None = None,
) -> PerImage[Labels]:
    """Arg-max of a segmentation network: logits averaged over scales and mirror images, then a dense CRF if named."""
    model = load_model(weights.file, weights.config, run.device)
    refine = None if crf is None else DenseCRF(crf_preset(crf))

    def segment(image: Image) -> np.ndarray:
        logits = multi_scale_logits(model, image.pixels, scales, flip)
        if refine is None:
            return logits.argmax(0).to("cpu").numpy().astype(np.uint8)
        return refine(image.pixels, logits.softmax(0).cpu().numpy()).argmax(0).astype(np.uint8)

    return per_image(segment, split=split)


def crf_preset(name: str) -> Any:
    """The named CRF parameters.

    Raises:
        UserError: there are none of that name.
    """
    if name not in PRESETS:
        raise UserError(f"There is no CRF preset '{name}'; known are {', '.join(PRESETS)}.")
    return PRESETS[name]
