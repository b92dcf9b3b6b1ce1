"""mIoU of maps and labels; how well a classifier finds the tags."""

from typing import Annotated, Literal

import numpy as np

from common.artifacts import CAMs, Labels, ScoreMaps, Scores, Weights
from common.base.errors import UserError
from common.base.progress import Progress
from common.metrics import (
    BestThreshold,
    ConfusionMatrix,
    PhotoMatrices,
    exact_match_accuracy,
    multilabel_average_precision,
)
from common.metrics.confusion import class_ids, plain
from common.pipeline import Count, Range, Run, evaluation


@evaluation
def eval_cam(
    run: Run,
    cams: CAMs | ScoreMaps,
    split: str,
    thresholds: Annotated[float | tuple[float, ...] | Literal["best"], Range(0, 1)] = "best",
    classes: tuple[str, ...] | None = None,
) -> Scores:
    """mIoU of the maps' arg-max over a constant background score: a given one, the best of several, or of
    0, 0.01 .. 1 ("best").

    Score maps are first divided by their maximum in the image; a background that they hold is ignored.
    classes: the mean is taken over these; None: over all. A best threshold is chosen on the masks that judge it,
    and the tables mark it. The matrices of the photos are those at that threshold.
    """
    import torch

    from common.ops.cam import normalise

    given = None if thresholds == "best" else [thresholds] if isinstance(thresholds, float) else list(thresholds)
    curve = BestThreshold(run.data.num_classes, given, run.data.ignore_index)
    ids, parts = run.data.ids(split), {}
    with Progress(len(ids), run.out.name) as progress:
        for image_id in ids:
            value = cams.read(image_id)
            maps, keys = value.full()[value.keys > 0], value.keys[value.keys > 0]
            if isinstance(cams, ScoreMaps):
                maps = normalise(torch.from_numpy(maps), "image_max").numpy()
            parts[image_id] = curve.add(maps, keys, run.data.mask(image_id))
            progress.step()
    threshold, matrix = curve.best(None if classes is None else class_ids(run.data.classes, classes))
    photos = PhotoMatrices(run.data.num_classes)
    for image_id, part in parts.items():
        photos.add(image_id, curve.part_at(part, threshold))
    photos.write(run.out)
    return {
        **matrix.scores(run.data.classes, subset=classes),
        "threshold": threshold,
        "threshold_rule": "given" if isinstance(thresholds, float) else "best on these masks",
        "curve": curve.curve(run.data.classes, subset=classes),
        "images": len(ids),
    }


@evaluation
def eval_labels(run: Run, labels: Labels, split: str, classes: tuple[str, ...] | None = None) -> Scores:
    """mIoU of label maps. Pixels that they leave open (255) do not count; the coverage says how many do.

    classes: the mean is taken over these; None: over all.
    """
    matrix = ConfusionMatrix(run.data.num_classes, run.data.ignore_index)
    photos = PhotoMatrices(run.data.num_classes)
    ids = run.data.ids(split)
    with Progress(len(ids), run.out.name) as progress:
        for image_id in ids:
            photos.add(image_id, matrix.add(labels.read(image_id), run.data.mask(image_id)))
            progress.step()
    photos.write(run.out)
    return {**matrix.scores(run.data.classes, subset=classes), "images": len(ids)}


def eval_tags(run: Run, weights: Weights, split: str, squash: Count | None = None) -> Scores:
    """How well a classifier finds the tags of a list: a map is worth little where it does not.

    squash: the photos are squashed to so many pixels a side, None: as they are. The numbers: the share of images whose
    tags are all right at a probability of 1/2, and the average precision of each class and its mean.
    """
    import torch

    from common.checkpoints.networks import load_model
    from common.ops.resize import squash_image

    model = load_model(weights.file, weights.config, run.device)
    if not hasattr(model, "logits"):
        raise UserError(f"'{weights.name}' is no classifier with logits: name the stage that trained one.")
    ids, scores = run.data.ids(split), []
    targets = np.array([run.data.tag_vector(image_id) for image_id in ids])
    with Progress(len(ids), run.out.name) as progress, torch.inference_mode():
        for image_id in ids:
            pixels = run.data.image(image_id)
            pixels = pixels if squash is None else squash_image(pixels, (squash, squash))
            batch = torch.from_numpy(pixels.transpose(2, 0, 1).copy())[None].to(run.device)
            scores.append(model.logits(model.normalize(batch))[0].sigmoid().cpu().numpy())
            progress.step()
    precision = multilabel_average_precision(np.array(scores), targets)
    known = precision[~np.isnan(precision)]
    return {
        "exact_match": plain(exact_match_accuracy(np.array(scores), targets)),
        "mean_precision": plain(float(known.mean()) if len(known) else float("nan")),
        "precision": {name: plain(value) for name, value in zip(run.data.classes[1:], precision, strict=True)},
        "images": len(ids),
    }
