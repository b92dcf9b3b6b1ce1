"""Metrics held against plain loops and torchmetrics."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
import torchmetrics.functional.classification as oracle

from common.artifacts import Instances
from common.base.errors import DataError, UserError
from common.metrics import (
    BestThreshold,
    ConfusionMatrix,
    InstanceAP,
    average_precision,
    exact_match_accuracy,
    multilabel_average_precision,
)
from common.metrics.instance_ap import overlap_of_maps

NAMES = ("background", "cat", "dog", "bird")


def label_maps(seed: int = 0, open_share: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Predictions and ground truth [3, 12, 14] with classes 0..2 of 4, ignored pixels, and open ones in the first."""
    rng = np.random.default_rng(seed)
    truth = rng.choice([0, 1, 2, 255], (3, 12, 14), p=[0.5, 0.2, 0.2, 0.1]).astype(np.uint8)
    prediction = np.where(rng.random(truth.shape) < 0.7, truth % 255, rng.integers(0, 3, truth.shape)).astype(np.uint8)
    return np.where(rng.random(truth.shape) < open_share, 255, prediction).astype(np.uint8), truth


def confusion(prediction: np.ndarray, truth: np.ndarray, classes: int = 4) -> ConfusionMatrix:
    matrix = ConfusionMatrix(classes)
    for image in zip(prediction, truth, strict=True):
        matrix.add(*image)
    return matrix


def test_matrix_is_that_of_torchmetrics() -> None:
    prediction, truth = label_maps()
    expected = oracle.multiclass_confusion_matrix(
        torch.from_numpy(prediction).long(), torch.from_numpy(truth).long(), 4, ignore_index=255
    )
    matrix = confusion(prediction, truth)
    assert matrix.matrix.dtype == np.int64
    assert np.array_equal(matrix.matrix, expected.numpy())
    assert matrix.coverage() == 1


def test_iou_of_sets() -> None:
    prediction, truth = label_maps()
    matrix, valid = confusion(prediction, truth), truth != 255
    for c in range(3):
        a, b = (prediction == c) & valid, (truth == c) & valid
        assert matrix.iou()[c] == pytest.approx((a & b).sum() / (a | b).sum())
        assert matrix.false_positive()[c] == pytest.approx((a & ~b).sum() / (a | b).sum())
        assert matrix.false_negative()[c] == pytest.approx((b & ~a).sum() / (a | b).sum())
    assert math.isnan(matrix.iou()[3])
    assert matrix.miou() == pytest.approx(matrix.iou()[:3].mean())
    assert matrix.pixel_accuracy() == pytest.approx((prediction == truth)[valid].mean())


def test_means_over_other_classes() -> None:
    matrix = ConfusionMatrix(4)
    matrix.add(np.array([0, 0, 1, 2]), np.array([0, 0, 1, 1]))  # IoU 1, 1/2, 0, absent
    assert matrix.miou() == pytest.approx(1.5 / 3)
    assert matrix.miou(over="ground_truth") == pytest.approx(1.5 / 2)
    assert matrix.miou(over="all") == pytest.approx(1.5 / 4)
    assert matrix.miou([1, 2]) == pytest.approx(0.25)
    with pytest.raises(ValueError, match="no mean over 'some'"):
        matrix.miou(over="some")


def test_open_pixels_are_left_out_and_covered() -> None:
    prediction, truth = label_maps(open_share=0.3)
    matrix = confusion(prediction, truth)
    decided = (prediction != 255) & (truth != 255)
    assert matrix.coverage() == pytest.approx(decided.sum() / (truth != 255).sum())
    without = np.where(decided, truth, 255)
    assert np.array_equal(matrix.matrix, confusion(np.where(decided, prediction, 0), without).matrix)


def test_scores_are_json_and_carry_the_names() -> None:
    matrix = confusion(*label_maps())
    scores = json.loads(json.dumps(matrix.scores(NAMES, subset=("cat", "bird")), allow_nan=False))
    assert scores["iou"]["bird"] is None and scores["iou"]["cat"] == pytest.approx(matrix.iou()[1])
    assert scores["miou"] == pytest.approx(matrix.iou()[1]) and scores["miou_all"] == pytest.approx(matrix.miou())
    assert "miou_all" not in matrix.scores(NAMES)
    with pytest.raises(UserError, match="No class horse: the data set has background, cat"):
        matrix.scores(NAMES, subset=("horse",))


def test_nothing_counted_is_no_number() -> None:
    scores = ConfusionMatrix(4).scores(NAMES)
    assert scores["miou"] is None and scores["coverage"] is None and scores["pixel_accuracy"] is None


@pytest.mark.parametrize("wrong", [np.full((2, 2), 4), np.full((2, 2), -1), np.zeros((2, 3), int)])
def test_values_and_sizes_that_cannot_be_are_refused(wrong: np.ndarray) -> None:
    with pytest.raises(DataError):
        ConfusionMatrix(4).add(wrong, np.zeros((2, 2), int))


def cams(rng: np.random.Generator, keys: list[int]) -> np.ndarray:
    """Class maps on a grid of hundredths: full of ties with the thresholds and between classes."""
    return (rng.integers(-10, 90, (len(keys), 12, 14)) / 100).astype(np.float32)


def test_the_curve_is_that_of_one_pass_per_threshold() -> None:
    rng, (_, truth) = np.random.default_rng(3), label_maps()
    thresholds = np.arange(0, 1, 0.07)
    curve, images = BestThreshold(4, thresholds), []
    for keys, mask in zip(([1, 3], [2], []), truth, strict=True):
        images.append((cams(rng, keys), keys, mask))
        curve.add(*images[-1])
    for k, threshold in enumerate(thresholds):
        slow = ConfusionMatrix(4)
        for maps, keys, mask in images:
            planes = np.concatenate([np.full((1, 12, 14), threshold, np.float32), maps])
            slow.add(np.array([0, *keys])[planes.argmax(0)], mask)
        assert np.array_equal(curve.matrices()[k], slow.matrix)
        assert np.array_equal(curve.at(threshold).matrix, slow.matrix)
        assert curve.miou([1, 2])[k] == pytest.approx(slow.miou([1, 2]))


def test_the_best_threshold_and_the_default_grid() -> None:
    curve = BestThreshold(2)
    maps = np.array([[[0.1, 0.29, 0.305, 0.7]]], np.float32)
    curve.add(maps, [1], np.array([[0, 0, 1, 1]]))
    threshold, matrix = curve.best()
    assert len(curve.thresholds) == 101
    assert matrix.miou() == 1 and threshold == 0.29  # 0.30 does as well: the lowest is taken
    points = curve.curve(("background", "cat"))
    assert max(points["miou"]) == matrix.miou() and len(points["thresholds"]) == 101
    with pytest.raises(ValueError, match=r"0.125 is none"):
        curve.at(0.125)


def test_background_wins_at_the_threshold_itself() -> None:
    curve = BestThreshold(2, [0.3])
    curve.add(np.array([[[0.3, 0.30000003]]], np.float32), [1], np.array([[1, 1]]))
    assert curve.at(0.3).matrix.tolist() == [[0, 0], [1, 1]]


def instances(label: np.ndarray, classes: list[int], score: list[float]) -> Instances:
    return Instances(np.array(score, np.float32), label.astype(np.uint16), np.array(classes, np.int64))


def scene() -> tuple[np.ndarray, np.ndarray]:
    """SegmentationObject and SegmentationClass with two cats, a dog and a void border."""
    objects, classes = np.zeros((10, 12), np.uint8), np.zeros((10, 12), np.uint8)
    for number, (box, class_id) in enumerate([((0, 4), 1), ((4, 8), 1), ((8, 12), 2)], start=1):
        objects[2:8, slice(*box)] = number
        classes[2:8, slice(*box)] = class_id
    objects[8], classes[8] = 255, 255
    return objects, classes


def test_perfect_masks_have_ap_1() -> None:
    objects, classes = scene()
    metric = InstanceAP(4)
    metric.add(instances(np.where(objects == 255, 0, objects), [1, 1, 2], [0.9, 0.2, 0.5]), objects, classes)
    assert metric.ap()[1:3].tolist() == [1, 1] and math.isnan(metric.ap()[3])
    assert metric.scores(NAMES) == {"map": 1.0, "ap": {"cat": 1.0, "dog": 1.0, "bird": None}}


def test_a_second_prediction_of_the_same_object_is_a_false_positive() -> None:
    metric = InstanceAP(2)
    overlap = np.array([[0.9], [0.95], [0.1]])
    metric.add_overlaps(overlap, np.array([1, 1, 1]), np.array([0.5, 0.9, 0.95]), np.array([1]))
    assert metric.ap()[1] == pytest.approx(1 / 2)  # the stray one first, then the hit, then its duplicate


def test_a_taken_best_match_is_not_replaced_by_the_second_best() -> None:
    metric = InstanceAP(2)
    overlap = np.array([[0.9, 0.0], [0.8, 0.6]])
    metric.add_overlaps(overlap, np.array([1, 1]), np.array([0.9, 0.8]), np.array([1, 1]))
    assert metric.ap()[1] == pytest.approx(1 / 2)


def test_equal_scores_keep_their_order() -> None:
    assert average_precision([0.5, 0.5], [True, False], 1) == 1
    assert average_precision([0.5, 0.5], [False, True], 1) == 0.5


def test_an_image_with_nothing_predicted_and_one_with_nothing_there() -> None:
    objects, classes = scene()
    metric, nothing = InstanceAP(4), np.zeros((10, 12), np.uint8)
    metric.add(instances(nothing, [], []), objects, classes)
    assert metric.ap()[1:3].tolist() == [0, 0]
    metric.add(instances(np.where(objects == 255, 0, objects), [1, 1, 2], [0.9, 0.2, 0.5]), nothing, nothing)
    assert metric.positives.tolist() == [0, 2, 1, 0]


def test_area_under_the_envelope_and_the_eleven_point_rule() -> None:
    scores, hits = [0.9, 0.8, 0.7, 0.6], [True, False, False, True]  # precision 1, 1/2, 1/3, 1/2; recall 1/2 .. 1
    assert average_precision(scores, hits, 2) == pytest.approx(0.5 * 1 + 0.5 * 0.5)
    assert average_precision(scores, hits, 2, eleven_point=True) == pytest.approx((6 * 1 + 5 * 0.5) / 11)
    assert average_precision([], [], 2) == 0 and math.isnan(average_precision([0.5], [False], 0))


def overlap_of_masks(predictions: np.ndarray, truths: np.ndarray) -> np.ndarray:
    """IoU float64 [P, G] of bool masks [P, h, w] and [G, h, w], which may overlap; 0 for an empty mask."""
    a, b = (masks.reshape(len(masks), -1).astype(np.float64) for masks in (predictions, truths))
    shared = a @ b.T
    return shared / np.maximum(a.sum(1)[:, None] + b.sum(1) - shared, 1)


def test_overlaps_of_maps_are_those_of_masks() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 4, (9, 11)), rng.integers(0, 3, (9, 11))
    masks = [np.stack([m == k for k in range(1, n + 1)]) for m, n in ((a, 4), (b, 2))]  # the fourth of a is empty
    np.testing.assert_allclose(overlap_of_maps(a, b, 4, 2), overlap_of_masks(*masks))
    inside = (masks[0][0] & masks[1][1]).sum() / (masks[0][0] | masks[1][1]).sum()
    assert overlap_of_maps(a, b, 4, 2)[0, 1] == pytest.approx(inside)


@pytest.mark.filterwarnings("ignore:No positive samples")
def test_tag_ap_is_that_of_torchmetrics_with_ties() -> None:
    rng = np.random.default_rng(0)
    scores, targets = (rng.integers(0, 8, (40, 5)) / 8).astype(np.float32), rng.integers(0, 2, (40, 5))
    targets[:, 4] = 0
    actual = multilabel_average_precision(scores, targets)
    expected = oracle.multilabel_average_precision(
        torch.from_numpy(scores), torch.from_numpy(targets), 5, average=None, thresholds=None
    )
    np.testing.assert_allclose(actual[:4], expected[:4], rtol=1e-5)
    assert math.isnan(actual[4])


def test_an_image_counts_only_if_all_its_tags_are_right():
    scores = np.array([[0.9, 0.2], [0.5, 0.1], [0.9, 0.6], [0.4, 0.1]])
    targets = np.array([[1, 0], [1, 0], [1, 0], [1, 0]])  # right; 0.5 is a tag; one too many; one too few
    assert exact_match_accuracy(scores, targets) == 0.5
    assert math.isnan(exact_match_accuracy(scores[:0], targets[:0]))
