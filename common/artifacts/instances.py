"""Instances of one image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from common.artifacts.base import PerImageArtifact


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

    suffix = ".npz"

    def encode(self, value: Instances, stream: Any) -> None:
        np.savez_compressed(
            stream,
            score=np.asarray(value.score, np.float32),
            label=np.asarray(value.label, np.uint16),
            classes=np.asarray(value.classes, np.int64),
        )

    def decode(self, file: Path) -> Instances:
        with np.load(file, allow_pickle=False) as data:
            return Instances(data["score"], data["label"], data["classes"])
