"""Training a tiny network from its config: the same bytes whatever happens on the way, and errors in one sentence."""

from __future__ import annotations

import multiprocessing

import pytest
import torch
from mmengine.config import Config
from PIL import Image

from common.base.errors import UserError
from common.base.files import read_json
from common.checkpoints.files import read_state_dict
from common.training.datasets import WeakDataset
from common.training.train import main, train_network
from tests.unit.tiny_network import write_config
from tests.unit.training_runs import VALIDATION, kill_when_logged, log_lines, train, train_on_two_ranks

pytestmark = pytest.mark.slow

FILES = ["config.py", "log.jsonl", "trained.json", "weights.pth"]


def test_killed_and_resumed_training_ends_with_the_bytes_of_an_unbroken_one(tiny_voc, tmp_path, monkeypatch):
    slow = write_config(tmp_path, tiny_voc, epochs=5, slow=0.1)
    kill_when_logged(slow, tmp_path / "killed", 8)
    unbroken = train(slow, tmp_path / "unbroken", "--cfg-options", "model.slow=0.0")
    assert not (tmp_path / "killed" / "weights.pth").exists()
    reached = torch.load(tmp_path / "killed" / "checkpoint.pth", weights_only=True)["iteration"]
    assert 6 <= reached < 20

    read = []
    load = WeakDataset.load
    monkeypatch.setattr(WeakDataset, "load", lambda self, *key: (read.append(key), load(self, *key))[1])
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    assert train(slow, tmp_path / "killed", "--resume") == unbroken
    assert len(read) == 2 * (20 - reached)
    assert log_lines(tmp_path / "killed") == log_lines(tmp_path / "unbroken")
    assert sorted(path.name for path in (tmp_path / "killed").iterdir()) == FILES


def test_workers_change_nothing(tiny_voc, tmp_path):
    alone = train(write_config(tmp_path, tiny_voc), tmp_path / "alone")
    assert train(write_config(tmp_path, tiny_voc, workers=2), tmp_path / "workers") == alone


def test_the_seed_changes_the_weights(tiny_voc, tmp_path):
    config = write_config(tmp_path, tiny_voc)
    first = train(config, tmp_path / "first")
    assert train(config, tmp_path / "again") == first
    assert train(config, tmp_path / "other", "--cfg-options", "seed=1") != first


def test_the_outputs_are_as_described(tiny_voc, tmp_path, capsys):
    config = write_config(tmp_path, tiny_voc)
    train(config, tmp_path / "out")
    weights = read_state_dict(tmp_path / "out" / "weights.pth")
    assert {"backbone.0.weight", "head.bias", "backbone.1.running_mean"} <= set(weights)
    assert all(value.device.type == "cpu" for value in weights.values())
    rebuilt = Config.fromfile(tmp_path / "out" / "config.py")
    assert rebuilt.model.type == "TinyTagNet"
    assert rebuilt.train_cfg.max_iters == 8
    lines = log_lines(tmp_path / "out")
    assert [line["iter"] for line in lines] == [2, 4, 6, 8]
    assert all(line["loss"] > 0 for line in lines)
    assert lines[0]["lr"][2] == pytest.approx(10 * lines[0]["lr"][0])
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "out: TinyTagNet, 8 iterations of batch 2 on cpu"
    assert len(printed) <= 4, "mmengine chatters"


def test_train_network_returns_at_once_when_finished_and_starts_anew_when_changed(tiny_voc, tmp_path):
    cfg = Config.fromfile(write_config(tmp_path, tiny_voc))
    told: list[str] = []
    weights = train_network(cfg, tmp_path / "out", device="cpu", log=told.append)
    before, stamp = weights.read_bytes(), weights.stat().st_mtime_ns
    assert train_network(cfg, tmp_path / "out", device="cpu", log=told.append).stat().st_mtime_ns == stamp
    assert len(told) == 1
    cfg.optim_wrapper.optimizer.lr = 0.5
    assert train_network(cfg, tmp_path / "out", device="cpu", log=told.append).read_bytes() != before


def test_a_checkpoint_of_another_training_is_not_resumed(tiny_voc, tmp_path, capsys):
    slow = write_config(tmp_path, tiny_voc, epochs=5, slow=0.1)
    kill_when_logged(slow, tmp_path / "out", 4)
    other = ["--cfg-options", "optim_wrapper.optimizer.lr=0.5", "model.slow=0.0"]
    arguments = [str(slow), "--work-dir", str(tmp_path / "out"), "--device", "cpu", *other]
    assert main([*arguments, "--resume"]) == 2
    assert "belongs to a training with another config" in capsys.readouterr().err
    told: list[str] = []
    cfg = Config.fromfile(slow)
    cfg.merge_from_dict({"optim_wrapper.optimizer.lr": 0.5, "model.slow": 0.0})
    again = train_network(cfg, tmp_path / "out", device="cpu", log=told.append).read_bytes()
    assert "starting again" in told[0]
    assert again == train(slow, tmp_path / "fresh", *other)


def test_initial_weights_are_loaded(tiny_voc, tmp_path):
    cfg = Config.fromfile(write_config(tmp_path, tiny_voc))
    first = train_network(cfg, tmp_path / "first", device="cpu")
    cfg.optim_wrapper.optimizer.lr = 0.0
    second = train_network(cfg, tmp_path / "second", device="cpu", init=first)
    loaded, expected = read_state_dict(second), read_state_dict(first)
    assert torch.equal(loaded["head.weight"], expected["head.weight"])


def test_a_validation_in_the_config_runs_and_does_not_change_the_training(tiny_voc, tmp_path):
    plain = train(write_config(tmp_path, tiny_voc), tmp_path / "plain")
    config = write_config(tmp_path, tiny_voc, extra=VALIDATION.format(root=tiny_voc))
    assert train(config, tmp_path / "validated") == plain
    scores = [line for line in log_lines(tmp_path / "validated") if "val" in line]
    assert scores == [{"iter": 4, "val": {"images": 4.0}}, {"iter": 8, "val": {"images": 4.0}}]


def test_two_ranks_train_together_and_share_out_the_batches(tiny_voc, tmp_path):
    still = ["--cfg-options", "model.norm=False", "model.dropout=0.0"]
    config = write_config(tmp_path, tiny_voc)
    train(config, tmp_path / "one", *still)
    train_on_two_ranks(config, tmp_path / "two", *still, "train_dataloader.batch_size=1")
    assert sorted(path.name for path in (tmp_path / "two").iterdir()) == FILES
    one, two = (read_state_dict(tmp_path / name / "weights.pth") for name in ("one", "two"))
    assert all(torch.allclose(one[key], two[key], atol=1e-5) for key in one)


def test_an_accumulated_gradient_is_never_cut_in_two(tiny_voc, tmp_path):
    slow = write_config(tmp_path, tiny_voc, epochs=5, slow=0.1)
    slow.write_text(slow.read_text().replace("optim_wrapper = dict(", "optim_wrapper = dict(accumulative_counts=2, "))
    kill_when_logged(slow, tmp_path / "killed", 8)
    reached = torch.load(tmp_path / "killed" / "checkpoint.pth", weights_only=True)["iteration"]
    assert reached % 2 == 0
    unbroken = train(slow, tmp_path / "unbroken", "--cfg-options", "model.slow=0.0")
    assert train(slow, tmp_path / "killed", "--resume") == unbroken


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--device", "tpu"], "Unknown device 'tpu'"),
        (["--amp"], "--amp needs a GPU"),
        (["--cfg-options", "data.root=nowhere"], "The data set nowhere does not exist"),
        (["--cfg-options", "train_dataloader.dataset.split=half"], "half.txt does not exist"),
        (["--cfg-options", "train_dataloader.dataset.type=Nonesuch"], "'Nonesuch', which is not registered"),
        (["--cfg-options", "train_dataloader.sampler.type=DefaultSampler"], "cannot start in the middle of an epoch"),
        (["--cfg-options", "model.num_classes=20"], "model.num_classes is 20, but"),
        (["--cfg-options", "model.type=Nonesuch"], "'Nonesuch', which is not registered"),
        (["--cfg-options", "load_from=gone.pth"], "load_from: gone.pth does not exist"),
        (["--cfg-options", "model.type.name=3"], "model.type"),
        (["--launcher", "pytorch"], "start it with torchrun"),
    ],
)
def test_user_errors_are_one_sentence_and_exit_2(tiny_voc, tmp_path, capsys, monkeypatch, arguments, sentence):
    monkeypatch.delenv("RANK", raising=False)
    config = write_config(tmp_path, tiny_voc)
    device = [] if "--device" in arguments else ["--device", "cpu"]
    assert main([str(config), "--work-dir", str(tmp_path / "out"), *device, *arguments]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert "Traceback" not in error
    assert len(error.strip().splitlines()) == 1


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_said_so(tiny_voc, tmp_path):
    with pytest.raises(UserError, match="torch sees no GPU"):
        train_network(Config.fromfile(write_config(tmp_path, tiny_voc)), tmp_path / "out", device="cuda")


def test_a_missing_config_is_said_so(tmp_path, capsys):
    assert main([str(tmp_path / "none.py")]) == 2
    assert "none.py does not exist" in capsys.readouterr().err


@pytest.mark.parametrize("workers", [0, 2])
def test_a_broken_image_is_named(tiny_voc, tmp_path, capsys, workers):
    first = (tiny_voc / "ImageSets/Segmentation/train.txt").read_text().split()[0]
    (tiny_voc / "JPEGImages" / f"{first}.jpg").write_bytes(b"broken")
    config = write_config(tmp_path, tiny_voc, workers=workers)
    assert main([str(config), "--work-dir", str(tmp_path / "out"), "--device", "cpu"]) == 2
    error = capsys.readouterr().err
    assert f"{first}.jpg is no image" in error
    assert "Traceback" not in error
    assert not multiprocessing.active_children()


def test_a_loss_that_is_not_finite_stops_the_training(tiny_voc, tmp_path, capsys):
    config = write_config(tmp_path, tiny_voc)
    huge = ["--cfg-options", "optim_wrapper.optimizer.lr=1e30"]
    assert main([str(config), "--work-dir", str(tmp_path / "out"), "--device", "cpu", *huge]) == 2
    assert "; lower the learning rate" in capsys.readouterr().err


def test_labels_reach_the_network(tiny_voc, tmp_path):
    labels = tmp_path / "labels"
    labels.mkdir()
    for path in (tiny_voc / "SegmentationClassAug").glob("*.png"):
        Image.open(path).save(labels / path.name)
    cfg = Config.fromfile(write_config(tmp_path, tiny_voc))
    cfg.train_dataloader.dataset.update(labels=str(labels), tags=True)
    cfg.custom_hooks = [{"type": "SeeLabels"}]
    train_network(cfg, tmp_path / "out", device="cpu")
    assert (tmp_path / "out" / "seen").read_text() == "1 24 24"


def test_a_list_shorter_than_a_batch_lowers_the_batch(tiny_voc, tmp_path, capsys):
    config = write_config(tmp_path, tiny_voc)
    expected = train(config, tmp_path / "eight", "--cfg-options", "train_dataloader.batch_size=8")
    capsys.readouterr()
    assert train(config, tmp_path / "out", "--cfg-options", "train_dataloader.batch_size=9") == expected
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "out: 8 training images do not fill a batch of 9: it is lowered to 8."
    assert told[1] == "out: TinyTagNet, 2 iterations of batch 8 on cpu"
    assert read_json(tmp_path / "out/trained.json") == read_json(tmp_path / "eight/trained.json")
    assert Config.fromfile(tmp_path / "out/config.py").train_dataloader.batch_size == 8


def test_ranks_share_out_a_list_shorter_than_their_batches(tiny_voc, tmp_path):
    config = write_config(tmp_path, tiny_voc)
    train_on_two_ranks(config, tmp_path / "out", "--cfg-options", "train_dataloader.batch_size=5")
    assert Config.fromfile(tmp_path / "out/config.py").train_dataloader.batch_size == 4
