"""The dense CRF's wrapper: unaries, numbers, one lattice for several unaries, the odd inputs."""

from __future__ import annotations

import numpy as np
import pydensecrf.utils as reference
import pytest

from common.ops.crf import ImageCRF, crf_label_maps, crf_labels, crf_posterior, label_unary, score_unary
from common.ops.crf_params import CRFParams

IRN = CRFParams(iterations=10, bilateral=(50, 5, 10), gaussian=(3, 3))
PSA = CRFParams(iterations=10, bilateral=(80, 13, 10), gaussian=(3, 3))
DEEPLAB = CRFParams(iterations=10, bilateral=(67, 3, 4), gaussian=(1, 3))


def scene() -> tuple[np.ndarray, np.ndarray]:
    """A bright square on dark ground, noisy, and a label map that misses parts of it."""
    rng = np.random.default_rng(0)
    square = np.zeros((24, 30), bool)
    square[6:18, 8:20] = True
    image = np.where(square[..., None], 210, 40) + rng.integers(-6, 7, (24, 30, 3))
    label = square.astype(np.uint8)
    label[10:14, 10:14] = 0
    return image.astype(np.uint8), label


def test_label_unary_is_that_of_the_library() -> None:
    label = np.random.default_rng(0).integers(0, 4, (6, 7))
    expected = reference.unary_from_labels(label, 4, gt_prob=0.7, zero_unsure=False)
    np.testing.assert_allclose(label_unary(label, 4).reshape(4, -1), expected, rtol=1e-6)


def test_score_unary_is_that_of_the_library() -> None:
    scores = np.random.default_rng(0).random((3, 5, 6)).astype(np.float32)
    scores[0, 0] = 0
    np.testing.assert_allclose(score_unary(scores).reshape(3, -1), reference.unary_from_softmax(scores), rtol=1e-5)


def test_labels_follow_the_image() -> None:
    image, label = scene()
    assert np.array_equal(crf_labels(image, label, IRN, 2), (image[..., 0] > 125).astype(np.uint8))


def test_several_maps_on_one_lattice_are_as_one_by_one() -> None:
    image, label = scene()
    maps = [label, 1 - label, np.zeros_like(label), np.roll(label, 3, axis=0)]
    for together, one in zip(crf_label_maps(image, maps, IRN, 2), maps, strict=True):
        assert np.array_equal(together, crf_labels(image, one, IRN, 2))


def test_without_a_number_the_labels_that_are_there_are_kept() -> None:
    image, label = scene()
    actual = crf_labels(image, np.where(label == 1, 255, 7).astype(np.uint8), IRN)
    assert np.array_equal(actual, np.where(crf_labels(image, label, IRN, 2) == 1, 255, 7))


def test_one_label_is_all_there_can_be() -> None:
    image, label = scene()
    assert not crf_labels(image, np.zeros_like(label), IRN, 1).any()
    assert (crf_labels(image, np.full_like(label, 5), IRN) == 5).all()


def test_a_constant_image_and_a_constant_map() -> None:
    flat = np.full((8, 9, 3), 128, np.uint8)
    assert (crf_labels(flat, np.ones((8, 9), np.uint8), IRN, 3) == 1).all()


def test_one_pixel() -> None:
    assert crf_labels(np.zeros((1, 1, 3), np.uint8), np.ones((1, 1), np.uint8), IRN, 2).tolist() == [[1]]


def test_a_label_outside_is_refused() -> None:
    image, label = scene()
    with pytest.raises(ValueError, match="label 1 is not below n_labels = 1"):
        crf_labels(image, label, IRN, 1)


def test_posterior_is_a_distribution_and_views_need_no_copy_by_the_caller() -> None:
    image, label = scene()
    scores = np.stack([1 - label, label]).astype(np.float32) * 0.6 + 0.2
    posterior = crf_posterior(image, scores, PSA)
    assert posterior.dtype == np.float32
    np.testing.assert_allclose(posterior.sum(0), 1, atol=1e-5)
    mirrored = crf_posterior(image[:, ::-1, ::-1], scores[..., ::-1], PSA)
    np.testing.assert_allclose(mirrored[..., ::-1], posterior, atol=2e-2)


def test_labels_that_never_matter_can_be_dropped() -> None:
    image, label = scene()
    scores = np.stack([1 - label, label, np.zeros_like(label)]).astype(np.float32) * 0.6 + 0.2
    scores[2] = 1e-4
    full, quick = crf_posterior(image, scores, DEEPLAB), crf_posterior(image, scores, DEEPLAB, drop_below=1e-3)
    assert not quick[2].any() and full[2].any()
    assert np.array_equal(full.argmax(0), quick.argmax(0))
    assert crf_posterior(image, scores * 1e-6, DEEPLAB, drop_below=0.5).sum(0).max() == pytest.approx(1)


def test_pairwise_terms_take_effect() -> None:
    """Without weights the posterior is the softmax of the unary."""
    image, label = scene()
    unary = label_unary(label, 2)
    off = CRFParams(10, (80, 13, 0), (3, 0))
    expected = np.exp(-unary) / np.exp(-unary).sum(0)
    np.testing.assert_allclose(ImageCRF(image, 2, off).posterior(unary), expected, atol=1e-5)
    for on in (CRFParams(10, (80, 13, 0), (3, 3)), CRFParams(10, (80, 13, 10), (3, 0))):
        assert np.abs(ImageCRF(image, 2, on).posterior(unary) - expected).max() > 0.05


def test_a_unary_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        ImageCRF(np.zeros((4, 5, 3), np.uint8), 2, IRN).posterior(np.zeros((2, 5, 4)))
