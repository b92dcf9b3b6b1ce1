"""voc12_animals: the photos of VOC 2012 that show a cat, cow, dog, horse or sheep, small enough for quick real runs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from common.base.errors import DataError, UserError, lacking
from common.base.files import atomic_path, write_json
from common.base.parallel import parallel_map
from common.data.dataset import VOC_CLASSES, DataSet, open_dataset, write_description, write_mask
from common.data.description import DESCRIPTION
from common.data.ids import read_ids, write_ids

LISTS = Path(__file__).parent / "lists"
SPLITS = ("train", "val", "train_aug", "train_quick")
LONGER_SIDE = 240
JPEG_QUALITY = 88


def animal_lists() -> dict[str, list[str]]:
    """The id lists: train 437 and val 445 (of VOC's), train_aug 3131 (holds train), train_quick 800 (of train_aug)."""
    return {split: read_ids(LISTS / f"voc12_animals_{split}.txt") for split in SPLITS}


def small_size(height: int, width: int) -> tuple[int, int]:
    """(height, width) with the longer side at 240 pixels."""
    scale = LONGER_SIDE / max(height, width)
    return round(height * scale), round(width * scale)


def prepare_animals(
    source: str | Path, out: str | Path, lists: Mapping[str, list[str]] | None = None, workers: int | None = None
) -> Path:
    """Make voc12_animals in `out` from a prepared voc12 in `source`; `lists` None: the whole set. Returns `out`.

    Photos are resampled (Lanczos) and stored at JPEG quality 88, masks and instances take the nearest pixel,
    saliency maps (where the source has them) are averaged. Tags keep the source's rule. A stopped call goes on.

    Raises:
        DataError: the source is not VOC 2012, or lacks a photo, mask or tag.
        UserError: `out` holds another data set.
    """
    data, out = open_dataset(source), Path(out)
    if data.classes != VOC_CLASSES or data.ignore_index != 255:
        raise DataError(f"{data.root} lacks the classes of VOC: give a folder made by `wsseg data prepare voc12`.")
    if (out / DESCRIPTION).exists() and open_dataset(out).name != "voc12_animals":
        raise UserError(f"{out} holds another data set: give another folder with --out.")
    lists = animal_lists() if lists is None else lists
    ids = sorted({image_id for split in lists.values() for image_id in split})
    _require(data, ids)
    for _ in parallel_map(partial(_shrink, data, out), ids, "voc12_animals", workers):
        pass
    names = {image_id: [VOC_CLASSES[tag] for tag in data.tags(image_id)] for image_id in ids}
    write_json(out / "tags.json", names)
    for split, members in lists.items():
        write_ids(out / "ImageSets/Segmentation" / f"{split}.txt", members)
    write_description(out, "voc12_animals", VOC_CLASSES, data.tag_rule)
    return out


def _require(data: DataSet, ids: list[str]) -> None:
    tagged = set(data.tagged_ids())
    for what, missing in (
        ("photos", [image_id for image_id in ids if not data.image_path(image_id).exists()]),
        ("masks", [image_id for image_id in ids if not (data.folder("masks") / f"{image_id}.png").exists()]),
        ("tags", [image_id for image_id in ids if image_id not in tagged]),
    ):
        if missing:
            cure = "give the whole set, as `wsseg data prepare voc12` makes it"
            raise DataError(lacking(data.root, what, missing, f"{len(ids)} images", cure))


def _shrink(data: DataSet, out: Path, image_id: str) -> None:
    height, width = small_size(*data.size(image_id))
    photo = out / "JPEGImages" / f"{image_id}.jpg"
    if not photo.exists():
        small = Image.fromarray(data.image(image_id)).resize((width, height), Image.Resampling.LANCZOS)
        with atomic_path(photo) as temporary:
            small.save(temporary, "JPEG", quality=JPEG_QUALITY)
    for kind, folder, read in (
        ("masks", "SegmentationClassAug", data.mask),
        ("instances", "SegmentationObject", data.instances),
    ):
        target = out / folder / f"{image_id}.png"
        if (data.folder(kind) / f"{image_id}.png").exists() and not target.exists():
            small = Image.fromarray(read(image_id)).resize((width, height), Image.Resampling.NEAREST)
            write_mask(target, np.asarray(small))
    target = out / "Saliency" / f"{image_id}.png"
    if (data.folder("saliency") / f"{image_id}.png").exists() and not target.exists():
        small = Image.fromarray(data.saliency(image_id)).resize((width, height), Image.Resampling.BILINEAR)
        with atomic_path(target) as temporary:
            small.save(temporary, "PNG")
