"""WSGCN: golden files of the authors' code that the shared pieces answer for."""

from __future__ import annotations

import numpy as np
import torch

from common.checkpoints.convert import Rule, renamed
from common.metrics import ConfusionMatrix
from tests.parity.compare import close, equal, shapes
from tests.parity.networks import RGB, blank, filled, images, loaded

Golden = dict[str, np.ndarray]
BOUNDARIES = {
    "type": "BoundaryNet",
    "backbone": {"type": "DilatedResNet", "depth": 50, "strides": (1, 2, 2, 1)},
    "data_preprocessor": RGB,
}
# the file names each tensor several times, with other values: those of the last name count
NAMES: list[Rule] = [
    (r"backbone\.0\.0\.(.+)", r"backbone.conv1.\1"),
    (r"backbone\.0\.1\.(.+)", r"backbone.bn1.\1"),
    (r"backbone\.([1-4])\.0\.(.+)", r"backbone.layer\1.\2"),
    (r"edge_layers\.([0-4])\.(.+)", r"edge_head.taps.\1.\2"),
    (r"edge_layers\.5\.(.+)", r"edge_head.out.\1"),
]


@torch.no_grad()
def edge_features(golden: Golden) -> None:
    """The boundary, and what it is read from: the mean of an image and its mirror image, weighted by the last layer."""
    model = loaded(blank(BOUNDARIES, RGB), renamed(filled(shapes(golden), golden), NAMES))
    picture = images(golden["image_size"], golden["image_seed"])[0]
    features = model.edge_head.features(model.taps(model.pair(picture, int(golden["crop_size"]))))
    edge = model.probability(model.edge_head.out(features), picture.shape[-2:])
    close(edge[None], golden["edge"], 1e-4, what="boundary")
    height, width = edge.shape
    upright, mirrored = features[..., :height, :width]
    mean = (upright + mirrored.flip(-1)) / 2 * model.edge_head.out.weight[0]
    equal((1, *mean.shape), golden["feature_shape"], "shape of the features")
    close(mean[::4], golden["features"], 1e-4, what="features")


def metric(golden: Golden) -> None:
    """Counts without the pixels that the prediction leaves open, accuracies, IoU and its means."""
    matrix = ConfusionMatrix(len(golden["hist"]))
    matrix.add(golden["pred"], golden["target"])
    equal(matrix.matrix, golden["hist"], "counts")
    counts = matrix.matrix.sum(axis=1)
    equal(counts.sum(), golden["labelled"], "counted pixels")
    close(matrix.pixel_accuracy(), golden["acc"], 1e-9, what="pixel accuracy")
    close(np.nanmean(matrix.recall()), golden["acc_cls"], 1e-9, what="mean accuracy")
    close(matrix.iou(), golden["iu"], 1e-9, what="IoU")
    close(matrix.miou(), golden["miou"], 1e-9, what="mean IoU")
    close(np.nansum(counts / counts.sum() * matrix.iou()), golden["fwavacc"], 1e-9, what="IoU weighted by frequency")


CASES = {"edge_features": edge_features, "metric": metric}
