"""The snapshot that is best on a split's masks: which one it is, and that a break changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from common.base.errors import SupervisionError, UserError
from common.base.files import read_json
from common.checkpoints.files import plain_state_dict, read_state_dict
from common.checkpoints.networks import load_model
from common.data.dataset import open_dataset
from common.inference.segmentation import multi_scale_logits
from common.metrics import ConfusionMatrix
from common.pipeline import Run
from common.stages import train
from common.training.best import KeepBestHook

pytestmark = pytest.mark.slow

CONFIG = Path(__file__).resolve().parents[2] / "configs/supervised/deeplabv2_lite0_shapes.py"
OPTIONS = {
    "model.backbone.init_cfg": None,
    "model.decode_head.num_classes": 2,
    "train_cfg.max_iters": 4,
    "train_dataloader.batch_size": 2,
    "train_dataloader.num_workers": 0,
    "train_dataloader.dataset.pipeline.1.size": 32,
    "default_hooks.checkpoint.interval": 1,
}


def fit(data, out: Path, **best) -> dict[str, torch.Tensor]:
    out.mkdir(exist_ok=True)
    run = Run(data, torch.device("cpu"), out, 0)
    train(run, CONFIG, split="train", pixel_labels="train", best={"split": "val", **best}, options=OPTIONS)
    return read_state_dict(out / "weights.pth")


def validations(out: Path) -> list[int]:
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [line["iter"] for line in lines if "val" in line]


@pytest.fixture
def judged(monkeypatch):
    """The validations say 0.1, 0.5, 0.5, 0.3; what they saw is kept. `at` makes one of them a break."""
    seen: dict = {"models": [], "at": None}

    def judge(hook: KeepBestHook, model, data, ids) -> dict[str, float]:
        seen["models"].append(plain_state_dict(model))
        if len(seen["models"]) == seen["at"]:
            raise KeyboardInterrupt
        return {"miou": (0.1, 0.5, 0.5, 0.3)[len(seen["models"]) - 1]}

    monkeypatch.setattr(KeepBestHook, "_judge", judge)
    return seen


def test_the_first_best_snapshot_is_kept(tiny_voc, tmp_path, judged):
    kept = fit(open_dataset(tiny_voc), tmp_path / "net", interval=1)
    assert read_json(tmp_path / "net/trained.json")["best"] == {"iteration": 2, "miou": 0.5}
    assert len(judged["models"]) == 4
    assert validations(tmp_path / "net") == [1, 2, 3, 4]
    assert all(torch.equal(kept[key], value) for key, value in judged["models"][1].items())
    assert not all(torch.equal(kept[key], value) for key, value in judged["models"][2].items())


def test_a_resumed_training_keeps_the_best_of_before(tiny_voc, tmp_path, judged):
    data = open_dataset(tiny_voc)
    judged["at"] = 4
    with pytest.raises(KeyboardInterrupt):
        fit(data, tmp_path / "net", interval=1)
    judged["models"], judged["at"] = judged["models"][:3], None
    kept = fit(data, tmp_path / "net", interval=1)
    assert all(torch.equal(kept[key], value) for key, value in judged["models"][1].items())
    assert validations(tmp_path / "net") == [1, 2, 3, 4]


def test_the_number_is_that_of_the_evaluation(tiny_voc, tmp_path):
    data = open_dataset(tiny_voc)
    fit(data, tmp_path / "net", interval=3, canvas=(64, 64), scales=(1.0, 1.5), flip=True)
    model = load_model(tmp_path / "net/weights.pth", tmp_path / "net/config.py")
    matrix = ConfusionMatrix(data.num_classes, data.ignore_index)
    for image_id in data.ids("val"):
        logits = multi_scale_logits(model, data.image(image_id), (1.0, 1.5), True, (64, 64))
        matrix.add(logits.argmax(0).numpy(), data.mask(image_id))
    best = read_json(tmp_path / "net/trained.json")["best"]
    assert best["iteration"] in (3, 4)
    assert best["miou"] == pytest.approx(matrix.scores(data.classes)["miou"])


def test_masks_choose_only_where_the_recipe_says_so(tiny_voc, tmp_path):
    data = open_dataset(tiny_voc)
    with pytest.raises(SupervisionError):
        fit(data.guarded(data.ids("train")), tmp_path / "net", interval=4)
    assert not (tmp_path / "net/weights.pth").exists()


def test_a_wrong_parameter_is_named(tiny_voc, tmp_path):
    with pytest.raises(UserError, match=r"best=.*'every'"):
        fit(open_dataset(tiny_voc), tmp_path / "net", every=4)
