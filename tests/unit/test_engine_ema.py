"""mmengine's EMAHook: its averages are what is judged and what is saved."""

from __future__ import annotations

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS

from common.base.files import read_json
from common.checkpoints.files import plain_state_dict, read_state_dict
from common.training.judge import SCORES
from tests.unit.tiny_network import write_config
from tests.unit.training_runs import VALIDATION, kill_at, log_lines, train

pytestmark = pytest.mark.slow

MOMENTUM = 0.3
EMA = """
custom_hooks = [dict(type="EMAHook", momentum=0.3{more}), dict(type="Snapshots"), dict(type="KillHere"){hooks}]
default_hooks = dict(checkpoint=dict(interval=2))
"""
SNAPSHOTS: list[dict[str, torch.Tensor]] = []
SEE = "custom_hooks = custom_hooks + [dict(type='SeeValidated')]\n"
VALIDATED: list[dict[str, torch.Tensor]] = []


@HOOKS.register_module()
class Snapshots(Hook):
    """Keeps the weights that the optimiser made, of every iteration."""

    def before_train(self, runner):
        SNAPSHOTS.clear()

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        SNAPSHOTS.append(plain_state_dict(runner.model))


@HOOKS.register_module()
class SeeValidated(Hook):
    """Keeps the weights that the config's validation looks at."""

    def after_val_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        VALIDATED.append(plain_state_dict(runner.model))


def averages(snapshots: list[dict[str, torch.Tensor]]) -> list[dict[str, torch.Tensor]]:
    """After every iteration: the first copies the weights, later ones move by the momentum; buffers are the last."""
    found = []
    for snapshot in snapshots:
        old = found[-1] if found else snapshot
        moved = {key: old[key].lerp(value, MOMENTUM) for key, value in snapshot.items() if value.is_floating_point()}
        buffers = {key: value for key, value in snapshot.items() if "running" in key or "tracked" in key}
        found.append(moved | buffers)
    return found


def equal(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> bool:
    return one.keys() == two.keys() and all(torch.equal(one[key], two[key]) for key in one)


def test_the_averages_are_saved(tiny_voc, tmp_path):
    train(write_config(tmp_path, tiny_voc, extra=EMA.format(more="", hooks="")), tmp_path / "out")
    saved = read_state_dict(tmp_path / "out/weights.pth")
    assert equal(saved, averages(SNAPSHOTS)[-1])
    assert not equal(saved, SNAPSHOTS[-1])


def test_the_averages_are_judged_and_the_best_of_them_kept(tiny_voc, tmp_path, monkeypatch):
    judged = []

    def judge(model, data, ids, **look):
        judged.append(plain_state_dict(model))
        return {"miou": (0.1, 0.5, 0.4, 0.3)[len(judged) - 1]}

    monkeypatch.setitem(SCORES, "cam", judge)
    best = ", dict(type='KeepBestHook', split='val', interval=2, by='cam')"
    train(write_config(tmp_path, tiny_voc, extra=EMA.format(more="", hooks=best)), tmp_path / "out")
    expected = averages(SNAPSHOTS)[1::2]
    assert all(equal(one, two) for one, two in zip(judged, expected, strict=True))
    assert read_json(tmp_path / "out/trained.json")["best"] == {"iteration": 4, "miou": 0.5}
    assert equal(read_state_dict(tmp_path / "out/weights.pth"), expected[1])


def test_the_validation_of_the_config_sees_the_averages(tiny_voc, tmp_path):
    VALIDATED.clear()
    extra = EMA.format(more="", hooks="") + VALIDATION.format(root=tiny_voc) + SEE
    train(write_config(tmp_path, tiny_voc, extra=extra), tmp_path / "out")
    assert equal(VALIDATED[-1], averages(SNAPSHOTS)[-1])


@pytest.mark.parametrize("more", ["", ", begin_iter=3", ", begin_epoch=2", ", update_buffers=True"])
def test_the_averaging_survives_a_kill(tiny_voc, tmp_path, more):
    config = write_config(tmp_path, tiny_voc, extra=EMA.format(more=more, hooks=""))
    unbroken = train(config, tmp_path / "out")
    kill_at(config, tmp_path / "killed", "after_train_iter 5")
    assert train(config, tmp_path / "killed", "--resume") == unbroken
    assert log_lines(tmp_path / "killed") == log_lines(tmp_path / "out")


def test_the_averages_change_nothing_of_the_training(tiny_voc, tmp_path):
    train(write_config(tmp_path, tiny_voc, extra=EMA.format(more="", hooks="")), tmp_path / "out")
    last = SNAPSHOTS[-1]
    train(write_config(tmp_path, tiny_voc), tmp_path / "plain")
    assert equal(last, read_state_dict(tmp_path / "plain/weights.pth"))
