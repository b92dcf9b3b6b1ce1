"""Labels with confidence: the error of storing them, and thresholds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from common.artifacts import ConfidentLabel, ConfidentLabels, Labels
from common.base.errors import DataError, UserError
from common.ops.confidence import LEVELS, confidence_codes, confidence_values, keep_confident
from common.training.datasets import WeakDataset


def test_stored_confidence_is_near_and_in_order():
    rng = np.random.default_rng(0)
    confidence = np.sort(np.r_[0, rng.random(200_000, dtype=np.float32), 1 - 10 ** -rng.uniform(3, 7, 1000), 1])
    stored = confidence_values(confidence_codes(confidence))
    assert np.abs(stored - confidence).max() <= 0.5 / LEVELS + 6e-8  # half a level, and float32's own rounding
    assert (np.diff(stored) >= 0).all()
    assert stored[0] == 0 and stored[-1] == 1


def test_every_level_survives_a_second_storing():
    codes = np.arange(LEVELS + 1, dtype=np.uint16)
    np.testing.assert_array_equal(confidence_codes(confidence_values(codes)), codes)


def test_a_file_gives_back_what_was_written(tmp_path: Path):
    rng = np.random.default_rng(1)
    value = ConfidentLabel(rng.integers(0, 21, (33, 47), dtype=np.uint8), rng.random((33, 47), dtype=np.float32))
    labels = ConfidentLabels(tmp_path)
    labels.write("a", value)
    first = labels.file("a").read_bytes()
    read = labels.read("a")
    np.testing.assert_array_equal(read.label, value.label)
    np.testing.assert_allclose(read.confidence, value.confidence, atol=0.5 / LEVELS + 6e-8)
    assert read.label.dtype == np.uint8 and read.confidence.dtype == np.float32
    labels.write("a", read)
    assert labels.file("a").read_bytes() == first
    assert set(labels.maps("a")) == {"gt_sem_seg", "confidence"}
    labels.file("a").write_bytes(first[:100])
    with pytest.raises(DataError, match=r"a\.npz is broken"):
        labels.read("a")


def test_a_pixel_counts_from_its_classs_threshold_on():
    label = np.array([[0, 1, 1], [2, 2, 255]], np.uint8)
    confidence = np.array([[0.1, 0.5, 0.4999], [0.9, 0.3, 1.0]], np.float32)
    kept = keep_confident(label, confidence, [0.0, 0.5, 0.9])
    np.testing.assert_array_equal(kept, [[0, 1, 255], [2, 255, 255]])
    assert kept.dtype == np.uint8


def test_a_threshold_that_is_a_confidence_keeps_it_through_json():
    confidence = confidence_values(np.array([[12345]], np.uint16))
    assert keep_confident(np.zeros((1, 1), np.uint8), confidence, [float(confidence[0, 0])])[0, 0] == 0


def test_thresholds_that_do_not_fit_are_refused(tiny_voc: Path, tmp_path: Path):
    for kind, folder in ((ConfidentLabels, tmp_path / "c"), (Labels, tmp_path / "l")):
        folder.mkdir()
        for image_id in WeakDataset(str(tiny_voc), "train", []).ids:
            value = np.ones((4, 4), np.uint8)
            kind(folder).write(image_id, ConfidentLabel(value, value / 2) if kind is ConfidentLabels else value)
    with pytest.raises(UserError, match="3 numbers for 2 classes"):
        WeakDataset(str(tiny_voc), "train", [], str(tmp_path / "c"), label_kind="ConfidentLabels", thresholds=[0.1] * 3)
    with pytest.raises(UserError, match="no confidence to compare"):
        WeakDataset(str(tiny_voc), "train", [], str(tmp_path / "l"), thresholds=[0.1] * 2)
