"""What trained networks say of photos: class activation maps, labels."""

from typing import Literal

import numpy as np

from common.artifacts import CAM, Artifact, CAMs, Labels, Weights
from common.ops.crf_params import CRFParams
from common.pipeline import Count, Image, PerImage, Run, Scales, per_image

LARGE = 50_000_000  # parameters; ResNet-38 has twice as many. Smaller networks would lose a third of their speed


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
    from common.inference.inputs import image_inputs
    from common.ops.cam import merge_cams
    from common.ops.resize import strided_size

    model = load_model(weights.file, weights.config, run.device)
    if run.device.type == "cpu" and sum(parameter.numel() for parameter in model.parameters()) > LARGE:
        give_back_freed_memory()

    def cams(images: list[Image]) -> list[CAM]:
        given = [image_inputs(inputs, image.id, image.size) for image in images] if inputs else ()
        maps = multi_scale_cams(model, [image.pixels for image in images], scales, flip, given)
        return [_cam(image, [scale[number] for scale in maps]) for number, image in enumerate(images)]

    def _cam(image: Image, maps: list) -> CAM:
        keys = np.array(image.tags, np.int64)
        strided = merge_cams(maps, strided_size(image.size, stride), keys, normalisation=normalisation)
        return CAM(keys, strided, image.size, stride)

    if run.device.type == "cuda":
        return per_image(cams, split=split, batch=8)
    return per_image(lambda image: cams([image])[0], split=split)


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
    merge: Literal["sum"] | None = None,
) -> PerImage[Labels]:
    """Arg-max of a segmentation network: logits merged over scales and mirror images, then a dense CRF if given.

    canvas: (height, width) that smaller photos are padded to with black at the bottom and right, None: as they are.
    resize: how photos get to their scale, see `multi_scale_logits`; inputs: what else the network receives with each
    image, by name. merge: of the logits; None: their mean. The arg-max of a sum is the same, but its probabilities,
    which the CRF is given, are sharper (Puzzle-CAM).
    """
    from common.checkpoints.networks import load_model
    from common.inference.inputs import image_inputs
    from common.inference.segmentation import multi_scale_logits
    from common.ops.crf import crf_posterior

    model = load_model(weights.file, weights.config, run.device)
    views = len(scales) * (2 if flip else 1) if merge == "sum" else 1

    def segment(image: Image) -> np.ndarray:
        given = image_inputs(inputs, image.id, image.size) if inputs else None
        logits = views * multi_scale_logits(model, image.pixels, scales, flip, canvas, resize, given)
        scores = logits.softmax(0).cpu().numpy()
        if crf is not None:
            scores = crf_posterior(image.pixels, scores, crf)
        return scores.argmax(0).astype(np.uint8)

    return per_image(segment, split=split)
