"""Stages that many methods use. A recipe names them by these functions' names."""

# Two habits of every `stages.py`. No `from __future__ import annotations`: the pipeline reads the annotations. And what
# needs torch is imported inside the stage: a plan, a report and the stages without a network start without it.

from typing import Annotated, Literal

import numpy as np

from common.artifacts import (
    CAM,
    Artifact,
    CAMs,
    GreyMaps,
    IdMaps,
    Labels,
    ScoreMap,
    ScoreMaps,
    Scores,
    Strided,
    Supervision,
    Weights,
    named_maps,
)
from common.base.config import read_config
from common.base.errors import UserError
from common.base.progress import Progress
from common.data.regions import SUFFIXES, read_regions, region_file
from common.metrics import BestThreshold, ConfusionMatrix
from common.metrics.confusion import class_ids
from common.ops.crf_params import CRFParams
from common.pipeline import (
    Count,
    Folder,
    Image,
    NetworkConfig,
    PerImage,
    Positive,
    Range,
    Run,
    Scales,
    Unit,
    evaluation,
    every_rank,
    per_image,
)

LARGE = 50_000_000  # parameters; ResNet-38 has twice as many. Smaller networks would lose a third of their speed


@every_rank
def train(
    run: Run,
    config: NetworkConfig,
    labels: Supervision | None = None,
    split: str = "train_aug",
    init: Weights | None = None,
    pixel_labels: str | None = None,
    thresholds: Scores | None = None,
    best: dict | None = None,
    options: dict | None = None,
    inputs: dict[str, Artifact] | None = None,
    follow: dict | None = None,
) -> Weights:
    """Train one network as its config says.

    labels: what it learns from, pixel by pixel (none: image-level tags alone); split: the images; init: weights of an
    earlier stage to begin with; pixel_labels: a split whose masks it learns from, as far as the recipe's supervision
    goes; thresholds: the least confidence of each class in `labels`, what lies below is left open; best: the parameters
    of a `KeepBestHook`, whose snapshot is kept instead of the last one (it sees masks: only with `oracle=True`);
    options: dotted keys of the config to override; inputs: what else the network receives with each image, by the name
    under which its loss finds it in the sample, cropped, scaled and mirrored with the image, or handed on whole where
    `follow` says False of that name. The config's own seed is added to the run's: two networks of one
    recipe may differ by it.
    """
    from common.training import KeepBestHook
    from common.training.datasets import set_data
    from common.training.train import train_network

    if pixel_labels is not None:
        for image_id in run.data.ids(pixel_labels):
            run.data.require_allowed(image_id)
    cfg = read_config(config, options)
    least = None if thresholds is None else thresholds.number("thresholds")
    set_data(cfg, run.data.root, split, labels, pixel_labels, least, inputs, follow)
    if best is not None:
        try:
            chooser = KeepBestHook(**best)
        except TypeError as error:
            raise UserError(f"best={best}: {error}.") from error
        run.data.mask(run.data.ids(chooser.split)[0])  # refused where the recipe does not say that this stage sees them
        cfg.custom_hooks = [*cfg.get("custom_hooks", []), {"type": "KeepBestHook", **best}]
    cfg.seed = run.seed + cfg.get("seed", 0)
    start = None if init is None else init.file
    train_network(cfg, run.out, device=run.device, launcher=run.launcher, init=start, log=run.log)


def infer_cam(
    run: Run,
    weights: Weights,
    split: str,
    scales: Scales = (1.0, 0.5, 1.5, 2.0),
    flip: bool = True,
    normalisation: Literal["class_max", "class_min_max"] = "class_max",
    stride: Count = 4,
    inputs: dict[str, Artifact] | None = None,
) -> PerImage[CAMs]:
    """Class activation maps of the tagged classes, summed over scales and mirror images and normalised per class.

    normalisation: see `common.ops.cam.normalise`; stride: pixels per cell of the stored maps. IRNet stores every fourth
    pixel, AffinityNet and SEAM all of them; inputs: what else the network's `cam` receives with each image, by name.
    """
    from common.base.memory import give_back_freed_memory
    from common.checkpoints.networks import load_model
    from common.inference.cam import multi_scale_cams
    from common.ops.cam import merge_cams
    from common.ops.resize import strided_size

    model = load_model(weights.file, weights.config, run.device)
    if run.device.type == "cpu" and sum(parameter.numel() for parameter in model.parameters()) > LARGE:
        give_back_freed_memory()

    def cams(images: list[Image]) -> list[CAM]:
        given = [named_maps(inputs, image.id) for image in images] if inputs else ()
        maps = multi_scale_cams(model, [image.pixels for image in images], scales, flip, given)
        return [_cam(image, [scale[number] for scale in maps]) for number, image in enumerate(images)]

    def _cam(image: Image, maps: list) -> CAM:
        keys = np.array(image.tags, np.int64)
        strided = merge_cams(maps, strided_size(image.size, stride), keys, normalisation=normalisation)
        return CAM(keys, strided, image.size, stride)

    if run.device.type == "cuda":
        return per_image(cams, split=split, batch=8)
    return per_image(lambda image: cams([image])[0], split=split)


def read_maps(run: Run, what: Literal["saliency"], split: str) -> PerImage[GreyMaps]:
    """Maps that come with the data set."""

    def read(image: Image) -> np.ndarray:
        return _fitting(run.data.saliency(image.id), image, f"the {what} map")

    return per_image(read, split=split)


def read_ids(run: Run, folder: Folder, split: str) -> PerImage[IdMaps]:
    """Region numbers (superpixels, proposals) that another program made: `<id>.png`, `.npy` or `.npz` in a folder."""
    ids = run.data.ids(split)
    lacking = [image_id for image_id in ids if region_file(folder, image_id) is None]
    if lacking:
        raise UserError(
            f"{folder} lacks {len(lacking)} of the {len(ids)} images of '{split}', the first is "
            f"{lacking[0]}: add its regions as {lacking[0]}{' or '.join(SUFFIXES)}."
        )

    def read(image: Image) -> np.ndarray:
        return _fitting(read_regions(region_file(folder, image.id)), image, "the map of regions")

    return per_image(read, split=split)


def _fitting(values: np.ndarray, image: Image, what: str) -> np.ndarray:
    """`values` [h, w] if they have the image's size.

    Raises:
        UserError: they have not.
    """
    if values.shape == image.size:
        return values
    (height, width), (rows, columns) = image.size, values.shape
    raise UserError(f"{what} of {image.id} is {rows} x {columns}, its photo {height} x {width} pixels: make it again.")


@evaluation
def eval_cam(
    run: Run,
    cams: CAMs | ScoreMaps,
    split: str,
    thresholds: Annotated[float | Literal["best"], Range(0, 1)] = "best",
    classes: tuple[str, ...] | None = None,
) -> Scores:
    """mIoU of the maps' arg-max over a constant background score: a given one, or the best of 0, 0.01 .. 1.

    Score maps are divided by their maximum in the image before, and a background of their own is not looked at.
    classes: the mean is taken over these; None: over all. A best threshold is chosen on the masks it is judged with,
    and the tables mark it so.
    """
    import torch

    from common.ops.cam import normalise

    given = None if thresholds == "best" else [thresholds]
    curve = BestThreshold(run.data.num_classes, given, run.data.ignore_index)
    ids = run.data.ids(split)
    with Progress(len(ids), run.out.name) as progress:
        for image_id in ids:
            value = cams.read(image_id)
            maps, keys = value.full()[value.keys > 0], value.keys[value.keys > 0]
            if isinstance(cams, ScoreMaps):
                maps = normalise(torch.from_numpy(maps), "image_max").numpy()
            curve.add(maps, keys, run.data.mask(image_id))
            progress.step()
    threshold, matrix = curve.best(None if classes is None else class_ids(run.data.classes, classes))
    return {
        **matrix.scores(run.data.classes, subset=classes),
        "threshold": threshold,
        "threshold_rule": "best on these masks" if given is None else "given",
        "curve": curve.curve(run.data.classes, subset=classes),
        "images": len(ids),
    }


@evaluation
def eval_labels(run: Run, labels: Labels, split: str, classes: tuple[str, ...] | None = None) -> Scores:
    """mIoU of label maps; pixels they leave open (255) are not counted, and the coverage says how many are.

    classes: the mean is taken over these; None: over all.
    """
    matrix = ConfusionMatrix(run.data.num_classes, run.data.ignore_index)
    ids = run.data.ids(split)
    with Progress(len(ids), run.out.name) as progress:
        for image_id in ids:
            matrix.add(labels.read(image_id), run.data.mask(image_id))
            progress.step()
    return {**matrix.scores(run.data.classes, subset=classes), "images": len(ids)}


def crf(run: Run, labels: Labels, crf: CRFParams, confidence: Unit = 0.7) -> PerImage[Labels]:
    """Label maps refined by a dense CRF; a pixel's label is trusted with probability `confidence`."""
    from common.ops.crf import crf_labels

    return per_image(lambda image: crf_labels(image.pixels, labels.read(image.id), crf, None, confidence))


def cam_to_ir_label(run: Run, cams: CAMs, crf: CRFParams, fg: Unit = 0.30, bg: Unit = 0.05) -> PerImage[Labels]:
    """Confident labels to learn boundaries from (IRNet sec. 3.1): classes where the CAM exceeds `fg`, background where
    it stays below `bg`, each after a CRF; the rest is open (255).
    """
    from common.ops.labels import confident_labels

    if bg > fg:
        raise UserError(f"bg is {bg} and fg {fg}: the score that background stays below must not exceed fg.")

    def label(image: Image) -> np.ndarray:
        cam = cams.read(image.id)
        return confident_labels(cam.full(), cam.keys, image.pixels, crf, fg, bg)

    return per_image(label)


def boundary_walk(
    run: Run,
    cams: CAMs,
    weights: Weights,
    beta: Positive = 10.0,
    exp_times: Annotated[int, Range(0, 16)] = 8,
    radius: Annotated[int, Range(2)] = 5,
    canvas: Count = 512,
) -> PerImage[ScoreMaps]:
    """Scores after a random walk of 2^exp_times steps, which spreads the CAM up to the class boundaries (IRNet sec.
    4.2); weights: of a `BoundaryNet`.
    """
    import torch

    from common.checkpoints.networks import load_model
    from common.ops.random_walk import BoundaryWalk

    network = load_model(weights.file, weights.config, run.device)
    walk = BoundaryWalk(radius, beta, exp_times)

    def scores(image: Image) -> ScoreMap:
        pixels = torch.from_numpy(np.ascontiguousarray(image.pixels.transpose(2, 0, 1))).to(run.device)
        cam = cams.read(image.id)
        walked = walk(cam.maps, network.boundary(pixels, canvas))
        return ScoreMap(cam.keys, walked.cpu().numpy(), cam.size, Strided(cam.stride))

    return per_image(scores)


def labels(
    run: Run, scores: ScoreMaps, background: Unit | Literal["own"], crf: CRFParams | None = None
) -> PerImage[Labels]:
    """Label maps: the arg-max of scores and background, after a dense CRF where there is one.

    background: a constant, compared with the scores over their maximum in the image; "own": the maps carry it as class
    0, as AffinityNet's do.
    """
    from common.ops.crf import crf_posterior
    from common.ops.labels import planes_with_background

    def label(image: Image) -> np.ndarray:
        value = scores.read(image.id)
        planes, keys = value.full(), value.keys
        if (background == "own") != (0 in keys):
            state, cure = ("lack", "say a number") if background == "own" else ("carry", 'say background="own"')
            raise UserError(f"The scores of '{scores.name}' {state} a background of their own: {cure}.")
        if background != "own":
            planes, keys = planes_with_background(planes, keys, background)
        if crf is not None:
            planes = crf_posterior(image.pixels, planes, crf)
        return keys[planes.argmax(axis=0)].astype(np.uint8)

    return per_image(label)


def infer_seg(
    run: Run,
    weights: Weights,
    split: str,
    scales: Scales = (1.0,),
    flip: bool = False,
    crf: CRFParams | None = None,
    canvas: tuple[int, int] | None = None,
    resize: Literal["pil", "cv2"] = "pil",
    inputs: dict[str, Artifact] | None = None,
) -> PerImage[Labels]:
    """Arg-max of a segmentation network: logits averaged over scales and mirror images, then a dense CRF if given.

    canvas: (height, width) that smaller photos are padded to with black at the bottom and right, None: as they are.
    resize: how photos get to their scale, see `multi_scale_logits`; inputs: what else the network receives with each
    image, by name.
    """
    from common.checkpoints.networks import load_model
    from common.inference.segmentation import multi_scale_logits
    from common.ops.crf import crf_posterior

    model = load_model(weights.file, weights.config, run.device)

    def segment(image: Image) -> np.ndarray:
        given = named_maps(inputs, image.id) if inputs else None
        scores = multi_scale_logits(model, image.pixels, scales, flip, canvas, resize, given).softmax(0).cpu().numpy()
        if crf is not None:
            scores = crf_posterior(image.pixels, scores, crf)
        return scores.argmax(0).astype(np.uint8)

    return per_image(segment, split=split)
