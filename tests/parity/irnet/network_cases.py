"""IRNet's networks, losses and training steps against the authors' code."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor, nn

import common.training  # noqa: F401  (registers PolySGD)
import methods.irnet.model  # noqa: F401  (registers InterPixelNet)
from common.checkpoints.networks import load_strictly
from common.models.boundary import on_canvas
from common.ops.affinity import path_set
from common.training.param_groups import LrGroupConstructor
from methods.irnet.losses import irn_loss, pair_displacement
from methods.irnet.model import estimate_mean_shift
from methods.irnet.released import convert_cam, convert_irn
from tests.parity.compare import close, equal, shapes
from tests.parity.networks import authors_shapes, filled, images, tagged

Golden = dict[str, np.ndarray]
Convert = Callable[[dict], dict]
RESNET = {"type": "DilatedResNet", "depth": 50, "strides": (1, 2, 2, 1), "frozen_bn": True}
PREPROCESSOR = {
    "type": "SegDataPreProcessor",
    "mean": [123.675, 116.28, 103.53],
    "std": [58.395, 57.12, 57.375],
    "size_divisor": 1,
}


def classifier(golden: Golden) -> nn.Module:
    """The classifier with made-up weights under the authors' names."""
    backbone = dict(RESNET, frozen_stages=2)
    model = MODELS.build(
        {"type": "CamClassifier", "backbone": backbone, "num_classes": 20, "data_preprocessor": PREPROCESSOR}
    )
    named = (
        shapes(golden)
        if "keys" in golden
        else authors_shapes(model, {"backbone.": "resnet50.", "head.": "classifier."})
    )
    load_strictly(model, convert_cam(filled(named, golden)), "golden")
    return model.eval()


def irn(golden: Golden) -> nn.Module:
    """The inter-pixel network with made-up weights under the authors' names."""
    radius = int(golden.get("radius", 10))
    model = MODELS.build(
        {"type": "InterPixelNet", "backbone": RESNET, "radius": radius, "data_preprocessor": PREPROCESSOR}
    )
    state = filled(shapes(golden), golden)
    state["mean_shift.running_mean"] = torch.from_numpy(golden.get("running_mean", np.zeros(2, np.float32)))
    load_strictly(model, convert_irn(state), "golden")
    return model.eval()


@torch.no_grad()
def net_cam_classifier(golden: Golden) -> None:
    """Logits, and samples of the four stages."""
    model = classifier(golden)
    x = model.normalize(images(golden["image_size"], *golden["image_seeds"]))
    for i, (stage, channels, cells) in enumerate(
        zip(model.backbone(x)[1:], (16, 32, 64, 128), (6, 3, 1, 1), strict=True)
    ):
        close(stage[:, ::channels, ::cells, ::cells], golden[f"stage{i + 1}_sub"], 1e-4, what=f"stage{i + 1}")
    close(model.logits(x), golden["logits"], 1e-4, what="logits")


@torch.no_grad()
def net_cam_maps(golden: Golden) -> None:
    """CAM of the mirror pair."""
    model = classifier(golden)
    x = model.normalize(images(golden["image_size"], golden["image_seed"]))
    upright, mirrored = model.cam(torch.cat([x, x.flip(-1)]))
    close(upright + mirrored.flip(-1), golden["cam"], 1e-4, what="cam")


@torch.no_grad()
def net_irn(golden: Golden) -> None:
    """Inference on the canvas, and the raw outputs of both images."""
    model, canvas = irn(golden), int(golden["crop_size"])
    picture = images(golden["image_size"], golden["image_seed"])
    edge, displacement = model.infer(picture[0], canvas)
    close(edge[None], golden["edge"], 1e-5, what="edge")
    close(displacement, golden["displacement"], 1e-4, what="displacement")
    pair = model.normalize(torch.cat([picture, picture.flip(-1)]))
    raw_edge, raw_displacement = model(on_canvas(pair, canvas))
    close(raw_edge[..., ::3, ::3], golden["raw_edge_logit_sub"], 1e-4, what="raw edge logit")
    close(raw_displacement[..., ::3, ::3], golden["raw_displacement_sub"], 1e-4, what="raw displacement")


@torch.no_grad()
def net_irn_unpadded_odd(golden: Golden) -> None:
    """The bare network, whose up-sampled maps have to be cut."""
    model = irn(golden)
    edge, displacement = model(model.normalize(images(golden["image_size"], golden["image_seed"])))
    close(edge, golden["edge_logit"], 1e-4, what="edge logit")
    close(displacement, golden["displacement"], 1e-4, what="displacement")


def _steps(model: nn.Module, golden: Golden, new: str) -> Iterator[tuple[Tensor, slice, Callable[[Tensor], None]]]:
    """Per step the images, their place among the labels, and the function that makes the update for a loss."""
    decay, lr, size = float(golden["weight_decay"]), float(golden["base_lr"]), int(golden["batch"])
    optimizer = {
        "type": "PolySGD",
        "lr": lr,
        "max_step": int(golden["max_step"]),
        "weight_decay": decay,
        "momentum": decay,
    }
    wrapper = LrGroupConstructor({"optimizer": optimizer}, {"mults": (1, 1, 10, 10), "new": (new,), "bias_decay": 1.0})(
        model
    )
    used: list[list[float]] = []

    def update(loss: Tensor) -> None:
        wrapper.update_params(loss)
        used.append(sorted({group["lr"] for group in wrapper.optimizer.param_groups}))

    for step in range(len(golden["lr_used"])):
        batch = slice(step * size, (step + 1) * size)
        seeds = range(golden["image_seed_first"] + batch.start, golden["image_seed_first"] + batch.stop)
        yield model.normalize(images(golden["image_size"], *seeds)), batch, update
    close(used, golden["lr_used"], 1e-6, what="learning rates")


def _check_change(model: nn.Module, before: dict[str, Tensor], golden: Golden, convert: Convert) -> None:
    """How far every tensor has moved, under the authors' names; what must not move has not."""
    ours = {authors: name for name, authors in convert({key: key for key in golden["keys"].tolist()}).items()}
    after = model.state_dict()
    moved = np.array(
        [(after[ours[key]].double() - before[ours[key]].double()).norm() for key in golden["keys"].tolist()]
    )
    expected = golden["delta_norm"]
    equal(moved == 0, expected == 0, "which tensors have not changed")
    close(moved[expected > 0] / expected[expected > 0], np.ones((expected > 0).sum()), 1e-3, what="relative change")


def _copy(model: nn.Module) -> dict[str, Tensor]:
    return {key: value.clone() for key, value in model.state_dict().items()}


def train_cam_steps(golden: Golden) -> None:
    """Losses, learning rates and changes of a few steps of the classifier."""
    model = classifier(golden).train()
    before, losses = _copy(model), []
    for x, batch, update in _steps(model, golden, "head"):
        loss = model(x, [tagged(tags) for tags in golden["labels"][batch]], mode="loss")["loss"]
        update(loss)
        losses.append(loss.item())
    close(losses, golden["losses"], 1e-3, what="losses")
    _check_change(model, before, golden, convert_cam)
    after = model.head.weight[:, :: model.head.in_channels // golden["classifier_weight_after"].shape[1], 0, 0]
    close(after, golden["classifier_weight_after"], 1e-3, what="classifier weight")


def train_irn_steps(golden: Golden) -> None:
    """The four losses, learning rates and changes of a few steps, then the mean displacement."""
    model = irn(golden).train()
    before, terms = _copy(model), []
    for x, batch, update in _steps(model, golden, "displacement_head"):
        losses = model(x, [_labelled(label) for label in golden["labels_stride4"][batch]], mode="loss")
        update(losses["loss"])
        terms.append(losses)
    names = {"pos": "pos_loss", "neg": "neg_loss", "fg_displacement": "disp_fg_loss", "bg_displacement": "disp_bg_loss"}
    for name, key in names.items():
        close([term[name].item() for term in terms], golden[key], 1e-3, what=key)
    _check_change(model, before, golden, convert_irn)
    close(model.edge_head.out.weight, golden["fc_edge6_weight_after"], 1e-3, what="edge head")
    close(model.displacement_head.out.weight, golden["fc_dp7_3_weight_after"], 1e-3, what="displacement head")
    batches = (model.normalize(images(golden["image_size"], *seeds)) for seeds in golden["infer_image_seeds"])
    close(estimate_mean_shift(model, batches), golden["running_mean_after"], 1e-3, what="mean displacement")


def _labelled(label: np.ndarray) -> SegDataSample:
    """Every cell of a stride-4 label map on the 4 x 4 pixels it is read from."""
    full = torch.from_numpy(label).repeat_interleave(4, 0).repeat_interleave(4, 1)
    return SegDataSample(gt_sem_seg=PixelData(data=full[None]))


def loss(golden: Golden) -> None:
    """Pair labels, every term of the loss, and both gradients."""
    radius = int(golden["radius"])
    edge, displacement = (torch.from_numpy(golden[key]).requires_grad_() for key in ("edge_logit", "displacement"))
    label, paths = torch.from_numpy(golden["label"]), path_set(radius)
    for name, pairs in zip(("bg_pos", "fg_pos", "neg"), paths.labels(label), strict=True):
        equal(pairs, golden[name], name)
    if "pair_displacement" in golden:
        close(pair_displacement(displacement, paths), golden["pair_displacement"], 1e-6, what="pair displacement")
    terms = irn_loss(edge, displacement, label, radius)
    names = ("bg_pos", "fg_pos", "pos", "neg", "fg_displacement", "bg_displacement", "loss")
    keys = ("bg_pos_loss", "fg_pos_loss", "pos_loss", "neg_loss", "disp_fg_loss", "disp_bg_loss", "total_loss")
    for name, key in zip(names, keys, strict=True):
        close(terms[name], golden[key], 1e-5, what=key)
    terms["loss"].backward()
    close(edge.grad, golden["grad_edge_logit"], 1e-4, what="gradient of the edge logit")
    close(displacement.grad, golden["grad_displacement"], 1e-4, what="gradient of the displacement")


CASES = {
    "net_cam_classifier": net_cam_classifier,
    "net_cam_maps": net_cam_maps,
    "net_irn": net_irn,
    "net_irn_unpadded": net_irn_unpadded_odd,
    "train_cam_steps": train_cam_steps,
    "train_irn_steps": train_irn_steps,
    "loss": loss,
}
