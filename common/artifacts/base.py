"""A stage's output: a folder that reads and writes its own files, atomically."""

from __future__ import annotations

import hashlib
import zipfile
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from common.base.errors import DataError, UserError
from common.base.files import atomic_path, read_json, sha256, write_json


class Artifact:
    """A stage's output: the folder `path`."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    @property
    def name(self) -> str:
        """The name of the stage that made it."""
        return self.path.name

    def digest(self) -> str:
        """SHA-256 over the names and bytes of the files that make up the artefact."""
        total = hashlib.sha256()
        for file in self.files():
            total.update(f"{file.name} {sha256(file)}\n".encode())
        return total.hexdigest()

    def files(self) -> list[Path]:
        """The files that make up the artefact."""
        raise NotImplementedError


class PerImageArtifact(Artifact, ABC):
    """One file per image, named by the image id."""

    suffix: ClassVar[str]

    def file(self, image_id: str) -> Path:
        """Where the artefact of one image lies."""
        return self.path / f"{image_id}{self.suffix}"

    def files(self) -> list[Path]:
        return sorted(path for path in self.path.glob(f"*{self.suffix}") if not path.name.startswith("."))

    def ids(self) -> list[str]:
        """The images that have a file, sorted."""
        return [path.name.removesuffix(self.suffix) for path in self.files()]

    def has(self, image_id: str) -> bool:
        """Whether the image's file is there; a file that is there is whole."""
        return self.file(image_id).is_file()

    def write(self, image_id: str, value: Any) -> None:
        """Write one image's file, atomically."""
        with atomic_path(self.file(image_id)) as temporary, open(temporary, "wb") as stream:
            self.encode(value, stream)

    def read(self, image_id: str) -> Any:
        """Read one image's file.

        Raises:
            DataError: the file is missing or broken.
        """
        file = self.file(image_id)
        try:
            return self.decode(file)
        except FileNotFoundError as error:
            raise DataError(f"{file} does not exist: run the stage '{self.name}' for image {image_id}.") from error
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(f"{file} is broken ({error}): delete it and run the stage '{self.name}' again.") from error

    def classes(self, value: Any) -> np.ndarray | None:
        """The class ids that one image's value holds, where it is a label map; None: it is something else."""
        return None

    @abstractmethod
    def encode(self, value: Any, stream: Any) -> None:
        """Write `value` into the binary `stream`."""

    @abstractmethod
    def decode(self, file: Path) -> Any:
        """Read what `encode` wrote."""


class Supervision(PerImageArtifact):
    """A per-image artefact that a network can be trained on."""

    @abstractmethod
    def targets(self, image_id: str) -> dict[str, np.ndarray]:
        """What the training transforms receive: maps [h, w] or [h, w, c] of the image's size (`transforms.MAPS`).

        Raises:
            DataError: the file is missing or broken.
        """

    @classmethod
    def kind(cls, name: str) -> type[Supervision]:
        """The class of that name, as `label_kind` of a data set names it.

        Raises:
            UserError: there is none.
        """
        known = {kind.__name__: kind for kind in cls.__subclasses__()}
        if name not in known:
            raise UserError(f"label_kind '{name}' is unknown: there are {', '.join(sorted(known))}.")
        return known[name]


class Weights(Artifact):
    """A trained network: `weights.pth` (a plain state dict) and `config.py` (how to build it)."""

    @property
    def file(self) -> Path:
        """The state dict."""
        return self.path / "weights.pth"

    @property
    def config(self) -> Path:
        """The network's mmengine config."""
        return self.path / "config.py"

    def files(self) -> list[Path]:
        return [self.file]


class Scores(Artifact):
    """The numbers of an evaluation, `scores.json`."""

    def files(self) -> list[Path]:
        return [self.path / "scores.json"]

    def write(self, numbers: dict[str, Any]) -> None:
        """Write the numbers, atomically."""
        write_json(self.path / "scores.json", numbers)

    def read(self) -> dict[str, Any]:
        """The numbers as they were returned by the stage."""
        return read_json(self.path / "scores.json")

    def number(self, key: str) -> Any:
        """One entry of the numbers.

        Raises:
            UserError: the stage returned none of that name.
        """
        numbers = self.read()
        if key not in numbers:
            raise UserError(f"The stage '{self.name}' gives no '{key}', but {', '.join(numbers)}: name another stage.")
        return numbers[key]
