"""SEAM: golden files of the authors' code (YudeWang/SEAM) and the public functions they are compared with."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from common.metrics import BestThreshold, ConfusionMatrix
from common.ops.affinity import PairSet
from common.ops.cam import normalise
from common.ops.random_walk import dense_affinity
from methods.affinitynet.affinity import feature_affinity, fitting_radius, pair_affinity
from tests.parity.affinitynet.cases import check_volumes, merged_cam, random_walk
from tests.parity.compare import close
from tests.parity.seam.deeplab_cases import CASES as DEEPLAB_CASES
from tests.parity.seam.network_cases import CASES as NETWORK_CASES

Golden = dict[str, np.ndarray]


def cam_postproc(golden: Golden) -> None:
    """Merged CAMs, an absent class, the quick prediction over 0.26; background scores and both score volumes."""
    cam = merged_cam(golden, "class_min_max", 0.26)
    absent = normalise(torch.zeros(1, 2, 2), "class_min_max")
    close(absent, np.full((1, 2, 2), golden["absent_class_value"]), 1e-5, what="absent class")
    if "image" in golden:
        check_volumes(cam, golden)


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
    **DEEPLAB_CASES,
    **NETWORK_CASES,
    "aff_small_grid": aff_small_grid,
    "cam_postproc": cam_postproc,
    "evaluation": evaluation,
    "random_walk": random_walk,
}
