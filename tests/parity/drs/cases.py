"""DRS: golden files of the authors' code."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from common.metrics import ConfusionMatrix, exact_match_accuracy
from common.ops.resize import resize_maps_aligned, squash_image
from common.ops.saliency_labels import SaliencyRule, saliency_labels
from common.training.param_groups import parameter_groups
from methods.drs.losses import keep_pixel_maximum, refinement_loss, refinement_target
from methods.drs.model import Suppression
from methods.drs.released import convert_drs
from methods.drs.suppression import localisation_maps, normalised_cam, to_bytes
from tests.parity.compare import close, equal, shapes
from tests.parity.fill import image
from tests.parity.networks import RGB, blank, filled, images, loaded, rates_by_epoch

Golden = dict[str, np.ndarray]
ACTIVATIONS = tuple(f"backbone.act{s}_{i}" for s, n in enumerate((2, 2, 3, 3, 3), 1) for i in range(1, n + 1))
LAYERS = {f"mean_layer{i}_relu{j}": f"backbone.act{i}_{j}" for i, j in ((1, 1), (3, 3), (5, 3))}
LAYERS |= {"mean_extra_relu3": "extra.act3", "mean_extra_conv4": "extra.conv4"}
GRADIENTS = {
    "grad_conv1_1": "backbone.conv1_1.weight",
    "grad_extra_conv4": "extra.conv4.weight",
    "grad_extra_conv4_bias": "extra.conv4.bias",
    "grad_layer1_relu1_fc": "backbone.act1_1.control.weight",
}


def ratio_of(golden: Golden) -> float | None:
    """The authors write 0 for the learnable mode; they keep 0.55 in single precision."""
    return round(float(golden["delta"]), 6) or None


def blank_network(ratio: float | None, kind: str = "SuppressedClassifier") -> nn.Module:
    """A network of VGG16 for 20 classes."""
    config = {"type": kind, "backbone": {"type": "SuppressedVGG16", "ratio": ratio}, "ratio": ratio, "num_classes": 20}
    return blank(config, RGB)


def network(golden: Golden, named: dict, ratio: float | None, kind: str = "SuppressedClassifier") -> nn.Module:
    """The network with the file's weights.

    float64: in float32 a gradient through the maxima of the channels is off by 3e-3.
    """
    model = loaded(blank_network(ratio, kind), convert_drs(filled(named, golden)))
    return model.requires_grad_().double()


def normalised(model: nn.Module, golden: Golden) -> Tensor:
    """The file's image as input, float64."""
    *size, seed = golden["image_hw_seed"].tolist()
    return model.normalize(images(size, seed)).double()


def check_gradients(model: nn.Module, golden: Golden) -> None:
    """The norm of every gradient and those that the file holds."""
    grads = {name: parameter.grad for name, parameter in model.named_parameters()}
    ours = {theirs: name for name, theirs in convert_drs({key: key for key in golden["param_names"].tolist()}).items()}
    norms = [float(grads[ours[key]].double().norm()) for key in golden["param_names"].tolist()]
    close(norms / golden["grad_l2"], np.ones(len(norms)), 1e-3, what="relative gradient norms")
    assert len(norms) == len(grads)
    for key, name in GRADIENTS.items():
        if key in golden:
            every = grads[name].numel() // golden[key].size  # input channel, from 0
            close(grads[name][:, ::every] if every > 1 else grads[name], golden[key], 1e-3, what=key)


def suppression(golden: Golden) -> None:
    """Value and gradients of one layer."""
    x = torch.from_numpy(golden["x"]).requires_grad_()
    layer = Suppression(x.shape[1], ratio_of(golden))
    if "fc_weight" in golden:
        layer.load_state_dict({"control.weight": torch.from_numpy(golden["fc_weight"])})
        close(layer.shares(x.relu()).flatten(1), golden["control"], 1e-5, what="shares")
    y = layer(x)
    close(y, golden["y"], 1e-5, what="output")
    y.backward(torch.from_numpy(golden["grad_y"]))
    close(x.grad, golden["grad_x"], 1e-5, what="gradient of the input")
    if "grad_fc_weight" in golden:
        close(layer.control.weight.grad, golden["grad_fc_weight"], 1e-5, what="gradient of W")


def vgg16_drs(golden: Golden) -> None:
    """Layers, logits, class maps, CAMs and gradients of the classifier."""
    model = network(golden, shapes(golden), ratio_of(golden))
    seen: dict[str, Tensor] = {}
    for key, name in LAYERS.items():
        model.get_submodule(name).register_forward_hook(lambda _, __, y, key=key: seen.update({key: y}))
    maps = model.extra(model.backbone(normalised(model, golden))[-1])
    for key in LAYERS:
        close([seen[key].mean().item(), seen[key].abs().max().item()], golden[key], 1e-4, what=key)
    close(maps, golden["raw_map"], 1e-4, what="class maps")
    logits, tags = maps.mean(dim=(2, 3)), torch.from_numpy(golden["labels"]).double()
    close(logits, golden["logit"], 1e-4, what="logits")
    cam = normalised_cam(maps[0, tags[0] > 0], tuple(golden["cam_size"].tolist()))
    close(cam, golden["cam_present"], 1e-4, what="CAM of the image's classes")
    equal(golden["cam_absent_max"], 0.0, "other CAMs, which the tags take away")
    loss = F.multilabel_soft_margin_loss(logits, tags)
    close(loss, golden["loss"], 1e-4, what="loss")
    loss.backward()
    check_gradients(model, golden)


def refinement_net(golden: Golden) -> None:
    """Maps at another size, those of the image's classes, and gradients of the mean squared error."""
    model = network(golden, shapes(golden), 1.0, "RefinementNetwork")
    maps = model.extra(model.backbone(normalised(model, golden))[-1])
    size, tags = tuple(golden["out_size"].tolist()), torch.from_numpy(golden["labels"][0]) > 0
    large = resize_maps_aligned(maps[0], size)
    close(large[tags], golden["out_present"], 1e-4, what="maps of the image's classes")
    close(large[:, ::4, ::4], golden["out_all_sub"], 1e-4, what="all maps")
    equal(golden["out_absent_absmax"], 0.0, "other maps, which the tags take away")
    target = np.random.RandomState(int(golden["target_seed"])).rand(1, 20, *size) ** 2
    loss = refinement_loss(maps, torch.from_numpy(target))
    close(loss, golden["mse"], 1e-4, what="mean squared error")
    loss.backward()
    check_gradients(model, golden)


def refinement_target_file(golden: Golden) -> None:
    """The target from bytes, of all classes and of those that are not 0; the saliency's threshold."""
    levels = torch.from_numpy(golden["localization_map_u8"])
    equal(keep_pixel_maximum(levels.float() / 255), golden["target"], "target")
    tags = levels.flatten(1).amax(dim=1) > 0
    equal(refinement_target([levels[tags].float() / 255], tags[None].float())[0], golden["target"], "present classes")
    saliency = golden["saliency_u8"]
    label = saliency_labels(np.full((1, *saliency.shape), 0.5), np.array([1]), saliency, SaliencyRule(salient=51))
    equal(label, golden["saliency_binary"], "salient pixels")


def localization_map(golden: Golden) -> None:
    """The classifier's maps over three sizes, and in bytes."""
    model = blank_network(None)
    theirs = authors_shapes(model)
    model = loaded(model, convert_drs(filled(theirs, golden)))
    height, width, seed = map(int, golden["image_hw_seed"])
    pixels = torch.from_numpy(squash_image(image(height, width, seed), (320, 320)).copy()).permute(2, 0, 1)
    maps = localisation_maps(model, model.normalize(pixels[None]), (golden["labels"] + 1).tolist(), (256, 320, 384))
    close(maps[:, ::5, ::5], golden["map_f32_sub5"], 0, 1e-3, what="maps")
    levels = to_bytes(maps)[:, ::3, ::3].int()
    close(levels, golden["map_u8_sub3"], 0, 1, what="bytes")


def authors_shapes(model: nn.Module) -> dict[str, tuple[int, ...]]:
    """Shapes of our tensors under the authors' names."""
    features = dict(zip(ACTIVATIONS, (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28), strict=True))
    named = {}
    for key, value in model.state_dict().items():
        layer, kind = key.rpartition(".")[::2]
        if layer.startswith("backbone.conv"):
            theirs = f"features.{features[layer.replace('conv', 'act')]}.{kind}"
        elif layer.startswith("backbone.act"):
            theirs = f"layer{layer[12]}_relu{layer[14]}.fc.0.weight"
        elif layer.startswith("extra.act"):
            theirs = f"extra_relu{layer[9]}.fc.0.weight"
        else:
            theirs = f"extra_{layer.removeprefix('extra.')}.{kind}"
        named[theirs] = tuple(value.shape)
    return named


def param_groups(golden: Golden) -> None:
    """The learning-rate group of every parameter."""
    ratio = ratio_of(golden)
    new = ("extra", *(ACTIVATIONS if ratio is None else ()))
    theirs = dict(zip(golden["names"].tolist(), golden["group"].tolist(), strict=True))
    assert parameter_groups(blank_network(ratio), new) == convert_drs(theirs)


def lr_step(golden: Golden) -> None:
    """Rates of the four groups; the authors count epochs from 1."""
    milestones = [int(epoch) - 1 for epoch in str(golden["decay_points"]).split(",")]
    optimizer = {"type": "SGD", "lr": round(float(golden["base_lr"]), 9)}
    rates = rates_by_epoch(optimizer, (1, 2, 10, 20), milestones, epochs=len(golden["lr_f64"]))
    close(rates, golden["lr_f64"], 1e-12, what="rates")


def metrics(golden: Golden) -> None:
    """mIoU, pixel accuracy and the share of images with all tags right."""
    matrix = ConfusionMatrix(21)
    matrix.add(golden["pred"], golden["gt"])
    iou = matrix.iou()
    close(iou, golden["class_iou_f64"], 1e-9, what="IoU")
    close(np.nanmean(iou), golden["mean_iou_f64"], 1e-9, what="mean IoU")
    close(matrix.matrix.trace() / matrix.matrix.sum(), golden["pixel_acc_f64"], 1e-9, what="pixel accuracy")
    scores = torch.from_numpy(golden["logit"]).sigmoid().numpy()
    close(exact_match_accuracy(scores, golden["labels"]), golden["exact_match_acc_f64"], 1e-9, what="exact matches")


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
    "localization_map": localization_map,
    "lr_step": lr_step,
    "metrics": metrics,
    "param_groups": param_groups,
    "pseudo_label": pseudo_label,
    "refinement_net": refinement_net,
    "refinement_target": refinement_target_file,
    "suppress": suppression,
    "vgg16_drs": vgg16_drs,
}
