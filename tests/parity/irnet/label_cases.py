"""IRNet's labels and instances against the authors' code."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import torch

from common.artifacts import CAM, Instances, ScoreMap
from common.ops.cam import argmax_with_background, merge_cams
from common.ops.crf import crf_label_maps
from common.ops.labels import confident_labels, planes_with_background, walked_scores
from common.ops.random_walk import BoundaryWalk
from common.ops.resize import padded_size, strided_size
from methods.irnet.instances import centroids, cluster_centroids, compress, detect, instance_cams, instance_labels
from tests.crf_constants import crf_constants
from tests.fused import semantic_labels, stored
from tests.parity.compare import agree, close, equal

Golden = dict[str, np.ndarray]


def compress_range(golden: Golden) -> None:
    """Values replaced by their ranks, and the membership planes."""
    ranks = compress(golden["arr"])
    equal(ranks, golden["out"], "ranks")
    planes, _ = instance_cams(np.ones((1, *ranks.shape), np.float32), ranks)
    equal(planes, golden["one_hot"], "one_hot")


def instances(golden: Golden) -> None:
    """Centroids, clusters, walk and detections."""
    field, keys, maps = golden["displacement"], golden["keys"], golden["cam"]
    for key in (key for key in golden if key.startswith("centroids_it")):
        equal(centroids(field, int(key.removeprefix("centroids_it"))), golden[key], key)
    weak, bg = float(golden["cluster_thres"]), float(golden["bg_thres"])
    clusters = cluster_centroids(centroids(field), field, weak)
    equal(clusters, golden["cluster_map"], "cluster map")
    assert clusters.max() + 1 == golden["n_instances"]

    cam, edge = CAM(keys, maps, tuple(golden["image_size"].tolist())), torch.from_numpy(golden["edge"][0])
    planes, owner = instance_cams(maps, clusters)
    walked = BoundaryWalk()(planes, edge)
    split = maps[:, None] * (clusters == np.arange(clusters.max() + 1)[:, None, None])
    numbers = np.flatnonzero(split.any(axis=(2, 3)))  # of the planes that are not all zero
    equal(owner, numbers // (clusters.max() + 1), "class of each plane")
    everything = np.zeros((split.shape[0] * split.shape[1], *field.shape[1:]), np.float32)
    everything[numbers] = walked
    close(everything[:, None], golden["rw"], 1e-3, what="walked planes")
    _, index = walked_scores(walked, cam.size, bg)
    agree(np.append(0, numbers + 1)[index], golden["label_index"], 0.999, "arg-max")

    ratio = float(golden["min_fragment_ratio"])
    found = instance_labels(cam, edge, field, BoundaryWalk(), bg, weak=weak, min_area=ratio)
    _check_detections(found, golden["det_score"], golden["det_class"], golden["det_label_map"])
    equal(np.bincount(found.label.ravel(), minlength=len(found.score) + 1)[1:], golden["det_area"], "areas")


def _check_detections(found: Instances, score: np.ndarray, classes: np.ndarray, label: np.ndarray) -> None:
    equal(found.classes, classes, "classes of the detections")
    close(found.score, score, 1e-3, what="scores of the detections")
    agree(found.label, label, 0.999, "owner of each pixel")


def detect_instance(golden: Golden) -> None:
    """Components of an arg-max map."""
    smallest = float(golden["max_fragment_size"])
    found = detect(golden["score_map"], golden["label_index"], golden["class_id"], smallest)
    equal(found.label, golden["det_label_map"], "label map")
    equal(found.score, golden["det_score"], "scores")
    equal(found.classes, golden["det_class"], "classes")


def stage(golden: Golden) -> None:
    """One image through all label stages. Keys of the files count from 0, ours are class ids."""
    size, keys = tuple(golden["image_size"].tolist()), golden["keys"] + 1
    equal(np.flatnonzero(golden["label"]) + 1, keys, "keys")
    scales = [torch.from_numpy(golden[f"scale_out_{i}"]) for i in range(len(golden["scales"]))]
    strided = merge_cams(scales, strided_size(size), keys)
    full = merge_cams(scales, size, keys, canvas=padded_size(size))
    close(strided, golden["cam_strided"], 1e-5, what="strided CAM")
    close(full[:, ::3, ::3], golden["cam_high_res_sub"], 1e-5, what="full CAM")
    close(full.max(axis=(1, 2)), golden["cam_high_res_max"], 1e-5, what="maximum of the full CAM")

    fg, bg = float(golden["conf_fg_thres"]), float(golden["conf_bg_thres"])
    maps = [argmax_with_background(torch.from_numpy(full), score).numpy() for score in (fg, bg)]
    crf = crf_constants()["irn"]
    refined = crf_label_maps(golden["image"], maps, crf, n_labels=1 + len(keys))
    for name, before, after in zip(("fg", "bg"), maps, refined, strict=True):
        agree(before, golden[f"{name}_index"], what=f"{name} map")
        agree(after, golden[f"{name}_index_crf"], what=f"{name} map after the CRF")
    agree(confident_labels(full, keys, golden["image"], crf, fg, bg), golden["ir_label"], what="confident labels")

    cam, edge = CAM(keys, strided, size), torch.from_numpy(golden["edge"][0])
    agree(
        semantic_labels(cam.maps, cam.keys, cam.size, edge, BoundaryWalk()), golden["sem_seg"], what="semantic labels"
    )
    with tempfile.TemporaryDirectory() as folder:
        walked = ScoreMap(keys, BoundaryWalk()(cam.maps, edge).numpy(), size)
        read = stored(walked, Path(folder)).read("a")
    planes, classes = planes_with_background(read.full(), read.keys, 0.25)
    agree(classes[planes.argmax(0)], golden["sem_seg"], what="semantic labels of the stored walk")
    found = instance_labels(cam, edge, golden["displacement"], BoundaryWalk())
    _check_detections(found, golden["ins_score"], golden["ins_class"] + 1, golden["ins_label_map"])


CASES = {
    "compress_range": compress_range,
    "instances": instances,
    "detect_instance": detect_instance,
    "stage": stage,
}
