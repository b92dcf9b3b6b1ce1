"""A data set: a folder in VOC layout, described by its `dataset.toml`."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Collection, Mapping
from functools import cached_property
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from common.base.errors import DataError, SupervisionError, UserError, nearest
from common.base.files import atomic_path, read_json
from common.data.description import (
    DEFAULT_FOLDERS,
    DESCRIPTION,
    VOC_CLASSES,
    read_description,
    voc_palette,
    write_description,
)
from common.data.guard import allowed_ids
from common.data.ids import ids_sha1, read_ids
from common.data.reads import Reads, current_reads

__all__ = [
    "DESCRIPTION",
    "PHOTO_SUFFIXES",
    "VOC_CLASSES",
    "DataSet",
    "ids_sha1",
    "open_dataset",
    "open_for_judging",
    "voc_palette",
    "write_description",
    "write_mask",
]

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png")
_UNREADABLE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)


@dataclasses.dataclass(frozen=True)
class DataSet:
    """What `dataset.toml` says about a folder, and its images, tags and masks by image id. See `open_dataset`.

    Class id = mask value: 0 background, 1..C-1 the classes, `ignore_index` void.
    """

    root: Path
    name: str
    classes: tuple[str, ...]
    palette: np.ndarray = dataclasses.field(repr=False, compare=False)
    ignore_index: int = 255
    tag_rule: str = "given"
    tags_file: str = "tags.json"
    folders: Mapping[str, str] = dataclasses.field(default_factory=lambda: dict(DEFAULT_FOLDERS), repr=False)
    allowed: frozenset[str] | None = dataclasses.field(default=None, repr=False)
    reads: Reads | None = dataclasses.field(default=None, repr=False, compare=False)

    @property
    def num_classes(self) -> int:
        """Number of classes C, the background included."""
        return len(self.classes)

    def folder(self, kind: str) -> Path:
        """Folder of "images", "masks", "instances", "saliency" or "splits"."""
        return self.root / self.folders[kind]

    def splits(self) -> list[str]:
        """Names of the id lists."""
        return sorted(path.stem for path in self.folder("splits").glob("*.txt"))

    def ids(self, split: str) -> list[str]:
        """Image ids of a split, in the order of its file; "a+b": those of a, then those of b that are not in a."""
        lists = [read_ids(self.folder("splits") / f"{name.strip()}.txt") for name in split.split("+")]
        ids = lists[0] if len(lists) == 1 else list(dict.fromkeys(image_id for ids in lists for image_id in ids))
        if self.reads is not None:
            self.reads.note("splits", split, ids_sha1(ids))
        return ids

    def fingerprint(self, split: str) -> str:
        """SHA-1 of the split's ids."""
        return ids_sha1(self.ids(split))

    def having(self, kind: str) -> set[str]:
        """Ids that have a file in the folder of a kind ("masks", "instances", "saliency"); none is read."""
        folder = self.folder(kind)
        return {path.stem for path in folder.glob("*.png")} if folder.is_dir() else set()

    def image_path(self, image_id: str) -> Path:
        """The photo's file (the `.jpg` path where there is none)."""
        if self.reads is not None:  # whoever asks may read it
            self.reads.note("images", image_id, None)
        return self._image_path(image_id)

    def _image_path(self, image_id: str) -> Path:
        paths = [self.folder("images") / f"{image_id}{suffix}" for suffix in PHOTO_SUFFIXES]
        return next((path for path in paths if path.exists()), paths[0])

    def image(self, image_id: str) -> np.ndarray:
        """The photo, uint8 RGB [h, w, 3].

        Raises:
            DataError: the file is missing, truncated or no image.
        """
        return self._read("images", image_id, lambda file: _decode(file, "RGB"))

    def size(self, image_id: str) -> tuple[int, int]:
        """(height, width) of the photo; only the header is read."""
        path = self.image_path(image_id)  # whose content counts as read
        try:
            with Image.open(path) as image:
                return image.height, image.width
        except _UNREADABLE as error:
            raise _image_error(path, error) from error

    def tags(self, image_id: str) -> tuple[int, ...]:
        """Image-level labels: sorted class ids (1..C-1)."""
        if image_id not in self._tags:
            raise DataError(
                f"{self.root / self.tags_file} has no tags for {image_id}: add them, or take it off the list."
            )
        if self.reads is not None:
            self.reads.note("tags", image_id, self.named_tags(image_id))
        return self._tags[image_id]

    def named_tags(self, image_id: str) -> str | None:
        """The names of an image's tags in one line; None: it has no entry."""
        return ", ".join(self.classes[tag] for tag in self._tags[image_id]) if image_id in self._tags else None

    def tagged_ids(self) -> list[str]:
        """Ids with an entry in the tags file."""
        return list(self._tags)

    def tag_vector(self, image_id: str) -> np.ndarray:
        """Image-level labels as 0/1, float32 [C - 1]; index = class id - 1."""
        vector = np.zeros(self.num_classes - 1, np.float32)
        vector[[tag - 1 for tag in self.tags(image_id)]] = 1
        return vector

    def saliency(self, image_id: str) -> np.ndarray:
        """Class-agnostic saliency, uint8 [h, w], 0..255."""
        return self._read("saliency", image_id, lambda file: _decode(file, "L"))

    def mask(self, image_id: str) -> np.ndarray:
        """Class ids and `ignore_index`, uint8 [h, w].

        Raises:
            SupervisionError: the id lies outside the guard.
            DataError: the mask is missing, broken, not a palette PNG, or holds a value that is no class.
        """
        self.require_allowed(image_id)
        return self._class_ids(self._read("masks", image_id, _decode_indices), self.path("masks", image_id))

    def class_ids(self, path: Path) -> np.ndarray:
        """A label map that lies anywhere: class ids and `ignore_index`, uint8 [h, w].

        Raises:
            DataError: the file is missing, broken, not a palette PNG, or holds a value that is no class.
        """
        return self._class_ids(self._read("files", str(path.absolute()), _decode_indices), path)

    def _class_ids(self, labels: np.ndarray, path: Path) -> np.ndarray:
        wrong = labels[(labels >= self.num_classes) & (labels != self.ignore_index)]
        if wrong.size:
            raise DataError(
                f"{path} holds the value {int(wrong[0])}, which is no class of {self.root / DESCRIPTION} (0 to "
                f"{self.num_classes - 1}, ignore {self.ignore_index}): correct the mask or the class list."
            )
        return labels

    def instances(self, image_id: str) -> np.ndarray:
        """Instance numbers (0 background, 1.., `ignore_index` void), uint8 [h, w]; pixel labels as `mask`."""
        self.require_allowed(image_id)
        return self._read("instances", image_id, _decode_indices)

    def path(self, kind: str, name: str) -> Path:
        """The file that is read: of "images", "masks", "instances" or "saliency" by image id, of "files" by path."""
        if kind == "files":
            return Path(name)
        return self._image_path(name) if kind == "images" else self.folder(kind) / f"{name}.png"

    def note_file(self, path: Path) -> Path:
        """Another file is read, too; returns its path."""
        if self.reads is not None:
            self.reads.note("files", str(path.absolute()), None)
        return path

    def _read(self, kind: str, name: str, decode: Callable[[BytesIO], np.ndarray]) -> np.ndarray:
        """A picture, decoded from the bytes whose hash is noted.

        Raises:
            DataError: the file is missing or broken.
        """
        path = self.path(kind, name)
        try:
            content = path.read_bytes()
            if self.reads is not None:
                self.reads.note(kind, name, hashlib.sha256(content).hexdigest())
            return decode(BytesIO(content))
        except _UNREADABLE as error:
            raise _image_error(path, error) from error

    def guarded(self, allowed_ids: Collection[str] | None) -> DataSet:
        """The same data with pixel labels of `allowed_ids` only (None: as before); a guard narrows, it never widens."""
        if allowed_ids is None:
            return self
        allowed = frozenset(allowed_ids)
        return dataclasses.replace(self, allowed=allowed if self.allowed is None else allowed & self.allowed)

    def require_allowed(self, image_id: str) -> None:
        """Raise SupervisionError if the guard keeps the pixel labels of `image_id` away."""
        if self.allowed is not None and image_id not in self.allowed:
            raise SupervisionError(
                f"The pixel labels of {image_id} ({self.name}) are not part of this stage's supervision: "
                "declare the stage an evaluation or an oracle, or train on a list whose labels it may see."
            )

    @cached_property
    def _tags(self) -> dict[str, tuple[int, ...]]:
        path = self.root / self.tags_file
        if not path.exists():
            raise DataError(
                f"{path} does not exist: write it as JSON, image id -> list of class names, "
                f"or name the file under 'tags' in {self.root / DESCRIPTION}."
            )
        try:
            named = read_json(path)
        except UserError as error:
            raise DataError(str(error)) from error
        if not isinstance(named, dict) or not all(_are_names(names) for names in named.values()):
            raise DataError(f"{path} must map every image id to a list of class names.")
        index = {name: number for number, name in enumerate(self.classes) if number > 0}
        unknown = {(image_id, name) for image_id, names in named.items() for name in names if name not in index}
        if unknown:
            image_id, name = min(unknown)
            raise DataError(f"{path}: '{name}' of {image_id} is no class{nearest(name, index)}.")
        return {image_id: tuple(sorted({index[name] for name in names})) for image_id, names in named.items()}


def open_dataset(root: str | Path) -> DataSet:
    """The data set in the folder `root`, as its `dataset.toml` describes it (docs/data.md lists the keys).

    Inside a stage its pixel labels are guarded as the stage's own data are, and what is read of it is noted.

    Raises:
        DataError: the folder or its description is missing, or a key is unknown, missing or of the wrong kind.
    """
    root = Path(root)
    return DataSet(root=root, **read_description(root), reads=current_reads()).guarded(allowed_ids())


def open_for_judging(root: str | Path) -> DataSet:
    """`open_dataset` for numbers that nothing is learned or chosen by: all pixel labels are in reach."""
    return DataSet(root=Path(root), **read_description(Path(root)))


def write_mask(path: Path, mask: np.ndarray, palette: np.ndarray | None = None) -> None:
    """Write class or instance numbers (uint8 [h, w]) as a palette PNG, atomically; None: VOC's colours."""
    height, width = mask.shape
    image = Image.frombytes("P", (width, height), np.ascontiguousarray(mask, np.uint8).tobytes())
    image.putpalette((voc_palette() if palette is None else palette).tobytes())
    with atomic_path(path) as temporary:
        image.save(temporary, "PNG")


def _are_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _decode(file: BytesIO, mode: str) -> np.ndarray:
    with Image.open(file) as image:
        return np.array(image.convert(mode))


def _decode_indices(file: BytesIO) -> np.ndarray:
    with Image.open(file) as image:
        if image.mode not in ("P", "L"):
            raise _NoIndices(image.mode)
        return np.array(image)


class _NoIndices(ValueError):
    """A picture of another mode where class numbers are needed."""


def _image_error(path: Path, error: Exception) -> DataError:
    if isinstance(error, FileNotFoundError):
        return DataError(f"{path} does not exist: add the file, or take {path.stem} off the list.")
    if isinstance(error, _NoIndices):
        return DataError(
            f"{path} is a {error} picture, not class numbers: save it as an 8-bit palette or grey PNG "
            "whose pixel values are the numbers."
        )
    if isinstance(error, UnidentifiedImageError):
        return DataError(f"{path} is no image: replace it by an intact copy.")
    return DataError(f"{path} cannot be read ({error}): replace it by an intact copy.")
