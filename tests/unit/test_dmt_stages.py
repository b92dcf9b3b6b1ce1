"""DMT's rounds and stages on a tiny data set: who teaches whom, with which labels, and what stays unseen."""

from __future__ import annotations

import json
import typing
from pathlib import Path

import numpy as np
import pytest
import torch

from common.artifacts import ConfidentLabel, ConfidentLabels, Scores
from common.base.config import import_types, read_config
from common.base.errors import SupervisionError, UserError
from common.checkpoints.networks import build_model, without_init
from common.data.dataset import open_dataset
from common.fragments import evaluations
from common.models.classes import fill_classes
from common.ops.confidence import keep_confident
from common.pipeline import Run
from common.pipeline.recipe import load_recipe
from common.pipeline.typed import typed
from common.stages import train
from methods.dmt.labels import class_thresholds as thresholds_of
from methods.dmt.labels import sampled
from methods.dmt.recipe import confident_labels, mutual_rounds, supervised_phase
from methods.dmt.stages import class_thresholds, eval_confident

ROOT = Path(__file__).resolve().parents[2]
RATIOS = (0.2, 0.4, 0.6, 0.8, 1.0)
NETWORKS = {
    "a": {"labelled": "left", "seed": 1, "supervised": "s.py", "mutual": "m.py"},
    "b": {"labelled": "right", "seed": 2, "supervised": "s.py", "mutual": "n.py"},
}


# --- recipe -------------------------------------------------------------------------------------------------------


def rounds(networks: dict, **options) -> dict[str, dict]:
    return {stage["name"]: stage for stage in mutual_rounds(networks, "rest", 4, **{"ratios": RATIOS, **options})}


def test_the_teacher_is_the_other_network_as_it_was_before_the_round():
    stages = rounds(NETWORKS)
    for number in range(1, 6):
        for own, other in ("ab", "ba"):
            trained, before = stages[f"{own}{number}"], f"{other}{number - 1}"
            assert trained["init"] == f"{own}{number - 1}"
            assert trained["labels"] == f"labels_{before}" and stages[f"labels_{before}"]["weights"] == before
            assert trained["thresholds"] == f"thresholds_{before}"
            assert stages[f"thresholds_{before}"] == {
                "stage": "dmt.class_thresholds",
                "name": f"thresholds_{before}",
                "labels": f"labels_{before}",
                "ratio": RATIOS[number - 1],
            }
            assert trained["pixel_labels"] == NETWORKS[own]["labelled"]
            assert trained["split"] == f"rest+{NETWORKS[own]['labelled']}"
            assert trained["config"] == NETWORKS[own]["mutual"]
            assert trained["options"] == {"seed": NETWORKS[own]["seed"], "train_cfg.max_epochs": 4}
    assert len(stages) == 5 * 6


def test_both_networks_label_before_either_is_trained():
    names = list(rounds(NETWORKS))
    for number in range(5):
        last_label = max(names.index(f"labels_{side}{number}") for side in "ab")
        assert last_label < min(names.index(f"{side}{number + 1}") for side in "ab")


def test_a_network_alone_teaches_itself():
    stages = rounds({"c": NETWORKS["a"]}, ratios=(0.5, 1.0), loss={"rule": "plain"}, prefix="cbst_")
    assert list(stages) == [
        *("cbst_labels_c0", "cbst_thresholds_c0", "cbst_c1"),
        *("cbst_labels_c1", "cbst_thresholds_c1", "cbst_c2"),
    ]
    assert stages["cbst_labels_c0"]["weights"] == stages["cbst_c1"]["init"] == "c0"
    assert stages["cbst_c2"]["init"] == stages["cbst_labels_c1"]["weights"] == "cbst_c1"
    assert stages["cbst_c2"]["labels"] == "cbst_labels_c1"


def test_the_supervised_phase_and_the_tests():
    first = supervised_phase(NETWORKS, iterations=7)
    assert [(stage["name"], stage["split"], stage["pixel_labels"]) for stage in first] == [
        ("a0", "left", "left"),
        ("b0", "right", "right"),
    ]
    assert first[1]["options"] == {"seed": 2, "train_cfg.max_iters": 7}
    assert confident_labels("b4", "rest") == [
        {
            "stage": "dmt.eval_confident",
            "name": "eval_pseudo",
            "labels": "labels_b4",
            "thresholds": "thresholds_b4",
            "split": "rest",
            "classes": None,
        }
    ]
    assert evaluations({"val": "a5"}, split="val", canvas=None) == [
        {"stage": "infer_seg", "name": "segment_a5", "weights": "a5", "split": "val", "canvas": None},
        {"stage": "eval_labels", "name": "val", "labels": "segment_a5", "split": "val", "classes": None},
    ]


def test_another_loss_replaces_all_of_the_configs():
    recipe = load_recipe(ROOT / "configs/dmt/ablations_voc12_50.py")
    steps = {step.name: step for step in recipe.steps}
    for name, rule in (("naive_a1", "naive"), ("flip_b5", "flip"), ("cbst_c3", "plain"), ("online_c1", "online")):
        params = steps[name].params
        config = read_config(params["config"], params["options"])
        assert config.model.decode_head.loss.rule == rule
        import_types(config)
        fill_classes(config.model, 21)
        build_model({"model": without_init(config.model.to_dict())})
    assert steps["dst_c2"].inputs["labels"] == "dst_labels_c1"


# --- stages -------------------------------------------------------------------------------------------------------


@pytest.fixture
def data(tiny_voc: Path):
    """The first two training images are labelled."""
    splits = tiny_voc / "ImageSets/Segmentation"
    ids = (splits / "train.txt").read_text().split()
    (splits / "few.txt").write_text("\n".join(ids[:2]))
    (splits / "rest.txt").write_text("\n".join(ids[2:]))
    return open_dataset(tiny_voc)


@pytest.fixture
def labels(data, tmp_path: Path) -> ConfidentLabels:
    made = ConfidentLabels(tmp_path / "labels_b0")
    generator = torch.Generator().manual_seed(0)
    for image_id in data.ids("rest"):
        confidence = torch.rand(data.size(image_id), generator=generator)
        made.write(image_id, ConfidentLabel((confidence > 0.6).byte().numpy(), confidence.numpy()))
    return made


def run_of(data, out: Path) -> Run:
    out.mkdir(exist_ok=True)
    return Run(data, torch.device("cpu"), out, 0)


def scores(out: Path, numbers: dict) -> Scores:
    out.mkdir(exist_ok=True)
    Scores(out).write(json.loads(json.dumps(numbers)))
    return Scores(out)


def test_thresholds_of_a_set_are_those_of_all_its_samples(data, labels: ConfidentLabels, tmp_path: Path):
    read = [sampled(labels.read(image_id), 4) for image_id in data.ids("rest")]
    label, confidence = (np.concatenate(part) for part in zip(*read, strict=True))
    numbers = class_thresholds(run_of(data, tmp_path / "t"), labels, ratio=0.3, every=4)
    expected = thresholds_of([confidence[label == number] for number in range(2)], 0.3)
    np.testing.assert_array_equal(np.float32(numbers["thresholds"]), expected)
    assert numbers["kept"]["all classes"] == pytest.approx((confidence >= expected[label]).mean())
    assert set(numbers["kept"]) == {"all classes", "background", "thing"}
    hint = typing.get_type_hints(class_thresholds, include_extras=True)["ratio"]
    for ratio in (0, 1.5):
        with pytest.raises(UserError, match=rf"ratio={ratio} is out of range: above 0 and at most 1 is allowed"):
            typed("ratio", ratio, hint)


def test_labels_are_judged_where_they_count(data, labels: ConfidentLabels, tmp_path: Path):
    run = run_of(data, tmp_path / "e")
    whole = eval_confident(run, labels, split="rest")
    least = [0.3, 0.8]
    part = eval_confident(run, labels, split="rest", thresholds=scores(tmp_path / "t", {"thresholds": least}))
    assert whole["coverage"] == 1.0
    kept = [keep_confident(v.label, v.confidence, least) != 255 for v in map(labels.read, data.ids("rest"))]
    assert part["coverage"] == pytest.approx(sum(map(np.sum, kept)) / sum(map(np.size, kept)))
    with pytest.raises(UserError, match="gives no 'thresholds', but miou"):
        eval_confident(run, labels, split="rest", thresholds=scores(tmp_path / "wrong", {"miou": 0.5}))


def test_training_sees_the_masks_of_the_labelled_split_alone(data, labels: ConfidentLabels, tmp_path: Path):
    guarded = data.guarded(data.ids("few"))
    options = {
        "model.backbone.init_cfg": None,
        "model.decode_head.num_classes": 2,
        "train_cfg.max_epochs": 1,
        "train_dataloader.batch_size": 3,
        "train_dataloader.num_workers": 0,
        "train_dataloader.sampler.strong": 1,
        "train_dataloader.dataset.pipeline.1.size": 32,
    }
    config = ROOT / "configs/dmt/mutual_lite0_shapes.py"
    for image_id in data.ids("rest"):  # whoever opens them fails
        (data.folder("masks") / f"{image_id}.png").unlink()
    common = {"split": "rest+few", "thresholds": scores(tmp_path / "t", {"thresholds": [0.2, 0.7]}), "options": options}
    run = run_of(guarded, tmp_path / "a1")
    train(run, config, labels, pixel_labels="few", **common)
    assert (run.out / "weights.pth").is_file()
    written = read_config(run.out / "config.py")
    assert written.train_dataloader.dataset.thresholds == [0.2, 0.7]
    with pytest.raises(SupervisionError):
        train(run_of(guarded, tmp_path / "b1"), config, labels, pixel_labels="train", **common)
