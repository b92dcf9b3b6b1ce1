"""The built-in benchmark `shapes`: the problems of the field in small pictures, made from a seed in seconds."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from common.base.errors import UserError
from common.data.description import DESCRIPTION, voc_palette, write_description
from common.data.ids import write_ids
from common.data.prepare.shapes_scene import CLASSES, Scene, draw_scene

__all__ = ["CLASSES", "make_shapes", "shapes_scene"]

VERSION = 1
"""Counts the changes of the drawing: pictures of another version are another data set."""
_SIDES = (1.0, 1.0, 0.875, 0.78, 0.757)  # shorter / longer side: 128, 128, 112, 100, 97 at size 128
_SPLITS = {"train": 0, "val": 1}


def make_shapes(out: Path, train: int = 240, val: int = 80, size: int = 128, seed: int = 0) -> None:
    """Write the data set `shapes` to the folder `out`, in VOC layout; the same arguments give the same bytes.

    Lists: `train` = `train_aug` (`train` images) and `val` (`val` images), ids `train_0000` ...; longer side `size`
    pixels. The folder appears when it is complete; one that holds the same data set already is kept.

    Raises:
        UserError: `out` holds something else, cannot be written, or an argument is out of range.
    """
    out = Path(out)
    if train < 1 or val < 1 or seed < 0:
        raise UserError(f"shapes needs train >= 1, val >= 1 and seed >= 0, not {train}, {val} and {seed}.")
    if not 64 <= size <= 1024:
        raise UserError(f"shapes draws images of 64 to 1024 pixels, not {size}: change --size.")
    recorded = f"# shapes, version {VERSION}: --train {train} --val {val} --size {size} --seed {seed}\n"
    if _kept(out, recorded):
        return
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".part", dir=out.parent))
    except OSError as error:
        raise UserError(f"Cannot write {out} ({error.strerror}): check the path and its permissions.") from error
    try:
        _build(building, {"train": train, "val": val}, size, seed, recorded)
        building.chmod(0o755)
        os.replace(building, out)
    except OSError as error:
        raise UserError(f"Cannot write {out} ({error.strerror}): free some disk space or check the path.") from error
    finally:
        shutil.rmtree(building, ignore_errors=True)


def shapes_scene(split: str, index: int, size: int = 128, seed: int = 0) -> Scene:
    """Picture number `index` of a split ("train" or "val") with everything known about it; see `Scene`."""
    rng = np.random.default_rng([seed, _SPLITS[split], index])
    first = 1 + index % (len(CLASSES) - 1)
    kinds = [first]
    if rng.random() < 0.4:
        kinds.append(1 + int(rng.integers(len(CLASSES) - 1)))
    count = int(rng.choice([1, 2, 3, 4], p=[0.4, 0.35, 0.15, 0.1]))
    classes = [kinds[number % len(kinds)] for number in range(max(count, len(kinds)))]
    short = round(size * _SIDES[rng.integers(len(_SIDES))])
    height, width = (short, size) if rng.random() < 0.75 else (size, short)
    return draw_scene(rng, classes, height, width)


def _kept(out: Path, recorded: str) -> bool:
    """Whether `out` holds the data set with these parameters already."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return False
    description = out / DESCRIPTION
    if not description.is_file():
        raise UserError(f"{out} exists and is no data set of this project: choose another folder with --out.")
    text = description.read_text(encoding="utf-8", errors="replace")
    if text.startswith(recorded):
        return True
    raise UserError(f"{out} holds another data set: choose another folder with --out, or delete this one first.")


def _build(root: Path, counts: dict[str, int], size: int, seed: int, recorded: str) -> None:
    folders = ("JPEGImages", "SegmentationClassAug", "SegmentationObject", "Saliency", "Annotations")
    for folder in (*folders, "ImageSets/Segmentation"):
        (root / folder).mkdir(parents=True)
    tags: dict[str, list[str]] = {}
    for split, count in counts.items():
        ids = [f"{split}_{index:04d}" for index in range(count)]
        for index, image_id in enumerate(ids):
            scene = shapes_scene(split, index, size, seed)
            tags[image_id] = [CLASSES[class_id] for class_id in sorted(set(scene.classes))]
            _write_scene(root, image_id, scene)
        for name in (split, "train_aug") if split == "train" else (split,):
            write_ids(root / "ImageSets/Segmentation" / f"{name}.txt", ids)
    (root / "tags.json").write_text(json.dumps(tags, indent=1) + "\n", encoding="utf-8")
    description = write_description(root, "shapes", CLASSES, "given")
    description.write_text(recorded + description.read_text(encoding="utf-8"), encoding="utf-8")


def _write_scene(root: Path, image_id: str, scene: Scene) -> None:
    Image.fromarray(scene.image).save(root / "JPEGImages" / f"{image_id}.jpg", quality=95)
    _save_palette(root / "SegmentationClassAug" / f"{image_id}.png", scene.mask)
    _save_palette(root / "SegmentationObject" / f"{image_id}.png", scene.instances)
    Image.fromarray(scene.saliency).save(root / "Saliency" / f"{image_id}.png")
    (root / "Annotations" / f"{image_id}.xml").write_text(_annotation(image_id, scene), encoding="utf-8")


def _save_palette(path: Path, numbers: np.ndarray) -> None:
    image = Image.fromarray(numbers, mode="P")
    image.putpalette(voc_palette().tobytes())
    image.save(path)


def _annotation(image_id: str, scene: Scene) -> str:
    """The VOC detection annotation; boxes are 1-based and inclusive there."""
    height, width = scene.mask.shape
    objects = "".join(
        f"\t<object>\n\t\t<name>{CLASSES[class_id]}</name>\n\t\t<difficult>0</difficult>\n\t\t<bndbox>"
        f"<xmin>{left + 1}</xmin><ymin>{top + 1}</ymin><xmax>{right + 1}</xmax><ymax>{bottom + 1}</ymax>"
        "</bndbox>\n\t</object>\n"
        for class_id, (left, top, right, bottom) in zip(scene.classes, scene.boxes, strict=True)
    )
    return (
        f"<annotation>\n\t<folder>shapes</folder>\n\t<filename>{image_id}.jpg</filename>\n"
        f"\t<size><width>{width}</width><height>{height}</height><depth>3</depth></size>\n"
        f"\t<segmented>1</segmented>\n{objects}</annotation>\n"
    )
