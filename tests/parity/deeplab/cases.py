"""DeepLab: golden files of deeplab-pytorch, DeepLab-V1-PyTorch, DeepLabV3Plus-Pytorch and SEAM's segmentation code."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.registry import init_default_scope
from torch import Tensor, nn

import common.models.register  # noqa: F401
from common.base.constants import CAFFE_MEAN, IMAGENET_MEAN, IMAGENET_STD
from common.checkpoints.formats import FORMATS, fully_convolutional, recognise
from common.checkpoints.networks import build_model, load_strictly
from common.metrics import ConfusionMatrix
from common.models.msc import multi_scale_outputs
from common.models.preprocess import normalize
from common.ops.crf import crf_posterior
from common.ops.crop import mirror, pad_crop
from common.ops.losses import multi_scale_losses, self_labels
from common.ops.resize import nearest_index, resize_labels, scale_image_bilinear, scale_label_truncated
from common.training.param_groups import parameter_groups
from common.training.poly_sgd import poly_lr
from tests.crf_constants import crf_constants
from tests.parity import fill
from tests.parity.compare import agree, close, equal, shapes

Golden = dict[str, np.ndarray]
RGB = {"type": "SegDataPreProcessor", "mean": IMAGENET_MEAN, "std": IMAGENET_STD}
BGR = {"type": "SegDataPreProcessor", "mean": CAFFE_MEAN[::-1], "std": (1.0, 1.0, 1.0), "rgb_to_bgr": True}


def network(golden: Golden, config: dict[str, Any]) -> tuple[nn.Module, Tensor]:
    """The golden file's weights in our network, through the converter its layout is recognised by; and its input."""
    filled = fill.fill_state_dict(shapes(golden), float(golden["weight_gain"]))
    state = {key: torch.from_numpy(np.asarray(value)) for key, value in filled.items()}
    classes = int(golden["logits" if "logits" in golden else next(k for k in golden if "logits" in k)].shape[1])
    config["decode_head"]["num_classes"] = classes
    model = build_model({"model": {"type": "EncoderDecoder", "test_cfg": {"mode": "whole"}, **config}}).eval()
    load_strictly(model, FORMATS[recognise(state, "the golden file")].convert(state), "the golden file")
    image = fill.image(*golden["image_hw_seed"].tolist())
    return model, normalize(model, torch.from_numpy(image.transpose(2, 0, 1)[None].copy()))


@torch.no_grad()
def logits(model: nn.Module, x: Tensor) -> Tensor:
    """Logits at the network's own size."""
    return model(x, mode="tensor")


def at_image_size(model: nn.Module, x: Tensor) -> Tensor:
    """Logits at the size of the image, by the head's corner rule."""
    return F.interpolate(logits(model, x), size=x.shape[2:], mode="bilinear", align_corners=model.align_corners)


def largefov_vgg16(golden: Golden) -> None:
    """LargeFOV, VGG16."""
    head = {"type": "LargeFOVHead", "in_channels": 512, "align_corners": True}
    model, x = network(golden, {"data_preprocessor": BGR, "backbone": {"type": "VGG16Dilated"}, "decode_head": head})
    close(logits(model, x), golden["logits"], 1e-4, what="logits")


def aspp_vgg16(golden: Golden) -> None:
    """DeepLab v2 on VGG16."""
    backbone = {"type": "VGG16Dilated", "avg_pool": False}
    head = {"type": "SumASPPHead", "in_channels": 512, "hidden": 1024}
    model, x = network(golden, {"data_preprocessor": BGR, "backbone": backbone, "decode_head": head})
    close(logits(model, x), golden["logits"], 1e-4, what="logits")


def deeplabv1_resnet101(golden: Golden) -> None:
    """MSRA ResNet-101 with one 1x1 classifier."""
    config = {"data_preprocessor": BGR, "backbone": {"type": "CaffeResNet", "depth": 101}}
    model, x = network(golden, {**config, "decode_head": fully_convolutional(2048)})
    close(logits(model, x), golden["logits"], 1e-4, what="logits")


def deeplabv2_resnet101(golden: Golden) -> None:
    """DeepLab v2, single scale, the four outputs of training, and their maximum."""
    head = {"type": "SumASPPHead", "in_channels": 2048}
    config = {"type": "MultiScaleMaxSegmentor", "data_preprocessor": BGR, "backbone": {"type": "CaffeResNet"}}
    model, x = network(golden, {**config, "decode_head": head})
    with torch.no_grad():
        close(model.decode_head(model.extract_feat(x)), golden["logits"], 1e-4, what="logits")
        close(logits(model, x), golden["eval_out"], 1e-4, what="eval_out")
        outputs = model.train().outputs(x)
    for name, output in zip(("0", "_050", "_075", "_max"), outputs, strict=True):
        close(output, golden[f"train_out{name}"], 1e-4, what=f"train_out{name}")


def deeplabv1_resnet38(golden: Golden) -> None:
    """SEAM's DeepLab v1: logits at image size and the optimiser's groups."""
    head = {"type": "LargeFOVHead", "in_channels": 4096, "hidden": 512, "norm_cfg": {"type": "BN"}}
    head |= {"dropouts": (0.0, 0.5), "labels": "image", "align_corners": True}
    backbone = {"type": "ResNet38", "frozen": "stem"}
    model, x = network(golden, {"data_preprocessor": RGB, "backbone": backbone, "decode_head": head})
    close(at_image_size(model, x)[:, :, ::2, ::2], golden["logits_stride2"], 1e-4, what="logits")

    groups = parameter_groups(model, new=["decode_head"], norm="skip")
    names = golden["param_names"].tolist()
    ours = FORMATS["resnet38"].convert({name: torch.tensor([i]) for i, name in enumerate(names)})
    assert set(ours) == set(groups), set(ours) ^ set(groups)
    index = {int(place): groups[name] for name, place in ours.items()}
    equal([index[i] for i in range(len(names))], golden["param_group"], "optimiser groups")


def vainf(golden: Golden, head: dict[str, Any]) -> None:
    """torchvision ResNet-50 at output stride 16 with a v3 or v3+ head."""
    backbone = {"type": "DilatedResNet", "strides": (1, 2, 2, 1), "dilations": (1, 1, 1, 2), "contract_dilation": True}
    model, x = network(golden, {"data_preprocessor": RGB, "backbone": backbone, "decode_head": head})
    image_logits = at_image_size(model, x)
    close(image_logits[:, :, ::4, ::4], golden["logits_stride4"], 1e-4, what="logits")
    agree(image_logits.argmax(1), golden["argmax"], 0.999, what="argmax")


def deeplabv3_vainf(golden: Golden) -> None:
    """DeepLab v3."""
    vainf(golden, {"type": "PlainASPPHead", "in_channels": 2048})


def deeplabv3plus_vainf(golden: Golden) -> None:
    """DeepLab v3+."""
    vainf(golden, {"type": "PlainASPPPlusHead", "in_channels": (256, 2048)})


def msc_loss(golden: Golden) -> None:
    """The four outputs of a convolution, their labels, cross entropies and gradients, without and with self labels."""
    weight, bias = (torch.from_numpy(golden[f"conv_{name}"]).requires_grad_() for name in ("weight", "bias"))
    stride, padding = int(golden["conv_stride"]), int(golden["conv_padding"])
    tags, labels = torch.from_numpy(golden["cls_labels"]), torch.from_numpy(golden["labels"])
    outputs = multi_scale_outputs(
        lambda x: F.conv2d(x, weight, bias, stride, padding), torch.from_numpy(golden["x"]), (0.5, 0.75)
    )
    own = [self_labels(output, tags) for output in outputs]
    for i, output in enumerate(outputs):
        close(output, golden[f"out{i}"], 1e-5, what=f"out{i}")
        equal(resize_labels(labels, output.shape[-2:]), golden[f"label{i}"], f"label{i}")
        equal(own[i], golden[f"self_label{i}"], f"self_label{i}")
    by_label = multi_scale_losses(outputs, labels)
    by_self = [multi_scale_losses([output], target)[0] for output, target in zip(outputs, own, strict=True)]
    pairs = torch.stack([torch.stack(by_label), torch.stack(by_self)], 1)
    close(pairs, golden["per_output_gt_and_self"], 1e-5, what="losses")
    for total, suffix, name in ((pairs[:, 0].sum(), "", "loss_msc"), (pairs.sum(), "_plus_self", "loss_msc_plus_self")):
        close(total, golden[name], 1e-5, what=name)
        grads = torch.autograd.grad(total, (weight, bias), retain_graph=True)
        close(grads[0], golden[f"grad_conv_weight{suffix}"], 1e-5, what=f"weight gradient of {name}")
        close(grads[1], golden[f"grad_conv_bias{suffix}"], 1e-5, what=f"bias gradient of {name}")


def label_nearest_index(golden: Golden) -> None:
    """PIL's source index of every shrunk label: keys idx_<in>_to_<out>."""
    for name, expected in golden.items():
        _, inputs, _, outputs = name.split("_")
        equal(nearest_index(int(inputs), int(outputs)), expected, name)


def poly_lr_every10(golden: Golden) -> None:
    """The rate that is refreshed every few iterations; iterations of the file count from 1."""
    base, power = float(golden["base_lr"]), round(float(golden["power"]), 6)
    refresh, last = int(golden["step_size"]), int(golden["iter_max"])
    used = [poly_lr(i - 1, last, power, base, refresh) for i in golden["iteration_1based"].tolist()]
    close(used, golden["lr_used_f64"], 1e-6, what="lr_used")
    close(poly_lr(last, last, power, base, refresh), golden["lr_after_last_f64"], 1e-6, what="lr after the last")


def poly_lr_variants(golden: Golden) -> None:
    """With the floor 1e-6 (DeepLabV3Plus-Pytorch), and decaying over one step more (SEAM's segmentation code)."""
    base, last = float(golden["base_lr"]), int(golden["max_iters"])
    steps = range(len(golden["lr_used_f64"]))
    close([poly_lr(i, last, 0.9, base, floor=1e-6) for i in steps], golden["lr_used_f64"], 1e-6, what="floor")
    close([poly_lr(i, last + 1, 0.9, base) for i in steps], golden["lr_plus1_variant_f64"], 1e-6, what="one step more")


def crf_v2(golden: Golden) -> None:
    """DeepLab v2's CRF, on the image and on the wrapped-around image of the original script."""
    image = np.ascontiguousarray(fill.image(*golden["image_hw_seed"].tolist())[..., ::-1])
    posterior = crf_posterior(image, golden["prob"], crf_constants()["deeplab"])
    agree(posterior.argmax(0), golden["argmax"], 0.995, "argmax")
    close(posterior.max(0), golden["q_max"], 0, 1e-3, "largest posterior")
    shifted = image.astype(np.float32) - np.float32(CAFFE_MEAN[::-1])
    wrapped = shifted.astype(np.int64).astype(np.uint8)  # the cast of a negative float itself is undefined
    quirk = crf_posterior(wrapped, golden["prob"], crf_constants()["deeplab"])
    agree(quirk.argmax(0), golden["argmax_meansubtracted_quirk"], 0.995, "quirk")


def scores(golden: Golden) -> None:
    """mIoU over the classes of the ground truth, pixel and mean accuracy, of all images together."""
    matrix = ConfusionMatrix(len(golden["class_iou_f64"]))
    for prediction, truth in zip(golden["pred"], golden["gt"], strict=True):
        matrix.add(prediction, truth)
    close(matrix.miou(over="ground_truth"), golden["mean_iou_f64"], 1e-9, what="mean IoU")
    close(matrix.iou(), golden["class_iou_f64"], 1e-9, what="class IoU")
    close(matrix.pixel_accuracy(), golden["pixel_acc_f64"], 1e-9, what="pixel accuracy")
    close(np.nanmean(matrix.recall()), golden["mean_acc_f64"], 1e-9, what="mean accuracy")


def augment(golden: Golden) -> None:
    """DeepLab v2's training transform, its draws given: scale, pad with the mean and 255, crop, flip, normalise."""
    image, labels = fill.image(*golden["image_hw_seed"].tolist()), golden["labels"]
    scale, size = float(golden["scale"]), int(golden["crop"])
    start = int(golden["start_h"]), int(golden["start_w"])
    image = pad_crop(scale_image_bilinear(image, scale), start, size, CAFFE_MEAN)
    labels = pad_crop(scale_label_truncated(labels, scale), start, size, 255)
    if golden["flip"]:
        image, labels = mirror(image), mirror(labels)
    equal(labels, golden["out_label"], "labels")
    init_default_scope("mmseg")
    model = nn.Module()
    model.data_preprocessor = build_preprocessor()
    x = normalize(model, torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None])
    close(x[0], golden["out_image"], 0, 0.1, "image")


def build_preprocessor() -> nn.Module:
    """The Caffe models' preprocessor."""
    from mmseg.registry import MODELS

    return MODELS.build(BGR)


CASES = {
    "largefov_vgg16": largefov_vgg16,
    "aspp_vgg16": aspp_vgg16,
    "deeplabv1_resnet101": deeplabv1_resnet101,
    "deeplabv1_resnet38": deeplabv1_resnet38,
    "deeplabv2_resnet101": deeplabv2_resnet101,
    "deeplabv3_vainf": deeplabv3_vainf,
    "deeplabv3plus_vainf": deeplabv3plus_vainf,
    "msc_loss": msc_loss,
    "label_nearest_index": label_nearest_index,
    "poly_lr_every10": poly_lr_every10,
    "poly_lr_variants": poly_lr_variants,
    "crf_v2": crf_v2,
    "scores": scores,
    "augment": augment,
}
