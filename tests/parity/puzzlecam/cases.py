"""Puzzle-CAM: golden files of the authors' code. The shared pieces answer for those in this file."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from common.base.constants import IMAGENET_MEAN, IMAGENET_STD
from common.metrics import ConfusionMatrix
from common.metrics.threshold import BestThreshold
from common.ops.affinity import PathSet, boundary_loss
from common.ops.cam import argmax_with_background, normalise
from common.ops.crf import crf_label_maps, crf_labels, crf_posterior
from common.ops.crop import CropBox, crop_into, mirror
from common.ops.labels import confident_labels
from common.ops.random_walk import BoundaryWalk
from common.ops.resize import rescale_image, scale_to_long, upsample
from common.training.poly_sgd import PolySGD
from tests.crf_constants import crf_constants
from tests.parity.compare import agree, close, equal
from tests.parity.fill import image
from tests.parity.puzzlecam.classifier_cases import CASES as CLASSIFIER_CASES
from tests.parity.puzzlecam.network_cases import CASES as NETWORK_CASES

Golden = dict[str, np.ndarray]


def affinity_pairs_loss(golden: Golden) -> None:
    """Pairs, their labels and affinities, the loss and its gradient."""
    size, paths = golden["size"].tolist(), PathSet(int(golden["radius"]))
    equal(paths.offsets, golden["search_dst"], "offsets")
    equal(paths.sources(*size), golden["src_indices"], "sources")
    equal(paths.destinations(*size), golden["dst_indices"], "destinations")
    pairs = paths.labels(golden["segm"][None])
    for name, actual in zip(("bg_pos", "fg_pos", "neg"), pairs, strict=True):
        equal(actual, golden[name], name)
    edge = torch.from_numpy(golden["edge_logit"]).requires_grad_()
    close(paths.affinity(edge.sigmoid()[:, 0]), golden["affinity"], 1e-5, what="affinity")
    terms = boundary_loss(edge, pairs, paths)
    for name, expected in zip(("bg_pos", "fg_pos", "neg", "loss"), golden["loss"], strict=True):
        close(terms[name], expected, 1e-5, what=name)
    terms["loss"].backward()
    close(edge.grad, golden["grad_edge_logit"], 1e-5, what="gradient")


def crf(golden: Golden) -> None:
    """The CRF on labels, on probabilities, and the labels of the affinity network."""
    pixels, keys = image(*golden["image_hw_seed"].tolist()), golden["class_keys"]
    params = replace(crf_constants()["irn"], iterations=int(golden["t"]))
    refined = crf_labels(pixels, golden["labels"], params, int(golden["n_labels"]))
    agree(refined, golden["refined"], what="refined labels")

    posterior = crf_posterior(pixels, golden["prob"], replace(crf_constants()["psa"], iterations=int(golden["t"])))
    agree(posterior.argmax(0), golden["softmax_crf_argmax"], what="arg-max of the posterior")
    close(posterior[0], golden["softmax_crf_q_class0"], 0, 1e-3, what="posterior of the background")

    fg, bg = float(golden["fg_threshold"]), float(golden["bg_threshold"])
    maps = [argmax_with_background(torch.from_numpy(golden["cam"]), score).numpy() for score in (fg, bg)]
    for name, before, after in zip(("fg", "bg"), maps, crf_label_maps(pixels, maps, params, len(keys)), strict=True):
        equal(before, golden[f"{name}_arg"], f"{name}_arg")
        agree(keys[after], golden[f"{name}_conf"], what=f"{name}_conf")
    labels = confident_labels(golden["cam"], keys[1:], pixels, params, fg, bg)
    agree(labels, golden["affinity_label"], what="affinity label")


def miou(golden: Golden) -> None:
    """IoU per class, false positives and negatives, means with and without the background."""
    classes = len(golden["iou_f64"])
    matrix = ConfusionMatrix(classes)
    matrix.add(golden["pred"], golden["gt"])
    close(100 * matrix.iou(), golden["iou_f64"], 1e-9, what="IoU")
    close(100 * matrix.miou(), golden["miou_f64"], 1e-9, what="mean IoU")
    close(100 * matrix.miou(range(1, classes)), golden["miou_fg_f64"], 1e-9, what="mean IoU of the foreground")
    close(np.nanmean(matrix.false_positive()), golden["fp_f64"], 1e-9, what="false positives")
    close(np.nanmean(matrix.false_negative()), golden["fn_f64"], 1e-9, what="false negatives")


def threshold_sweep(golden: Golden) -> None:
    """mIoU of one image at every background score; classes that it lacks count as 0."""
    sweep = BestThreshold(21, golden["thresholds_f64"])
    sweep.add(golden["cam"], golden["class_keys"][1:], golden["gt"])
    close(100 * sweep.miou(over="all"), golden["miou_percent_f64"], 1e-9, what="mean IoU")


def poly_sgd(golden: Golden) -> None:
    """Rates of four groups and the parameters, beyond the last step too."""
    parameters = [torch.nn.Parameter(torch.from_numpy(row.copy())) for row in golden["p0"]]
    rates, decay = golden["lr_used_f64"][0].tolist(), float(golden["weight_decay"])
    decays = (decay, 0.0, decay, 0.0)  # biases do not decay
    optimizer = PolySGD(
        [{"params": [p], "lr": lr, "weight_decay": d} for p, lr, d in zip(parameters, rates, decays, strict=True)],
        lr=float(golden["lr"]),
        max_step=int(golden["max_step"]),
        momentum=float(golden["sgd_momentum_effective_f64"]),
        nesterov=bool(golden["nesterov"]),
    )
    for step, gradients in enumerate(golden["grads"]):
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = torch.from_numpy(gradient.copy())
        optimizer.step()
        used = [group["lr"] for group in optimizer.param_groups]
        close(used, golden["lr_used_f64"][step], 1e-6, what=f"rates of step {step}")
        close(torch.stack(list(parameters)), golden["p"][step], 1e-6, what=f"parameters after step {step}")


def random_walk(golden: Golden) -> None:
    """The walk, and its maps at image size divided by their maximum. The authors square float32: 6e-5 off."""
    walk = BoundaryWalk(beta=float(golden["beta"]), exp_times=int(golden["exp_times"]))
    walked = walk(golden["cam"], torch.from_numpy(golden["edge"])[0])
    close(walked[:, None], golden["rw"], 5e-4, what="walked planes")
    scores = normalise(upsample(walked, tuple(golden["crop_hw"].tolist())), "image_max")
    close(scores, golden["rw_up"], 5e-4, what="scores at image size")


def train_transform(golden: Golden) -> None:
    """A training input for given draws; a container of the mean colour is their zeros after normalisation."""
    pixels = image(*golden["image_hw_seed"].tolist())
    resized = rescale_image(pixels, scale_to_long(pixels, int(golden["long_side"])))
    equal(resized.shape[:2], golden["resized_hw"], "resized size")
    pixels = mirror(resized) if golden["flip"] else resized
    (top, left, bottom, right), (y0, x0, y1, x1) = golden["dst_box_yxyx"].tolist(), golden["src_box_yxyx"].tolist()
    box = CropBox(top, bottom, left, right, y0, y1, x0, x1)
    crop = crop_into(pixels, box, len(golden["crop"]), IMAGENET_MEAN)
    normalised = (crop - np.float32(IMAGENET_MEAN)) / np.float32(IMAGENET_STD)
    close(normalised, golden["crop"], 0, 4e-3, what="crop")


CASES = {
    **CLASSIFIER_CASES,
    **NETWORK_CASES,
    "affinity_pairs_loss": affinity_pairs_loss,
    "crf_labels": crf,
    "miou": miou,
    "poly_sgd": poly_sgd,
    "random_walk": random_walk,
    "threshold_sweep": threshold_sweep,
    "train_transform": train_transform,
}
