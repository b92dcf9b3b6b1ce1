"""One level for every pixel, of no class: saliency."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from common.artifacts.base import Map, PerImageArtifact
from common.data.dataset import DataSet
from common.ops.overlay import blend


class GreyMaps(PerImageArtifact):
    """uint8 [h, w], 0..255, as grey PNG; in training float32 in 0..1, 0 beyond the image."""

    suffix, heading = ".png", "grey"

    def encode(self, value: np.ndarray, stream: Any) -> None:
        if value.dtype != np.uint8 or value.ndim != 2:
            raise ValueError(f"a grey map must be uint8 [h, w], not {value.dtype} {value.shape}")
        Image.fromarray(np.ascontiguousarray(value)).save(stream, format="PNG")

    def decode(self, file: Path) -> np.ndarray:
        with Image.open(file) as image:
            if image.mode != "L":
                raise ValueError(f"a {image.mode} picture, not an 8-bit grey PNG")
            return np.asarray(image, dtype=np.uint8)

    def maps(self, image_id: str) -> dict[str, Map]:
        return {"levels": Map(self.read(image_id).astype(np.float32) / 255, resize="bilinear")}

    def picture(self, photo: np.ndarray, value: np.ndarray, data: DataSet) -> np.ndarray:
        """Yellow, as opaque as the level is high."""
        return blend(photo, np.full_like(photo, (255, 220, 0)), 0.8 * value / 255)
