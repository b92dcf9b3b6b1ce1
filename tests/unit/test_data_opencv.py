"""OpenCV's augmentation against its definition, and test-time scaling by both rules."""

from __future__ import annotations

import colorsys
import random
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from common.artifacts import Map
from common.inference.segmentation import multi_scale_logits
from common.ops.colour import shift_hsv
from common.ops.resize import scale_cubic, scale_nearest
from common.training.transforms import RandomHSVShift, RandomScaleCubic
from tests.parity.fill import image

MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


def test_hue_turns_and_saturation_and_value_are_clipped():
    def color(hue: float, saturation: float, value: float) -> list[int]:
        return [round(255 * part) for part in colorsys.hsv_to_rgb(hue / 180, saturation / 255, value / 255)]

    photo = np.array([[color(175, 200, 200), color(2, 250, 100), color(90, 4, 253)]], np.uint8)
    before = cv2.cvtColor(photo, cv2.COLOR_RGB2HSV).astype(int)
    after = cv2.cvtColor(shift_hsv(photo, (10, 9, 8)), cv2.COLOR_RGB2HSV).astype(int)
    expected = np.stack([(before[..., 0] + 10) % 180, before[..., 1] + 9, before[..., 2] + 8], -1)
    expected[..., 1:] = expected[..., 1:].clip(0, 255)
    difference = np.abs(after - expected)
    difference[..., 0] = np.minimum(difference[..., 0], 180 - difference[..., 0])
    difference[0, 2, 0] = 0  # the hue of a grey is rounding
    assert difference.max() <= 1
    assert np.abs(shift_hsv(photo, (0, 0, 0)).astype(int) - photo).max() <= 2


def test_draws_cover_both_ends():
    rng = random.Random(0)
    draws = np.array([RandomHSVShift(2, 1, 0).draw(rng) for _ in range(200)])
    assert [set(column) for column in draws.T] == [{-2, -1, 0, 1, 2}, {-1, 0, 1}, {0}]
    factors = [RandomScaleCubic(0.5, 1.5).draw(rng) for _ in range(200)]
    assert 0.5 <= min(factors) < 0.55 and 1.45 < max(factors) <= 1.5


@pytest.mark.parametrize(("scale", "size"), [(0.5, (16, 20)), (1.5, (50, 62)), (0.75, (25, 31))])
def test_image_and_maps_are_scaled_together(scale: float, size: tuple[int, int]):
    photo, rng = image(33, 41), np.random.default_rng(0)
    results = {
        "img": photo,
        "maps": {
            "gt_sem_seg": Map(rng.integers(0, 255, (33, 41), np.uint8), 255),
            "low": Map(rng.random((33, 41, 5), np.float32)),
        },
        "rng": SimpleNamespace(uniform=lambda low, high: scale),
    }
    labels, scores = (m.values for m in results["maps"].values())
    scaled = RandomScaleCubic()(results)
    assert scaled["img"].shape == (*size, 3) and scaled["img"].dtype == np.uint8
    rows, columns = (np.arange(new) * old // new for new, old in zip(size, (33, 41), strict=True))
    np.testing.assert_array_equal(scaled["maps"]["gt_sem_seg"].values, labels[rows[:, None], columns])
    np.testing.assert_array_equal(scaled["maps"]["low"].values, scores[rows[:, None], columns])
    np.testing.assert_array_equal(scale_nearest(labels, scale), scaled["maps"]["gt_sem_seg"].values)


class Colours(nn.Module):
    """A segmentation network whose logits are its input."""

    align_corners = True

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))
        mean, std = (torch.tensor(values).view(3, 1, 1) for values in (MEAN, STD))
        self.data_preprocessor = SimpleNamespace(mean=mean, std=std, channel_conversion=False)

    def forward(self, x: torch.Tensor, mode: str) -> torch.Tensor:
        return x


def test_cv2_scales_the_normalised_image():
    photo, scale = image(24, 31, 1), 1.5
    found = multi_scale_logits(Colours(), photo, (scale,), flip=False, resize="cv2")
    x = scale_cubic((photo - np.float32(MEAN)) / np.float32(STD), scale)
    expected = nn.functional.interpolate(
        torch.from_numpy(x).permute(2, 0, 1)[None], (24, 31), mode="bilinear", align_corners=True
    )[0]
    torch.testing.assert_close(found, expected)
    pil = multi_scale_logits(Colours(), photo, (scale,), flip=False)
    assert not torch.allclose(pil, found, atol=1e-3)  # uint8 in between
    torch.testing.assert_close(pil, found, atol=0.3, rtol=0)
