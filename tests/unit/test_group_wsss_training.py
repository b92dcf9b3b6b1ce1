"""Trainings of groups that are killed, and on two ranks: maps and weights to the byte."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch

from common.training.train import main
from tests.unit.tiny_groups import two_classes, write_config
from tests.unit.training_runs import kill_at, log_lines, train, train_on_two_ranks

pytestmark = pytest.mark.slow

KILLS = 3
"""Of each training; any number will do."""
ITERATIONS = 16
MOMENTS = ("after_train_iter", "train_validation", "train_checkpoint")


def test_maps_and_weights_after_kills_are_those_of_an_unbroken_training(tiny_voc: Path, tmp_path: Path):
    """Killed several times at random, each time a step later at the least, then run to its end."""
    config = write_config(tmp_path, two_classes(tiny_voc))
    unbroken = train(config, tmp_path / "unbroken")
    rng, killed = random.Random(0), tmp_path / "killed"
    for iteration in sorted(rng.sample(range(3, ITERATIONS), KILLS)):
        kill_at(config, killed, f"{rng.choice(MOMENTS)} {iteration}", "--resume")
    assert train(config, killed, "--resume") == unbroken
    assert log_lines(killed) == log_lines(tmp_path / "unbroken")
    state = torch.load(killed / "weights.pth", weights_only=True)
    assert state["store.written"].all() and len(state["store.levels"].unique()) > 50


def test_a_checkpoint_holds_the_maps_of_its_iteration(tiny_voc: Path, tmp_path: Path):
    """Kept outside the checkpoint, maps of steps that are done again would be there already."""
    config = write_config(tmp_path, two_classes(tiny_voc), checkpoint=6)
    kill_at(config, tmp_path / "short", "train_checkpoint 6")
    kill_at(config, tmp_path / "long", "after_train_iter 11")
    states = [torch.load(tmp_path / run / "checkpoint.pth", weights_only=True) for run in ("short", "long")]
    assert states[0]["iteration"] == states[1]["iteration"] == 6
    levels = [state["state_dict"]["store.levels"] for state in states]
    assert torch.equal(*levels) and levels[0].any()


def test_two_ranks_have_the_maps_of_both(tiny_voc: Path, tmp_path: Path):
    """Each rank sees half of the anchors; the first rank writes the file. Also after a kill."""
    config = write_config(tmp_path, two_classes(tiny_voc))
    single = ("--cfg-options", "train_dataloader.batch_size=1")
    unbroken = train_on_two_ranks(config, tmp_path / "unbroken", *single)
    assert torch.load(tmp_path / "unbroken/weights.pth", weights_only=True)["store.written"].all()
    kill_at(config, tmp_path / "killed", "after_train_iter 8", *single, ranks=2)
    assert train_on_two_ranks(config, tmp_path / "killed", "--resume", *single) == unbroken


def test_the_training_script_says_what_it_needs(tiny_voc: Path, tmp_path: Path, capsys: pytest.CaptureFixture):
    config = write_config(tmp_path, two_classes(tiny_voc), room=False)
    arguments = [str(config), "--work-dir", str(tmp_path / "run"), "--device", "cpu"]
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert "add --cfg-options model.pairs=9 model.grid=6,8." in said
    assert main([*arguments, "--cfg-options", "model.pairs=9", "model.grid=6,8"]) == 0
