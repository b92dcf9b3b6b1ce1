"""What stages hand on. Each kind is a folder that reads and writes its own files, atomically."""

from __future__ import annotations

import math
import zipfile
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image as PILImage

from common.data.confidence import confidence_codes, confidence_values
from common.data.voc import voc_palette
from common.errors import DataError, UserError
from common.files import atomic_path, read_json, sha256, write_json


@dataclass(frozen=True)
class CAM:
    """Class activation maps of one image, normalised per class to [0, 1].

    keys: int64 [K], class ids (mask values, 1..) of the image's tags;
    maps: float32 [K, ceil(h / stride), ceil(w / stride)]; size: (h, w) of the image.
    """

    keys: np.ndarray
    maps: np.ndarray
    size: tuple[int, int]
    stride: int = 4

    def full(self) -> np.ndarray:
        """float32 [K, h, w]: bilinear up-sampling by the stride (corners not aligned), cropped to the image."""
        import torch

        from common.cam import upsample

        return upsample(torch.from_numpy(self.maps), self.size, self.stride).numpy()


@dataclass(frozen=True)
class ScoreVolume:
    """Scores of one image under a strong and under a weak background (AffinityNet sec. 3.2.1).

    keys: int64 [K], class ids of the image's tags, ascending; low, high: float32 [K + 1, h, w] in [0, 1], channel 0 the
    background: with the low alpha the background is strong, with the high one weak.
    """

    keys: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class ConfidentLabel:
    """What a network says of every pixel of one image, and how sure it is.

    label: uint8 [h, w], class ids; confidence: float32 [h, w] in [0, 1], the probability of that class.
    """

    label: np.ndarray
    confidence: np.ndarray


@dataclass(frozen=True)
class Instances:
    """Disjoint instances of one image.

    score: float32 [n]; label: uint16 [h, w], index + 1 of the instance that owns the pixel, 0 for none;
    classes: int64 [n], class ids.
    """

    score: np.ndarray
    label: np.ndarray
    classes: np.ndarray


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
        import hashlib

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

    @abstractmethod
    def encode(self, value: Any, stream: Any) -> None:
        """Write `value` into the binary `stream`."""

    @abstractmethod
    def decode(self, file: Path) -> Any:
        """Read what `encode` wrote."""


class CAMs(PerImageArtifact):
    """`CAM`s as npz: strided maps in float16, class ids, size; about 25 kB per class and 500 x 375 image."""

    suffix = ".npz"

    def encode(self, value: CAM, stream: Any) -> None:
        height, width = value.size
        grid = (math.ceil(height / value.stride), math.ceil(width / value.stride))
        if value.maps.shape != (len(value.keys), *grid):
            raise ValueError(f"CAM maps {value.maps.shape} do not fit {len(value.keys)} classes on the grid {grid}")
        np.savez(
            stream,
            keys=np.asarray(value.keys, np.uint8),
            maps=np.asarray(value.maps, np.float16),
            size=np.asarray([height, width, value.stride], np.int32),
        )

    def decode(self, file: Path) -> CAM:
        with np.load(file, allow_pickle=False) as data:
            height, width, stride = map(int, data["size"])
            return CAM(data["keys"].astype(np.int64), data["maps"].astype(np.float32), (height, width), stride)


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


class Labels(Supervision):
    """Label maps, uint8 [h, w], as PNG with the VOC palette: class ids, 255 = ignore."""

    suffix = ".png"

    def encode(self, value: np.ndarray, stream: Any) -> None:
        image = PILImage.fromarray(np.ascontiguousarray(value, dtype=np.uint8), mode="P")
        image.putpalette(voc_palette().tobytes())
        image.save(stream, format="PNG")

    def decode(self, file: Path) -> np.ndarray:
        with PILImage.open(file) as image:
            if image.mode not in ("P", "L"):
                raise ValueError(f"a {image.mode} picture, not class ids in an 8-bit palette or grey PNG")
            return np.asarray(image, dtype=np.uint8)

    def targets(self, image_id: str) -> dict[str, np.ndarray]:
        return {"gt_seg_map": self.read(image_id)}


class ScoreVolumes(Supervision):
    """`ScoreVolume`s as npz in float16; about 1 MB for two classes and a 500 x 375 image."""

    suffix = ".npz"

    def encode(self, value: ScoreVolume, stream: Any) -> None:
        np.savez_compressed(
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

    def targets(self, image_id: str) -> dict[str, np.ndarray]:
        volume = self.read(image_id)
        return {"low_scores": volume.low.transpose(1, 2, 0), "high_scores": volume.high.transpose(1, 2, 0)}


class ConfidentLabels(Supervision):
    """`ConfidentLabel`s as compressed npz: 8 bits of label and 16 of confidence per pixel (see `confidence.LEVELS`)."""

    suffix = ".npz"

    def encode(self, value: ConfidentLabel, stream: Any) -> None:
        np.savez_compressed(
            stream, label=np.asarray(value.label, np.uint8), confidence=confidence_codes(value.confidence)
        )

    def decode(self, file: Path) -> ConfidentLabel:
        with np.load(file, allow_pickle=False) as data:
            return ConfidentLabel(data["label"], confidence_values(data["confidence"]))

    def targets(self, image_id: str) -> dict[str, np.ndarray]:
        value = self.read(image_id)
        return {"gt_seg_map": value.label, "confidence": value.confidence}


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
