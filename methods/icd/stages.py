"""ICD's stages: merged superpixels, maps on a canvas, seeds and their CRF."""

# No `from __future__ import annotations` here: the pipeline reads the annotations of these functions.

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from common.artifacts import GreyMaps, IdMaps, Labels, ScoreMap, Weights
from common.base.errors import UserError
from common.data.dataset import DataSet
from common.ops.crf_params import CRFParams
from common.ops.saliency_labels import SaliencyRule
from common.pipeline import Count, Image, NetworkConfig, PerImage, Positive, Run, Unit, noted_by, per_image
from methods.icd.scores import CanvasScores, PaddedCanvas
from methods.icd.tags import never_alone, said_of

if TYPE_CHECKING:
    import torch

    from common.models.preprocess import ImageModel


def merge(
    run: Run,
    superpixels: IdMaps,
    config: NetworkConfig,
    count: Count,
    canvas: Count,
    scale: Positive = 1.0,
    options: dict | None = None,
) -> PerImage[IdMaps]:
    """Superpixels joined by their features until `count` are left (sec. 4.1).

    config: a network's; its backbone with its initial weights, untrained, gives the features. canvas, scale: as of
    `localise`; options: dotted keys of the config to override.
    """
    from common.ops.resize import resize_label
    from common.ops.superpixels import merge_superpixels
    from methods.icd.superpixels import superpixel_features

    network = _untrained(run, config, options)

    def merged(image: Image) -> np.ndarray:
        segments = superpixels.read(image.id)
        if segments.max() < count:
            return segments
        x, size, _ = _on_canvas(network, image, canvas, scale, run.device)
        maps = network.backbone(x)[0][0].float().cpu().numpy()
        features = superpixel_features(maps, resize_label(segments, size), canvas)
        return merge_superpixels(segments, features, count)

    return per_image(_without_gradient(merged))


def _say_never_alone(data: DataSet, split: str, what: str) -> list[str]:
    if what != "top_down":
        return []
    found = never_alone(data.tags(image_id) for image_id in data.ids(split))
    return [line] if (line := said_of(found, data.classes, split)) else []


@noted_by(_say_never_alone)
def localise(
    run: Run, weights: Weights, split: str, what: Literal["cam", "top_down"], canvas: Count, scale: Positive = 1.0
) -> PerImage[CanvasScores]:
    """Maps of the tagged classes: the raw CAM, or the top-down logits, whose sign is object or background.

    A class that no training image has alone gets its CAM in both. canvas: the photo lies at the top left of a square of
    so many pixels a side, padded with the mean; a larger photo is shrunk until it fits. scale: it is enlarged so many
    times before.
    """
    from common.checkpoints.networks import load_model

    network = load_model(weights.file, weights.config, run.device)
    look = network.raw_cam if what == "cam" else network.responses

    def maps(image: Image) -> ScoreMap:
        x, _, factor = _on_canvas(network, image, canvas, scale, run.device)
        keys = np.array(image.tags, np.int64)
        found = look(x)[0].cpu().numpy()[keys - 1]
        return ScoreMap(keys, found, image.size, PaddedCanvas(canvas, 8, factor))

    return per_image(_without_gradient(maps), split=split)


def seeds(
    run: Run,
    scores: CanvasScores,
    ranking: CanvasScores,
    saliency: GreyMaps | None = None,
    rule: SaliencyRule | None = None,
) -> PerImage[Labels]:
    """Label maps by the sign of the maps, see `methods.icd.seeds.seed_labels`.

    scores: top-down maps; ranking: the CAM, which decides between classes; rule: how saliency is read, it goes with it.
    """
    from methods.icd.seeds import NO_SALIENCY, seed_labels

    if (saliency is None) != (rule is None):
        raise UserError("'saliency' and 'rule' go together: give both, or neither.")

    def label(image: Image) -> np.ndarray:
        value, ranks = scores.read(image.id), ranking.read(image.id)
        levels = None if saliency is None else saliency.read(image.id)
        return seed_labels(value.full(), ranks.full(), value.keys, levels, rule or NO_SALIENCY)

    return per_image(label)


def refine(run: Run, labels: Labels, crf: CRFParams, confidence: Unit) -> PerImage[Labels]:
    """Seeds after a dense CRF over all classes of the data set, see `methods.icd.seeds.refined_seeds`."""
    from methods.icd.seeds import refined_seeds

    def refined(image: Image) -> np.ndarray:
        return refined_seeds(image.pixels, labels.read(image.id), run.data.num_classes, crf, confidence)

    return per_image(refined)


def _untrained(run: Run, config: NetworkConfig, options: dict | None) -> "ImageModel":
    """The network of a config whose backbone has its initial weights."""
    from common.base.config import import_types, read_config
    from common.checkpoints.initial import NamedWeights
    from common.checkpoints.networks import build_model
    from common.data.reads import current_reads
    from common.models.classes import fill_classes

    cfg = read_config(config, options)
    import_types(cfg)
    fill_classes(cfg.model, run.data.num_classes)
    network = build_model(cfg)
    weights = (cfg.model.backbone.get("init_cfg") or {}).get("weights")
    if weights is not None:
        NamedWeights(weights)(network.backbone)
        if (reads := current_reads()) is not None:
            reads.note("weights", weights, None)
    return network.to(run.device).eval()


def _on_canvas(
    network: "ImageModel", image: Image, canvas: int, scale: float, device: "torch.device"
) -> tuple["torch.Tensor", tuple[int, int], float]:
    """The photo on its canvas, normalised, float [1, 3, canvas, canvas]; its size there, and how it was scaled."""
    import torch
    import torch.nn.functional as F

    from common.ops.superpixels import enlarged_photo, fitting_scale

    factor = fitting_scale(image.size, scale, canvas)
    pixels = enlarged_photo(image.pixels, factor)
    x = network.normalize(torch.from_numpy(pixels.transpose(2, 0, 1).copy())[None].to(device))
    height, width = pixels.shape[:2]
    return F.pad(x, (0, canvas - width, 0, canvas - height)), (height, width), factor


def _without_gradient(function: Any) -> Any:
    import torch

    return torch.inference_mode()(function)
