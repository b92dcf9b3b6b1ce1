"""DMT's stages: a network's pseudo labels with their confidence, thresholds per class, and how good they are."""

# No `from __future__ import annotations` here: the pipeline reads the annotations of these functions.

from typing import Annotated

import numpy as np

from common.artifacts import ConfidentLabel, ConfidentLabels, Scores, Weights
from common.base.progress import Progress
from common.metrics import ConfusionMatrix, PhotoMatrices
from common.metrics.confusion import plain
from common.ops.confidence import keep_confident
from common.pipeline import Count, Image, PerImage, Range, Run, Scales, evaluation, per_image


def predict(
    run: Run,
    weights: Weights,
    split: str,
    canvas: tuple[int, int] | None = (505, 505),
    scales: Scales = (1.0,),
    flip: bool = False,
) -> PerImage[ConfidentLabels]:
    """The label of every pixel and how sure the network is of it: pseudo labels before any is left out.

    canvas, scales, flip: see `common.inference.segmentation`; the paper has one scale and no mirror image.
    """
    from common.checkpoints.networks import load_model
    from common.inference.segmentation import multi_scale_logits
    from methods.dmt.labels import confident_label

    model = load_model(weights.file, weights.config, run.device)

    def label(image: Image) -> ConfidentLabel:
        return confident_label(multi_scale_logits(model, image.pixels, scales, flip, canvas))

    return per_image(label, split=split)


def class_thresholds(
    run: Run, labels: ConfidentLabels, ratio: Annotated[float, Range(0, 1, above=True)], every: Count = 16
) -> Scores:
    """The least confidence of each class that keeps its surest `ratio` of pixels, over the whole set of labels.

    ratio: above 0, at most 1; every: one pixel in so many is counted. The numbers: `thresholds` in the order of the
    classes, and the share of the counted pixels that is `kept`, of all and of each class.
    """
    from methods.dmt.labels import ConfidenceHistogram, sampled

    histogram = ConfidenceHistogram(run.data.num_classes)
    ids = labels.ids()
    with Progress(len(ids), run.out.name) as progress:
        for image_id in ids:
            histogram.add(*sampled(labels.read(image_id), every))
            progress.step()
    thresholds = histogram.thresholds(ratio)
    each, count = histogram.kept(thresholds), histogram.counts.sum(1)
    shares = {"all classes": np.nansum(each * count) / count.sum(), **dict(zip(run.data.classes, each, strict=True))}
    return {
        "thresholds": thresholds.tolist(),
        "kept": {name: plain(share) for name, share in shares.items()},
    }


@evaluation
def eval_confident(
    run: Run,
    labels: ConfidentLabels,
    split: str,
    thresholds: Scores | None = None,
    classes: tuple[str, ...] | None = None,
) -> Scores:
    """mIoU of pseudo labels; with `thresholds` only of the pixels that count. The coverage says how many these are.

    classes: the mean is taken over these; None: over all.
    """
    least = None if thresholds is None else thresholds.number("thresholds")
    matrix = ConfusionMatrix(run.data.num_classes, run.data.ignore_index)
    photos = PhotoMatrices(run.data.num_classes)
    ids = run.data.ids(split)
    with Progress(len(ids), run.out.name) as progress:
        for image_id in ids:
            value = labels.read(image_id)
            label = value.label if least is None else keep_confident(value.label, value.confidence, least)
            photos.add(image_id, matrix.add(label, run.data.mask(image_id)))
            progress.step()
    photos.write(run.out)
    return {**matrix.scores(run.data.classes, subset=classes), "images": len(ids)}
