"""Score maps and region numbers: what is stored comes back, on every frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from common.artifacts import CAM, Artifact, CAMs, Canvas, IdMaps, Labels, ScoreMap, ScoreMaps, Squashed, Strided
from common.base.errors import DataError
from common.data.dataset import open_dataset
from common.pipeline import Image, Run
from common.stages import cam_labels, eval_cam, eval_labels, labels

SIZE = (37, 50)
FRAMES = (Strided(4), Strided(1), Squashed(32, 32), Canvas(64, 8))


def scores(frame, keys=(0, 2, 5), seed: int = 0) -> ScoreMap:
    maps = np.random.default_rng(seed).random((len(keys), *frame.grid(SIZE)), np.float32) * 3
    return ScoreMap(np.array(keys, np.int64), maps, SIZE, frame)


@pytest.mark.parametrize("frame", FRAMES, ids=str)
def test_what_is_stored_comes_back(tmp_path: Path, frame):
    made, value = ScoreMaps(tmp_path), scores(frame)
    made.write("a", value)
    read = made.read("a")
    assert read.keys.tolist() == [0, 2, 5] and (read.size, read.frame) == (SIZE, frame)
    assert np.abs(read.maps - value.maps).max() <= value.maps.max() / 65535
    assert read.full().shape == (3, *SIZE)
    assert (read.full().argmax(0) == value.full().argmax(0)).mean() > 0.999


def test_full_is_bilinear_on_the_pixels_that_the_frame_covers():
    value = scores(Canvas(64, 8))
    expected = F.interpolate(torch.from_numpy(value.maps)[None], (64, 64), mode="bilinear")[0, :, : SIZE[0], : SIZE[1]]
    np.testing.assert_array_equal(value.full(), expected.numpy())
    value = scores(Squashed(32, 32))
    expected = F.interpolate(torch.from_numpy(value.maps)[None], SIZE, mode="bilinear")[0]
    np.testing.assert_array_equal(value.full(), expected.numpy())


def test_close_scores_keep_their_order(tmp_path: Path):
    """float16 has steps of 2^-12 below 0.5."""
    maps = np.array([[[0.4]], [[0.40002]], [[1.0]]], np.float32)
    made = ScoreMaps(tmp_path)
    made.write("a", ScoreMap(np.array([1, 2, 3]), maps, (1, 1), Strided(1)))
    first, second, _ = made.read("a").maps
    assert first < second and np.float16(0.4) == np.float16(0.40002)


def test_scores_below_0_come_back(tmp_path: Path):
    """SEAM's normalisation gives a class that is constant everywhere -1."""
    maps = np.stack([np.full((10, 13), -1), np.linspace(-0.5, 2, 130).reshape(10, 13)]).astype(np.float32)
    made = ScoreMaps(tmp_path)
    made.write("a", ScoreMap(np.array([1, 2]), maps, SIZE))
    assert np.abs(made.read("a").maps - maps).max() <= 3 / 65535


def test_images_without_classes_or_scores(tmp_path: Path):
    made = ScoreMaps(tmp_path)
    made.write("none", ScoreMap(np.zeros(0, np.int64), np.zeros((0, 10, 13), np.float32), SIZE))
    made.write("zero", ScoreMap(np.array([1]), np.zeros((1, 10, 13), np.float32), SIZE))
    assert made.read("none").full().shape == (0, *SIZE)
    assert (made.read("zero").full() == 0).all()


def test_what_is_no_score_map_is_refused(tmp_path: Path):
    made = ScoreMaps(tmp_path)
    with pytest.raises(ValueError, match="do not fit the frame"):
        made.write("a", ScoreMap(np.array([1]), np.zeros((1, 3, 3), np.float32), SIZE))
    with pytest.raises(ValueError, match="must be finite"):
        made.write("a", ScoreMap(np.array([1]), np.full((1, 10, 13), np.nan, np.float32), SIZE))
    with pytest.raises(ValueError, match="does not fit a canvas of 32"):
        Canvas(32).grid(SIZE)
    with pytest.raises(ValueError, match="whole numbers"):
        IdMaps(tmp_path).write("a", np.zeros((2, 2), np.float32))
    assert not list(tmp_path.iterdir())
    made.file("a").write_bytes(b"PK")
    with pytest.raises(DataError, match="is broken"):
        made.read("a")


def test_maps_for_training_and_pictures(tiny_voc: Path, tmp_path: Path):
    data = open_dataset(tiny_voc)
    photo = np.full((*SIZE, 3), 90, np.uint8)
    made, regions = ScoreMaps(tmp_path / "scores"), IdMaps(tmp_path / "ids")
    made.write("a", scores(Strided(4), keys=(0, 1)))
    regions.write("a", np.arange(SIZE[0] * SIZE[1]).reshape(SIZE))
    (followed,) = made.maps("a").values()
    assert followed.values.shape == (*SIZE, 2) and followed.resize == "bilinear"
    (numbers,) = regions.maps("a").values()
    assert numbers.values.dtype == np.int32 and (numbers.pad, numbers.resize) == (-1, "nearest")
    for artifact in (made, regions):
        shown = artifact.picture(photo, artifact.read("a"), data)
        assert shown.shape == photo.shape and shown.dtype == np.uint8 and (shown != 90).any()


def test_every_kind_is_found_by_its_name():
    assert Artifact.kind("ScoreMaps") is ScoreMaps
    volumes = Artifact.kind("methods.affinitynet.scores.ScoreVolumes")
    assert volumes.kind_name() == "methods.affinitynet.scores.ScoreVolumes"
    assert Artifact.kind("ScoreVolumes") is volumes


def test_score_maps_are_judged_at_all_thresholds(tiny_voc: Path, tmp_path: Path):
    """As their labels at the best threshold are; a background of their own is not looked at."""
    data = open_dataset(tiny_voc)
    run, rng = Run(data, "cpu", tmp_path, 0), np.random.default_rng(0)
    without, own = ScoreMaps(tmp_path / "without"), ScoreMaps(tmp_path / "own")
    for image_id in data.ids("val"):
        size = data.size(image_id)
        maps = 7 * (0.5 * (data.mask(image_id) == 1) + 0.5 * rng.random(size))[None].astype(np.float32)
        without.write(image_id, ScoreMap(np.array([1]), maps, size, Strided(1)))
        own.write(image_id, ScoreMap(np.array([0, 1]), np.concatenate([9 + 0 * maps, maps]), size, Strided(1)))
    judged = eval_cam(run, without, "val")
    assert judged["miou"] > 0.9 and 0.3 < judged["threshold"] < 0.7
    made = Labels(tmp_path / "labels")
    for image_id in data.ids("val"):
        made.write(image_id, labels(run, without, judged["threshold"]).make(Image(data, image_id)))
    assert eval_labels(run, made, "val")["miou"] == judged["miou"]
    assert eval_cam(run, own, "val")["threshold"] == pytest.approx(judged["threshold"], abs=0.02)


def test_labels_of_cams_are_what_eval_cam_judges(tiny_voc: Path, tmp_path: Path):
    """CAMs as they are: divided by their maximum in the image, a weak one would cover everything."""
    data, rng = open_dataset(tiny_voc), np.random.default_rng(0)
    run, cams, made = Run(data, "cpu", tmp_path, 0), CAMs(tmp_path / "cams"), Labels(tmp_path / "noisy")
    for number, image_id in enumerate(data.ids("train")):
        grid = Strided(4).grid(data.size(image_id))
        cams.write(
            image_id,
            CAM(np.array([1]), (rng.random((1, *grid)) / (1 + number)).astype(np.float32), data.size(image_id)),
        )
    empty = data.ids("train")[0]
    cams.write(empty, CAM(np.zeros(0, np.int64), np.zeros((0, *Strided(4).grid(data.size(empty)))), data.size(empty)))
    job = cam_labels(run, cams, 0.3, split="train")
    assert job.split == "train" and cam_labels(run, cams, 0.3).split is None
    for image_id in data.ids("train"):
        made.write(image_id, job.make(Image(data, image_id)))
    assert not made.read(empty).any() and made.read(data.ids("train")[1]).any()
    assert not made.read(data.ids("train")[-1]).any()  # its maximum is 1/8
    assert eval_labels(run, made, "train")["miou"] == eval_cam(run, cams, "train", 0.3)["miou"]
