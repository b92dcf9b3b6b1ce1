"""WSGCN: golden files of the authors' code (Xavier-Pan/WSGCN) and the public functions they are compared with."""

from __future__ import annotations

import numpy as np
import torch

from common.checkpoints.convert import Rule, renamed
from common.metrics import ConfusionMatrix
from common.ops.crf_params import CRFParams
from common.ops.resize import lanczos_image, strided_size
from methods.wsgcn.decode import pixel_log_prob, refined_scores
from methods.wsgcn.factor import factored_adjacency
from methods.wsgcn.fit import FitRule, fit
from methods.wsgcn.graph import dense_adjacency, edges_and_features, walk_matrix
from methods.wsgcn.laplacian import GridLaplacian, grid_laplacian, pair_slices, window_offsets
from methods.wsgcn.layers import PropagationGCN
from methods.wsgcn.losses import propagation_loss
from methods.wsgcn.partial import PartialRule, partial_label, unvoted_label
from methods.wsgcn.scores import NodeScore
from tests.parity.compare import agree, close, equal, shapes
from tests.parity.networks import RGB, blank, filled, images, loaded

Golden = dict[str, np.ndarray]
CELLS, FITTED = CRFParams(10, (20, 3, 10), (4, 3)), CRFParams(10, (50, 5, 3), (3, 3))
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


def graph_matrix(golden: Golden) -> None:
    """The walk's matrix, the walked CAM and the adjacency; the authors square in float32, exact powers are 5.5e-5 off.

    On so small a grid the factored form holds every mode: it is held against the same adjacency.
    """
    edge, radius, beta, times = (golden[key] for key in ("edge", "radius", "beta", "exp_times"))
    edge, walk = torch.from_numpy(edge)[0], (int(radius), float(beta), int(times))
    matrix = walk_matrix(edge, *walk)
    close(matrix, golden["transition"], 1e-4, what="transition")
    start = torch.from_numpy(golden["cam"]) * (1 - edge)
    spread = (start.flatten(1) @ matrix).view(len(start), 1, *edge.shape)
    close(spread, golden["random_walk"], 1e-4, what="walked CAM")
    close(dense_adjacency(matrix), golden["gcn_adjacency"], 1e-4, what="adjacency")
    factored = factored_adjacency(edge, *walk, modes=edge.numel(), generator=torch.Generator().manual_seed(0))
    close(factored @ torch.eye(edge.numel()), golden["gcn_adjacency"], 1e-4, what="factored adjacency")


def adjacency(golden: Golden) -> None:
    """The maximum of both directions, loops, rows that sum to 1."""
    close(dense_adjacency(torch.from_numpy(golden["transition"])), golden["adjacency"], 1e-6, what="adjacency")


def laplacian(golden: Golden) -> None:
    """The colour and place of the cells, and L as what it makes of the unit vectors."""
    size = golden["rgbxy"].shape[:2]
    cells = lanczos_image(golden["image_rgb"], size)
    close(cells[..., ::-1] / 255, golden["rgbxy"][..., :3], 1e-6, what="colours")
    made = grid_laplacian(cells, int(golden["radius"]), colour=12, place=20)
    close(made @ torch.eye(size[0] * size[1]), golden["laplacian"], 1e-6, what="Laplacian")


def losses(golden: Golden) -> None:
    """The four terms, their sum and its gradient; with the Laplacian as a matrix and as shifted differences."""
    size = int(golden["height"]), int(golden["width"])
    matrix, labels = torch.from_numpy(golden["laplacian"]), torch.from_numpy(golden["label"]).long()
    for form in (matrix, shifted(matrix, size)):
        logits = torch.from_numpy(golden["logits"]).requires_grad_()
        terms = propagation_loss(logits.log_softmax(dim=1), labels, form, entropy=10, smooth=0.01)
        for name in ("fg", "bg", "entropy", "laplacian"):
            close(terms[name], golden[f"loss_{name}"], 1e-5, what=name)
        close(terms["loss"], golden["loss_total"], 1e-4, what="total")
        terms["loss"].backward()
        close(logits.grad, golden["grad_logits"], 1e-5, atol=1e-7, what="gradient")


def shifted(matrix: torch.Tensor, size: tuple[int, int]) -> GridLaplacian:
    """The weights of a dense Laplacian at the offsets of its window."""
    cells, weights = torch.arange(size[0] * size[1]).view(size), {}
    for dy, dx in window_offsets(2):
        one, other = pair_slices(dy, dx, size)
        weights[dy, dx] = -matrix[cells[one], cells[other]]
    return GridLaplacian(weights, size)


def gcn_training(golden: Golden) -> None:
    """The network before and after some steps of Adam without dropout, with the losses before each step."""
    matrix, features = torch.from_numpy(golden["adjacency"]), torch.from_numpy(golden["features"])
    close(dense_adjacency(torch.from_numpy(golden["transition"])), matrix, 1e-6, what="adjacency")
    width, classes = golden["init_gc2.weight"].shape
    generator = torch.Generator().manual_seed(0)
    model = PropagationGCN(features.shape[1], width, classes, 0.0, generator)
    layers = {"gc1": model.first, "gc2": model.second}
    for name, layer in layers.items():
        layer.lin.weight.data = torch.from_numpy(golden[f"init_{name}.weight"]).T.contiguous()
        layer.bias.data = torch.from_numpy(golden[f"init_{name}.bias"])
    propagated, seen = matrix @ features, []
    with torch.no_grad():
        close(model(propagated, matrix), golden["output_before"], 1e-4, what="output before")
    rule = FitRule(len(golden["losses"]), width, 0.0, 0.01, 5e-4, entropy=10, laplacian=0.01)
    made = fit(
        model,
        propagated,
        matrix,
        torch.from_numpy(golden["label"]).long(),
        torch.from_numpy(golden["laplacian"]),
        rule,
        generator,
        lambda step, terms: seen.append([float(terms[name]) for name in ("fg", "bg", "entropy", "laplacian", "loss")]),
    )
    close(np.array(seen), golden["losses"], 1e-4, what="losses")
    close(made, golden["output_after"], 1e-4, what="output after")
    for name, layer in layers.items():
        close(layer.lin.weight.T, golden[f"final_{name}.weight"], 1e-4, what=f"weight of {name}")
        close(layer.bias, golden[f"final_{name}.bias"], 1e-4, what=f"bias of {name}")


@torch.no_grad()
def edge_features(golden: Golden) -> None:
    """The boundary, and what it is read from: the mean of an image and its mirror image, weighted by the last layer."""
    model = loaded(blank(BOUNDARIES, RGB), renamed(filled(shapes(golden), golden), NAMES))
    picture = images(golden["image_size"], golden["image_seed"])[0]
    edge, features = edges_and_features(model, picture, int(golden["crop_size"]))
    close(edge[None], golden["edge"], 1e-4, what="boundary")
    grid = features.T.unflatten(1, edge.shape)
    equal((1, *grid.shape), golden["feature_shape"], "shape of the features")
    close(grid[::4], golden["features"], 1e-4, what="features")


def partial_labels(golden: Golden) -> None:
    """The label before and after the vote, and the joined scores, without and with a CRF."""
    rule = PartialRule((4, 32), confidence=0.8, share=float(golden["ratio"]), floor=0.1, background=0.8)
    keys = golden["keys"] + 1
    for name, crf in (("nocrf", None), ("crf", CELLS)):
        arguments = (golden["cam"], keys, golden["image_bgr"], crf)
        least, tolerance = (1.0, 1e-5) if crf is None else (0.99, 1e-3)
        label, scores = unvoted_label(*arguments, rule)
        agree(label, golden[f"{name}_label"], least, f"{name}: label before the vote")
        agree(partial_label(*arguments, rule), golden[f"{name}_voted"], least, f"{name}: label")
        close(scores, golden[f"{name}_score"], tolerance, what=f"{name}: scores")


def decode(golden: Golden) -> None:
    """The arg-max over all classes, the kept probabilities, the CRF on their second softmax."""
    image, keys = golden["image_rgb"], golden["keys"]
    size = image.shape[:2]
    maps = golden["log_prob"].T.reshape(-1, *strided_size(size, 4))
    score = NodeScore(np.arange(len(maps)), {"gcn": maps}, size, 0.0)
    agree(score.label("gcn"), golden["label"], 0.999, "label")
    kept = score.kept(tuple(keys[1:].tolist()))
    agree(kept.label("gcn"), golden["label"], 0.999, "label of the kept classes")
    full = pixel_log_prob(kept.of("gcn")[np.isin(kept.keys, keys)], size)
    close(np.exp(full), golden["prob"], 1e-5, what="probabilities")
    refined = refined_scores(full, image, FITTED)
    close(refined, golden["crf_score"], 1e-3, what="scores after the CRF")
    best = refined.argmax(axis=0)
    agree(keys[best] if golden["crf_label"].max() >= len(keys) else best, golden["crf_label"], 0.99, "CRF label")


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


CASES = {
    "adjacency": adjacency,
    "decode": decode,
    "edge_features": edge_features,
    "gcn_training": gcn_training,
    "graph_matrix": graph_matrix,
    "laplacian": laplacian,
    "losses": losses,
    "metric": metric,
    "partial_label": partial_labels,
}
