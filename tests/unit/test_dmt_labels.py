"""Thresholds of pseudo labels against a full sort, and how a photo becomes a confident label."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import nn

from common.artifacts import ConfidentLabel
from common.data.protocols import fraction_lists, split_lists
from common.inference.segmentation import multi_scale_logits
from common.ops.confidence import confidence_codes, confidence_values
from common.ops.crop import pad_bottom_right, pad_crop
from common.ops.resize import scale_image_bilinear, scale_image_torch, scale_label_floor
from methods.dmt.labels import KEEP_ALL, ConfidenceHistogram, class_thresholds, confident_label, sampled

RATIOS = (0.01, 0.2, 0.4, 0.6, 0.8, 0.999, 1.0)


def by_sort(values: np.ndarray, ratio: float) -> float:
    """The released rule."""
    values = np.sort(values)
    if len(values) == 0:
        return KEEP_ALL
    if ratio >= 1:
        return values[0]
    return KEEP_ALL if len(values) * ratio < 1 else values[-int(len(values) * ratio) - 1]


def samples(seed: int) -> list[np.ndarray]:
    """Stored confidences of six classes: none, one, few, many, many equal ones, all equal."""
    rng = np.random.default_rng(seed)
    sizes = (0, 1, 4, 5000, 3000, 10)
    values = [confidence_values(confidence_codes(rng.random(size))) for size in sizes]
    values[4] = np.round(values[4], 1).astype(np.float32)
    values[4] = confidence_values(confidence_codes(values[4]))
    values[5][:] = values[5][0]
    return values


@pytest.mark.parametrize("ratio", RATIOS)
def test_thresholds_are_those_of_the_full_sort(ratio: float):
    values = samples(0)
    np.testing.assert_array_equal(
        class_thresholds(values, ratio), np.array([by_sort(value, ratio) for value in values], np.float32)
    )


@pytest.mark.parametrize("ratio", RATIOS)
def test_the_histogram_gives_the_same_thresholds(ratio: float):
    values, histogram = samples(1), ConfidenceHistogram(6)
    label = np.repeat(np.arange(6, dtype=np.uint8), [len(value) for value in values])
    order = np.random.default_rng(2).permutation(len(label))
    for part in np.array_split(order, 7):
        histogram.add(label[part], np.concatenate(values)[part])
    np.testing.assert_array_equal(histogram.thresholds(ratio), class_thresholds(values, ratio))


def test_at_least_the_ratio_is_kept_and_more_with_a_higher_one():
    values, histogram, before = samples(3), ConfidenceHistogram(6), np.zeros(6)
    for number, value in enumerate(values):
        histogram.add(np.full(len(value), number, np.uint8), value)
    for ratio in RATIOS:
        thresholds = histogram.thresholds(ratio)
        kept = histogram.kept(thresholds)
        expected = [
            (value >= least).mean() if len(value) else np.nan for value, least in zip(values, thresholds, strict=True)
        ]
        np.testing.assert_allclose(kept, expected)
        assert (kept[1:] >= ratio).all()
        assert (kept[3:] >= before[3:]).all()  # a class of less than 1 / ratio pixels is kept whole
        before = kept
    assert np.isnan(kept[0])


def test_every_sixteenth_pixel_is_sampled_row_by_row():
    value = ConfidentLabel(np.arange(35, dtype=np.uint8).reshape(5, 7), np.linspace(0, 1, 35).reshape(5, 7))
    label, confidence = sampled(value)
    assert label.tolist() == [0, 16, 32]
    np.testing.assert_allclose(confidence, [0, 16 / 34, 32 / 34])


class Recorder(nn.Module):
    """Answers with the first three channels of its input, and keeps it."""

    align_corners = True

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.data_preprocessor = MODELS.build(
            {"type": "SegDataPreProcessor", "mean": [100.0, 50.0, 25.0], "std": [2.0, 4.0, 5.0]}
        )

    def forward(self, inputs: torch.Tensor, mode: str) -> torch.Tensor:
        self.seen = inputs
        return inputs


def test_the_canvas_is_black_before_the_mean_is_taken_off():
    model, photo = Recorder(), np.full((4, 6, 3), 200, np.uint8)
    logits = multi_scale_logits(model, photo, (1.0,), flip=False, canvas=(7, 9))
    assert model.seen.shape == (1, 3, 7, 9) and logits.shape == (3, 4, 6)
    border = torch.tensor([-50.0, -12.5, -5.0])  # -mean / std
    assert torch.equal(model.seen[0, :, 4:], border[:, None, None].expand(3, 3, 9))
    assert torch.equal(model.seen[0, :, :4, 6:], border[:, None, None].expand(3, 4, 3))
    assert torch.equal(logits, model.seen[0, :, :4, :6])
    larger = multi_scale_logits(model, photo, (1.0,), flip=False, canvas=(3, 3))
    assert larger.shape == (3, 4, 6) and model.seen.shape == (1, 3, 4, 6)


def test_the_most_probable_class_and_its_probability():
    logits = torch.randn(5, 6, 7, generator=torch.Generator().manual_seed(0))
    value = confident_label(logits)
    p = logits.softmax(0).numpy()
    np.testing.assert_array_equal(value.label, p.argmax(0))
    np.testing.assert_allclose(value.confidence, p.max(0))
    assert value.label.dtype == np.uint8 and value.confidence.dtype == np.float32


@pytest.mark.parametrize("scale", [0.5, 0.61, 0.9, 1.0, 1.17, 1.5])
def test_scaling_is_torchs(scale: float):
    rng = np.random.default_rng(0)
    image, label = rng.integers(0, 256, (53, 40, 3), dtype=np.uint8), rng.random((53, 40), dtype=np.float32)
    size = int(53 * scale), int(40 * scale)
    nearest = F.interpolate(torch.from_numpy(label)[None, None], size, mode="nearest")[0, 0]
    np.testing.assert_array_equal(scale_label_floor(label, scale), nearest.numpy())
    np.testing.assert_allclose(scale_image_torch(image, scale), scale_image_bilinear(image, scale), atol=1e-3)


def test_padding_of_maps_and_photos():
    padded = pad_bottom_right(np.ones((2, 3, 3), np.uint8), (4, 3), 255)
    assert padded.shape == (4, 3, 3) and (padded[2:] == 255).all() and padded.dtype == np.uint8
    assert pad_bottom_right(np.ones((4, 5), np.uint8), (6, 3), 0).shape == (6, 5)
    assert pad_bottom_right(np.ones((4, 5), np.uint8), 3, 0).shape == (4, 5)
    assert pad_crop(np.ones((4, 5), np.uint8), (0, 1), (5, 4), 7).tolist() == [[1] * 4] * 4 + [[7] * 4]


def test_any_list_can_be_divided():
    ids = [f"{number:03d}" for number in range(800)]
    lists = fraction_lists(ids, prefix="quick_")
    assert len(lists["quick_20_labeled_0"]) == 40 and len(lists["quick_20_unlabeled_0"]) == 760
    assert len(lists["quick_20-l_labeled_0"]) == len(lists["quick_20-r_labeled_0"]) == 32
    whole = split_lists(ids, ids[:100])
    assert {name.removeprefix("quick_"): value for name, value in lists.items()} == {
        name: value for name, value in whole.items() if name != "train_weak"
    }
