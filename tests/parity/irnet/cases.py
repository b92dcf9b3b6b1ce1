"""IRNet: golden files of the authors' code (jiwoon-ahn/irn) and the public functions they are compared with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from common.metrics import InstanceAP
from common.metrics.instance_ap import overlap_of_maps
from common.ops.affinity import PathSet
from common.ops.cam import argmax_with_background, normalise
from common.ops.crf import crf_labels
from common.ops.random_walk import dense_affinity, random_walk, stencil_affinity, transition_matrix
from common.ops.resize import padded_size, shrink_labels, strided_size, upsample
from tests.crf_constants import crf_constants
from tests.parity.compare import agree, close, equal
from tests.parity.irnet.engine_cases import CASES as ENGINE_CASES
from tests.parity.irnet.label_cases import CASES as LABEL_CASES
from tests.parity.irnet.network_cases import CASES as NETWORK_CASES

Golden = dict[str, np.ndarray]


def path_index(golden: Golden) -> None:
    """Offsets, paths and cell numbers of the pair geometry."""
    paths = PathSet(int(golden["radius"]))
    height, width = golden["size"].tolist()
    assert paths.margin == golden["radius_floor"]
    equal(paths.offsets, golden["search_dst"], "offsets")
    equal([len(path) for path in paths.paths], golden["path_len"], "path lengths")
    equal(np.concatenate(paths.paths), golden["path_points"], "path points")
    equal(paths.sources(height, width), golden["src_indices"], "sources")
    equal(paths.destinations(height, width), golden["dst_indices"], "destinations")


def edge_to_affinity(golden: Golden) -> None:
    """Affinity of the boundary map, and its gradient."""
    edge = torch.from_numpy(golden["edge"]).requires_grad_()
    affinity = PathSet(int(golden["radius"])).affinity(edge[:, 0])
    equal(affinity, golden["affinity"], "affinity")
    equal(PathSet(int(golden["radius"])).affinity(edge.detach()[:, 0]), golden["affinity"], "affinity without gradient")
    affinity.backward(torch.from_numpy(golden["grad_affinity"]))
    close(edge.grad, golden["grad_edge"], rtol=1e-5, what="gradient of the edge")


def affinity_label_item(golden: Golden) -> None:
    """The label map at stride 4 and its pair labels."""
    reduced = shrink_labels(golden["label"], stride=4)
    equal(reduced, golden["reduced"], "reduced label")
    labels = PathSet(int(golden["radius"])).labels(reduced)
    for name, actual in zip(("bg_pos", "fg_pos", "neg"), labels, strict=True):
        equal(actual, golden[name], name)


def transition(golden: Golden) -> None:
    """Dense affinity and transition matrix, and its powers by repeated squaring."""
    radius, beta = int(golden["radius"]), float(golden["beta"])
    edge, offsets = torch.from_numpy(golden["edge"])[0], PathSet(radius).offsets
    linear = stencil_affinity(edge, radius, beta=1)
    close(dense_affinity(linear, offsets), golden["affinity_dense"], rtol=1e-5, what="affinity")
    matrix = transition_matrix(stencil_affinity(edge, radius, beta), offsets)
    for key in golden:
        if key.startswith("transition_t"):
            power = torch.linalg.matrix_power(matrix, 2 ** int(key.removeprefix("transition_t")))
            close(power, golden[key], rtol=1e-5, what=key)


def propagate(golden: Golden) -> None:
    """The random walk, and the labels made of it."""
    height, width = golden["cam"].shape[-2:]
    planes = torch.from_numpy(golden["cam"]).reshape(-1, height, width)
    walked = random_walk(
        planes,
        torch.from_numpy(golden["edge"])[0],
        radius=int(golden["radius"]),
        beta=float(golden["beta"]),
        steps=2 ** int(golden["exp_times"]),
    )
    close(walked[:, None], golden["rw"], rtol=1e-3, what="walked planes")
    scores = normalise(upsample(walked, tuple(golden["image_size"].tolist())), "image_max")
    agree(argmax_with_background(scores, float(golden["bg_thres"])), golden["label_index"], 0.9999, "labels")


def crf_label(golden: Golden) -> None:
    """The CRF on a label map."""
    params = replace(crf_constants()["irn"], iterations=int(golden["t"]))
    refined = crf_labels(
        golden["image"], golden["labels"], params, int(golden["n_labels"]), confidence=float(golden["gt_prob"])
    )
    agree(refined, golden["out"], what="refined labels")


def sizes(golden: Golden) -> None:
    """Grid sizes of the strided and of the padded maps."""
    images = [tuple(size) for size in golden["sizes"].tolist()]
    equal([strided_size(size, 4) for size in images], golden["stride4"], "stride 4")
    equal([padded_size(size, 16) for size in images], golden["up16"], "multiples of 16")


def instance_ap(golden: Golden) -> None:
    """Average precision at each IoU for which the file holds a result, and its mean over the classes."""
    keys = ("pred_label_map", "pred_class", "pred_score", "gt_label_map", "gt_class")
    for name in (key for key in golden if key.startswith("ap_")):
        metric = InstanceAP(len(golden[name]), int(name.split("_")[1]) / 100, eleven_point=name.endswith("voc07"))
        for prediction, predicted, score, truth, classes in zip(*(golden[key] for key in keys), strict=True):
            predicted, classes = predicted[predicted >= 0], classes[classes >= 0]
            overlap = overlap_of_maps(prediction, truth, len(predicted), len(classes))
            metric.add_overlaps(overlap, predicted, score[: len(predicted)], classes)
        close(metric.ap(), golden[name], rtol=1e-6, what=name)
        if "m" + name in golden:
            close(np.nanmean(metric.ap()), golden["m" + name], rtol=1e-6, what="m" + name)


CASES = {
    **ENGINE_CASES,
    **LABEL_CASES,
    **NETWORK_CASES,
    "affinity_label_item": affinity_label_item,
    "crf_label": crf_label,
    "edge_to_affinity": edge_to_affinity,
    "instance_ap": instance_ap,
    "path_index": path_index,
    "propagate": propagate,
    "strided_size": sizes,
    "transition_matrix": transition,
}
