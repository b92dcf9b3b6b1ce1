"""Trainings with every part that has a state, killed at any point: they end with the bytes of an unbroken one."""

from __future__ import annotations

import pytest
import torch
from mmengine.config import Config

from common.base.files import read_json
from common.training.train import train_network
from tests.unit.tiny_network import write_config
from tests.unit.training_runs import column, kill_at, log_lines, train, train_on_two_ranks

pytestmark = pytest.mark.slow

ALL = """
optim_wrapper = dict(
    _delete_=True, type="OptimWrapper", optimizer=dict(type="SGD", lr=0.1, momentum=0.9), accumulative_counts={counts}
)
param_scheduler = dict(type="MultiStepLR", by_epoch=True, milestones=[1, 2], gamma=0.5)
custom_hooks = [
    dict(type="EMAHook", momentum=0.3),
    dict(type="KeepBestHook", split="val", interval=3, by="cam", scales=(1.0, 0.5), flip=True),
    dict(type="KillHere"),
]
default_hooks = dict(logger=dict(interval=1), checkpoint=dict(interval=2))
"""
MOMENTS = {
    "behind the checkpoint at an epoch's end": "train_checkpoint 4",
    "at an epoch's end, before its checkpoint": "after_train_epoch 8",
    "in an epoch": "after_train_iter 7",
    "behind a validation": "train_validation 6",
    "at the end": "train_checkpoint 12",
}


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS.keys())
def test_killed_with_schedulers_averages_and_a_best_snapshot(tiny_voc, tmp_path, moment):
    config = write_config(tmp_path, tiny_voc, epochs=3, extra=ALL.format(counts=1))
    unbroken = train(config, tmp_path / "unbroken")
    kill_at(config, tmp_path / "killed", moment)
    reached = torch.load(tmp_path / "killed" / "checkpoint.pth", weights_only=True)["iteration"]
    assert 0 <= int(moment.split()[1]) - reached <= 2
    assert train(config, tmp_path / "killed", "--resume") == unbroken
    assert log_lines(tmp_path / "killed") == log_lines(tmp_path / "unbroken")
    assert read_json(tmp_path / "killed/trained.json") == read_json(tmp_path / "unbroken/trained.json")
    assert [rate for (rate,) in column(tmp_path / "killed", "lr")] == [0.1] * 4 + [0.05] * 4 + [0.025] * 4


def test_killed_on_two_ranks(tiny_voc, tmp_path):
    config = write_config(tmp_path, tiny_voc, epochs=3, extra=ALL.format(counts=1))
    single = ("--cfg-options", "train_dataloader.batch_size=1")
    unbroken = train_on_two_ranks(config, tmp_path / "unbroken", *single)
    for number, moment in enumerate(("train_checkpoint 4", "after_train_iter 7")):
        out = tmp_path / f"killed{number}"
        kill_at(config, out, moment, *single, ranks=2)
        assert train_on_two_ranks(config, out, "--resume", *single) == unbroken
        assert log_lines(out) == log_lines(tmp_path / "unbroken")


@pytest.mark.parametrize("moment", ["train_checkpoint 6", "train_checkpoint 8", "after_train_iter 10"])
def test_killed_while_gradients_are_accumulated(tiny_voc, tmp_path, moment):
    """Three batches make an update, four an epoch, eleven the training: its last update has two."""
    iterations = "train_cfg = dict(_delete_=True, type='SeekingTrainLoop', max_iters=11)"
    config = write_config(tmp_path, tiny_voc, extra=ALL.format(counts=3) + iterations)
    unbroken = train(config, tmp_path / "unbroken")
    kill_at(config, tmp_path / "killed", moment)
    assert torch.load(tmp_path / "killed" / "checkpoint.pth", weights_only=True)["iteration"] % 3 == 0
    assert train(config, tmp_path / "killed", "--resume") == unbroken
    assert log_lines(tmp_path / "killed") == log_lines(tmp_path / "unbroken")


def go_on(config, work_dir, **options) -> tuple[list[str], list[int]]:
    """What a resumed training says, and the numbers of threads that it says it used."""
    said: list[str] = []
    train_network(Config.fromfile(str(config)), work_dir, device="cpu", log=said.append, **options)
    return said, read_json(work_dir / "trained.json")["threads"]


@pytest.fixture
def killed(tiny_voc, tmp_path):
    """The config of a training, and the folder where it was killed."""
    config = write_config(tmp_path, tiny_voc, epochs=3, extra=ALL.format(counts=1))
    kill_at(config, tmp_path / "killed", "after_train_iter 7")
    return config, tmp_path / "killed"


@pytest.fixture
def used(monkeypatch) -> list[int]:
    """The numbers of threads that a training asks for; this process keeps one, because it is forked later."""
    asked: list[int] = []
    monkeypatch.setattr("common.training.train.set_threads", asked.append)
    monkeypatch.setattr("torch.get_num_threads", lambda: 2)
    return asked


def test_a_resumed_training_keeps_its_threads(killed, used):
    config, work_dir = killed
    said, threads = go_on(config, work_dir)
    assert threads == [1] == used
    assert not any("threads" in line for line in said)


def test_other_threads_are_used_when_somebody_asks_for_them_and_said(killed, used):
    config, work_dir = killed
    said, threads = go_on(config, work_dir, threads=2)
    assert threads == [1, 2] and used == [2]
    assert "killed: it goes on with 2 threads, after 1: its weights differ from those of an unbroken run." in said


def test_a_training_whose_tags_changed_begins_anew(killed, tiny_voc):
    config, work_dir = killed
    tags = tiny_voc / "tags.json"
    tags.write_text(tags.read_text().replace('["thing"]', "[]", 1))
    said, _ = go_on(config, work_dir)
    assert any("belongs to a training with another config, seed, data" in line for line in said)
    assert not any("going on after" in line for line in said)
