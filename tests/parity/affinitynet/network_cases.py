"""AffinityNet's networks and training steps against the authors' code."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import methods.affinitynet.model  # noqa: F401  (registers AffinityNet)
from common.models.preprocess import normalize
from common.ops.affinity import PairLabels, PairSet, affinity_loss
from common.ops.random_walk import dense_affinity
from methods.affinitynet.affinity import feature_affinity, pair_affinity
from methods.affinitynet.released import FORMATS
from tests.parity.compare import close, shapes
from tests.parity.networks import (
    BGR,
    RGB,
    authors_shapes,
    blank,
    check_training,
    filled,
    images,
    loaded,
    tagged,
    without_dropout,
)

Golden = dict[str, np.ndarray]
CONFIGS: dict[str, dict[str, Any]] = {
    "resnet38_cls": {"type": "CamClassifier", "backbone": {"type": "ResNet38"}, "num_classes": 20, "dropout": 0.5},
    "resnet38_aff": {"type": "AffinityNet", "backbone": {"type": "ResNet38", "out_indices": (1, 2, 3)}},
    "vgg16_cls": {
        "type": "CamClassifier",
        "backbone": {"type": "VGG16FullyConv"},
        "num_classes": 20,
        "dropout": 0.5,
        "cam_power": 0.5,
    },
}
NAMES = {
    "backbone.": "",
    "head.": "fc8.",
    "reduce.0.": "f8_3.",
    "reduce.1.": "f8_4.",
    "reduce.2.": "f8_5.",
    "fuse.": "f9.",
}


def network(golden: Golden, layout: str) -> tuple[nn.Module, Tensor]:
    """The file's weights in our network, and its input."""
    vgg = layout.startswith("vgg16")
    model = blank(CONFIGS[layout], BGR if vgg else RGB)
    named = shapes(golden) if "keys" in golden else authors_shapes(model, NAMES)
    state = filled(named, golden)
    if "f9_scale" in golden:
        state["f9.weight"] = state["f9.weight"] * float(golden["f9_scale"])
    loaded(model, FORMATS[layout].convert(state))
    return model, model.normalize(images(golden["image_hw"], golden["image_seed"]))


def check_taps(taps: dict[str, Tensor], golden: Golden) -> None:
    """Every n-th channel of the taps, n from the key's name."""
    for key in (key for key in golden if "_every" in key):
        name, step = key.split("_every")
        close(taps[name][:, :: int(step)], golden[key], 1e-3, 1e-5, what=key)


@torch.no_grad()
def net_resnet38_cls(golden: Golden) -> None:
    """Input, taps, logits and CAM of the classifier."""
    model, x = network(golden, "resnet38_cls")
    close(x.mean((0, 2, 3)), golden["input_mean"], 1e-5, what="mean of the input")
    close(x.std((0, 2, 3), correction=0), golden["input_std"], 1e-3, what="deviation of the input")
    check_taps(dict(zip(("conv3", "conv4", "conv5", "conv6"), model.backbone(x), strict=True)), golden)
    close(model.logits(x), golden["logits"], 1e-3, 1e-5, what="logits")
    close(model.cam(x), golden["cam"], 1e-3, 1e-5, what="CAM")


def net_vgg16_cls(golden: Golden) -> None:
    """Taps, logits, CAM and groups of the classifier."""
    model, x = network(golden, "vgg16_cls")
    with torch.no_grad():
        check_taps(dict(zip(("conv4", "conv5", "fc7"), model.backbone(x), strict=True)), golden)
        close(model.logits(x), golden["logits"], 1e-3, 1e-5, what="logits")
        close(model.cam(x), golden["cam"], 1e-3, 1e-4, what="CAM")
    check_training(model.train(), golden, FORMATS["vgg16_cls"].convert, new=("head",))


def train_resnet38_cls(golden: Golden) -> None:
    """Loss, gradients and groups of a training step."""
    model, x = network(golden, "resnet38_cls")
    loss = without_dropout(model)(x, [tagged(tags) for tags in golden["label"]], mode="loss")["loss"]
    loss.backward()
    close(loss, golden["loss"], 1e-3, what="loss")
    check_training(model, golden, FORMATS["resnet38_cls"].convert, new=("head",))


@torch.no_grad()
def net_resnet38_aff(golden: Golden) -> None:
    """Affinities of the pairs, and their dense symmetric matrix."""
    model, x = network(golden, "resnet38_aff")
    features = model.features(x)
    close(pair_affinity(features, PairSet(5)), golden["aff"], 1e-3, what="affinities")
    dense = dense_affinity(feature_affinity(features[0]), PairSet(5).points)
    close(dense, golden["dense"], 1e-3, what="dense affinities")


def train_resnet38_aff(golden: Golden) -> None:
    """Losses, gradients and groups of a training step with given pairs."""
    model, x = network(golden, "resnet38_aff")
    affinity = pair_affinity(without_dropout(model).features(x), model.pairs)
    terms = affinity_loss(affinity, pair_labels(golden["pair_class"]))
    terms["loss"].backward()
    check_losses(terms, golden, 1e-3)
    check_training(model, golden, FORMATS["resnet38_aff"].convert, new=("reduce", "fuse"))


def pair_labels(classes: np.ndarray) -> PairLabels:
    """0 both background, 1 both of one class, 2 of two classes, anything else unknown."""
    return PairLabels(*(torch.from_numpy(classes == kind) for kind in range(3)))


def check_losses(terms: dict[str, Tensor], golden: Golden, rtol: float) -> None:
    """All terms and the total."""
    for name, key in {"bg_pos": "bg_loss", "fg_pos": "fg_loss", "neg": "neg_loss", "loss": "loss"}.items():
        close(terms[name], golden[key], rtol, atol=rtol, what=key)


def loss(golden: Golden) -> None:
    """Loss of given affinities, and its gradient."""
    affinity = torch.from_numpy(golden["aff"]).requires_grad_()
    terms = affinity_loss(affinity, pair_labels(golden["pair_class"]))
    terms["loss"].backward()
    check_losses(terms, golden, 1e-5)
    close(affinity.grad, golden["grad"], 2e-3, what="gradient")


def normalisation(golden: Golden) -> None:
    """Inputs of both backbones."""
    pixels = torch.from_numpy(golden["image"]).permute(2, 0, 1)[None]
    for key, rules in {"resnet38": RGB, "vgg16": BGR}.items():
        holder = blank({"type": "CamClassifier", "backbone": {"type": "VGG16Dilated"}, "num_classes": 1}, rules)
        close(normalize(holder, pixels)[0].permute(1, 2, 0), golden[key], 1e-6, what=key)


CASES = {
    "net_resnet38_cls": net_resnet38_cls,
    "net_vgg16_cls": net_vgg16_cls,
    "train_resnet38_cls": train_resnet38_cls,
    "net_resnet38_aff": net_resnet38_aff,
    "train_resnet38_aff": train_resnet38_aff,
    "affinity_loss": loss,
    "normalize": normalisation,
}
