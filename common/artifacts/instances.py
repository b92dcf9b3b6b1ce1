"""Instances of one image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from common.artifacts.base import PerImageArtifact
from common.base.npz import write_npz
from common.data.dataset import DataSet
from common.data.description import voc_palette
from common.ops.overlay import blend


@dataclass(frozen=True)
class Instances:
    """Disjoint instances of one image.

    score: float32 [n]; label: uint16 [h, w], index + 1 of the instance that owns the pixel, 0 for none;
    classes: int64 [n], class ids.
    """

    score: np.ndarray
    label: np.ndarray
    classes: np.ndarray


class InstanceMaps(PerImageArtifact):
    """`Instances` as npz."""

    suffix, heading = ".npz", "instances"

    def encode(self, value: Instances, stream: Any) -> None:
        write_npz(
            stream,
            score=np.asarray(value.score, np.float32),
            label=np.asarray(value.label, np.uint16),
            classes=np.asarray(value.classes, np.int64),
        )

    def decode(self, file: Path) -> Instances:
        with np.load(file, allow_pickle=False) as data:
            return Instances(data["score"], data["label"], data["classes"])

    def picture(self, photo: np.ndarray, value: Instances, data: DataSet) -> np.ndarray:
        """Instances in different colours, as opaque as their score is high (at least 0.3)."""
        score = np.concatenate([[0.0], 0.3 + 0.5 * np.clip(value.score, 0, 1)])
        colours = voc_palette()[np.where(value.label > 0, (value.label - 1) % 254 + 1, 0)]
        return blend(photo, colours, score[value.label])
