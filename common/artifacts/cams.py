"""Class activation maps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from common.artifacts.base import PerImageArtifact
from common.artifacts.frames import Strided
from common.data.dataset import DataSet
from common.ops.overlay import enlarged, paint_scores


@dataclass(frozen=True)
class CAM:
    """Class activation maps of one image, normalised per class to [0, 1].

    keys: int64 [K], class ids (mask values, 1..) of the image's tags;
    maps: float32 [K, ceil(h / stride), ceil(w / stride)]; size: (h, w) of the image.
    """

    keys: np.ndarray
    maps: np.ndarray
    size: tuple[int, int]
    stride: int = 4

    def full(self) -> np.ndarray:
        """float32 [K, h, w]: bilinear up-sampling by the stride (corners not aligned), cropped to the image."""
        import torch

        from common.ops.resize import upsample

        return upsample(torch.from_numpy(self.maps), self.size, self.stride).numpy()


class CAMs(PerImageArtifact):
    """`CAM`s as npz: strided maps in float16, class ids, size; about 25 kB per class and 500 x 375 image."""

    suffix, heading = ".npz", "CAM"

    def encode(self, value: CAM, stream: Any) -> None:
        grid = Strided(value.stride).grid(value.size)
        if value.maps.shape != (len(value.keys), *grid):
            raise ValueError(f"CAM maps {value.maps.shape} do not fit {len(value.keys)} classes on the grid {grid}")
        np.savez(
            stream,
            keys=np.asarray(value.keys, np.uint8),
            maps=np.asarray(value.maps, np.float16),
            size=np.asarray([*value.size, value.stride], np.int32),
        )

    def decode(self, file: Path) -> CAM:
        with np.load(file, allow_pickle=False) as data:
            height, width, stride = map(int, data["size"])
            return CAM(data["keys"].astype(np.int64), data["maps"].astype(np.float32), (height, width), stride)

    def picture(self, photo: np.ndarray, value: CAM, data: DataSet) -> np.ndarray:
        shown = enlarged(value.maps, Strided(value.stride).reach(value.size), value.size)
        return paint_scores(photo, shown, data.palette[value.keys])
