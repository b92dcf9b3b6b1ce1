"""AffinityNet's networks and training steps against the authors' code."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import common.models.affinity_net  # noqa: F401  (registers AffinityNet)
from common.affinity import PairLabels, PairSet, affinity_loss, feature_affinity, pair_affinity
from common.models.preprocess import normalize
from common.random_walk import dense_affinity
from methods.affinitynet.released import convert_resnet38_aff, convert_resnet38_cls
from tests.parity.compare import close, shapes
from tests.parity.networks import BGR, RGB, blank, check_training, filled, images, loaded, tagged, without_dropout

Golden = dict[str, np.ndarray]
CLS_RESNET38 = {"type": "CamClassifier", "backbone": {"type": "ResNet38"}, "num_classes": 20, "dropout": 0.5}
AFF_RESNET38 = {"type": "AffinityNet", "backbone": {"type": "ResNet38", "out_indices": (1, 2, 3)}}
AFF_NAMES = {"backbone.": "", **{f"reduce.{i}.": f"f8_{i + 3}." for i in range(3)}, "fuse.": "f9."}
CLS_NAMES = {"backbone.": "", "head.": "fc8."}


def network(golden: Golden, config: dict[str, Any], names: dict[str, str], convert: Any) -> tuple[nn.Module, Tensor]:
    """The file's weights in our network, and its input. `names`: our prefixes -> theirs, for files without `keys`."""
    model = blank(config, RGB)
    named = shapes(golden) if "keys" in golden else _authors_shapes(model, names)
    state = filled(named, golden)
    if "f9_scale" in golden:
        state["f9.weight"] = state["f9.weight"] * float(golden["f9_scale"])
    loaded(model, convert(state))
    return model, model.normalize(images(golden["image_hw"], golden["image_seed"]))


def _authors_shapes(model: nn.Module, names: dict[str, str]) -> dict[str, tuple[int, ...]]:
    state = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    return {theirs + key.removeprefix(ours): shape for key, shape in state.items() for ours, theirs in names.items()
            if key.startswith(ours)}  # fmt: skip


def check_taps(taps: dict[str, Tensor], golden: Golden) -> None:
    """Every n-th channel of the taps, n from the key's name."""
    for key in (key for key in golden if "_every" in key):
        name, step = key.split("_every")
        close(taps[name][:, :: int(step)], golden[key], 1e-3, 1e-5, what=key)


@torch.no_grad()
def net_resnet38_cls(golden: Golden) -> None:
    """Input, taps, logits and CAM of the classifier."""
    model, x = network(golden, CLS_RESNET38, CLS_NAMES, convert_resnet38_cls)
    close(x.mean((0, 2, 3)), golden["input_mean"], 1e-5, what="mean of the input")
    close(x.std((0, 2, 3), correction=0), golden["input_std"], 1e-3, what="deviation of the input")
    check_taps(dict(zip(("conv3", "conv4", "conv5", "conv6"), model.backbone(x), strict=True)), golden)
    close(model.logits(x), golden["logits"], 1e-3, 1e-5, what="logits")
    close(model.cam(x), golden["cam"], 1e-3, 1e-5, what="CAM")


def train_resnet38_cls(golden: Golden) -> None:
    """Loss, gradients and groups of a training step."""
    model, x = network(golden, CLS_RESNET38, CLS_NAMES, convert_resnet38_cls)
    loss = without_dropout(model)(x, [tagged(tags) for tags in golden["label"]], mode="loss")["loss"]
    loss.backward()
    close(loss, golden["loss"], 1e-3, what="loss")
    check_training(model, golden, convert_resnet38_cls, new=("head",))


@torch.no_grad()
def net_resnet38_aff(golden: Golden) -> None:
    """Affinities of the pairs, and their dense symmetric matrix."""
    model, x = network(golden, AFF_RESNET38, AFF_NAMES, convert_resnet38_aff)
    features = model.features(x)
    close(pair_affinity(features, PairSet(5)), golden["aff"], 1e-3, what="affinities")
    dense = dense_affinity(feature_affinity(features[0]), PairSet(5).points)
    close(dense, golden["dense"], 1e-3, what="dense affinities")


def train_resnet38_aff(golden: Golden) -> None:
    """Losses, gradients and groups of a training step with given pairs."""
    model, x = network(golden, AFF_RESNET38, AFF_NAMES, convert_resnet38_aff)
    affinity = pair_affinity(without_dropout(model).features(x), model.pairs)
    terms = affinity_loss(affinity, pair_labels(golden["pair_class"]))
    terms["loss"].backward()
    check_losses(terms, golden, 1e-3)
    check_training(model, golden, convert_resnet38_aff, new=("reduce", "fuse"))


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
    "train_resnet38_cls": train_resnet38_cls,
    "net_resnet38_aff": net_resnet38_aff,
    "train_resnet38_aff": train_resnet38_aff,
    "affinity_loss": loss,
    "normalize": normalisation,
}
