"""Transforms: the draws of the released codes, and what becomes of the image and its label map."""

from __future__ import annotations

import random

import numpy as np
import pytest

from common.artifacts import Map
from common.base.constants import CAFFE_MEAN, IMAGENET_MEAN
from common.ops.colour import adjust_color
from common.ops.crop import draw_crop_box
from common.ops.resize import rescale_image, scale_image_bilinear, scale_to_long
from common.training.transforms import (
    ColorJitter,
    MeanPadCrop,
    Pack,
    RandomCrop,
    RandomFlip,
    RandomRescale,
    RandomScaleChoice,
    ResizeLong,
    Squash,
)


def sample(height: int = 30, width: int = 50, label: bool = True, seed: int = 0) -> dict:
    rng = np.random.default_rng(seed)
    results = {
        "id": "a",
        "rng": random.Random(seed),
        "img": rng.integers(0, 256, (height, width, 3), dtype=np.uint8),
        "tags": np.array([1, 0], np.float32),
    }
    return results | {"maps": {"gt_sem_seg": Map(rng.integers(0, 3, (height, width), np.uint8), 255)} if label else {}}


def labels(results: dict) -> np.ndarray:
    return results["maps"]["gt_sem_seg"].values


@pytest.mark.parametrize(("size", "target", "expected"), [((37, 50), 25, (18, 25)), ((50, 37), 75, (75, 56))])
def test_the_longer_side_becomes_the_target_and_halves_round_to_even(size, target, expected):
    image = np.zeros((*size, 3), np.uint8)
    assert rescale_image(image, scale_to_long(image, target)).shape[:2] == expected


def test_resize_long_reaches_both_ends():
    assert {ResizeLong(3, 5).draw(random.Random(seed)) for seed in range(60)} == {3, 4, 5}


def test_image_and_label_keep_the_same_size_through_every_scaling():
    for transform in (ResizeLong(20, 40), RandomRescale(0.5, 1.5), RandomScaleChoice()):
        results = transform(sample(31, 47))
        assert labels(results).shape == results["img"].shape[:2]
        assert set(np.unique(labels(results))) <= {0, 1, 2}


def test_every_map_follows_the_image_whatever_its_name():
    ids = np.arange(30 * 50, dtype=np.int32).reshape(30, 50)
    smooth = np.linspace(0, 1, 50, dtype=np.float32)[None].repeat(30, 0)
    whole = np.arange(6)
    results = sample(label=False)
    results["maps"] = {
        "superpixels": Map(ids, -1),
        "scores": Map(np.stack([smooth, 1 - smooth], -1), resize="bilinear"),
        "graph": Map(whole, follow=False),
    }
    for transform in (RandomRescale(2, 2), RandomFlip(prob=1.1), RandomCrop(size=128, pad=(0, 0, 0)), Pack()):
        results = transform(results)
    packed = results["data_samples"]
    regions, scores = packed.superpixels.data, packed.scores.data
    assert regions.shape == (1, 128, 128) and scores.shape == (2, 128, 128)
    inside = regions[0] >= 0
    assert inside.sum() == 60 * 100 and (scores[:, ~inside] == 0).all()
    top, left = (int(axis.min()) for axis in inside.nonzero().T)
    assert regions[0, top : top + 60 : 2, left : left + 100 : 2].tolist() == ids[:, ::-1].tolist()
    assert np.allclose(scores.sum(0)[inside], 1) and len(scores[0][inside].unique()) > 80
    assert packed.graph.tolist() == whole.tolist()


def test_maps_of_an_image_without_classes_follow_it():
    results = sample(30, 50)
    results["maps"] = {"scores": Map(np.zeros((30, 50, 0), np.float32), resize="bilinear")}
    assert RandomFlip(1.0)(Squash(16, 24)(results))["maps"]["scores"].packed().shape == (0, 16, 24)


def test_squash_gives_every_photo_the_same_shape():
    results = Squash(16, 24)(sample(30, 50))
    assert results["img"].shape == (16, 24, 3) and results["img"].dtype == np.uint8
    assert labels(results).shape == (16, 24)
    same = sample(16, 24)
    assert np.array_equal(Squash(16, 24)(dict(same))["img"], same["img"])
    assert np.array_equal(labels(Squash(16, 24)(dict(same))), labels(same))


def test_scale_choice_truncates_and_does_not_round_the_colours():
    image = np.full((5, 7, 3), 10, np.uint8)
    image[:, ::2] = 13
    scaled = scale_image_bilinear(image, 0.75)
    assert scaled.shape == (3, 5, 3)
    assert scaled.dtype == np.float32
    assert (scaled != np.rint(scaled)).any()


def test_flip_mirrors_image_and_label_together():
    before = sample()
    flipped = RandomFlip(prob=1.0)(dict(before))
    assert np.array_equal(flipped["img"], before["img"][:, ::-1])
    assert np.array_equal(labels(flipped), labels(before)[:, ::-1])
    assert np.array_equal(RandomFlip(prob=0.0)(dict(before))["img"], before["img"])


def test_flip_with_a_half_takes_one_random_bit():
    rng, bits = random.Random(3), random.Random(3)
    assert [RandomFlip().draw(rng) for _ in range(20)] == [bool(bits.getrandbits(1)) for _ in range(20)]


def test_a_small_image_lands_anywhere_in_the_container_and_a_large_one_is_cut_anywhere():
    boxes = [draw_crop_box(random.Random(seed), (6, 10), 8) for seed in range(300)]
    assert {box.to_top for box in boxes} == {0, 1, 2}
    assert {box.image_left for box in boxes} == {0, 1, 2}
    assert {(box.to_left, box.to_right, box.image_top, box.image_bottom) for box in boxes} == {(0, 8, 0, 6)}


def test_the_horizontal_offset_is_drawn_first():
    rng = random.Random(5)
    left, top = rng.randrange(93), rng.randrange(53)
    box = draw_crop_box(random.Random(5), (60, 100), 8)
    assert (box.image_left, box.image_top) == (left, top)


def test_the_container_is_zero_after_normalisation_and_255_in_the_label():
    results = RandomCrop(size=64)(sample(20, 30))
    assert results["img"].shape == (64, 64, 3)
    empty = labels(results) == 255
    assert empty.sum() == 64 * 64 - 20 * 30
    assert np.abs(results["img"][empty] - np.float32(IMAGENET_MEAN)).max() == 0
    assert not (results["img"][~empty] - np.float32(IMAGENET_MEAN) == 0).all(1).any()


def test_an_integer_pad_colour_keeps_uint8():
    assert RandomCrop(size=64, pad=(0, 0, 0))(sample())["img"].dtype == np.uint8


def test_mean_pad_crop_pads_first_and_then_crops_within():
    starts = {MeanPadCrop(size=8, pad=CAFFE_MEAN).draw(random.Random(seed), (5, 10)) for seed in range(100)}
    assert starts == {(0, 0), (0, 1), (0, 2)}
    results = MeanPadCrop(size=40, pad=CAFFE_MEAN)(sample(30, 50))
    assert results["img"].shape == (40, 40, 3)
    assert np.array_equal(results["img"][35, 5], np.float32(CAFFE_MEAN))
    assert (labels(results)[30:] == 255).all()


def test_color_jitter_stays_within_its_ranges_and_changes_the_order():
    draws = [ColorJitter().draw(random.Random(seed)) for seed in range(200)]
    assert len({tuple(name for name, _ in draw) for draw in draws}) == 24
    factors = {name: [dict(draw)[name] for draw in draws] for name in ("brightness", "contrast", "saturation", "hue")}
    assert min(factors["brightness"]) >= 0.7 and max(factors["brightness"]) <= 1.3
    assert min(factors["hue"]) >= -0.1 and max(factors["hue"]) <= 0.1
    image = sample()["img"]
    assert np.array_equal(adjust_color(image, [("brightness", 1.0), ("saturation", 1.0)]), image)
    darker = adjust_color(image, [("brightness", 0.5)])
    assert np.abs(darker.astype(int) - image // 2).max() <= 1


def test_pack_gives_what_mmseg_models_take():
    packed = Pack()(sample())
    assert packed["inputs"].shape == (3, 30, 50)
    assert packed["data_samples"].tags.tolist() == [1, 0]
    assert packed["data_samples"].gt_sem_seg.data.shape == (1, 30, 50)
    assert packed["data_samples"].img_shape == (30, 50)
    assert "gt_sem_seg" not in Pack()(sample(label=False))["data_samples"]


def test_mmsegs_preprocessor_stacks_packed_samples():
    from mmseg.models import SegDataPreProcessor

    packed = [Pack()(RandomCrop(size=32)(sample(seed=seed))) for seed in range(2)]
    preprocessor = SegDataPreProcessor(mean=list(IMAGENET_MEAN), std=[1, 1, 1], size=(32, 32), seg_pad_val=255)
    batch = {key: [item[key] for item in packed] for key in ("inputs", "data_samples")}
    out = preprocessor(batch, training=True)
    assert out["inputs"].shape == (2, 3, 32, 32)
    pad = out["data_samples"][0].gt_sem_seg.data[0] == 255
    assert pad.any()
    assert (out["inputs"][0][:, pad] == 0).all()
