"""mIoU of maps and labels."""

from typing import Annotated, Literal

from common.artifacts import CAMs, Labels, ScoreMaps, Scores
from common.base.progress import Progress
from common.metrics import BestThreshold, ConfusionMatrix, PhotoMatrices
from common.metrics.confusion import class_ids
from common.pipeline import Range, Run, evaluation


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
