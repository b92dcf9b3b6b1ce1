"""An artefact kind of the method's own: the few colours of a photo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from common.artifacts import Map, PerImageArtifact
from common.data.dataset import DataSet


class Palettes(PerImageArtifact):
    """The K main colours of each photo, uint8 RGB [K, 3], as npz.

    They are of the whole photo: in training they do not follow a crop.
    """

    suffix, heading = ".npz", "palette"

    def encode(self, value: np.ndarray, stream: Any) -> None:
        if value.dtype != np.uint8 or value.ndim != 2 or value.shape[1] != 3:
            raise ValueError(f"a palette must be uint8 [K, 3], not {value.dtype} {value.shape}")
        np.savez(stream, colours=value)

    def decode(self, file: Path) -> np.ndarray:
        with np.load(file, allow_pickle=False) as data:
            return data["colours"]

    def maps(self, image_id: str) -> dict[str, Map]:
        """float32 [K, 3] in 0..1, handed on whole."""
        return {"colours": Map(self.read(image_id).astype(np.float32) / 255, follow=False)}

    def picture(self, photo: np.ndarray, value: np.ndarray, data: DataSet) -> np.ndarray:
        """The photo, its lowest fifth replaced by the colours side by side."""
        height, width = photo.shape[:2]
        shown = photo.copy()
        shown[height - height // 5 :] = value[np.arange(width) * len(value) // width]
        return shown
