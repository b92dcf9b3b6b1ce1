"""Validations on masks: a classifier's CAM, numbers that choose nothing, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.dist import get_rank

from common.base.errors import UserError
from common.base.files import read_json
from common.checkpoints.files import read_state_dict
from common.data.dataset import DataSet, open_dataset, write_mask
from common.data.guard import guarding
from common.inference.cam import multi_scale_cam
from common.metrics import BestThreshold
from common.ops.cam import merge_cams
from common.training.best import KeepBestHook, ValidateHook
from common.training.judge import SCORES
from common.training.train import train_network
from tests.unit.tiny_network import TinyTagNet, write_config
from tests.unit.training_runs import log_lines, train, train_on_two_ranks

pytestmark = pytest.mark.slow

HOOK = """
custom_hooks = [dict(type="{hook}", split="val", interval=3, by="{by}", scales=(1.0, 0.5), flip=True)]
"""


def judged(work_dir: Path) -> list[tuple[int, dict]]:
    return [(line["iter"], line["val"]) for line in log_lines(work_dir) if "val" in line]


def cam_miou(weights: Path, data: DataSet) -> tuple[float, float]:
    """Best mIoU of the CAM on val, and its threshold, as the stages `infer_cam` and `eval_cam` get them."""
    model = TinyTagNet().eval()
    model.load_state_dict(read_state_dict(weights))
    curve = BestThreshold(data.num_classes)
    for image_id in data.ids("val"):
        image, keys = data.image(image_id), np.array(data.tags(image_id))
        maps = multi_scale_cam(model, image, (1.0, 0.5), flip=True)
        curve.add(merge_cams(maps, image.shape[:2], keys), keys, data.mask(image_id))
    threshold, matrix = curve.best()
    return matrix.miou(), threshold


def test_a_validation_reports_and_keeps_nothing(tiny_voc, tmp_path):
    plain = train(write_config(tmp_path, tiny_voc), tmp_path / "plain")
    config = write_config(tmp_path, tiny_voc, extra=HOOK.format(hook="ValidateHook", by="cam"))
    assert train(config, tmp_path / "out") == plain
    assert "best" not in read_json(tmp_path / "out/trained.json")
    assert [iteration for iteration, _ in judged(tmp_path / "out")] == [3, 6, 8]
    last = judged(tmp_path / "out")[-1][1]
    assert (last["miou"], last["threshold"]) == pytest.approx(
        cam_miou(tmp_path / "out/weights.pth", open_dataset(tiny_voc))
    )
    assert 0.3 < last["miou"] < 1


def test_the_snapshot_of_the_best_cam_is_kept(tiny_voc, tmp_path):
    train(write_config(tmp_path, tiny_voc, extra=HOOK.format(hook="KeepBestHook", by="cam")), tmp_path / "out")
    kept = read_json(tmp_path / "out/trained.json")["best"]
    numbers = {iteration: val["miou"] for iteration, val in judged(tmp_path / "out")}
    assert kept["miou"] == max(numbers.values()) == numbers[kept["iteration"]]
    assert kept["miou"] == pytest.approx(cam_miou(tmp_path / "out/weights.pth", open_dataset(tiny_voc))[0])


def test_ranks_share_out_the_images(tiny_voc, tmp_path):
    config = write_config(tmp_path, tiny_voc, extra=HOOK.format(hook="ValidateHook", by="cam"))
    train_on_two_ranks(config, tmp_path / "out", "--cfg-options", "train_dataloader.batch_size=1")
    last = judged(tmp_path / "out")[-1][1]
    assert last["miou"] == pytest.approx(cam_miou(tmp_path / "out/weights.pth", open_dataset(tiny_voc))[0])


def test_all_ranks_judge_the_network_that_is_saved(tiny_voc, tmp_path, monkeypatch):
    """Batch normalisation gives each rank running means of its own; those of the first are saved."""

    def judge(model, data, ids, **look):
        (tmp_path / f"rank{get_rank()}").write_text(str(model.backbone[1].running_mean.tolist()))
        return {"miou": 0.5}

    monkeypatch.setitem(SCORES, "cam", judge)
    config = write_config(tmp_path, tiny_voc, extra=HOOK.format(hook="ValidateHook", by="cam"))
    train_on_two_ranks(config, tmp_path / "out", "--cfg-options", "train_dataloader.batch_size=1")
    saved = str(read_state_dict(tmp_path / "out/weights.pth")["backbone.1.running_mean"].tolist())
    assert [(tmp_path / f"rank{rank}").read_text() for rank in range(2)] == [saved, saved]


def test_a_stage_without_masks_may_report_by_them_but_not_choose(tiny_voc, tmp_path):
    report, choose = (
        Config.fromfile(write_config(tmp_path, tiny_voc, extra=HOOK.format(hook=hook, by="cam")))
        for hook in ("ValidateHook", "KeepBestHook")
    )
    with guarding(()):
        train_network(report, tmp_path / "report", device="cpu")
        with pytest.raises(UserError, match="pixel label"):
            train_network(choose, tmp_path / "choose", device="cpu")


def test_what_cannot_be_judged_is_refused(tiny_voc, tmp_path):
    with pytest.raises(UserError, match="KeepBestHook: by='boxes' is unknown; known are segmentation, cam"):
        KeepBestHook("val", 1, by="boxes")
    with pytest.raises(UserError, match='canvas is for by="segmentation"'):
        ValidateHook("val", 1, by="cam", canvas=(8, 8))
    with pytest.raises(UserError, match='normalisation is for by="cam"'):
        ValidateHook("val", 1, normalisation="class_max")
    cfg = Config.fromfile(write_config(tmp_path, tiny_voc, extra=HOOK.format(hook="ValidateHook", by="cam")))
    for path in (tiny_voc / "SegmentationClassAug").glob("*.png"):
        write_mask(path, np.full_like(open_dataset(tiny_voc).mask(path.stem), 255))
    with pytest.raises(UserError, match="no mask of the split 'val' has a pixel to judge by"):
        train_network(cfg, tmp_path / "out", device="cpu")


def test_a_network_without_class_maps_is_refused(tiny_voc, tmp_path, monkeypatch):
    monkeypatch.delattr(TinyTagNet, "cam")
    cfg = Config.fromfile(write_config(tmp_path, tiny_voc, extra=HOOK.format(hook="ValidateHook", by="cam")))
    with pytest.raises(UserError, match="needs a classifier with class maps, which TinyTagNet lacks"):
        train_network(cfg, tmp_path / "out", device="cpu")
