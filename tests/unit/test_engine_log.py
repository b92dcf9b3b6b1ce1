"""What a training tells: scalars for mmengine's backends, a loss that is 0, weights that are not finite."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from mmengine.hooks import Hook
from mmengine.registry import HOOKS

from common.training.train import main
from tests.unit.tiny_network import write_config
from tests.unit.training_runs import CPU, kill_at, log_lines, train

pytestmark = pytest.mark.slow

BACKEND = """
visualizer = dict(type="Visualizer", vis_backends=[dict(type="{backend}")])
custom_hooks = [dict(type="ValidateHook", split="val", interval=4, by="cam"), dict(type="KillHere"){hooks}]
"""
LOGGER = (
    "default_hooks = dict(logger=dict(_delete_=True, type='LoggerHook', interval=2), checkpoint=dict(interval=2))\n"
)


def scalars(work_dir: Path) -> list[dict]:
    return [json.loads(line) for line in (work_dir / "vis_data/scalars.json").read_text().splitlines()]


def test_loss_rate_and_miou_reach_the_backends(tiny_voc, tmp_path):
    config = write_config(tmp_path, tiny_voc, extra=BACKEND.format(backend="LocalVisBackend", hooks=""))
    train(config, tmp_path / "out")
    found = scalars(tmp_path / "out")
    trained, judged = ([line for line in found if key in line] for key in ("loss", "miou"))
    told = [line for line in log_lines(tmp_path / "out") if "val" not in line]
    assert [(line["step"], line["loss"], line["lr"]) for line in trained] == [
        (line["iter"], line["loss"], line["lr"][0]) for line in told
    ]
    values = [(line["iter"], line["val"]["miou"]) for line in log_lines(tmp_path / "out") if "val" in line]
    assert [(line["step"], line["miou"]) for line in judged] == values
    assert [step for step, _ in values] == [4, 8]


@pytest.mark.parametrize("logger", ["", LOGGER], ids=["JsonLogHook", "LoggerHook"])
def test_a_resumed_training_goes_on_in_the_backend(tiny_voc, tmp_path, logger):
    config = write_config(tmp_path, tiny_voc, extra=BACKEND.format(backend="LocalVisBackend", hooks="") + logger)
    unbroken = train(config, tmp_path / "out")
    kill_at(config, tmp_path / "killed", "train_checkpoint 6")
    assert train(config, tmp_path / "killed", "--resume") == unbroken
    steps = {line["step"]: line["loss"] for line in scalars(tmp_path / "killed") if "loss" in line}
    assert sorted(steps) == [2, 4, 6, 8]


@pytest.mark.parametrize("processor", ["", "log_processor = dict(type='LogProcessor', by_epoch=False)\n"])
def test_the_logger_of_mmengine_works_in_the_place_of_ours(tiny_voc, tmp_path, processor):
    extra = BACKEND.format(backend="LocalVisBackend", hooks="") + LOGGER + processor
    train(write_config(tmp_path, tiny_voc, extra=extra), tmp_path / "out")
    assert not (tmp_path / "out/log.jsonl").exists()
    trained = [line for line in scalars(tmp_path / "out") if "loss" in line]
    assert [(line["step"], line["iter"]) for line in trained] == [(2, 2), (4, 4), (6, 6), (8, 8)]
    assert all(line["lr"] > 0 and line["time"] > 0 for line in trained)
    if not processor:
        assert [line["epoch"] for line in trained] == [1, 1, 2, 2]
    judged = [line for line in scalars(tmp_path / "out") if "miou" in line]
    assert [line["step"] for line in judged] == [1, 2]  # it counts validations by epoch


def test_beside_the_logger_of_mmengine_ours_leaves_the_backends_to_it(tiny_voc, tmp_path):
    hooks = ", dict(type='LoggerHook', interval=1)"
    config = write_config(tmp_path, tiny_voc, extra=BACKEND.format(backend="LocalVisBackend", hooks=hooks))
    train(config, tmp_path / "out")
    assert [line["step"] for line in scalars(tmp_path / "out") if "loss" in line] == list(range(1, 9))
    assert [line["iter"] for line in log_lines(tmp_path / "out") if "loss" in line] == [2, 4, 6, 8]


def test_tensorboard_receives_the_scalars(tiny_voc, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    train(
        write_config(tmp_path, tiny_voc, extra=BACKEND.format(backend="TensorboardVisBackend", hooks="")),
        tmp_path / "o",
    )
    events = EventAccumulator(str(tmp_path / "o/vis_data")).Reload()
    assert {"loss", "lr", "miou"} <= set(events.Tags()["scalars"])


# Collapse


def collapse_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if "exactly 0" in line]


@HOOKS.register_module()
class NothingToLearn(Hook):
    """The loss is 0 after `first` iterations."""

    priority = "VERY_HIGH"

    def __init__(self, first: int) -> None:
        self.first = first

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        runner.model.factor = 1.0 if runner.iter < self.first else 0.0


@pytest.mark.parametrize(("first", "since"), [(0, 1), (3, 4)])
def test_a_loss_of_0_is_told_once(tiny_voc, tmp_path, capsys, first, since):
    extra = f"custom_hooks = [dict(type='NothingToLearn', first={first}), dict(type='KillHere')]\n"
    config = write_config(tmp_path, tiny_voc, epochs=3, extra=extra)
    train(config, tmp_path / "out")
    (line,) = collapse_lines(capsys.readouterr().out)
    assert line.startswith(f"out: the loss is exactly 0 since iteration {since}: the labels teach nothing")
    kill_at(config, tmp_path / "killed", "train_checkpoint 9")
    capsys.readouterr()
    train(config, tmp_path / "killed", "--resume")
    assert not collapse_lines(capsys.readouterr().out)


def test_a_loss_that_is_0_for_less_than_an_interval_is_not_told(tiny_voc, tmp_path, capsys):
    train(
        write_config(tmp_path, tiny_voc, extra="custom_hooks = [dict(type='NothingToLearn', first=7)]\n"),
        tmp_path / "o",
    )
    assert not collapse_lines(capsys.readouterr().out)


# Weights


@HOOKS.register_module()
class Poison(Hook):
    """The last update makes a weight infinite, which no loss shows any more."""

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == runner.max_iters:
            runner.model.head.bias.data.fill_(float("inf"))


def test_weights_that_are_not_finite_are_no_result(tiny_voc, tmp_path, capsys):
    config = write_config(tmp_path, tiny_voc, extra="custom_hooks = [dict(type='Poison')]\n")
    assert main([str(config), "--work-dir", str(tmp_path / "out"), *CPU]) == 2
    assert "out: head.bias is not finite after 8 iterations; lower the learning rate" in capsys.readouterr().err
    assert not (tmp_path / "out/weights.pth").exists() and not (tmp_path / "out/trained.json").exists()
