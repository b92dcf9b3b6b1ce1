"""Puzzle-CAM's own part, the classifier, against the authors' code: tiles, losses, their weight, a training step."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from common.models.progress import progress_at
from methods.puzzlecam.losses import make_cam, puzzle_loss, ramp
from methods.puzzlecam.model import PuzzleClassifier
from methods.puzzlecam.tiles import merge, tile
from tests.parity.compare import close, equal
from tests.parity.fill import image
from tests.parity.networks import tagged
from tests.parity.puzzlecam.network_cases import RESNET, network

Golden = dict[str, np.ndarray]
RESNEST = {"type": "DilatedResNeSt", "depth": 50}
STEP = {"cls": 0, "p_cls": 1, "re": 2}


def tile_merge(golden: Golden) -> None:
    """The order of the tiles, and back."""
    x, grid = torch.from_numpy(golden["x"]), _grid(golden["num_pieces"])
    equal(tile(x, grid), golden["tiled"], "tiles")
    equal(merge(torch.from_numpy(golden["tiled"]), grid), golden["merged"], "merged")


def alpha_ramp(golden: Golden) -> None:
    """The weight of the reconstruction at some iterations."""
    peak, share, total = (float(golden[key]) for key in ("alpha", "schedule", "max_iteration"))
    found = [ramp(progress_at(int(t), int(total), 330), peak, share) for t in golden["iteration"]]
    close(found, golden["value_f64"], 1e-12, what="alpha")


def cam_of_maps(golden: Golden) -> None:
    """Maps on the scale of CAMs, and the gradient through their maxima."""
    x = torch.from_numpy(golden["x"]).requires_grad_()
    y = make_cam(x)
    close(y, golden["y"], 0, 1e-6, what="CAM")
    y.backward(torch.from_numpy(golden["grad_y"]))
    close(x.grad, golden["grad_x"], 1e-6, 1e-6, what="gradient")


def loss(golden: Golden, rtol: float = 1e-5, **options: str) -> None:
    """The terms and the gradients of both maps."""
    full = torch.from_numpy(golden["features"]).requires_grad_()
    tiles = torch.from_numpy(golden["tiled_features"]).requires_grad_()
    certain = {"tile_logits": tiles.mean(dim=(2, 3))} if golden["loss_conf"] else {}
    grid = full.shape[2] // tiles.shape[2]
    tags = torch.from_numpy(golden["labels"])
    terms = puzzle_loss(full, merge(tiles, grid), tags, float(golden["alpha"]), **options, **certain)
    for ours, theirs in (("cls", "cls"), ("p_cls", "p_cls"), ("re", "re"), ("entropy", "conf")):
        close(terms.get(ours, torch.zeros(())), golden[f"loss_{theirs}"], rtol, what=ours)
    close(terms["loss"], golden["loss"], rtol, what="loss")
    terms["loss"].backward()
    close(full.grad, golden["grad_features"], rtol, what="gradient of the maps")
    close(tiles.grad, golden["grad_tiled_features"], rtol, what="gradient of the tiles' maps")


def classifier(golden: Golden, backbone: dict[str, Any] = RESNET) -> None:
    """Maps and logits of images and tiles, and one training step.

    The batch statistics of a few cells make the gradient of the first convolution ill-conditioned: one thread and two
    differ by 1.5e-2.
    """
    model = network(golden, {"type": "PuzzleClassifier", "backbone": backbone, "num_classes": 20, "schedule": 0.0})
    *size, seed = golden["image_hw_seed"].tolist()
    picture = torch.from_numpy(image(*size, seed)).permute(2, 0, 1)[None]
    x = model.normalize(torch.cat([picture, picture.flip(-1)]))
    with torch.no_grad():
        full, tiles = model.maps(x)
        close(model.logits(x), golden["logits_gap_first"], 1e-4, what="logits, the mean first")
    close(full, golden["features"], 1e-4, what="class maps")
    close(full.mean(dim=(2, 3)), golden["logits"], 1e-4, what="logits")
    close(tiles.mean(dim=(2, 3)), golden["tiled_logits"], 1e-4, what="logits of the tiles")
    close(merge(tiles, model.grid), golden["merged_features"], 1e-4, what="merged maps")
    if "train_labels" in golden:
        _check_step(model, x, golden)


def _check_step(model: PuzzleClassifier, x: torch.Tensor, golden: Golden) -> None:
    """Terms, gradients and running statistics of a step with `train_alpha`."""
    model.train()
    model.alpha, seen = float(golden["train_alpha"]), []
    model.head.register_forward_hook(lambda _, __, maps: seen.append(maps.detach()))
    terms = model(x, [tagged(tags) for tags in golden["train_labels"]], mode="loss")
    terms["loss"].backward()
    full, tiles = seen
    close(full.mean(dim=(2, 3)), golden["train_logits"], 1e-3, what="logits in training")
    close(full, golden["train_features"], 1e-3, what="class maps in training")
    close(merge(tiles, model.grid), golden["train_merged"], 1e-3, what="merged maps in training")
    for name, index in STEP.items():
        close(terms[name], golden["train_loss"][index], 1e-3, what=name)
    close(model.head.weight.grad, golden["grad_classifier"], 1e-3, what="gradient of the head")
    close(model.backbone.conv1.weight.grad, golden["grad_conv1"], 5e-2, what="gradient of the first convolution")
    state = model.state_dict()
    close(state["backbone.bn1.running_mean"], golden["bn1_mean_after"], 1e-3, what="mean of bn1")
    close(state["backbone.bn1.running_var"], golden["bn1_var_after"], 1e-3, what="variance of bn1")
    last = "backbone.layer4.2.bn3.running_"
    for name, key in (("mean", "last_bn_mean_after"), ("var", "last_bn_var_after")):
        every = len(state[last + name]) // golden[key].size
        close(state[last + name][::every], golden[key], 1e-3, what=f"{name} of the last norm")


def _grid(pieces: np.ndarray) -> int:
    """Tiles per side of a number of pieces."""
    return round(int(pieces) ** 0.5)


CASES = {
    "alpha_ramp": alpha_ramp,
    "classifier_resnet50": classifier,
    "classifier_resnest50": lambda golden: classifier(golden, RESNEST),
    "make_cam": cam_of_maps,
    "tile_merge": tile_merge,
    **{
        f"loss_{name}_{distance}": lambda golden, name=name, distance=distance: loss(
            golden, reduction=name, distance=distance
        )
        for name in ("masking", "selection", "none")
        for distance in ("l1", "l2")
    },
    **{
        f"loss_camlevel_{distance}": lambda golden, distance=distance: loss(
            golden, 1e-4, level="cam", distance=distance
        )
        for distance in ("l1", "l2")
    },
}
