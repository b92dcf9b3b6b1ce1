"""Find every fault of a data set before a run trips over it."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from common.base.errors import DataError
from common.base.parallel import parallel_map
from common.data.dataset import DataSet, open_dataset


@dataclasses.dataclass(frozen=True, order=True)
class Fault:
    """A file (relative to the data set), what is wrong with it, and what to do."""

    file: str
    fault: str
    cure: str


@dataclasses.dataclass(frozen=True)
class Report:
    """What was looked at, and all faults, sorted by file."""

    root: Path
    images: int
    lists: dict[str, int]
    notes: tuple[str, ...]
    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        lists = ", ".join(f"{name} {count}" for name, count in self.lists.items())
        head = [f"{self.root}: {self.images} images; {lists}", *(f"note: {note}" for note in self.notes)]
        if not self.faults:
            return "\n".join([*head, "no faults"])
        return "\n".join([*head, "", *_table(self.faults), "", f"{len(self.faults)} faults"])


def check_dataset(root: str | Path, workers: int | None = None) -> Report:
    """Read every listed photo, mask, saliency map and tag of a data set, in `workers` processes (None: all cores).

    Raises:
        DataError: the folder or its `dataset.toml` is missing or broken.
    """
    data = open_dataset(root)
    lists, faults = _read_lists(data)
    photos = _stems(data.folder("images"))
    faults += _list_faults(data, lists, photos)
    notes: list[str] = []
    listed = sorted({image_id for ids in lists.values() for image_id in ids})
    with_mask = _expected(data, "masks", lists, notes)
    with_saliency = _expected(data, "saliency", {k: v for k, v in lists.items() if is_training(k)}, notes)
    faults += _tag_faults(data, lists, photos, notes)
    check = partial(_image_faults, data, with_mask, with_saliency)
    present = [image_id for image_id in listed if image_id in photos]
    for found in parallel_map(check, present, "check", workers):
        faults += found
    counts = {name: len(ids) for name, ids in lists.items()}
    return Report(data.root, len(listed), counts, tuple(notes), tuple(sorted(set(faults))))


def is_training(split: str) -> bool:
    """Whether a list is one to train on: all but test, val and trainval (and lists whose names begin with them)."""
    return not split.startswith(("val", "test", "trainval"))


def _read_lists(data: DataSet) -> tuple[dict[str, list[str]], list[Fault]]:
    lists, faults = {}, []
    for name in data.splits():
        try:
            lists[name] = data.ids(name)
        except DataError as error:
            faults.append(_fault(data, data.folder("splits") / f"{name}.txt", error))
    if not lists:
        faults.append(
            Fault(data.folders["splits"], "holds no readable list", "write train.txt and val.txt, an id per line")
        )
    return lists, faults


def _list_faults(data: DataSet, lists: dict[str, list[str]], photos: set[str]) -> list[Fault]:
    faults, val = [], set(lists.get("val", []))
    for name, ids in lists.items():
        file = f"{data.folders['splits']}/{name}.txt"
        for image_id, count in Counter(ids).items():
            if count > 1:
                faults.append(Fault(file, f"{image_id} is listed {count} times", "keep one line"))
            if image_id not in photos:
                faults.append(
                    Fault(file, f"{image_id} has no photo", f"add it to {data.folders['images']} or remove the line")
                )
            if is_training(name) and image_id in val:
                faults.append(Fault(file, f"{image_id} is also in val", "remove it here: a model must not see val"))
    if "train" in lists and "train_aug" in lists:
        file = f"{data.folders['splits']}/train_aug.txt"
        for image_id in sorted(set(lists["train"]) - set(lists["train_aug"])):
            faults.append(Fault(file, f"{image_id} of train is missing", "add the line: train_aug contains train"))
    return faults


def _expected(data: DataSet, kind: str, lists: dict[str, list[str]], notes: list[str]) -> set[str]:
    """Ids that must have a mask or saliency map: of a list, all have one or none has (nothing reads them then).

    Ids in train and val are left out of the other lists, which may have weak labels alone.
    """
    have = data.having(kind)
    core = set(lists.get("train", [])) | set(lists.get("val", []))
    expected: set[str] = set()
    for name, ids in lists.items():
        own = set(ids) if name in ("train", "val") else set(ids) - core
        if name.startswith("test") or not own or own <= expected:
            continue
        if own & have:
            expected |= own
        else:
            rest = "" if name in ("train", "val") else " (beyond train and val)"
            notes.append(f"{name}{rest} has no {kind}: fine where no stage reads them")
    return expected


def _tag_faults(data: DataSet, lists: dict[str, list[str]], photos: set[str], notes: list[str]) -> list[Fault]:
    if not (data.root / data.tags_file).exists():
        notes.append(f"there are no tags ({data.tags_file}): fine where all that is learned from are masks")
        return []
    try:
        tagged = set(data.tagged_ids())
    except DataError as error:
        return [_fault(data, data.root / data.tags_file, error)]
    faults, file = [], data.tags_file
    listed = {image_id for ids in lists.values() for image_id in ids}
    wanted: set[str] = set()
    for name, ids in lists.items():
        if tagged & set(ids):
            wanted |= set(ids) if is_training(name) or name == "val" else set()
        elif not name.startswith("test"):
            notes.append(f"{name} has no tags: fine where no stage reads them")
    empty = [image_id for image_id in sorted(tagged & listed) if not data.tags(image_id)]
    if empty:
        notes.append(f"{len(empty)} images have no class ({empty[0]}, ...): photos without an object")
    for image_id in sorted(wanted - tagged):
        cure = "add its class names ([] if it shows none), or take it off the lists"
        faults.append(Fault(file, f"{image_id} has no entry", cure))
    for image_id in sorted(tagged - photos - listed):
        faults.append(Fault(file, f"{image_id} is no image of this data set", "remove the entry, or add the photo"))
    return faults


def _image_faults(data: DataSet, with_mask: set[str], with_saliency: set[str], image_id: str) -> list[Fault]:
    photo = data.image_path(image_id)
    try:
        size = data.image(image_id).shape[:2]
    except DataError as error:
        faults, size = [_fault(data, photo, error)], None
    else:
        faults = []
    for kind, read, expected in (
        ("masks", data.mask, image_id in with_mask),
        ("instances", data.instances, False),
        ("saliency", data.saliency, image_id in with_saliency),
    ):
        path = data.folder(kind) / f"{image_id}.png"
        if not expected and not path.exists():
            continue
        try:
            shape = read(image_id).shape
        except DataError as error:
            faults.append(_fault(data, path, error))
            continue
        if size is not None and shape != size:
            fault = f"is {shape[1]} x {shape[0]} pixels, the photo {size[1]} x {size[0]}"
            faults.append(Fault(_relative(data, path), fault, "make it again in the photo's size"))
    return faults


def _fault(data: DataSet, path: Path, error: DataError) -> Fault:
    """A fault from an error's sentence, which reads "<file> <fault>: <cure>." or names no cure of its own."""
    sentence = str(error).removeprefix(str(path)).strip(" :.").replace(f"{data.root}/", "")
    fault, _, cure = sentence.rpartition(": ")
    return Fault(_relative(data, path), fault or cure, cure if fault else "correct the file")


def _relative(data: DataSet, path: Path) -> str:
    return str(path.relative_to(data.root))


def _stems(folder: Path) -> set[str]:
    return (
        {path.stem for path in folder.iterdir() if path.suffix in (".jpg", ".jpeg", ".png")}
        if folder.is_dir()
        else set()
    )


def _table(faults: Iterable[Fault]) -> list[str]:
    rows = [("file", "fault", "cure"), *(dataclasses.astuple(fault) for fault in faults)]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    return [f"{file:{widths[0]}}  {fault:{widths[1]}}  {cure}" for file, fault, cure in rows]
