"""The accumulated maps of an image as an artefact."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from common.artifacts import ScoreMap, ScoreMaps


class MinedMap(ScoreMap):
    """Maps in whole levels of 255 on a squashed grid, float32 [K, h, w] in [0, 1]."""

    def full(self) -> np.ndarray:
        """float32 [K, h, w] at the photo's size, as released: OpenCV's bilinear resize of bytes, then each over its
        range, (x - min) / (max - min + 1e-8).
        """
        import cv2

        planes = np.zeros((len(self.keys), *self.size), np.float32)
        for plane, levels in zip(planes, np.rint(255 * self.maps).astype(np.uint8), strict=True):
            plane[:] = cv2.resize(levels, self.size[::-1], interpolation=cv2.INTER_LINEAR)
            plane -= plane.min()
            plane /= plane.max() + 1e-8
        return planes


class MinedMaps(ScoreMaps):
    """`MinedMap`s: the files of `ScoreMaps`, which hold levels of 255 exactly."""

    heading = "mined maps"

    def decode(self, file: Path) -> MinedMap:
        value = super().decode(file)
        return MinedMap(value.keys, value.maps, value.size, value.frame)
