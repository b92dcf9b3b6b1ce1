"""A stage's output: a folder that reads and writes its own files, atomically."""

from __future__ import annotations

import importlib
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from common.base.errors import DataError, UserError
from common.base.files import atomic_path, read_json, write_json
from common.metrics.photos import PHOTOS

if TYPE_CHECKING:
    from common.data.dataset import DataSet


FILES = "files.json"
"""Next to a finished output: name -> SHA-256 of every file of it."""


@dataclass(frozen=True)
class Map:
    """What goes with an image through the training transforms.

    values: [h, w] or [h, w, c] of the image's size, or of any shape where it is squashed or does not follow; pad: the
    value beyond the image's border; resize: "nearest", by the transform's rule for labels, or "bilinear"; follow:
    whether it is scaled, mirrored and cropped with the image, or handed on whole; squashed: the values lie on a grid of
    their own over the whole image. A pipeline that begins with `Squash` takes them as they are, any other at the
    image's size.
    """

    values: np.ndarray
    pad: float = 0
    resize: Literal["nearest", "bilinear"] = "nearest"
    follow: bool = True
    squashed: bool = False

    def packed(self) -> np.ndarray:
        """As a network receives it: whole numbers int64, others float32; [1, h, w] or [c, h, w] if it follows."""
        values = self.values
        if self.follow:
            values = values[None] if values.ndim == 2 else values.transpose(2, 0, 1)
        floating = np.issubdtype(values.dtype, np.floating)
        return np.ascontiguousarray(values, np.float32 if floating else np.int64)


class Artifact:
    """A stage's output: the folder `path`.

    A subclass is a kind of artefact, also one in the code of a method: stages name it in their annotations, and records
    and configs by `kind_name`.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    @property
    def name(self) -> str:
        """The name of the stage that made it."""
        return self.path.name

    def files(self) -> list[Path]:
        """The files that make up the artefact."""
        raise NotImplementedError

    def leaves(self, name: str) -> bool:
        """Whether the making of such an artefact leaves a file of that name in its folder."""
        return name in {file.name for file in self.files()}

    def maps(self, image_id: str) -> dict[str, Map]:
        """What a network in training receives of it with an image, by name.

        Raises:
            UserError: this kind gives none.
            DataError: the file is missing or broken.
        """
        raise UserError(
            f"'{self.name}' holds {type(self).__name__}, which give a training nothing: a kind that does has `maps`."
        )

    @classmethod
    def kind_name(cls) -> str:
        """The bare class name for the kinds of `common.artifacts`, module.Class for others."""
        own = cls.__module__.startswith("common.artifacts.")
        return cls.__qualname__ if own else f"{cls.__module__}.{cls.__qualname__}"

    @classmethod
    def kind(cls, name: str) -> type[Artifact]:
        """The subclass of that `kind_name`, at any depth; its module is imported where it lies in common or a method.

        The bare name of a kind that is imported already will do if no other bears it.

        Raises:
            UserError: there is none.
        """
        module = name.rpartition(".")[0]
        if module.split(".")[0] in ("common", "methods"):
            try:
                importlib.import_module(module)
            except ModuleNotFoundError as error:
                raise UserError(f"The kind '{name}' is unknown: there is no module {module} ({error}).") from error
        known = {kind.kind_name(): kind for kind in _subclasses(cls)}
        found = [kind for full, kind in known.items() if name in (full, kind.__name__)]
        if len(found) != 1:
            raise UserError(f"The kind '{name}' is unknown: there are {', '.join(sorted(known))}.")
        return found[0]


def _subclasses(kind: type) -> list[type]:
    return [found for child in kind.__subclasses__() for found in (child, *_subclasses(child))]


class PerImageArtifact(Artifact, ABC):
    """One file per image, named by the image id.

    suffix: of the files; heading: what the report writes over its pictures.
    """

    suffix: ClassVar[str]
    heading: ClassVar[str] = ""

    def file(self, image_id: str) -> Path:
        """Where the artefact of one image lies."""
        return self.path / f"{image_id}{self.suffix}"

    def files(self) -> list[Path]:
        return sorted(path for path in self.path.glob(f"*{self.suffix}") if not path.name.startswith("."))

    def leaves(self, name: str) -> bool:
        return name.endswith(self.suffix)

    def ids(self) -> list[str]:
        """The images that a finished stage made, as it recorded them, sorted; else those that have a file."""
        recorded = self.path / FILES
        if recorded.is_file():
            return sorted(name.removesuffix(self.suffix) for name in read_json(recorded))
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

    def picture(self, photo: np.ndarray, value: Any, data: DataSet) -> np.ndarray | None:
        """What the report shows of one image, uint8 RGB [h, w, 3]; None: nothing.

        photo: uint8 RGB [h, w, 3]; value: as `read` gives it; data: its classes and colours.
        """
        return None

    @abstractmethod
    def encode(self, value: Any, stream: Any) -> None:
        """Write `value` into the binary `stream`."""

    @abstractmethod
    def decode(self, file: Path) -> Any:
        """Read what `encode` wrote."""


def named_maps(inputs: Mapping[str, Artifact], image_id: str) -> dict[str, Map]:
    """The maps of one image of several artefacts: under the artefact's name, or NAME_MAP where it gives several."""
    found = {}
    for name, artifact in inputs.items():
        maps = artifact.maps(image_id)
        found |= {name if len(maps) == 1 else f"{name}_{key}": m for key, m in maps.items()}
    return found


class Supervision(PerImageArtifact):
    """A per-image artefact that a network can learn from: its `maps` are labels, or what a transform makes them of."""


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
        return [self.file, self.config]

    def leaves(self, name: str) -> bool:
        return name in (self.file.name, self.config.name, "checkpoint.pth", "trained.json", "log.jsonl")


class Scores(Artifact):
    """The numbers of an evaluation, `scores.json`; of one that compares pixels also `photos.npz`, counts per photo."""

    def files(self) -> list[Path]:
        return [self.path / "scores.json", *self.path.glob(PHOTOS)]

    def leaves(self, name: str) -> bool:
        return name in ("scores.json", PHOTOS)

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
