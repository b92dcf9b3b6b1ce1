"""Scores of some classes for every place of an image: what a walk, an average or another network makes of CAMs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from common.artifacts.base import Map, PerImageArtifact
from common.artifacts.frames import FRAMES, Frame, Squashed, Strided
from common.base.npz import write_npz
from common.data.dataset import DataSet
from common.ops.overlay import enlarged, paint_scores

LEVELS = 65535
"""Scores are stored as so many steps from 0 (or the lowest, if that is below) to the image's maximum."""


@dataclass(frozen=True)
class ScoreMap:
    """Scores of some classes of one image on a frame.

    keys: int64 [K], class ids; 0 is there where the maps carry a background of their own; maps: float32
    [K, *frame.grid(size)]; size: (h, w) of the photo.
    """

    keys: np.ndarray
    maps: np.ndarray
    size: tuple[int, int]
    frame: Frame = Strided()  # noqa: RUF009  (frozen)

    def full(self) -> np.ndarray:
        """float32 [K, h, w]: bilinear to the pixels that the frame covers (corners not aligned), cut to the photo."""
        import torch

        from common.ops.resize import resize_maps

        covered = resize_maps(torch.from_numpy(self.maps), self.frame.reach(self.size))
        return covered[:, : self.size[0], : self.size[1]].numpy()


class ScoreMaps(PerImageArtifact):
    """`ScoreMap`s as npz: 2^16 levels up to the image's maximum (float16 would make ties of close scores)."""

    suffix, heading = ".npz", "scores"

    def encode(self, value: ScoreMap, stream: Any) -> None:
        expected = (len(value.keys), *value.frame.grid(value.size))
        if value.maps.shape != expected:
            raise ValueError(f"score maps {value.maps.shape} do not fit the frame, which asks for {expected}")
        if not np.isfinite(value.maps).all():
            raise ValueError("scores must be finite")
        low, top = (np.float32(end(value.maps, initial=0)) for end in (np.min, np.max))
        span = np.float64(top) - low
        levels = np.rint((value.maps.astype(np.float64) - low) * (LEVELS / span if span > 0 else 0))
        frame = {"kind": type(value.frame).__name__, **vars(value.frame)}
        write_npz(
            stream,
            keys=np.asarray(value.keys, np.uint8),
            maps=levels.astype(np.uint16),
            ends=np.array([low, top], np.float32),
            size=np.asarray(value.size, np.int32),
            frame=np.frombuffer(json.dumps(frame).encode(), np.uint8),
        )

    def decode(self, file: Path) -> ScoreMap:
        with np.load(file, allow_pickle=False) as data:
            frame = json.loads(data["frame"].tobytes())
            kind = FRAMES[frame.pop("kind")]
            low, top = data["ends"]
            maps = data["maps"].astype(np.float32) * ((top - low) / np.float32(LEVELS)) + low
            height, width = map(int, data["size"])
            return ScoreMap(data["keys"].astype(np.int64), maps, (height, width), kind(**frame))

    def maps(self, image_id: str) -> dict[str, Map]:
        """The scores in the order of the image's classes: [h, w, K] at the photo's size, or on the squashed grid."""
        value = self.read(image_id)
        squashed = isinstance(value.frame, Squashed)
        maps = value.maps if squashed else value.full()
        return {"scores": Map(maps.transpose(1, 2, 0), resize="bilinear", squashed=squashed)}

    def picture(self, photo: np.ndarray, value: ScoreMap, data: DataSet) -> np.ndarray:
        """The strongest class of each pixel, as opaque as its share of the image's maximum."""
        own = value.keys > 0
        scores = enlarged(value.maps[own], value.frame.reach(value.size), value.size)
        return paint_scores(photo, scores / max(scores.max(initial=0), 1e-12), data.palette[value.keys[own]])
