"""PolySGD, learning-rate groups, the seeking sampler, checkpoints: the small pieces of the engine."""

from __future__ import annotations

import io
import itertools
import json
import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from torch import nn

from common.base.errors import DataError, UserError
from common.checkpoints.files import read_state_dict, save_file
from common.training import LrGroupConstructor, PolySGD, SeekingSampler, poly_lr, resolve_schedule
from common.training.checkpoint import read_training_state
from common.training.log import trim_log
from common.training.loop import next_batch, seed_iteration
from common.training.param_groups import EXCLUDED, parameter_groups
from common.training.sampler import epoch_order, iterations_per_epoch


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))
        self.stem = nn.Conv2d(3, 3, 1).requires_grad_(False)
        self.head = nn.Conv2d(4, 2, 1)
        self.header = nn.Linear(2, 2)


# Poly SGD


def test_poly_lr_by_the_formula():
    assert poly_lr(0, 10, 0.9, 0.1) == 0.1
    assert poly_lr(5, 10, 0.9, 0.1) == pytest.approx(0.1 * 0.5**0.9)
    assert [poly_lr(step, 100, 1, 1, refresh=10) for step in (0, 9, 10, 19, 20)] == [1, 1, 0.9, 0.9, 0.8]
    assert poly_lr(10, 10, 0.9, 0.1, floor=1e-6) == 1e-6
    assert poly_lr(10, 11, 1, 11) == pytest.approx(1)


def test_power_is_not_the_momentum():
    weight = nn.Parameter(torch.ones(1))
    optimizer = PolySGD([weight], lr=1.0, max_step=4, weight_decay=0.0, momentum=0.5, power=1.0)
    values = []
    for _ in range(6):
        weight.grad = torch.ones(1)
        optimizer.step()
        values.append((weight.item(), optimizer.param_groups[0]["lr"]))
    velocity = [1, 1.5, 1.75, 1.875, 1.9375, 1.96875]
    rates = [1, 0.75, 0.5, 0.25, 0.25, 0.25]
    expected, at = [], 1.0
    for v, lr in zip(velocity, rates, strict=True):
        at -= v * lr
        expected.append((pytest.approx(at), pytest.approx(lr)))
    assert values == expected


def test_a_reloaded_optimiser_goes_on_where_it_was():
    def run(split: int | None) -> torch.Tensor:
        weight = nn.Parameter(torch.ones(3))
        optimizer = PolySGD([weight], lr=0.5, max_step=6, weight_decay=1e-2, momentum=0.9)
        for step in range(6):
            if step == split:
                saved = optimizer.state_dict()
                optimizer = PolySGD([weight], lr=0.5, max_step=6, weight_decay=1e-2, momentum=0.9)
                optimizer.load_state_dict(saved)
            weight.grad = torch.full((3,), float(step))
            optimizer.step()
        return weight.detach()

    assert torch.equal(run(3), run(None))


# Groups


def test_groups_by_weight_bias_and_new_modules():
    index = parameter_groups(Net(), new=("head",))
    assert index == {
        "backbone.0.weight": 0,
        "backbone.0.bias": 1,
        "backbone.1.weight": 0,
        "backbone.1.bias": 1,
        "stem.weight": EXCLUDED,
        "stem.bias": EXCLUDED,
        "head.weight": 2,
        "head.bias": 3,
        "header.weight": 0,
        "header.bias": 1,
    }
    skipped = parameter_groups(Net(), new=("head",), norm="skip")
    assert {name for name in index if skipped[name] != index[name]} == {"backbone.1.weight", "backbone.1.bias"}


def test_the_constructor_multiplies_rates_and_decays():
    net = Net()
    cfg = {"optimizer": {"type": "SGD", "lr": 0.1, "weight_decay": 0.5}}
    wrapper = LrGroupConstructor(cfg, {"new": ("head",), "bias_decay": 0})(net)
    groups = wrapper.optimizer.param_groups
    assert [group["lr"] for group in groups] == pytest.approx([0.1, 0.2, 1.0, 2.0])
    assert [group["weight_decay"] for group in groups] == [0.5, 0, 0.5, 0]
    assert groups[2]["params"][0] is net.head.weight
    listed = [id(p) for group in groups for p in group["params"]]
    assert len(listed) == len(set(listed)) == 8
    assert id(net.stem.weight) not in listed


def test_wrong_group_options_are_named():
    with pytest.raises(UserError, match="'heads', which the network lacks"):
        parameter_groups(Net(), new=("heads",))
    with pytest.raises(UserError, match="unknown key 'biasdecay'"):
        LrGroupConstructor({}, {"biasdecay": 1})
    with pytest.raises(UserError, match="four numbers"):
        LrGroupConstructor({}, {"mults": (1, 2)})
    frozen = Net().requires_grad_(False)
    with pytest.raises(UserError, match="frozen"):
        LrGroupConstructor({"optimizer": {"type": "SGD", "lr": 0.1}})(frozen)


# Sampler


def batches(sampler: SeekingSampler, iteration: int, batch: int, count: int) -> list[list[tuple[int, int]]]:
    sampler.seek(iteration, batch)
    pairs = iter(sampler)
    return [list(itertools.islice(pairs, batch)) for _ in range(count)]


def test_seeking_gives_the_batches_of_an_unbroken_run():
    sampler = SeekingSampler(range(10), seed=4)
    whole = batches(sampler, 0, 3, 11)
    for start in range(11):
        assert batches(sampler, start, 3, 11 - start) == whole[start:]


def test_an_epoch_is_a_permutation_without_its_incomplete_batch():
    whole = batches(SeekingSampler(range(10), seed=4), 0, 3, 6)
    for epoch in range(2):
        pairs = [pair for batch in whole[3 * epoch : 3 * epoch + 3] for pair in batch]
        assert {number for number, _ in pairs} == {epoch}
        assert [index for _, index in pairs] == epoch_order(10, 4, epoch)[:9]
    assert epoch_order(10, 4, 0) != epoch_order(10, 4, 1) != epoch_order(10, 5, 1)
    assert sorted(epoch_order(10, 4, 0)) == list(range(10))
    assert epoch_order(10, 4, 7, shuffle=False) == list(range(10))


def test_ranks_share_out_the_batches_of_one_process():
    whole = batches(SeekingSampler(range(13), seed=1), 5, 4, 6)
    parts = []
    for rank in range(2):
        sampler = SeekingSampler(range(13), seed=1)
        sampler.rank, sampler.world_size = rank, 2
        parts.append(batches(sampler, 5, 2, 6))
    assert [first + second for first, second in zip(*parts, strict=True)] == whole


def test_too_few_images_for_a_batch_are_refused():
    assert iterations_per_epoch(10582, 16) == 661
    with pytest.raises(UserError, match="3 training images do not fill one batch of 4"):
        iterations_per_epoch(3, 2, world_size=2)


def test_a_batch_is_lowered_to_what_the_images_fill_on_every_rank():
    sampler = SeekingSampler(range(8))
    assert [sampler.largest_batch(size) for size in (2, 8, 9)] == [2, 8, 8]
    sampler.world_size = 3
    assert [sampler.largest_batch(size) for size in (2, 8)] == [2, 2]
    sampler.world_size = 9
    with pytest.raises(UserError, match="8 training images do not fill one batch of 9"):
        sampler.epoch_length(sampler.largest_batch(4))


def test_dropout_is_a_function_of_seed_iteration_and_rank():
    def draw(*key: int) -> list[float]:
        seed_iteration(*key)
        return torch.rand(3).tolist()

    assert draw(0, 5) == draw(0, 5)
    assert len({tuple(draw(*key)) for key in ((0, 5), (0, 6), (1, 5), (0, 5, 1))}) == 4


def test_an_error_of_a_worker_process_keeps_its_one_sentence():
    def broken():
        raise DataError(
            "Caught DataError in worker.\nTraceback ...\ncommon.errors.DataError: a.jpg cannot be read: x.\n"
        )
        yield

    with pytest.raises(DataError) as caught:
        next_batch(broken())
    assert str(caught.value) == "a.jpg cannot be read: x."


# Schedule


def schedule(**train_cfg: int) -> Config:
    return Config(
        {
            "train_cfg": train_cfg,
            "train_dataloader": {"batch_size": 3, "dataset": {"type": "WeakDataset", "split": "train"}},
            "optim_wrapper": {"optimizer": {"type": "PolySGD"}},
            "param_scheduler": [{"type": "PolyLR", "by_epoch": False}],
        }
    )


def test_epochs_become_iterations_and_reach_the_learning_rates():
    cfg = schedule(max_epochs=5)
    assert resolve_schedule(cfg, 2) == 10
    assert cfg.train_cfg.to_dict() == {"max_iters": 10}
    assert cfg.optim_wrapper.optimizer.max_step == 10
    assert cfg.param_scheduler[0].end == 11


def test_given_values_stay_and_accumulation_counts_updates():
    cfg = schedule(max_iters=9)
    cfg.optim_wrapper.accumulative_counts = 2
    cfg.param_scheduler[0].end = 7
    resolve_schedule(cfg, 3)
    assert (cfg.optim_wrapper.optimizer.max_step, cfg.param_scheduler[0].end) == (5, 7)


@pytest.mark.parametrize(("least", "iterations"), [(3, 10), (10, 10), (12, 12)])
def test_a_training_on_few_images_has_its_least_iterations(least: int, iterations: int):
    cfg = schedule(max_epochs=5, min_iters=least)
    assert resolve_schedule(cfg, 2) == iterations
    assert cfg.train_cfg.to_dict() == {"max_iters": iterations}
    assert cfg.optim_wrapper.optimizer.max_step == iterations


def test_a_lengthened_training_keeps_the_shares_of_its_milestones():
    cfg = schedule(max_epochs=6, min_iters=50)
    steps = {"type": "MultiStepLR", "milestones": [2, 4], "gamma": 0.1, "by_epoch": True}
    cfg.param_scheduler = [steps]
    resolve_schedule(cfg, 2)
    assert cfg.param_scheduler[0].to_dict() == steps | {"milestones": [17, 33], "by_epoch": False}
    cfg = schedule(max_epochs=6, min_iters=12)
    cfg.param_scheduler = [steps]
    resolve_schedule(cfg, 2)
    assert cfg.param_scheduler[0].to_dict() == steps
    cfg = schedule(max_epochs=6, min_iters=50)
    cfg.param_scheduler = {"type": "StepLR", "step_size": 2}
    with pytest.raises(UserError, match="StepLR"):
        resolve_schedule(cfg, 2)


@pytest.mark.parametrize(
    "train_cfg",
    [
        {},
        {"max_iters": 5, "max_epochs": 1},
        {"max_iters": 0},
        {"max_iters": 5, "min_iters": 3},
        {"max_epochs": 1, "min_iters": 0},
        {"max_epochs": 1, "min_iters": "many"},
    ],
)
def test_a_schedule_that_says_nothing_or_too_much_is_refused(train_cfg: dict):
    with pytest.raises(UserError, match="train_cfg"):
        resolve_schedule(schedule(**train_cfg), 2)


# Files


def test_equal_weights_are_equal_bytes_under_any_name(tmp_path: Path):
    for name in ("a.pth", "another.pth"):
        torch.manual_seed(0)
        save_file(tmp_path / name, nn.Linear(20, 30).state_dict())
    assert (tmp_path / "a.pth").read_bytes() == (tmp_path / "another.pth").read_bytes()


def test_state_dicts_are_found_in_their_wrappings(tmp_path: Path):
    weights = {"w": torch.ones(2)}
    for number, value in enumerate((weights, {"state_dict": weights, "epoch": 3}, {"model": weights})):
        torch.save(value, tmp_path / f"{number}.pth")
        assert torch.equal(read_state_dict(tmp_path / f"{number}.pth")["w"], torch.ones(2))


class Evil:
    def __reduce__(self):
        return (print, ("code of the file ran",))


def test_truncated_foreign_and_executable_files_get_a_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture):
    whole = io.BytesIO()
    torch.save({"w": torch.ones(1000)}, whole)
    text, evil, other = io.BytesIO(b"hello"), io.BytesIO(pickle.dumps(Evil())), io.BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("a.txt", "hello")
    evil_zip = io.BytesIO()
    torch.save({"w": Evil()}, evil_zip)
    numbers = io.BytesIO()
    torch.save({"epoch": 3}, numbers)
    files = {
        "empty": b"",
        "half": whole.getvalue()[: len(whole.getvalue()) // 2],
        "text": text.getvalue(),
        "evil": evil.getvalue(),
        "evil_zip": evil_zip.getvalue(),
        "zip": other.getvalue(),
        "numbers": numbers.getvalue(),
    }
    for name, content in files.items():
        path = tmp_path / f"{name}.pth"
        path.write_bytes(content)
        with pytest.raises(UserError) as caught:
            read_state_dict(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
        with pytest.raises(UserError):
            read_training_state(path)
    with pytest.raises(UserError, match="does not exist"):
        read_state_dict(tmp_path / "nowhere.pth")
    assert "ran" not in capsys.readouterr().out


def test_a_failed_save_leaves_the_old_file(tmp_path: Path):
    path = tmp_path / "checkpoint.pth"
    save_file(path, {"w": torch.ones(1)})
    before = path.read_bytes()
    with pytest.raises(Exception, match="pickle"):
        save_file(path, {"w": lambda: None})
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint.pth"]


def test_the_log_is_cut_back_to_the_checkpoint(tmp_path: Path):
    path = tmp_path / "log.jsonl"
    lines = [json.dumps({"iter": number}) + "\n" for number in (2, 4, 6)]
    path.write_text("".join(lines) + '{"iter": 8, "lo')
    trim_log(path, 4)
    assert path.read_text() == "".join(lines[:2])
    trim_log(path, 0)
    assert not path.exists()
