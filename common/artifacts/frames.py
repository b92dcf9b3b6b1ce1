"""Where the cells of a map lie on the photo."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Strided:
    """One cell for every `stride` pixels of the photo, sides rounded up."""

    stride: int = 4

    def grid(self, size: tuple[int, int]) -> tuple[int, int]:
        """(rows, columns) of the maps of a photo of `size` (h, w)."""
        return math.ceil(size[0] / self.stride), math.ceil(size[1] / self.stride)

    def reach(self, size: tuple[int, int]) -> tuple[int, int]:
        """(h, w) that the grid covers, in pixels of the photo: what lies beyond `size` is cut off."""
        rows, columns = self.grid(size)
        return rows * self.stride, columns * self.stride


@dataclass(frozen=True)
class Squashed:
    """A grid of height x width cells over the whole photo, whatever its proportions."""

    height: int
    width: int

    def grid(self, size: tuple[int, int]) -> tuple[int, int]:
        """(rows, columns) of the maps of a photo of `size` (h, w)."""
        return self.height, self.width

    def reach(self, size: tuple[int, int]) -> tuple[int, int]:
        """(h, w) that the grid covers, in pixels of the photo."""
        return size


@dataclass(frozen=True)
class Canvas:
    """The photo at the top left of a square of `side` pixels, one cell for every `stride` of them, rounded up."""

    side: int
    stride: int = 8

    def grid(self, size: tuple[int, int]) -> tuple[int, int]:
        """(rows, columns) of the maps of a photo of `size` (h, w).

        Raises:
            ValueError: the photo is larger than the canvas.
        """
        if max(size) > self.side:
            raise ValueError(f"a photo of {size[0]} x {size[1]} pixels does not fit a canvas of {self.side}")
        return (math.ceil(self.side / self.stride),) * 2

    def reach(self, size: tuple[int, int]) -> tuple[int, int]:
        """(h, w) that the grid covers, in pixels of the photo: what lies beyond `size` is cut off."""
        return (self.grid(size)[0] * self.stride,) * 2


Frame = Strided | Squashed | Canvas
FRAMES: dict[str, type] = {frame.__name__: frame for frame in (Strided, Squashed, Canvas)}
