"""DMT: golden files of the authors' code (DST-CBC repository) and the public functions they are compared with."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor, nn

from common.inference.segmentation import multi_scale_logits
from common.metrics import ConfusionMatrix
from common.models.preprocess import normalize
from common.ops.confidence import keep_confident
from common.ops.crop import mirror, pad_bottom_right, pad_crop
from common.ops.losses import pixel_cross_entropy
from common.ops.resize import scale_image_torch, scale_label_floor
from common.training import poly_lr
from methods.dmt.labels import class_thresholds, confident_label, sampled
from methods.dmt.losses import look, mutual_loss, weights_and_targets
from methods.dmt.released import FORMATS, convert_dmt
from tests.parity.compare import close, equal, shapes
from tests.parity.networks import BGR, RGB, blank, filled, images, loaded

Golden = dict[str, np.ndarray]
TOLERANCE = 1e-5


# --- losses -------------------------------------------------------------------------------------------------------


def _loss(logits: np.ndarray, target: np.ndarray, split: np.ndarray, **rule: Any) -> tuple[Tensor, Tensor, dict]:
    """The loss, its gradient and the statistics of a batch whose first `split` images are pseudo-labelled."""
    leaf = torch.from_numpy(logits).requires_grad_()
    label, confidence = torch.from_numpy(target[:, 0]).long(), torch.from_numpy(target[:, 1])
    loss, statistics = mutual_loss(leaf, label, confidence, torch.arange(len(target)) >= int(split), **rule)
    loss.backward()
    return loss, leaf.grad, statistics


def _weights(logits: np.ndarray, target: np.ndarray, split: np.ndarray, rule: str, **options: Any) -> Tensor:
    label, confidence = torch.from_numpy(target[:, 0]).long(), torch.from_numpy(target[:, 1])
    pixels = look(torch.from_numpy(logits).log_softmax(1), label, confidence)
    return weights_and_targets(pixels, torch.arange(len(target)) >= int(split), rule, **options)[0]


def dynamic_mutual_loss(golden: Golden) -> None:
    """Every case: the loss, its gradient, each pixel's weight, and the logged statistics."""
    for i in range(int(golden["n_cases"])):
        case = {key.removeprefix(f"c{i}_"): value for key, value in golden.items() if key.startswith(f"c{i}_")}
        gammas = dict(zip(("gamma_agree", "gamma_disagree"), case["gamma"].tolist(), strict=True))
        batch = case["logits"], case["target"], case["split"]
        loss, grad, statistics = _loss(*batch, rule="dynamic", **gammas)
        close(loss, case["loss"], TOLERANCE, what=f"loss {i}")
        close(grad, case["grad"], TOLERANCE, what=f"gradient {i}")
        close(statistics["plain_ce"], case["plain_ce"], TOLERANCE, what=f"plain cross entropy {i}")
        close(statistics["mean_weight"], case["mean_weight"], TOLERANCE, what=f"mean weight {i}")
        if case["n_disagree"] >= 0:  # -1: the authors do not count where both gammas are 0
            equal(statistics["disagree"], case["n_disagree"], f"disagreeing pixels {i}")
            equal(statistics["overruled"], case["n_current_win"], f"overruled pixels {i}")
        close(_weights(*batch, rule="dynamic", **gammas), case["weight"], TOLERANCE, what=f"weights {i}")


def supervised_loss(golden: Golden) -> None:
    """Labelled images alone: the loss of the supervised phase, and that of a batch without pseudo labels."""
    label = torch.from_numpy(golden["target"])
    leaf = torch.from_numpy(golden["logits"]).requires_grad_()
    loss = pixel_cross_entropy(leaf, label)
    loss.backward()
    target = np.stack([golden["target"], np.ones_like(golden["target"])], 1).astype(np.float32)
    mutual, grad, _ = _loss(golden["logits"], target, np.array(0))
    for name, value, gradient in (("supervised", loss, leaf.grad), ("mutual", mutual, grad)):
        close(value, golden["loss"], TOLERANCE, what=f"{name} loss")
        close(gradient, golden["grad"], TOLERANCE, what=f"{name} gradient")


def ablation_losses(golden: Golden) -> None:
    """Whichever of the rules the file holds."""
    for name in ("naive", "flip", "online"):
        if f"{name}_loss" not in golden:
            continue
        loss, grad, statistics = _loss(golden["logits"], golden["target"], golden["split"], rule=name)
        close(loss, golden[f"{name}_loss"], TOLERANCE, what=f"{name} loss")
        close(grad, golden[f"{name}_grad"], TOLERANCE, what=f"{name} gradient")
        if f"{name}_mean_weight" in golden:
            close(statistics["mean_weight"], golden[f"{name}_mean_weight"], TOLERANCE, what=f"{name} mean weight")


# --- pseudo labels ------------------------------------------------------------------------------------------------


class Given(nn.Module):
    """A network that answers with given logits."""

    align_corners = True

    def __init__(self, logits: Tensor) -> None:
        super().__init__()
        self.logits = nn.Parameter(logits)
        self.data_preprocessor = MODELS.build(dict(RGB))

    def forward(self, inputs: Tensor, mode: str) -> Tensor:
        return self.logits


def class_balanced(golden: Golden) -> None:
    """Labels and confidences of every image, thresholds and kept labels of every ratio."""
    canvas = tuple(golden["size"].tolist())
    every, classes = int(golden["down_sample_rate"]), golden["logits_low"].shape[1]
    values = []
    for logits, *size in zip(golden["logits_low"], golden["heights"], golden["widths"], strict=True):
        photo = np.zeros((*map(int, size), 3), np.uint8)
        values.append(
            confident_label(multi_scale_logits(Given(torch.from_numpy(logits)[None]), photo, (1.0,), False, canvas))
        )
    labels, confidences = zip(*(sampled(value, every) for value in values), strict=True)
    label, confidence = np.concatenate(labels), np.concatenate(confidences)
    samples = [confidence[label == number] for number in range(classes)]
    for k, ratio in enumerate(golden["ratios"]):
        thresholds = class_thresholds(samples, float(str(ratio)))  # 0.2, not 0.2's float32
        close(thresholds, golden[f"r{k}_thresholds"], 0, atol=1e-6, what=f"thresholds {k}")
        kept = [keep_confident(value.label, value.confidence, thresholds) for value in values]
        for j, (value, label) in enumerate(zip(values, kept, strict=True)):
            equal(label, golden[f"r{k}_label{j}"], f"label {j} at ratio {ratio}")
            close(value.confidence, golden[f"conf{j}"], 0, atol=1e-6, what=f"confidence {j}")
        share = sum(int((label != 255).sum()) for label in kept) / sum(label.size for label in kept)
        close(share, golden[f"r{k}_kept_ratio"], 0, atol=1e-6, what=f"kept share {k}")


# --- evaluation, schedule, augmentation ---------------------------------------------------------------------------


def confusion(golden: Golden) -> None:
    """Confusion matrix, accuracies, IoU and their mean."""
    matrix = ConfusionMatrix(len(golden["matrix"]))
    matrix.add(golden["pred"], golden["target"])
    equal(matrix.matrix, golden["matrix"], "matrix")
    found = matrix.pixel_accuracy(), matrix.recall(), matrix.iou(), matrix.miou()
    for name, value in zip(("acc_global", "acc", "iu", "miou"), found, strict=True):
        close(value, golden[name], 0, atol=1e-6, what=name)


def learning_rate(golden: Golden) -> None:
    """The learning rate of every iteration."""
    total, base = int(golden["total"]), float(golden["base_lr"])
    rates = [poly_lr(step, total, 0.9, base) for step in range(total)]
    close(rates, golden["lr"], 0, atol=1e-12, what="learning rate")


class Rules(nn.Module):
    """The preprocessor of a network without its layers."""

    def __init__(self, preprocessor: dict[str, Any]) -> None:
        super().__init__()
        self.data_preprocessor = MODELS.build(dict(preprocessor))

    def __call__(self, image: np.ndarray) -> Tensor:
        """[h, w, 3] RGB in 0..255 -> [3, h, w], normalised."""
        return normalize(self, torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None])[0]


def transforms(golden: Golden) -> None:
    """Channel order, padding before the mean is taken off, scales, crops and both normalisations.

    The authors turn a photo to BGR first, we when it is normalised; the golden pictures before that are BGR in 0..255.
    """
    image, label = golden["image"], golden["label"]
    caffe, imagenet = Rules(BGR), Rules(RGB)
    canvas, crop = golden["zeropad_label"].shape, tuple(golden["crop"].tolist())
    close(_bgr(image), golden["tensor_bgr"], 0, what="BGR")
    close(caffe(pad_bottom_right(image, canvas, 0)), golden["zeropad_norm"], 0, atol=1e-4, what="padded")
    equal(pad_bottom_right(label, canvas, 255), golden["zeropad_label"], "padded label")
    close(imagenet(image), golden["imagenet_norm"], 0, atol=1e-4, what="ImageNet normalisation")
    for k, scale in enumerate(golden["scales"].tolist()):
        scaled, scaled_label = scale_image_torch(image, scale), scale_label_floor(label, scale)
        close(_bgr(scaled), golden[f"s{k}_image"], 0, atol=1e-4, what=f"scaled by {scale}")
        equal(scaled_label, golden[f"s{k}_label"], f"label scaled by {scale}")
        place = tuple(golden[f"s{k}_crop_offset"].tolist()), crop
        close(_bgr(pad_crop(scaled, *place, (0, 0, 0))), golden[f"s{k}_crop_image"], 0, atol=1e-4, what=f"crop {scale}")
        equal(pad_crop(scaled_label, *place, 255), golden[f"s{k}_crop_label"], f"crop of the label {scale}")


def transforms_pseudo(golden: Golden) -> None:
    """Label and confidence through scale, padding, crop and mirror."""
    scale, crop = float(golden["scale"]), tuple(golden["crop"].tolist())
    scaled = [scale_label_floor(golden["pseudo"][..., channel], scale) for channel in range(2)]
    equal(np.stack(scaled), golden["scaled_pseudo"], "scaled")
    start = tuple(max(side - wanted, 0) // 2 for side, wanted in zip(scaled[0].shape, crop, strict=True))
    cropped = [pad_crop(channel, start, crop, 255) for channel in scaled]
    equal(np.stack(cropped), golden["crop_pseudo"], "cropped")
    equal(np.stack([mirror(channel) for channel in cropped]), golden["flip_pseudo"], "mirrored")
    photo = pad_crop(scale_image_torch(golden["image"], scale), start, crop, (0, 0, 0))
    close(_bgr(photo), golden["crop_image"], 0, atol=1e-4, what="cropped photo")


def _bgr(image: np.ndarray) -> np.ndarray:
    return image[..., ::-1].transpose(2, 0, 1).astype(np.float32)


# --- network ------------------------------------------------------------------------------------------------------


def deeplabv2(golden: Golden) -> None:
    """The authors' two branches, and all four, on the weights that both share."""
    state = convert_dmt(filled(shapes(golden), golden))
    x = images(golden["image_size"], golden["image_seed"])
    with torch.no_grad():
        for rates, name in ((2, "out_two_branches"), (4, "out_four_branches")):
            part = {key: value for key, value in state.items() if not _branch_beyond(key, rates)}
            model = loaded(blank(FORMATS["dmt_deeplabv2"].network(part), BGR), part)
            inputs = normalize(model, x)
            close(model(inputs, mode="tensor"), golden[name], 1e-3, what=name)
            if rates == 2:
                _check_feature_and_labels(model, inputs, golden)


def _check_feature_and_labels(model: nn.Module, inputs: Tensor, golden: Golden) -> None:
    feature = model.backbone(inputs)[-1][0]
    close(feature[:: len(feature) // len(golden["feature_c64"])], golden["feature_c64"], 1e-3, what="feature")
    size = tuple(golden["image_size"].tolist())
    logits = F.interpolate(model(inputs, mode="tensor"), size, mode="bilinear", align_corners=model.align_corners)[0]
    close(logits[:, ::4, ::4], golden["upsampled_stride4"], 1e-3, what="up-sampled logits")
    equal(confident_label(logits).label, golden["argmax"], "label")


def _branch_beyond(key: str, count: int) -> bool:
    prefix = "decode_head.branches."
    return key.startswith(prefix) and int(key.removeprefix(prefix).split(".")[0]) >= count


CASES = {
    "ablation_losses": ablation_losses,
    "class_balanced": class_balanced,
    "confusion": confusion,
    "deeplabv2": deeplabv2,
    "dynamic_mutual_loss": dynamic_mutual_loss,
    "poly_lr": learning_rate,
    "supervised_loss": supervised_loss,
    "transforms": transforms,
    "transforms_pseudo": transforms_pseudo,
}
