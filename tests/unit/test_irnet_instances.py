"""Instances from displacements: fast forms against plain ones, and the cases an image can hold."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from methods.irnet.instances import centroids, cluster_centroids, compress, detect, instance_cams


def towards(centres: list[tuple[int, int]], height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """The field D = nearest centre - position, [2, h, w], and the number of the nearest centre."""
    grid = np.indices((height, width))
    distance = [np.hypot(*(grid - np.reshape(centre, (2, 1, 1)))) for centre in centres]
    nearest = np.argmin(distance, axis=0)
    return (np.array(centres)[nearest].transpose(2, 0, 1) - grid).astype(np.float32), nearest


def plain_centroids(field: np.ndarray, iterations: int) -> np.ndarray:
    """Cell by cell, without stopping early."""
    _, height, width = field.shape
    ends, field = np.zeros(field.shape, np.int64), field.astype(np.float64)
    for start in np.ndindex(height, width):
        y, x = map(np.float32, start)
        for _ in range(iterations):
            y0, x0, y1, x1 = int(np.floor(y)), int(np.floor(x)), int(np.ceil(y)), int(np.ceil(x))
            fy, fx = float(y) - y0, float(x) - x0
            top = field[:, y0, x0] * (1 - fx) + field[:, y0, x1] * fx
            bottom = field[:, y1, x0] * (1 - fx) + field[:, y1, x1] * fx
            dy, dx = top * (1 - fy) + bottom * fy
            y = np.float32(np.clip(np.float32(y + dy), 0, height - 1))
            x = np.float32(np.clip(np.float32(x + dx), 0, width - 1))
        ends[:, *start] = round(float(y)), round(float(x))
    return ends


def plain_detect(scores: np.ndarray, index: np.ndarray, classes: np.ndarray, min_area: float) -> list[tuple]:
    """Plane by plane, component by component, as masks."""
    found = []
    for plane, class_id in enumerate(classes):
        parts, count = ndimage.label(index == plane + 1)
        for part in range(1, count + 1):
            mask = parts == part
            score = 0.0 if mask.sum() < min_area else (scores[plane] * mask).max()
            found.append((float(score), int(class_id), mask))
    return found


@pytest.mark.parametrize("scale", [0.3, 1.0, 4.0])
def test_centroids_are_those_of_every_cell_alone(scale):
    field = (scale * np.random.default_rng(0).standard_normal((2, 7, 9))).astype(np.float32)
    for iterations in (1, 12):
        np.testing.assert_array_equal(centroids(field, iterations), plain_centroids(field, iterations))


def test_two_centres_make_two_clusters():
    field, nearest = towards([(5, 5), (12, 20)], 18, 27)
    points = centroids(0.5 * field)
    np.testing.assert_array_equal(cluster_centroids(points, field), nearest)


def test_stopping_at_the_fixed_point_changes_nothing():
    field, _ = towards([(5, 5), (12, 20)], 18, 27)
    np.testing.assert_array_equal(centroids(field, 300), plain_centroids(field, 5))


def test_cells_that_reach_no_weak_region_share_the_first_cluster():
    field = np.full((2, 6, 12), 5, np.float32)
    field[:, 2:4, 8:11] = 0
    field[:, :3, :3] = 0  # cells here stay where they are
    clusters = cluster_centroids(np.indices((6, 12)), field)
    assert clusters[5, 0] == 0 and clusters[0, 0] == 1 and clusters[2, 8] == 2 and clusters.max() == 2


def test_compress_keeps_order():
    np.testing.assert_array_equal(compress(np.array([[7, -2], [3, 7]])), [[2, 0], [1, 2]])


def test_instance_cams_leave_out_empty_planes():
    cam = np.zeros((2, 4, 6), np.float32)
    cam[0, :, :2], cam[1] = 1, 2
    clusters = np.repeat([[0, 0, 0, 1, 1, 1]], 4, axis=0)
    planes, owner = instance_cams(cam, clusters)
    np.testing.assert_array_equal(owner, [0, 1, 1])
    np.testing.assert_array_equal(planes[0], cam[0])
    np.testing.assert_array_equal(planes[1] + planes[2], cam[1])
    assert not (planes[1][:, 3:]).any() and not (planes[2][:, :3]).any()


@pytest.mark.parametrize("seed", range(4))
def test_detections_are_those_of_the_plain_form(seed):
    rng = np.random.default_rng(seed)
    scores = ndimage.gaussian_filter(rng.standard_normal((5, 40, 50)), (0, 2, 2)).astype(np.float32)
    scores[1] -= 5  # wins nowhere
    index = np.concatenate([np.zeros((1, 40, 50)), scores]).argmax(0)
    classes = np.array([3, 3, 7, 7, 9])
    found, plain = detect(scores, index, classes, 30), plain_detect(scores, index, classes, 30)
    assert len(found.score) == len(plain) > 10 and 0 in found.score and found.score.max() > 0
    for number, (score, class_id, mask) in enumerate(plain):
        assert found.score[number] == pytest.approx(score) and found.classes[number] == class_id
        np.testing.assert_array_equal(found.label == number + 1, mask)


def test_background_alone_has_no_detection():
    found = detect(np.zeros((2, 5, 6), np.float32), np.zeros((5, 6), np.int64), np.array([1, 2]), 1)
    assert len(found.score) == len(found.classes) == 0 and not found.label.any() and found.label.shape == (5, 6)
