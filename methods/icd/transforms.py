"""The scaling of ICD's training images."""

from __future__ import annotations

import math

import cv2
from mmseg.registry import TRANSFORMS

from common.ops.resize import resize_values
from common.training.transforms import RandomScaleChoice, Results, follow


@TRANSFORMS.register_module()
class RandomScaleRounded(RandomScaleChoice):
    """Both sides times a factor from a list, floor(side x factor + 1/2).

    The image bilinear in whole levels, superpixels and labels nearest, both as cv2 does it.
    """

    def __call__(self, results: Results) -> Results:
        scale = self.draw(results["rng"])
        height, width = (max(1, math.floor(side * scale + 0.5)) for side in results["img"].shape[:2])
        if scale == 1:
            return results
        results["img"] = cv2.resize(results["img"], (width, height), interpolation=cv2.INTER_LINEAR)
        follow(
            results,
            lambda m: (
                cv2.resize(m.values, (width, height), interpolation=cv2.INTER_NEAREST)
                if m.resize == "nearest"
                else resize_values(m.values, (height, width))
            ),
        )
        return results
