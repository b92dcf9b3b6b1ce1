"""Maps of a photo that lies on a padded square: their cells cover the square, not the photo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from common.artifacts import ScoreMaps
from common.artifacts.frames import FRAMES


@dataclass(frozen=True)
class PaddedCanvas:
    """A photo, `scale` times as large, at the top left of a square of `side` pixels; one cell for every `stride`.

    The cells cover the square from border to border, whatever the rounding: 65 cells on 513 pixels are no 520.
    """

    side: int
    stride: int = 8
    scale: float = 1.0

    def grid(self, size: tuple[int, int]) -> tuple[int, int]:
        """(rows, columns) of the maps of a photo of `size` (h, w)."""
        return (-(-self.side // self.stride),) * 2

    def reach(self, size: tuple[int, int]) -> tuple[int, int]:
        """(h, w) that the grid covers, in pixels of the photo: what lies beyond `size` is cut off."""
        return (max(round(self.side / self.scale), *size),) * 2


FRAMES[PaddedCanvas.__name__] = PaddedCanvas


class CanvasScores(ScoreMaps):
    """Score maps on a `PaddedCanvas`; they may be negative."""

    def encode(self, value: Any, stream: Any) -> None:
        if not isinstance(value.frame, PaddedCanvas):
            raise ValueError(f"the scores lie on a {type(value.frame).__name__}, not on a PaddedCanvas")
        super().encode(value, stream)
