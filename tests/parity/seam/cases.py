"""SEAM: golden files of the authors' code (YudeWang/SEAM) and the public functions they are compared with."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from common.affinity import PairSet, feature_affinity, fitting_radius, pair_affinity
from common.artifacts import CAM
from common.cam import argmax_with_background, background_score, merge_cams, normalise
from common.metrics import BestThreshold, ConfusionMatrix
from common.random_walk import dense_affinity
from methods.affinitynet.labels import score_volume
from tests.parity.affinitynet.cases import random_walk
from tests.parity.compare import close, equal
from tests.parity.seam.network_cases import CASES as NETWORK_CASES

Golden = dict[str, np.ndarray]
CONSTANT = 0.26  # background score of the quick prediction


def cam_postproc(golden: Golden) -> None:
    """Merged CAMs, quick prediction, background scores and both score volumes."""
    size, keys = tuple(golden["image_hw"].tolist()), golden["class_ids"] + 1
    items = [torch.from_numpy(golden[f"cam_item{i}"]) for i in range(sum(key.startswith("cam_item") for key in golden))]
    maps = [upright + mirrored.flip(-1) for upright, mirrored in zip(items[::2], items[1::2], strict=True)]
    _, cam = merge_cams(maps, size, np.arange(1, len(keys) + 1), normalisation="class_min_max", canvas=None)
    close(cam, golden["norm_cam"], 1e-5, what="merged CAM")
    absent = normalise(torch.zeros(1, 2, 2), "class_min_max")
    close(absent, np.full((1, 2, 2), golden["absent_class_value"]), 1e-5, what="absent class")
    equal(np.append(0, keys)[argmax_with_background(torch.from_numpy(cam), CONSTANT)], golden["pred"], "prediction")
    alphas = golden["alphas"].tolist()
    for alpha in (alpha for alpha in alphas if f"bg_score_alpha{alpha}" in golden):
        score = background_score(torch.from_numpy(cam), alpha)
        close(score, golden[f"bg_score_alpha{alpha}"], 1e-5, what=f"background, alpha {alpha}")
    if "image" not in golden:
        return
    volume = score_volume(CAM(keys, cam, size, stride=1), golden["image"], *alphas, "psa")
    for alpha, scores in zip(alphas, (volume.low, volume.high), strict=True):
        equal(np.append(0, volume.keys), golden[f"crf_alpha{alpha}_keys"], "keys")
        close(scores, golden[f"crf_alpha{alpha}"], 0, 1e-3, what=f"CRF, alpha {alpha}")


def aff_small_grid(golden: Golden) -> None:
    """Affinities of grids that are too small for radius 5."""
    for key in (key for key in golden if key.endswith("_features_before_two_elu")):
        case = key.removesuffix("_features_before_two_elu")
        features = F.elu(F.elu(torch.from_numpy(golden[key])))
        radius = fitting_radius(5, *features.shape[-2:])
        close(pair_affinity(features, PairSet(radius)), golden[f"{case}_aff"], 1e-5, what=f"{case}_aff")
        dense = dense_affinity(feature_affinity(features[0], radius), PairSet(radius).points)
        close(dense, golden[f"{case}_dense"], 1e-5, what=f"{case}_dense")


def evaluation(golden: Golden) -> None:
    """IoU of predictions, and the curve over the background score; absent classes count as 0."""
    matrix = ConfusionMatrix(len(golden["iou_percent"]))
    matrix.add(golden["pred"], golden["gt"])
    close(100 * np.nan_to_num(matrix.iou()), golden["iou_percent"], 0, 1e-3, what="IoU")
    close(100 * matrix.miou(over="all"), golden["miou_percent"], 0, 1e-3, what="mIoU")
    curve = BestThreshold(matrix.num_classes, golden["thresholds"])
    for cams, classes, truth in zip(golden["cams"], golden["class_ids"], golden["gt"], strict=True):
        curve.add(cams, classes + 1, truth)
    close(100 * curve.miou(over="all"), golden["curve_miou_percent"], 0, 1e-3, what="curve")


CASES = {
    **NETWORK_CASES,
    "aff_small_grid": aff_small_grid,
    "cam_postproc": cam_postproc,
    "evaluation": evaluation,
    "random_walk": random_walk,
}
