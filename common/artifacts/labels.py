"""Label maps, with and without the confidence of the network that made them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as PILImage

from common.artifacts.base import Map, Supervision
from common.base.constants import IGNORE
from common.base.npz import write_npz
from common.data.dataset import DataSet
from common.data.description import voc_palette
from common.ops.confidence import confidence_codes, confidence_values
from common.ops.overlay import blend, paint_labels

LABEL_MAP = "gt_sem_seg"
"""The map that holds class ids, under mmseg's name: what a segmentation network learns."""


@dataclass(frozen=True)
class ConfidentLabel:
    """What a network says of every pixel of one image, and how sure it is.

    label: uint8 [h, w], class ids; confidence: float32 [h, w] in [0, 1], the probability of that class.
    """

    label: np.ndarray
    confidence: np.ndarray


class Labels(Supervision):
    """Label maps, uint8 [h, w], as PNG with the VOC palette: class ids, 255 = ignore."""

    suffix, heading = ".png", "labels"

    def encode(self, value: np.ndarray, stream: Any) -> None:
        image = PILImage.fromarray(np.ascontiguousarray(value, dtype=np.uint8), mode="P")
        image.putpalette(voc_palette().tobytes())
        image.save(stream, format="PNG")

    def decode(self, file: Path) -> np.ndarray:
        with PILImage.open(file) as image:
            if image.mode not in ("P", "L"):
                raise ValueError(f"a {image.mode} picture, not class ids in an 8-bit palette or grey PNG")
            return np.asarray(image, dtype=np.uint8)

    def maps(self, image_id: str) -> dict[str, Map]:
        return {LABEL_MAP: Map(self.read(image_id), IGNORE)}

    def picture(self, photo: np.ndarray, value: np.ndarray, data: DataSet) -> np.ndarray:
        return paint_labels(photo, value, data.palette, IGNORE)

    def classes(self, value: np.ndarray) -> np.ndarray:
        return np.unique(value)


class ConfidentLabels(Supervision):
    """`ConfidentLabel`s as compressed npz: 8 bits of label and 16 of confidence per pixel (see `confidence.LEVELS`)."""

    suffix, heading = ".npz", "confidence"

    def encode(self, value: ConfidentLabel, stream: Any) -> None:
        write_npz(stream, label=np.asarray(value.label, np.uint8), confidence=confidence_codes(value.confidence))

    def decode(self, file: Path) -> ConfidentLabel:
        with np.load(file, allow_pickle=False) as data:
            return ConfidentLabel(data["label"], confidence_values(data["confidence"]))

    def maps(self, image_id: str) -> dict[str, Map]:
        value = self.read(image_id)
        return {LABEL_MAP: Map(value.label, IGNORE), "confidence": Map(value.confidence, IGNORE)}

    def picture(self, photo: np.ndarray, value: ConfidentLabel, data: DataSet) -> np.ndarray:
        """Classes in their colours, as opaque as they are sure, the background black where it is sure."""
        return blend(photo, data.palette[value.label], 0.85 * value.confidence**2)

    def classes(self, value: ConfidentLabel) -> np.ndarray:
        return np.unique(value.label)
