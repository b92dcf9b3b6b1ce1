"""AffinityNet's score volumes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from common.artifacts import Map, Supervision
from common.base.npz import write_npz


@dataclass(frozen=True)
class ScoreVolume:
    """Scores of one image under a strong and under a weak background (AffinityNet sec. 3.2.1).

    keys: int64 [K], class ids of the image's tags, ascending; low, high: float32 [K + 1, h, w] in [0, 1], channel 0 the
    background: with the low alpha the background is strong, with the high one weak.
    """

    keys: np.ndarray
    low: np.ndarray
    high: np.ndarray


class ScoreVolumes(Supervision):
    """`ScoreVolume`s as npz in float16; about 1 MB for two classes and a 500 x 375 image."""

    suffix = ".npz"

    def encode(self, value: ScoreVolume, stream: Any) -> None:
        write_npz(
            stream,
            keys=np.asarray(value.keys, np.uint8),
            low=np.asarray(value.low, np.float16),
            high=np.asarray(value.high, np.float16),
        )

    def decode(self, file: Path) -> ScoreVolume:
        with np.load(file, allow_pickle=False) as data:
            return ScoreVolume(
                data["keys"].astype(np.int64), data["low"].astype(np.float32), data["high"].astype(np.float32)
            )

    def maps(self, image_id: str) -> dict[str, Map]:
        volume = self.read(image_id)
        return {name: Map(getattr(volume, name).transpose(1, 2, 0)) for name in ("low", "high")}
