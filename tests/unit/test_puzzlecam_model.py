"""Puzzle-CAM's classifier: two passes in their order, what it is without them, its ramp over a training, its files."""

from __future__ import annotations

import copy
import itertools
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor

from common.base.errors import UserError
from common.checkpoints.formats import known_formats, network_shapes, recognise
from common.models.progress import progress_at
from methods.puzzlecam.losses import puzzle_loss
from methods.puzzlecam.model import PuzzleClassifier
from methods.puzzlecam.recipe import puzzle_cams
from methods.puzzlecam.tiles import merge
from tests.parity.compare import shapes
from tests.unit.tiny_network import write_config
from tests.unit.training_runs import column, kill_at, train

RGB = {"type": "SegDataPreProcessor", "mean": [127.5] * 3, "std": [127.5] * 3, "size_divisor": 1}
RESNET = {"type": "DilatedResNet", "depth": 18, "strides": (1, 2, 2, 1), "base_channels": 8}
OPTIONS = {"backbone": RESNET, "num_classes": 4, "data_preprocessor": RGB}


def build(kind: str = "PuzzleClassifier", **options) -> PuzzleClassifier:
    torch.manual_seed(0)
    return MODELS.build({"type": kind, **copy.deepcopy(OPTIONS), **options})


def samples(count: int = 2) -> list[SegDataSample]:
    tagged = []
    for i in range(count):
        sample = SegDataSample()
        sample.set_field(torch.eye(4)[i % 4] + torch.eye(4)[3], "tags")
        tagged.append(sample)
    return tagged


def tags(count: int = 2) -> Tensor:
    return torch.stack([sample.tags for sample in samples(count)])


# Two passes


def test_the_image_goes_first_and_its_tiles_second_at_their_own_size():
    """A port that enlarges the tiles, or that sends images and tiles through at once, sees other shapes."""
    model, seen = build().train(), []
    model.backbone.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    x = torch.randn(2, 3, 64, 96)
    model(x, samples(), mode="loss")
    assert [tuple(given.shape) for given in seen] == [(2, 3, 64, 96), (8, 3, 32, 48)]
    assert torch.equal(seen[0], x) and torch.equal(merge(seen[1], 2), x)


def test_both_passes_move_the_running_statistics_the_image_first():
    model = build().train()
    x = torch.randn(2, 3, 64, 64)
    model(x, samples(), mode="loss")
    norm = model.backbone.bn1
    assert int(norm.num_batches_tracked) == 2
    found = torch.zeros(64)
    tiles = torch.cat([x[..., r : r + 32, c : c + 32] for r in (0, 32) for c in (0, 32)])
    for images in (x, tiles):  # momentum 0.1
        found = 0.9 * found + 0.1 * model.backbone.conv1(images).mean((0, 2, 3)).detach()
    torch.testing.assert_close(norm.running_mean, found, rtol=1e-4, atol=1e-6)


def test_the_loss_is_that_of_the_maps_and_reaches_all_that_trains():
    model = build(alpha=2.0).train()
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        full, tiles = copy.deepcopy(model).maps(x)
    expected = puzzle_loss(full, merge(tiles, 2), tags(), 2.0)
    terms = model(x, samples(), mode="loss")
    assert set(terms) == {"loss", "cls", "p_cls", "re", "alpha"}
    for name, value in expected.items():
        torch.testing.assert_close(terms[name].detach(), value)
    terms["loss"].backward()
    assert all(p.grad is not None for p in model.parameters())


def test_alpha_follows_the_training():
    model = build(alpha=2.0, schedule=0.5).train()
    x, found = torch.randn(2, 3, 64, 64), []
    for iteration in (0, 5, 10, 19):
        model.progress = progress_at(iteration, 20, 4)
        terms = model(x, samples(), mode="loss")
        value = {name: term.item() for name, term in terms.items()}
        assert value["loss"] == pytest.approx(value["cls"] + value["p_cls"] + value["alpha"] * value["re"], rel=1e-5)
        found.append(value["alpha"])
    assert found == [0, 1, 2, 2]


def test_alpha_is_restated_for_the_number_of_classes():
    assert build(alpha=None).alpha == pytest.approx(4 / 20 * 4) and build().alpha == 4.0


def test_every_option_changes_the_loss():
    x, found = torch.randn(2, 3, 64, 96), {}
    options = itertools.product(("l1", "l2"), ("masking", "selection", "none"), ("feature", "cam"), (True, False))
    for distance, reduction, level, entropy in options:
        model = build(distance=distance, reduction=reduction, level=level, entropy=entropy).train()
        terms = model(x, samples(), mode="loss")
        found[distance, reduction, level, entropy] = round(terms["loss"].item(), 6)
        assert ("entropy" in terms) == entropy
    assert len(set(found.values())) == len(found)


@pytest.mark.parametrize(("grid", "tiles"), [(1, (2, 3, 64, 96)), (3, (18, 3, 16, 32))])
def test_other_numbers_of_tiles(grid: int, tiles: tuple[int, ...]):
    model, seen = build(grid=grid).train(), []
    model.backbone.register_forward_pre_hook(lambda _, given: seen.append(tuple(given[0].shape)))
    assert torch.isfinite(model(torch.randn(2, 3, 64, 96), samples(), mode="loss")["loss"])
    assert seen[1] == tiles


def test_a_crop_that_does_not_divide_is_cut_and_one_that_is_too_small_refused():
    model, seen = build().train(), []
    model.backbone.register_forward_pre_hook(lambda _, given: seen.append(tuple(given[0].shape)))
    model(torch.randn(1, 3, 97, 81), samples(1), mode="loss")
    assert seen == [(1, 3, 96, 64), (4, 3, 48, 32)]
    with pytest.raises(UserError, match="24 x 64 pixels is too small"):
        model(torch.randn(1, 3, 24, 64), samples(1), mode="loss")
    for option in ({"distance": "L1"}, {"reduction": "mask"}, {"level": "maps"}):
        with pytest.raises(UserError, match=f"model.{next(iter(option))} is "):
            build(**option)


# What it is without tiles, and at test


def test_without_tiles_it_is_the_plain_classifier_bit_for_bit():
    """Weights, statistics and random numbers, over some steps with dropout and trained batch normalisation."""
    puzzle, plain = build(alpha=0.0, p_cls=False, dropout=0.5), build("CamClassifier", dropout=0.5)
    plain.load_state_dict(puzzle.state_dict())
    for model in (puzzle, plain):
        optimizer = torch.optim.SGD(model.train().parameters(), lr=0.1)
        torch.manual_seed(1)
        for _ in range(3):
            terms = model(torch.randn(2, 3, 49, 64), samples(), mode="loss")
            optimizer.zero_grad()
            terms["loss"].backward()
            optimizer.step()
        assert set(terms) == {"loss"}
    for key, value in plain.state_dict().items():
        assert torch.equal(puzzle.state_dict()[key], value), key


@torch.no_grad()
def test_at_test_it_is_the_plain_classifier():
    puzzle, plain = build().eval(), build("CamClassifier").eval()
    plain.load_state_dict(puzzle.state_dict())
    x = torch.randn(2, 3, 50, 33)
    assert torch.equal(puzzle.cam(x), plain.cam(x)) and torch.equal(puzzle(x), plain(x))
    assert torch.equal(puzzle.cam(x), puzzle.class_maps(x).relu())
    full, _ = puzzle.maps(torch.randn(1, 3, 64, 64))
    assert full.min() < 0  # raw


def test_the_head_starts_with_hes_weights():
    large = {**RESNET, "base_channels": 64}
    spread = build(backbone=large, num_classes=200).head.weight.std().item()
    assert spread == pytest.approx((2 / 512) ** 0.5, rel=0.02)
    bound = (6 / (512 + 200)) ** 0.5
    assert build(backbone=large, num_classes=200, head_gain=1.0).head.weight.abs().max() <= bound


# Training and recipes

NETWORK = """
custom_imports = dict(imports=["methods.puzzlecam.model", "tests.unit.tiny_network"])
model = dict(
    type="PuzzleClassifier", alpha=2.0, schedule=0.5, data_preprocessor=dict({rgb}),
    backbone=dict(type="DilatedResNet", depth=18, strides=(1, 2, 2, 1), base_channels=8),
)
train_dataloader["dataset"]["pipeline"][2]["size"] = 32
default_hooks = dict(logger=dict(interval=1), checkpoint=dict(interval=1))
custom_hooks = [dict(type="KillHere")]
"""


@pytest.mark.slow
def test_the_ramp_goes_on_after_a_break(tiny_voc: Path, tmp_path: Path):
    rgb = ", ".join(f"{key}={value!r}" for key, value in RGB.items())
    config = write_config(tmp_path, tiny_voc, extra=NETWORK.format(rgb=rgb))
    whole = train(config, tmp_path / "whole")
    kill_at(config, tmp_path / "broken", "train_checkpoint 3")
    assert train(config, tmp_path / "broken", "--resume") == whole
    for name in ("whole", "broken"):
        assert column(tmp_path / name, "alpha") == [0, 0.5, 1, 1.5, 2, 2, 2, 2]


def test_the_authors_choice_of_a_snapshot_is_an_oracle():
    given = {"scales": (1.0,), "flip": True, "threshold": "best", "judged": "train"}
    last, *others = puzzle_cams("cam.py", "train_aug", **given)
    assert "best" not in last and "oracle" not in last
    best, *same = puzzle_cams("cam.py", "train_aug", **given, best={"by": "cam", "split": "train", "interval": 330})
    assert best == last | {"best": {"by": "cam", "split": "train", "interval": 330}, "oracle": True}
    assert same == others


# The authors' files

GOLDEN = Path(__file__).parents[1] / "parity/puzzlecam"
FILES = {
    "classifier_resnet50": "puzzlecam_classifier",
    "classifier_resnest50": "puzzlecam_classifier",
    "affinitynet_resnet50": "puzzlecam_affinitynet",
    "deeplabv3plus_resnet50_gn": "puzzlecam_deeplab",
}


@pytest.mark.parametrize("file", FILES)
def test_the_authors_files_are_imported_without_their_aliases(file: str):
    with np.load(GOLDEN / f"{file}.npz") as golden:
        theirs = {key: torch.empty(shape, device="meta") for key, shape in shapes(golden).items()}
    aliases = {re.sub(r"model\.layer(\d)", r"stage2.\1", key): value for key, value in theirs.items() if "layer" in key}
    aliases |= {key.replace("fc_edge", "edge_layers."): value for key, value in theirs.items() if "fc_edge" in key}
    form = known_formats()[recognise(theirs | aliases, "a file")]
    assert form is known_formats()[FILES[file]]
    converted = form.convert(theirs | aliases)
    assert len(converted) == len(theirs)
    assert {key: value.shape for key, value in converted.items()} == network_shapes(form.network(converted))
