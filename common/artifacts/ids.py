"""Numbers of regions: superpixels, object proposals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from common.artifacts.base import Map, PerImageArtifact
from common.base.npz import write_npz
from common.data.dataset import DataSet
from common.data.description import voc_palette
from common.data.regions import are_regions
from common.ops.overlay import blend

NOWHERE = -1
"""What a map of regions holds beyond the image."""


class IdMaps(PerImageArtifact):
    """Region numbers of every pixel, int32 [h, w], 0 and above, as compressed npz."""

    suffix, heading = ".npz", "regions"

    def encode(self, value: np.ndarray, stream: Any) -> None:
        if not are_regions(value):
            raise ValueError(f"region numbers must be whole numbers [h, w] from 0 on, not {value.dtype} {value.shape}")
        write_npz(stream, ids=value.astype(np.int32))

    def decode(self, file: Path) -> np.ndarray:
        with np.load(file, allow_pickle=False) as data:
            return data["ids"]

    def maps(self, image_id: str) -> dict[str, Map]:
        return {"ids": Map(self.read(image_id), NOWHERE)}

    def picture(self, photo: np.ndarray, value: np.ndarray, data: DataSet) -> np.ndarray:
        """Regions in different colours."""
        return blend(photo, voc_palette()[value % 254 + 1], np.full(value.shape, 0.6))
