"""A data set: a folder in VOC layout, described by its `dataset.toml`."""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import tomllib
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from common.errors import DataError, SupervisionError
from common.files import atomic_path, read_json

DESCRIPTION = "dataset.toml"
VOC_CLASSES = (
    "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
    "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip
TAG_RULES = ("xml", "xml-no-difficult", "mask", "given")
DEFAULT_FOLDERS = {
    "images": "JPEGImages",
    "masks": "SegmentationClassAug",
    "instances": "SegmentationObject",
    "saliency": "Saliency",
    "splits": "ImageSets/Segmentation",
}
_SUFFIXES = (".jpg", ".jpeg", ".png")
_KEYS = ("name", "classes", "ignore_index", "tag_rule", "tags", "palette", "folders")


def voc_palette() -> np.ndarray:
    """The VOC colour map, uint8 [256, 3]: bits 0, 1, 2 of the index go to bit 7 of R, G, B, the next to bit 6 ..."""
    index = np.arange(256)[:, None]
    channel = np.arange(3)[None, :]
    colour = np.zeros((256, 3), np.int64)
    for j in range(8):
        colour |= ((index >> (3 * j + channel)) & 1) << (7 - j)
    return colour.astype(np.uint8)


def ids_sha1(ids: Sequence[str]) -> str:
    """SHA-1 of the ids in their order, joined by newlines, with a final newline: stored beside every number."""
    return hashlib.sha1("".join(f"{image_id}\n" for image_id in ids).encode()).hexdigest()


def read_ids(path: Path) -> list[str]:
    """Image ids of a list file, one per line, blank lines skipped.

    Raises:
        DataError: the file is missing, empty, or a line is more than one id.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        known = ", ".join(sorted(p.stem for p in path.parent.glob("*.txt"))) or "none"
        raise DataError(
            f"{path} does not exist: write one image id per line to it, or use another list ({known})."
        ) from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text file: write one image id per line to it.") from error
    ids = [line.strip() for line in lines if line.strip()]
    for image_id in ids:
        if len(image_id.split()) != 1 or "/" in image_id or "\\" in image_id:
            raise DataError(
                f"{path}: '{image_id}' is no image id; write one file name without folder and suffix per line."
            )
    if not ids:
        raise DataError(f"{path} is empty: write one image id per line to it.")
    return ids


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
        """Image ids of a split, in the order of its file."""
        return read_ids(self.folder("splits") / f"{split}.txt")

    def fingerprint(self, split: str) -> str:
        """SHA-1 of the split's ids."""
        return ids_sha1(self.ids(split))

    def image_path(self, image_id: str) -> Path:
        """The photo's file (the `.jpg` path where there is none)."""
        paths = [self.folder("images") / f"{image_id}{suffix}" for suffix in _SUFFIXES]
        return next((path for path in paths if path.exists()), paths[0])

    def image(self, image_id: str) -> np.ndarray:
        """The photo, uint8 RGB [h, w, 3].

        Raises:
            DataError: the file is missing, truncated or no image.
        """
        return _read_image(self.image_path(image_id), "RGB")

    def size(self, image_id: str) -> tuple[int, int]:
        """(height, width) of the photo; only the header is read."""
        path = self.image_path(image_id)
        try:
            with Image.open(path) as image:
                return image.height, image.width
        except (OSError, SyntaxError, ValueError) as error:
            raise _image_error(path, error) from error

    def tags(self, image_id: str) -> tuple[int, ...]:
        """Image-level labels: sorted class ids (1..C-1)."""
        if image_id not in self._tags:
            raise DataError(
                f"{self.root / self.tags_file} has no tags for {image_id}: add them, or take it off the list."
            )
        return self._tags[image_id]

    def tag_vector(self, image_id: str) -> np.ndarray:
        """Image-level labels as 0/1, float32 [C - 1]; index = class id - 1."""
        vector = np.zeros(self.num_classes - 1, np.float32)
        vector[[tag - 1 for tag in self.tags(image_id)]] = 1
        return vector

    def saliency(self, image_id: str) -> np.ndarray:
        """Class-agnostic saliency, uint8 [h, w], 0..255."""
        return _read_image(self.folder("saliency") / f"{image_id}.png", "L")

    def mask(self, image_id: str) -> np.ndarray:
        """Class ids and `ignore_index`, uint8 [h, w].

        Raises:
            SupervisionError: the id lies outside the guard.
            DataError: the mask is missing, broken, not a palette PNG, or holds a value that is no class.
        """
        self._check_allowed(image_id)
        path = self.folder("masks") / f"{image_id}.png"
        mask = _read_indices(path)
        wrong = mask[(mask >= self.num_classes) & (mask != self.ignore_index)]
        if wrong.size:
            raise DataError(
                f"{path} holds the value {int(wrong[0])}, which is no class of {self.root / DESCRIPTION} (0 to "
                f"{self.num_classes - 1}, ignore {self.ignore_index}): correct the mask or the class list."
            )
        return mask

    def instances(self, image_id: str) -> np.ndarray:
        """Instance numbers (0 background, 1.., `ignore_index` void), uint8 [h, w]; pixel labels as `mask`."""
        self._check_allowed(image_id)
        return _read_indices(self.folder("instances") / f"{image_id}.png")

    def guarded(self, allowed_ids: Collection[str] | None) -> DataSet:
        """The same data with pixel labels of `allowed_ids` only (None: as before); a guard narrows, it never widens."""
        if allowed_ids is None:
            return self
        allowed = frozenset(allowed_ids)
        return dataclasses.replace(self, allowed=allowed if self.allowed is None else allowed & self.allowed)

    def _check_allowed(self, image_id: str) -> None:
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
        named = read_json(path)
        if not isinstance(named, dict) or not all(isinstance(names, list) for names in named.values()):
            raise DataError(f"{path} must map every image id to a list of class names.")
        index = {name: number for number, name in enumerate(self.classes) if number > 0}
        unknown = {(image_id, name) for image_id, names in named.items() for name in names if name not in index}
        if unknown:
            image_id, name = min(unknown)
            raise DataError(f"{path}: '{name}' of {image_id} is no class{_nearest(name, index)}.")
        return {image_id: tuple(sorted({index[name] for name in names})) for image_id, names in named.items()}


def open_dataset(root: str | Path) -> DataSet:
    """The data set in the folder `root`, as its `dataset.toml` describes it (docs/data.md lists the keys).

    Raises:
        DataError: the folder or its description is missing, or a key is unknown, missing or of the wrong kind.
    """
    root = Path(root)
    path = root / DESCRIPTION
    if not root.is_dir():
        raise DataError(f"The data set {root} does not exist: make it with `wsseg data`, or correct data.root.")
    try:
        description = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(
            f"{path} does not exist: write it as docs/data.md shows, or run `wsseg data prepare`."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is no valid TOML ({error}): correct it.") from error
    for key in description:
        if key not in _KEYS:
            raise DataError(f"{path}: unknown key '{key}'{_nearest(key, _KEYS)}.")
    folders = _typed(path, description, "folders", dict, {})
    for key, folder in folders.items():
        if key not in DEFAULT_FOLDERS:
            raise DataError(f"{path}: unknown key 'folders.{key}'{_nearest(key, DEFAULT_FOLDERS)}.")
        if not isinstance(folder, str):
            raise DataError(f"{path}: 'folders.{key}' must be a folder name in quotes.")
    return DataSet(
        root=root,
        name=_typed(path, description, "name", str),
        classes=_classes(path, description),
        palette=_palette(path, description),
        ignore_index=_ignore_index(path, description),
        tag_rule=_tag_rule(path, description),
        tags_file=_typed(path, description, "tags", str, "tags.json"),
        folders={**DEFAULT_FOLDERS, **folders},
    )


def write_description(
    root: str | Path,
    name: str,
    classes: Sequence[str],
    tag_rule: str,
    *,
    ignore_index: int = 255,
    tags: str = "tags.json",
    palette: Sequence[Sequence[int]] | None = None,
    folders: Mapping[str, str] | None = None,
) -> Path:
    """Write `root/dataset.toml`, atomically; `palette` holds one RGB triple per class (None: VOC's colours)."""
    quote = json.dumps  # a JSON string or list of them is valid TOML
    lines = [
        f"name = {quote(name)}",
        f"classes = {quote(list(classes))}",
        f"ignore_index = {ignore_index}",
        f"tag_rule = {quote(tag_rule)}",
        f"tags = {quote(tags)}",
    ]
    if palette is not None:
        lines.append(f"palette = {quote([[int(value) for value in colour] for colour in palette])}")
    lines += [
        "",
        "[folders]",
        *(f"{key} = {quote(value)}" for key, value in {**DEFAULT_FOLDERS, **(folders or {})}.items()),
    ]
    path = Path(root) / DESCRIPTION
    with atomic_path(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _read_image(path: Path, mode: str) -> np.ndarray:
    try:
        with Image.open(path) as image:
            return np.array(image.convert(mode))
    except (OSError, SyntaxError, ValueError) as error:
        raise _image_error(path, error) from error


def _read_indices(path: Path) -> np.ndarray:
    try:
        with Image.open(path) as image:
            if image.mode not in ("P", "L"):
                raise DataError(
                    f"{path} is a {image.mode} picture, not class numbers: save it as an 8-bit palette or grey PNG "
                    "whose pixel values are the numbers."
                )
            return np.array(image)
    except (OSError, SyntaxError, ValueError) as error:
        raise _image_error(path, error) from error


def _image_error(path: Path, error: Exception) -> DataError:
    if isinstance(error, FileNotFoundError):
        return DataError(f"{path} does not exist: add the file, or take {path.stem} off the list.")
    if isinstance(error, UnidentifiedImageError):
        return DataError(f"{path} is no image: replace it by an intact copy.")
    return DataError(f"{path} cannot be read ({error}): replace it by an intact copy.")


def _nearest(word: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean '{close[0]}'?" if close else f"; known are {', '.join(known)}"


def _typed(path: Path, description: dict, key: str, kind: type, default: Any = None) -> Any:
    value = description.get(key, default)
    if value is None:
        raise DataError(f"{path}: the key '{key}' is missing; docs/data.md shows an example.")
    if not isinstance(value, kind) or isinstance(value, bool):
        raise DataError(f"{path}: '{key}' must be a {kind.__name__}, not {value!r}.")
    return value


def _classes(path: Path, description: dict) -> tuple[str, ...]:
    classes = _typed(path, description, "classes", list)
    if len(classes) < 2 or classes[0] != "background" or not all(isinstance(name, str) for name in classes):
        raise DataError(f"{path}: 'classes' must be names in the order of the mask values, \"background\" first.")
    if len(set(classes)) != len(classes):
        raise DataError(f"{path}: 'classes' names a class twice.")
    return tuple(classes)


def _ignore_index(path: Path, description: dict) -> int:
    value = _typed(path, description, "ignore_index", int, 255)
    if not len(description["classes"]) <= value <= 255:
        raise DataError(f"{path}: 'ignore_index' must lie above the classes and not above 255, not {value}.")
    return value


def _tag_rule(path: Path, description: dict) -> str:
    rule = _typed(path, description, "tag_rule", str, "given")
    if rule not in TAG_RULES:
        raise DataError(f"{path}: 'tag_rule' must be one of {', '.join(TAG_RULES)}, not '{rule}'.")
    return rule


def _palette(path: Path, description: dict) -> np.ndarray:
    palette = voc_palette()
    colours = description.get("palette", [])
    try:
        given = np.array(colours, dtype=np.uint8).reshape(len(colours), 3)
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(f"{path}: 'palette' must be a list of [red, green, blue], 0 to 255, one per class.") from error
    if len(given) not in (0, len(description["classes"])):
        raise DataError(f"{path}: 'palette' has {len(given)} colours for {len(description['classes'])} classes.")
    palette[: len(given)] = given
    return palette
