"""The training data set: seeds, labels, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from common.artifacts import ConfidentLabel, ConfidentLabels, Labels, ScoreMap, ScoreMaps, Squashed
from common.base.errors import DataError, SupervisionError, UserError
from common.training.datasets import WeakDataset, set_data
from methods.affinitynet.scores import ScoreVolume, ScoreVolumes

PIPELINE = [{"type": "ResizeLong", "low": 8, "high": 400}, {"type": "RandomMirror"}, {"type": "Pack"}]


@pytest.fixture
def labels(tiny_voc: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "labels"
    folder.mkdir()
    for path in (tiny_voc / "SegmentationClassAug").glob("*.png"):
        Image.fromarray(np.full(np.array(Image.open(path)).shape, 1, np.uint8)).save(folder / path.name)
    return folder


def raw(root: Path, **kwargs) -> WeakDataset:
    return WeakDataset(str(root), "train", [], **kwargs)


def test_augmentation_depends_on_seed_epoch_and_image_alone(tiny_voc: Path):
    def shape(seed: int, key: tuple[int, int] | int) -> tuple[int, ...]:
        return tuple(WeakDataset(str(tiny_voc), "train", PIPELINE, seed=seed)[key]["inputs"].shape)

    assert shape(0, (3, 1)) == shape(0, (3, 1))
    assert shape(0, (0, 1)) == shape(0, 1)
    assert len({shape(0, (epoch, 1)) for epoch in range(5)}) > 1
    assert len({shape(seed, (0, 1)) for seed in range(5)}) > 1


def test_squash_takes_a_squashed_map_as_it_is_and_other_pipelines_at_the_size_of_the_image(
    tiny_voc: Path, tmp_path: Path
):
    data = raw(tiny_voc)
    made, value = ScoreMaps(tmp_path / "maps"), np.arange(12, dtype=np.float32).reshape(1, 3, 4)
    for number, image_id in enumerate(data.ids):
        size = data.load(number)["ori_shape"]
        made.write(image_id, ScoreMap(np.array([1]), value, size, Squashed(3, 4)))
    inputs = {"scores": {"folder": str(made.path), "kind": "ScoreMaps"}}

    def received(*steps: dict) -> np.ndarray:
        return WeakDataset(str(tiny_voc), "train", [*steps, {"type": "Pack"}], inputs=inputs)[0]

    squashed = received({"type": "Squash", "height": 3, "width": 4})["data_samples"].scores.data
    assert squashed.numpy() == pytest.approx(value, abs=1e-3)
    sample = received({"type": "RandomMirror", "prob": 1.0})
    assert sample["data_samples"].scores.data.shape[1:] == sample["inputs"].shape[1:]


def test_without_labels_there_are_tags_only(tiny_voc: Path):
    item = raw(tiny_voc)[0]
    assert not item["maps"]
    assert item["tags"].tolist() == [1.0]


def test_labels_come_from_the_folder(tiny_voc: Path, labels: Path):
    item = raw(tiny_voc, labels=str(labels))[0]
    assert (item["maps"]["gt_sem_seg"].values == 1).all()
    assert item["maps"]["gt_sem_seg"].values.shape == item["img"].shape[:2]


def test_pixel_labels_name_the_only_masks_that_are_read(tiny_voc: Path, labels: Path):
    few = tiny_voc / "ImageSets/Segmentation/few.txt"
    train = (tiny_voc / "ImageSets/Segmentation/train.txt").read_text().split()
    few.write_text(train[0] + "\n")
    data = raw(tiny_voc, labels=str(labels), pixel_labels="few")
    assert set(np.unique(data[0]["maps"]["gt_sem_seg"].values)) == {0, 1}
    assert (data[1]["maps"]["gt_sem_seg"].values == 1).all()
    with pytest.raises(SupervisionError):
        data.data.mask(train[1])
    with pytest.raises(DataError, match="lacks the label maps of 7 of the 8 images of 'train'"):
        raw(tiny_voc, pixel_labels="few")


def test_a_data_set_without_pixel_labels_cannot_read_any(tiny_voc: Path):
    data = raw(tiny_voc)
    with pytest.raises(SupervisionError):
        data.data.mask(data.ids[0])


def test_missing_broken_and_ill_sized_labels_are_named(tiny_voc: Path, labels: Path):
    first = raw(tiny_voc).ids[0]
    with pytest.raises(DataError, match="does not exist"):
        raw(tiny_voc, labels=str(labels / "nowhere"))
    Image.fromarray(np.zeros((3, 4), np.uint8)).save(labels / f"{first}.png")
    with pytest.raises(DataError, match=rf"of {first} in .* is 3 x 4"):
        raw(tiny_voc, labels=str(labels))[0]
    Image.fromarray(np.zeros((3, 4, 3), np.uint8)).save(labels / f"{first}.png")
    with pytest.raises(DataError, match="RGB picture"):
        raw(tiny_voc, labels=str(labels))[0]
    (labels / f"{first}.png").write_bytes(b"\x89PNG truncated")
    with pytest.raises(DataError, match=f"{first}.png is broken"):
        raw(tiny_voc, labels=str(labels))[0]
    (labels / f"{first}.png").unlink()
    with pytest.raises(DataError, match=f"lacks the label maps of 1 of the 8 .*{first}"):
        raw(tiny_voc, labels=str(labels))


def test_score_volumes_follow_the_image(tiny_voc: Path, tmp_path: Path):
    folder = ScoreVolumes(tmp_path)
    for image_id in raw(tiny_voc).ids:
        height, width = raw(tiny_voc).data.size(image_id)
        low = np.linspace(0, 1, 2 * height * width, dtype=np.float32).reshape(2, height, width)
        folder.write(image_id, ScoreVolume(np.array([3]), low, low[::-1]))
    steps = [{"type": "RandomMirror", "prob": 1.1}, {"type": "RandomCropContainer", "size": 300}]
    data = WeakDataset(str(tiny_voc), "train", steps, labels=str(tmp_path), label_kind="ScoreVolumes")
    item = data[0]
    read = folder.read(data.ids[0])
    low, high = (item["maps"][name].values for name in ("low", "high"))
    assert low.shape == high.shape == (300, 300, 2)
    np.testing.assert_allclose(low.sum(), read.low.sum(), rtol=1e-4)
    np.testing.assert_array_equal(low[..., 0], high[..., 1])
    row = low[150, :, 1]
    assert (np.diff(row[row > 0]) <= 0).all()  # scores grow to the right in the file: mirrored
    with pytest.raises(UserError, match=r"The kind 'Scores' is unknown: there are .*Labels"):
        raw(tiny_voc, labels=str(tmp_path), label_kind="Scores")


def test_inputs_come_under_their_names(tiny_voc: Path, tmp_path: Path):
    regions, sure = Labels(tmp_path / "regions"), ConfidentLabels(tmp_path / "sure")
    for image_id in raw(tiny_voc).ids:
        size = raw(tiny_voc).data.size(image_id)
        regions.write(image_id, np.full(size, 3, np.uint8))
        sure.write(image_id, ConfidentLabel(np.ones(size, np.uint8), np.ones(size, np.float32)))
    cfg = Config({"train_dataloader": {"dataset": {"type": "WeakDataset"}}})
    inputs = {"superpixels": regions, "seen": sure}
    set_data(cfg, tiny_voc, "train", inputs=inputs, follow={"seen": False})
    given = cfg.train_dataloader.dataset.inputs
    data = WeakDataset(
        str(tiny_voc), "train", [{"type": "RandomCropContainer", "size": 8}, {"type": "Pack"}], inputs=given
    )
    packed = data[0]["data_samples"]
    assert packed.superpixels.data.shape == (1, 8, 8) and (packed.superpixels.data == 3).all()
    assert packed.seen_gt_sem_seg.shape == packed.seen_confidence.shape == data.data.size(data.ids[0])
    with pytest.raises(UserError, match=r"follow names 'sen', which is no input \(did you mean 'seen'"):
        set_data(cfg, tiny_voc, "train", inputs=inputs, follow={"sen": False})
    with pytest.raises(UserError, match="'cams' holds CAMs, which give a training nothing"):
        raw(tiny_voc, inputs={"cams": {"folder": str(tmp_path / "cams"), "kind": "CAMs"}})
    first = data.ids[0]
    regions.file(first).unlink()
    with pytest.raises(DataError, match=rf"regions \('superpixels'\) lacks the maps of 1 of the 8 .*{first}"):
        raw(tiny_voc, inputs=given)
    regions.write(data.ids[0], np.zeros((3, 4), np.uint8))
    with pytest.raises(DataError, match=rf"'superpixels' of {data.ids[0]} in .*regions is 3 x 4"):
        data[0]


def test_set_data_points_the_config(tmp_path: Path):
    cfg = Config({"train_dataloader": {"dataset": {"type": "WeakDataset", "pixel_labels": "train"}}})
    set_data(cfg, tmp_path, "train", Labels(tmp_path / "labels"))
    assert cfg.train_dataloader.dataset.to_dict() == {
        "type": "WeakDataset",
        "root": str(tmp_path),
        "split": "train",
        "labels": str(tmp_path / "labels"),
        "label_kind": "Labels",
        "pixel_labels": None,
    }
    with pytest.raises(UserError, match=r"no train_dataloader\.dataset"):
        set_data(Config({"pipeline": []}), tmp_path, "train")
