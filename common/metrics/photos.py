"""One confusion matrix per photo: what an evaluation counted, kept so that two results can be compared photo by photo.

A photo holds few of the classes, so only the cells that are not 0 are kept: `photos.npz` has the arrays `ids` (text),
and of every such cell `photo` (its place in `ids`), `truth`, `prediction` (class ids) and `count` (pixels).
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from common.base.errors import DataError
from common.base.files import atomic_path
from common.base.npz import write_npz
from common.metrics.confusion import ConfusionMatrix

PHOTOS = "photos.npz"
"""The file's name, beside the scores."""


class PhotoMatrices:
    """Confusion matrices by photo, int64 [C, C] each: rows ground truth, columns prediction."""

    def __init__(self, num_classes: int) -> None:
        self.num_classes = num_classes
        self._cells: dict[str, tuple[np.ndarray, np.ndarray]] = {}

    @property
    def ids(self) -> list[str]:
        """The photos, in the order in which they were added."""
        return list(self._cells)

    def add(self, image_id: str, matrix: np.ndarray) -> None:
        """Keep the matrix of one photo, int64 [C, C]."""
        cells = np.flatnonzero(matrix)
        self._cells[image_id] = cells, matrix.ravel()[cells]

    def matrix(self, image_id: str) -> ConfusionMatrix:
        """The matrix of one photo.

        Raises:
            KeyError: there is none.
        """
        cells, counts = self._cells[image_id]
        matrix = np.zeros(self.num_classes**2, np.int64)
        matrix[cells] = counts
        return ConfusionMatrix(self.num_classes, matrix=matrix.reshape(self.num_classes, -1))

    def stacked(self, ids: Sequence[str] | None = None) -> np.ndarray:
        """int64 [N, C, C]: the matrices of `ids`, of all photos without them."""
        found = [self.matrix(image_id).matrix for image_id in (self.ids if ids is None else ids)]
        return np.array(found, np.int64).reshape(-1, self.num_classes, self.num_classes)

    def total(self) -> ConfusionMatrix:
        """The sum over all photos."""
        return ConfusionMatrix(self.num_classes, matrix=self.stacked().sum(axis=0))

    def write(self, folder: Path) -> None:
        """Write `photos.npz`, atomically."""
        cells = [cells for cells, _ in self._cells.values()]
        place = np.concatenate([np.zeros(0, np.int64), *cells])
        counts = np.concatenate([np.zeros(0, np.int64), *(counts for _, counts in self._cells.values())])
        with atomic_path(folder / PHOTOS) as temporary, open(temporary, "wb") as stream:
            write_npz(
                stream,
                ids=np.array(self.ids, np.str_),
                photo=np.repeat(np.arange(len(cells), dtype=np.int32), [len(own) for own in cells]),
                truth=(place // self.num_classes).astype(np.uint8),
                prediction=(place % self.num_classes).astype(np.uint8),
                count=counts.astype(np.int32),
                num_classes=np.int32(self.num_classes),
            )

    @classmethod
    def read(cls, folder: Path) -> PhotoMatrices:
        """What `write` wrote.

        Raises:
            DataError: the file is missing or broken.
        """
        file = folder / PHOTOS
        try:
            with np.load(file, allow_pickle=False) as data:
                found = cls(int(data["num_classes"]))
                place = data["truth"].astype(np.int64) * found.num_classes + data["prediction"]
                ends = np.searchsorted(data["photo"], np.arange(1, len(data["ids"])))
                parts = zip(np.split(place, ends), np.split(data["count"].astype(np.int64), ends), strict=True)
                found._cells = dict(zip(data["ids"].tolist(), parts, strict=False))
        except FileNotFoundError as error:
            raise DataError(f"{file} does not exist: run the evaluation '{folder.name}' again with --force.") from error
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(f"{file} is broken ({error}): run the evaluation '{folder.name}' again.") from error
        return found
