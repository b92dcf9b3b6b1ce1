"""Epochs and progress: hooks at an epoch's ends alone, schedulers that step, losses that know how far it is."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import DATA_SAMPLERS, DATASETS, HOOKS
from mmseg.registry import DATASETS as OUR_DATASETS
from PIL import Image
from torch import nn
from torch.utils.data import Dataset, Sampler

from common.data.reads import Reads
from common.models.preprocess import ImageModel
from common.models.progress import TrainingProgress, listeners, progress_at
from common.training.datasets import WeakDataset
from common.training.identity import read_by, training_identity
from common.training.poly_sgd import PolySGD, poly_lr
from common.training.schedule import is_weak_dataset
from common.training.train import train_network
from tests.unit.tiny_network import see, write_config
from tests.unit.training_runs import column, kill_at, log_lines, train, train_on_two_ranks

pytestmark = pytest.mark.slow

SGD = """
optim_wrapper = dict(_delete_=True, type="OptimWrapper", optimizer=dict(type="SGD", lr=0.1))
default_hooks = dict(logger=dict(interval=1), checkpoint=dict(interval=2))
"""
BY_EPOCH = SGD + "param_scheduler = dict(type='MultiStepLR', by_epoch=True, milestones=[1, 2], gamma=0.5{more})\n"
SEE = "custom_hooks = [dict(type='SeeEpochs'), dict(type='KillHere')]\n"
ITERATIONS = "train_cfg = dict(_delete_=True, type='SeekingTrainLoop', max_iters={})\n"


def seen(work_dir: Path) -> list[str]:
    return (work_dir / "seen").read_text().splitlines()


# Progress


@HOOKS.register_module()
class SeeProgress(Hook):
    """Writes what the model was told to `seen`."""

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        model = getattr(runner.model, "module", runner.model)
        see(runner, f"{runner.rank} " + " ".join(map(str, model.progress)))


def test_progress_counts_from_0_and_a_last_part_is_an_epoch():
    assert progress_at(0, 10, 4) == TrainingProgress(iteration=0, iterations=10, epoch=0, epochs=3)
    assert progress_at(3, 8, 4) == TrainingProgress(3, 8, 0, 2)
    assert progress_at(4, 8, 4) == TrainingProgress(4, 8, 1, 2)


def test_every_module_that_asks_is_told():
    class Head(nn.Module):
        progress = None

    model = nn.Sequential(nn.Linear(1, 1), Head())
    assert listeners(model) == [model[1]]
    assert ImageModel.progress is None


def test_the_model_knows_how_far_the_training_is_after_a_resume_too(tiny_voc, tmp_path):
    hooks = "custom_hooks = [dict(type='SeeProgress'), dict(type='KillHere')]\n"
    config = write_config(tmp_path, tiny_voc, extra=SGD + hooks + ITERATIONS.format(10))
    kill_at(config, tmp_path / "out", "train_checkpoint 6")
    train(config, tmp_path / "out", "--resume")
    assert seen(tmp_path / "out") == [f"0 {number} 10 {number // 4} 3" for number in range(10)]


def test_progress_passes_through_the_wrapper_of_two_ranks(tiny_voc, tmp_path):
    config = write_config(tmp_path, tiny_voc, epochs=1, extra=SGD + "custom_hooks = [dict(type='SeeProgress')]\n")
    train_on_two_ranks(config, tmp_path / "out", "--cfg-options", "train_dataloader.batch_size=1")
    assert sorted(seen(tmp_path / "out")) == [f"{rank} {number} 4 0 1" for rank in range(2) for number in range(4)]


def test_progress_reaches_the_loss(tiny_voc, tmp_path):
    still = ["--cfg-options", "optim_wrapper.optimizer.lr=0.0", "model.dropout=0.0"]
    config = write_config(tmp_path, tiny_voc, extra=SGD)
    train(config, tmp_path / "plain", *still)
    train(config, tmp_path / "faded", *still, "model.fade=0.5")
    plain, faded = (column(tmp_path / name, "loss") for name in ("plain", "faded"))
    assert faded == pytest.approx([loss * 0.5**number for number, loss in enumerate(plain)])


# Epochs


def test_epoch_hooks_fire_at_the_ends_of_whole_epochs_and_before_the_checkpoint(tiny_voc, tmp_path):
    config = write_config(tmp_path, tiny_voc, extra=SGD + SEE + ITERATIONS.format(10))
    train(config, tmp_path / "out")
    end = "save 10 2"  # the weights of the finished training
    expected = "before 0 0, save 2 0, after 4 0, save 4 1, before 4 1, save 6 1, after 8 1, save 8 2, before 8 2"
    assert seen(tmp_path / "out") == [*expected.split(", "), "save 10 2", end]


def test_epoch_hooks_do_not_fire_again_after_a_resume(tiny_voc, tmp_path):
    config = write_config(tmp_path, tiny_voc, extra=SGD + SEE)
    kill_at(config, tmp_path / "out", "train_checkpoint 4")
    train(config, tmp_path / "out", "--resume")
    epochs = [line for line in seen(tmp_path / "out") if not line.startswith("save")]
    assert epochs == ["before 0 0", "after 4 0", "before 4 1", "after 8 1"]
    (tmp_path / "out/seen").unlink()
    kill_at(config, tmp_path / "end", "train_checkpoint 8")
    train(config, tmp_path / "end", "--resume")
    assert [line for line in seen(tmp_path / "end") if line.startswith("after")] == ["after 4 0", "after 8 1"]


def test_a_run_that_resumes_within_an_epoch_has_no_second_start_of_it(tiny_voc, tmp_path):
    config = write_config(tmp_path, tiny_voc, extra=SGD + SEE)
    kill_at(config, tmp_path / "out", "train_checkpoint 6")
    train(config, tmp_path / "out", "--resume")
    epochs = [line for line in seen(tmp_path / "out") if not line.startswith("save")]
    assert epochs == ["before 0 0", "after 4 0", "before 4 1", "after 8 1"]


# Rates


@pytest.mark.parametrize("more", ["", ", convert_to_iter_based=True"])
def test_schedulers_by_epoch_step_at_its_end(tiny_voc, tmp_path, more):
    """Eight images, three a batch: an epoch has two whole batches."""
    config = write_config(tmp_path, tiny_voc, epochs=3, extra=BY_EPOCH.format(more=more) + SEE)
    batch = ["--cfg-options", "train_dataloader.batch_size=3"]
    unbroken = train(config, tmp_path / "out", *batch)
    assert [rate for (rate,) in column(tmp_path / "out", "lr")] == [0.1] * 2 + [0.05] * 2 + [0.025] * 2
    kill_at(config, tmp_path / "killed", "train_checkpoint 2", *batch)
    assert train(config, tmp_path / "killed", "--resume", *batch) == unbroken
    assert log_lines(tmp_path / "killed") == log_lines(tmp_path / "out")


@pytest.mark.parametrize(
    ("scheduler", "rates"),
    [
        ("dict(type='PolyLR', by_epoch=True, power=1.0)", [0.1] * 2 + [0.05] * 2),
        ("dict(type='OneCycleLR', by_epoch=False, eta_max=0.1, total_steps=4, pct_start=0.5)", None),
        ("dict(type='ReduceOnPlateauLR', monitor='miou', patience=0, min_value=0.01)", None),
    ],
)
def test_other_schedulers_survive_a_kill_too(tiny_voc, tmp_path, scheduler, rates):
    hooks = "custom_hooks = [dict(type='ValidateHook', split='val', interval=1, by='cam'), dict(type='KillHere')]\n"
    config = write_config(tmp_path, tiny_voc, extra=SGD + hooks + f"param_scheduler = {scheduler}\n")
    batch = ["--cfg-options", "train_dataloader.batch_size=3"]
    unbroken = train(config, tmp_path / "out", *batch)
    kill_at(config, tmp_path / "killed", "train_checkpoint 2", *batch)
    assert train(config, tmp_path / "killed", "--resume", *batch) == unbroken
    assert log_lines(tmp_path / "killed") == log_lines(tmp_path / "out")
    if rates is not None:
        assert [rate for (rate,) in column(tmp_path / "out", "lr")] == pytest.approx(rates)


def test_poly_rates_by_epoch():
    assert [poly_lr(step, 12, 1, 1, refresh=4) for step in (0, 3, 4, 7, 8, 11)] == pytest.approx(
        [1, 1, 2 / 3, 2 / 3, 1 / 3, 1 / 3]
    )
    third = 10 / 3  # ten iterations an epoch, three an update
    assert [round(poly_lr(step, 10, 1, 1, refresh=third), 9) for step in (0, 3, 4, 6, 7, 9, 10)] == pytest.approx(
        [1, 1, 2 / 3, 2 / 3, 1 / 3, 1 / 3, 0], abs=1e-8
    )
    with pytest.raises(ValueError, match="epoch_length"):
        PolySGD([nn.Parameter(torch.ones(1))], lr=1.0, max_step=4, refresh="epoch")


@pytest.mark.parametrize(
    ("counts", "rates"),
    [(1, [1] * 4 + [2 / 3] * 4 + [1 / 3] * 4), (2, [1] * 5 + [2 / 3] * 4 + [1 / 3] * 3)],
)
def test_poly_sgd_refreshes_its_rate_once_an_epoch(tiny_voc, tmp_path, counts, rates):
    """An update of two batches sets the rate with the second, so the log shows the old one for one iteration more."""
    extra = f"""
optim_wrapper = dict(accumulative_counts={counts}, optimizer=dict(refresh="epoch", power=1, lr=1.0), paramwise_cfg=None,
    constructor="DefaultOptimWrapperConstructor")
default_hooks = dict(logger=dict(interval=1))
"""
    config = write_config(tmp_path, tiny_voc, epochs=3)
    config.write_text(config.read_text().split("optim_wrapper")[0] + extra)
    train(config, tmp_path / "out")
    assert [rate for (rate,) in column(tmp_path / "out", "lr")] == pytest.approx(rates)


# A method's own data set and sampler


class Numbered(Dataset):
    """Five images of WeakDataset, each twice."""

    def __init__(self, root: str, split: str, pipeline: list) -> None:
        self.images = OUR_DATASETS.build({"type": "WeakDataset", "root": root, "split": split, "pipeline": pipeline})

    def __len__(self) -> int:
        return 10

    def __getitem__(self, index: int):
        return self.images[(0, index % 5)]


class InOrder(Sampler):
    """0, 1, 2 ... over and over; an epoch is one batch."""

    def __init__(self, dataset: Dataset, seed: int | None = None) -> None:
        self.images, self.start = len(dataset), 0

    def epoch_length(self, batch_size: int) -> int:
        return 1

    def seek(self, iteration: int, batch_size: int) -> None:
        self.start = iteration * batch_size

    def __iter__(self):
        position = self.start
        while True:
            yield position % self.images
            position += 1

    def __len__(self) -> int:
        return self.images


class Marked(WeakDataset):
    """A data set that builds on ours."""


DATASETS.register_module(module=Numbered, force=True)
OUR_DATASETS.register_module(module=Marked, force=True)
DATA_SAMPLERS.register_module(module=InOrder, force=True)


def test_the_epochs_of_an_own_data_set_and_sampler_are_those_of_the_sampler(tiny_voc, tmp_path):
    cfg = Config.fromfile(write_config(tmp_path, tiny_voc, epochs=3, extra=SGD + SEE))
    pipeline = cfg.train_dataloader.dataset.pipeline
    cfg.train_dataloader.dataset = {
        "type": "Numbered",
        "root": str(tiny_voc),
        "split": "train",
        "pipeline": pipeline,
    }
    cfg.train_dataloader.sampler = {"type": "InOrder"}
    train_network(cfg, tmp_path / "out", device="cpu")
    assert column(tmp_path / "out", "iter") == [1, 2, 3]
    assert [line for line in seen(tmp_path / "out") if line.startswith("after")] == [
        "after 1 0",
        "after 2 1",
        "after 3 2",
    ]


def test_the_data_set_is_built_once(tiny_voc, tmp_path, monkeypatch):
    built = []
    check = WeakDataset._check
    monkeypatch.setattr(WeakDataset, "_check", lambda self: (built.append(self), check(self)))
    train(write_config(tmp_path, tiny_voc, epochs=1), tmp_path / "out")
    assert len(built) == 1


def identity(cfg) -> str:
    """As `train_network` computes it."""
    dataset = WeakDataset(**{k: v for k, v in cfg.train_dataloader.dataset.to_dict().items() if k != "type"})
    return training_identity(cfg, read_by(dataset, cfg, Reads()))


def test_a_training_is_the_same_wherever_its_data_lie(tiny_voc, tmp_path):
    cfg = Config.fromfile(write_config(tmp_path, tiny_voc, epochs=1))
    assert is_weak_dataset({"type": "Marked"}) and is_weak_dataset({"type": "mmseg.WeakDataset"})
    assert not is_weak_dataset({"type": "Numbered"})
    cfg.train_dataloader.dataset.update(type="Marked", root=str(tiny_voc))
    before = identity(cfg)
    cfg.train_dataloader.dataset.root = str(tiny_voc.rename(tmp_path / "moved"))
    assert identity(cfg) == before
    cfg.train_dataloader.dataset.split = "val"
    assert identity(cfg) != before


@pytest.mark.parametrize("changed", ["JPEGImages/2007_000001.jpg", "tags.json"])
def test_other_data_are_another_training(tiny_voc, tmp_path, changed):
    cfg = Config.fromfile(write_config(tmp_path, tiny_voc, epochs=1))
    cfg.train_dataloader.dataset.root = str(tiny_voc)
    before, path = identity(cfg), tiny_voc / changed
    if path.suffix == ".json":
        path.write_text(path.read_text().replace('["thing"]', "[]", 1))
    else:
        Image.new("RGB", Image.open(path).size).save(path)
    assert identity(cfg) != before
