"""DRS: golden files of the authors' code that the shared pieces answer for."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from common.base.constants import IMAGENET_MEAN, IMAGENET_STD
from common.checkpoints.convert import convert_torchvision_vgg16, renamed
from common.models.vgg import VGG16Dilated
from common.ops.cam import normalise
from common.ops.saliency_labels import SaliencyRule, saliency_labels
from common.training.param_groups import parameter_groups
from tests.parity.compare import close, equal, shapes
from tests.parity.networks import filled, images, loaded, rates_by_epoch

Golden = dict[str, np.ndarray]
POOLS = {"pool_kernel": (2, 2, 2, 3, None), "pool_strides": (2, 2, 2, 1, None), "avg_pool": False}
GRADIENTS = {
    "grad_conv1_1": "backbone.conv1_1.weight",
    "grad_extra_conv4": "extra.conv4.weight",
    "grad_extra_conv4_bias": "extra.conv4.bias",
}


class Capped(nn.Module):
    """At most 0.55 of each channel's maximum."""

    def forward(self, x: Tensor) -> Tensor:
        """float [B, C, h, w] -> the same."""
        x = F.relu(x)
        return torch.minimum(x, 0.55 * x.amax(dim=(2, 3), keepdim=True))


class CappedVGG16(VGG16Dilated):
    """VGG16 with another activation."""

    def activation(self, name: str, channels: int) -> nn.Module:
        return Capped()


class ClassMaps(nn.Module):
    """VGG16 and four more convolutions, the first three followed by the backbone's activation."""

    def __init__(self, backbone: type[VGG16Dilated]) -> None:
        super().__init__()
        self.backbone = backbone(**POOLS)
        self.extra = nn.Sequential()
        for i in range(1, 4):
            self.extra.add_module(f"conv{i}", nn.Conv2d(512, 512, 3, padding=1))
            self.extra.add_module(f"act{i}", self.backbone.activation(f"extra{i}", 512))
        self.extra.add_module("conv4", nn.Conv2d(512, 20, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Normalised float [B, 3, H, W] -> [B, 20, h, w]."""
        return self.extra(self.backbone(x)[-1])


def convert(state: dict) -> dict:
    """The authors' names -> ours."""
    return convert_torchvision_vgg16(state) | renamed(state, [(r"extra_(conv\d\..+)", r"extra.\1")])


def network(golden: Golden, backbone: type[VGG16Dilated]) -> tuple[nn.Module, Tensor]:
    """The file's weights in our network, and its input.

    float64: in float32 a gradient through the maxima of the channels is off by 3e-3.
    """
    with torch.device("meta"):
        model = ClassMaps(backbone)
    *size, seed = golden["image_hw_seed"].tolist()
    mean, std = (torch.tensor(values)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_STD))
    model = loaded(model, convert(filled(shapes(golden), golden))).requires_grad_().double()
    return model, (images(size, seed) - mean).double() / std


def check_gradients(model: nn.Module, golden: Golden) -> None:
    """The norm of every gradient and those that the file holds."""
    grads = {name: parameter.grad for name, parameter in model.named_parameters()}
    ours = {theirs: name for name, theirs in convert({key: key for key in golden["param_names"].tolist()}).items()}
    norms = [float(grads[ours[key]].double().norm()) for key in golden["param_names"].tolist()]
    close(norms / golden["grad_l2"], np.ones(len(norms)), 1e-3, what="relative gradient norms")
    assert len(norms) == len(grads)
    for key, name in GRADIENTS.items():
        if key in golden:
            every = grads[name].numel() // golden[key].size  # input channel, from 0
            close(grads[name][:, ::every] if every > 1 else grads[name], golden[key], 1e-3, what=key)


def refinement_net(golden: Golden) -> None:
    """Maps at another size, those of the image's classes, and gradients of the mean square error."""
    model, x = network(golden, VGG16Dilated)
    size, tags = golden["out_size"].tolist(), torch.from_numpy(golden["labels"][0]) > 0
    maps = F.interpolate(model(x), size, mode="bilinear", align_corners=True)
    close(maps[0, tags], golden["out_present"], 1e-4, what="maps of the image's classes")
    close(maps[0, :, ::4, ::4], golden["out_all_sub"], 1e-4, what="all maps")
    equal(golden["out_absent_absmax"], 0.0, "other maps, which the tags take away")
    target = np.random.RandomState(int(golden["target_seed"])).rand(1, 20, *size) ** 2
    loss = F.mse_loss(maps, torch.from_numpy(target))
    close(loss, golden["mse"], 1e-4, what="mean square error")
    loss.backward()
    check_gradients(model, golden)


def vgg16_drs(golden: Golden) -> None:
    """Layers, logits, class maps and gradients with an activation that is not the backbone's own."""
    close(golden["delta"], 0.55, 1e-6, what="cap")
    model, x = network(golden, CappedVGG16)
    layers = {f"mean_layer{i}_relu{j}": f"backbone.act{i}_{j}" for i, j in ((1, 1), (3, 3), (5, 3))}
    layers |= {"mean_extra_relu3": "extra.act3", "mean_extra_conv4": "extra.conv4"}
    seen: dict[str, Tensor] = {}
    for key, name in layers.items():
        model.get_submodule(name).register_forward_hook(lambda _, __, y, key=key: seen.update({key: y}))
    maps = model(x)
    for key in layers:
        close([seen[key].mean().item(), seen[key].abs().max().item()], golden[key], 1e-4, what=key)
    close(maps, golden["raw_map"], 1e-4, what="class maps")
    logits, tags = maps.mean(dim=(2, 3)), torch.from_numpy(golden["labels"]).double()
    close(logits, golden["logit"], 1e-4, what="logits")
    large = F.interpolate(maps.relu(), golden["cam_size"].tolist(), mode="bilinear", align_corners=True)
    close(normalise(large[0, tags[0] > 0]), golden["cam_present"], 1e-4, what="CAM of the image's classes")
    equal(golden["cam_absent_max"], 0.0, "other CAMs, which the tags take away")
    loss = F.multilabel_soft_margin_loss(logits, tags)
    close(loss, golden["loss"], 1e-4, what="loss")
    loss.backward()
    check_gradients(model, golden)


def param_groups(golden: Golden) -> None:
    """The learning-rate group of every parameter."""
    with torch.device("meta"):
        groups = parameter_groups(ClassMaps(CappedVGG16), ("extra",))
    theirs = dict(zip(golden["names"].tolist(), golden["group"].tolist(), strict=True))
    assert groups == convert(theirs)


def lr_step(golden: Golden) -> None:
    """Rates of the four groups; the authors count epochs from 1."""
    milestones = [int(epoch) - 1 for epoch in str(golden["decay_points"]).split(",")]
    optimizer = {"type": "SGD", "lr": 1e-3}
    rates = rates_by_epoch(optimizer, (1, 2, 10, 20), milestones, epochs=len(golden["lr_f64"]))
    close(rates, golden["lr_f64"], 1e-12, what="rates")


def pseudo_label(golden: Golden) -> None:
    """Labels of maps and saliency, those that the authors judge and those that they train with."""
    maps = np.maximum(golden["per_scale_maps"].max(axis=0), 0)
    equal(maps, golden["merged_maps"], "maps over scales")
    given = maps, golden["classes"] + 1, (255 * golden["saliency"]).astype(np.uint8)
    floor = float(golden["alpha"])
    plain = SaliencyRule(salient=51, floor=floor, leave_open=False)
    equal(saliency_labels(*given, plain), golden["label_plain"], "labels to judge")
    trained = SaliencyRule(salient=51, floor=floor, conflict=0.9, conflicts=3)
    equal(saliency_labels(*given, trained), golden["label_training"], "labels to train with")


CASES = {
    "lr_step": lr_step,
    "param_groups_delta055": param_groups,
    "pseudo_label": pseudo_label,
    "refinement_net": refinement_net,
    "vgg16_drs_delta055": vgg16_drs,
}
