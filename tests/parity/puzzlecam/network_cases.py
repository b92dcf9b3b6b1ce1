"""Puzzle-CAM's networks against the authors' code, as far as they are configurations of the shared ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from common.checkpoints.convert import renamed
from common.inference.cam import multi_scale_cam
from common.models.preprocess import normalize
from common.ops.cam import merge_cams
from common.ops.resize import padded_size, strided_size
from common.training.param_groups import parameter_groups
from methods.puzzlecam.released import NAMES
from tests.parity.compare import agree, close, equal, shapes
from tests.parity.fill import image
from tests.parity.networks import RGB, authors_shapes, blank, filled, images, loaded

Golden = dict[str, np.ndarray]
RESNET = {"type": "DilatedResNet", "depth": 50, "strides": (1, 2, 2, 1)}
CLASSIFIER = {"type": "CamClassifier", "backbone": RESNET, "num_classes": 20}
BOUNDARIES = {"type": "BoundaryNet", "backbone": RESNET}
SEGMENTOR = {
    "type": "EncoderDecoder",
    "backbone": RESNET,
    "decode_head": {
        "type": "PlainASPPPlusHead",
        "in_channels": (256, 2048),
        "num_classes": 21,
        "aspp_first": True,
        "dropouts": (0.5, 0.5, 0.1),
        "align_corners": True,
        "norm_cfg": {"type": "GN", "num_groups": 4},
    },
    "test_cfg": {"mode": "whole"},
}

AUTHORS = {"backbone.": "model.", "head.": "classifier."}


def network(golden: Golden, config: dict[str, Any]) -> nn.Module:
    """The file's weights in the network of `config`."""
    model = blank(config, RGB)
    names = shapes(golden) if "keys" in golden else authors_shapes(model, AUTHORS)
    return loaded(model, renamed(filled(names, golden), NAMES))


@torch.no_grad()
def affinitynet(golden: Golden) -> None:
    """Boundary logits of the padded pair, and the probability on the image's grid."""
    model, canvas = network(golden, BOUNDARIES), int(golden["image_size"])
    *size, seed = golden["image_hw_seed"].tolist()
    picture = images(size, seed)[0]
    close(model(model.pair(picture, canvas)), golden["edge_logit"], 1e-4, what="edge logit")
    close(model.boundary(picture, canvas)[None], golden["get_edge"], 1e-4, what="boundary")


def cam_inference(golden: Golden) -> None:
    """CAMs over scales and mirror images, on the grid and at image size."""
    pixels, keys = image(*golden["image_hw_seed"].tolist()), golden["labels"] + 1
    equal(np.append(0, keys), golden["class_keys"], "class keys")
    size = pixels.shape[:2]
    equal(strided_size(size), golden["strided_size"], "grid")
    equal(padded_size(size), golden["strided_up_size"], "canvas")
    maps = multi_scale_cam(network(golden, CLASSIFIER), pixels, golden["scales"].tolist())
    close(merge_cams(maps, strided_size(size), keys), golden["strided_cam"], 0, 1e-4, what="CAM on the grid")
    full = merge_cams(maps, size, keys, canvas=padded_size(size))
    close(full, golden["hr_cam"], 0, 1e-4, what="CAM at image size")


@torch.no_grad()
def deeplabv3plus(golden: Golden) -> None:
    """Logits at image size, every third, and their arg-max."""
    model = network(golden, SEGMENTOR)
    *size, seed = golden["image_hw_seed"].tolist()
    x = normalize(model, images(size, seed))
    logits = F.interpolate(model(x, mode="tensor"), size, mode="bilinear", align_corners=model.align_corners)
    close(logits[..., ::3, ::3], golden["logits_stride3"], 1e-4, what="logits")
    agree(logits.argmax(1), golden["argmax"], 0.999, "arg-max")


def groups(golden: Golden, config: dict[str, Any], new: str) -> None:
    """The learning-rate group of every parameter."""
    theirs = dict(zip(golden["names"].tolist(), golden["group"].tolist(), strict=True))
    assert parameter_groups(blank(config, RGB), (new,)) == renamed(theirs, NAMES)


CASES = {
    "affinitynet_resnet50": affinitynet,
    "cam_inference_resnet50": cam_inference,
    "deeplabv3plus_resnet50_gn": deeplabv3plus,
    "param_groups_classifier": lambda golden: groups(golden, CLASSIFIER, "head"),
    "param_groups_deeplabv3plus": lambda golden: groups(golden, SEGMENTOR, "decode_head"),
}
