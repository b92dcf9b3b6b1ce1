"""`dataset.toml`: what a data set is called, its classes, colours and folders."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from common.base.errors import DataError, nearest
from common.base.files import atomic_path

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
KEYS = ("name", "classes", "ignore_index", "tag_rule", "tags", "palette", "folders")


def voc_palette() -> np.ndarray:
    """The VOC colour map, uint8 [256, 3]: bits 0, 1, 2 of the index go to bit 7 of R, G, B, the next to bit 6 ..."""
    index = np.arange(256)[:, None]
    channel = np.arange(3)[None, :]
    colour = np.zeros((256, 3), np.int64)
    for j in range(8):
        colour |= ((index >> (3 * j + channel)) & 1) << (7 - j)
    return colour.astype(np.uint8)


def read_description(root: Path) -> dict[str, Any]:
    """The checked content of `root/dataset.toml`, as the fields of `common.data.dataset.DataSet`.

    Raises:
        DataError: the folder or its description is missing, or a key is unknown, missing or of the wrong kind.
    """
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
        if key not in KEYS:
            raise DataError(f"{path}: unknown key '{key}'{nearest(key, KEYS)}.")
    folders = _typed(path, description, "folders", dict, {})
    for key, folder in folders.items():
        if key not in DEFAULT_FOLDERS:
            raise DataError(f"{path}: unknown key 'folders.{key}'{nearest(key, DEFAULT_FOLDERS)}.")
        if not isinstance(folder, str):
            raise DataError(f"{path}: 'folders.{key}' must be a folder name in quotes.")
    return {
        "name": _typed(path, description, "name", str),
        "classes": _classes(path, description),
        "palette": _palette(path, description),
        "ignore_index": _ignore_index(path, description),
        "tag_rule": _tag_rule(path, description),
        "tags_file": _typed(path, description, "tags", str, "tags.json"),
        "folders": {**DEFAULT_FOLDERS, **folders},
    }


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
