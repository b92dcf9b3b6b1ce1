"""VOC 2012 with the trainaug masks, built from the two official archives and nothing else."""

from __future__ import annotations

import dataclasses
import io
import re
import zlib
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from common.base.errors import DataError, UserError, lacking
from common.base.files import atomic_path, write_json
from common.base.progress import Progress
from common.data import protocols
from common.data.dataset import VOC_CLASSES, open_dataset, write_description, write_mask
from common.data.description import DESCRIPTION
from common.data.ids import ids_sha1, write_ids
from common.data.prepare.archives import Reader, members
from common.data.tags import mask_tags, xml_tags

Log = Callable[[str], None]
_ID = r"(?P<id>[A-Za-z0-9][\w-]*)"
_VOC = {
    "images": re.compile(rf"(?:^|/)JPEGImages/{_ID}\.jpg$"),
    "annotations": re.compile(rf"(?:^|/)Annotations/{_ID}\.xml$"),
    "masks": re.compile(rf"(?:^|/)SegmentationClass/{_ID}\.png$"),
    "instances": re.compile(rf"(?:^|/)SegmentationObject/{_ID}\.png$"),
    "lists": re.compile(r"(?:^|/)ImageSets/Segmentation/(?P<id>train|val|test)\.txt$"),
}
_SBD = {
    "masks": re.compile(rf"(?:^|/)cls/{_ID}\.mat$"),
    "lists": re.compile(r"(?:^|/)(?P<id>train|val)\.txt$"),
}


@dataclasses.dataclass(frozen=True)
class Counts:
    """How many images each list holds, and how SBD's lists overlap VOC's."""

    train: int
    val: int
    test: int
    sbd_train: int
    sbd_val: int
    sbd_train_in_train: int
    sbd_train_in_val: int
    sbd_train_new: int
    sbd_val_in_train: int
    sbd_val_in_val: int
    sbd_val_new: int
    train_aug: int


OFFICIAL = Counts(1464, 1449, 1456, 8498, 2857, 1133, 545, 6820, 1, 558, 2298, 10582)


@dataclasses.dataclass(frozen=True)
class _Content:
    """What an archive holds: ids by kind, and its id lists."""

    source: Path
    ids: dict[str, set[str]]
    lists: dict[str, list[str]]


def prepare_voc12(
    voc: Path,
    sbd: Path,
    out: Path,
    test: Path | None = None,
    tag_rule: str = "xml",
    counts: Counts = OFFICIAL,
    log: Log = print,
) -> Path:
    """Build the data set `out` from VOC 2012 trainval and SBD, each a tar archive or the folder it was unpacked to.

    Where both have a mask, VOC's own wins. `test` is VOC's test archive (test.txt and its photos; no masks exist).
    `dataset.toml` is written last; a stopped call goes on where it was. Returns `out`.

    Raises:
        UserError: the tag rule is unknown, or `out` holds another data set.
        DataError: an archive is missing, damaged or incomplete, or the counts are not `counts`.
    """
    voc, sbd, out = Path(voc), Path(sbd), Path(out)
    if tag_rule not in ("xml", "xml-no-difficult", "mask"):
        raise UserError(f"--tags {tag_rule}: choose xml, xml-no-difficult or mask.")
    if (out / DESCRIPTION).exists() and open_dataset(out).name != "voc12":
        raise UserError(f"{out} holds another data set: give another folder with --out.")
    log(f"reading {voc}")
    of_voc = _content(voc, _VOC)
    log(f"reading {sbd}")
    of_sbd = _content(sbd, _SBD)
    of_test = of_voc if test is None else _content(Path(test), _VOC)
    lists = _lists(of_voc, of_sbd, of_test)
    _check_counts(lists, of_sbd.lists, counts)
    _check_complete(lists, of_voc, of_sbd, of_test)

    _copy_voc(voc, out, lists)
    if test is not None:
        _copy(Path(test), out, {"images": set(lists["test"])}, "test photos")
    _convert_sbd(sbd, out, set(lists["train_aug"]) - set(lists["train"]))
    labelled = [*lists["train_aug"], *lists["val"]]
    write_json(out / "tags.json", _tags(voc, out, labelled, tag_rule))
    for name, ids in lists.items():
        write_ids(out / "ImageSets/Segmentation" / f"{name}.txt", ids)
    write_description(out, "voc12", VOC_CLASSES, tag_rule)
    log(
        f"{out}: " + ", ".join(f"{name} {len(ids)}" for name, ids in lists.items()) + f"; tags by the rule '{tag_rule}'"
    )
    if "test" not in lists:
        log("no test.txt: VOC's test ids and photos come in another archive; give it with --test to add them")
    return out


def _content(source: Path, patterns: dict[str, re.Pattern]) -> _Content:
    ids: dict[str, set[str]] = {kind: set() for kind in patterns}
    lists: dict[str, tuple[str, list[str]]] = {}
    for path, read in members(source):
        kind, name = _match(path, patterns)
        if kind == "lists":
            if name in lists:
                raise DataError(f"{source} has {lists[name][0]} and {path}: give the folder of one data set alone.")
            lists[name] = path, read().decode("utf-8", "replace").split()
        elif kind:
            ids[kind].add(name)
    return _Content(source, ids, {name: found for name, (_, found) in lists.items()})


def _match(path: str, patterns: dict[str, re.Pattern]) -> tuple[str, str]:
    for kind, pattern in patterns.items():
        if found := pattern.search(path):
            return kind, found["id"]
    return "", ""


def _lists(of_voc: _Content, of_sbd: _Content, of_test: _Content) -> dict[str, list[str]]:
    for content, what in ((of_voc, "ImageSets/Segmentation"), (of_sbd, "dataset")):
        for name in ("train", "val"):
            if name not in content.lists:
                raise DataError(
                    f"{content.source} has no {what}/{name}.txt: give the official archive, or fetch it again."
                )
    if of_test is not of_voc and "test" not in of_test.lists:
        raise DataError(f"{of_test.source} has no ImageSets/Segmentation/test.txt: give VOC 2012's test archive.")
    voc = of_voc.lists
    lists = {name: voc[name] for name in ("train", "val")}
    lists["train_aug"] = protocols.trainaug(voc["train"], voc["val"], of_sbd.lists["train"], of_sbd.lists["val"])
    return lists if "test" not in of_test.lists else lists | {"test": of_test.lists["test"]}


def _check_counts(lists: dict[str, list[str]], sbd: dict[str, list[str]], expected: Counts) -> None:
    train, val = set(lists["train"]), set(lists["val"])
    found = {name: len(ids) for name, ids in lists.items()}
    for name, ids in sbd.items():
        found[f"sbd_{name}"] = len(ids)
        found[f"sbd_{name}_in_train"] = len(train & set(ids))
        found[f"sbd_{name}_in_val"] = len(val & set(ids))
        found[f"sbd_{name}_new"] = len(set(ids) - train - val)
    rows = [(name, found[name], count) for name, count in dataclasses.asdict(expected).items() if name in found]
    if any(count != wanted for _, count, wanted in rows):
        table = "\n".join(
            f"  {name:20}{count:>8}{wanted:>10}{'' if count == wanted else '  <-'}" for name, count, wanted in rows
        )
        raise DataError(
            "The id lists are not those of VOC 2012 and SBD: give the official archives.\n"
            f"  {'list':20}{'found':>8}{'expected':>10}\n{table}"
        )
    if expected is OFFICIAL:
        for name, ids in lists.items():
            if ids_sha1(ids) != protocols.VOC12_SHA1[name]:
                raise DataError(
                    f"The list {name} has the right length but not the official ids: fetch the archives again."
                )


def _check_complete(lists: dict[str, list[str]], of_voc: _Content, of_sbd: _Content, of_test: _Content) -> None:
    own = {*lists["train"], *lists["val"]}
    needed = [
        (of_voc, kind, wanted)
        for kind, wanted in (
            ("images", own.union(lists["train_aug"])),
            ("annotations", own.union(lists["train_aug"])),
            ("masks", own),
            ("instances", own),
        )
    ]
    needed += [(of_sbd, "masks", set(lists["train_aug"]) - own), (of_test, "images", set(lists.get("test", [])))]
    for content, kind, wanted in needed:
        missing = sorted(wanted - content.ids[kind])
        if missing:
            things, cure = "photos" if kind == "images" else kind, "it is damaged or incomplete, fetch it again"
            raise DataError(lacking(content.source, things, missing, f"{len(wanted)} images", cure))


def _copy_voc(voc: Path, out: Path, lists: dict[str, list[str]]) -> None:
    own = {*lists["train"], *lists["val"]}
    images = own.union(lists["train_aug"], lists.get("test", []))
    _copy(voc, out, {"images": images, "masks": own, "instances": own}, "photos and masks of VOC")


def _copy(source: Path, out: Path, wanted: dict[str, set[str]], label: str) -> None:
    folders = {"images": "JPEGImages", "masks": "SegmentationClassAug", "instances": "SegmentationObject"}

    def copy(kind: str, image_id: str, read: Reader) -> None:
        suffix = ".jpg" if kind == "images" else ".png"
        _once(
            out / folders[kind] / f"{image_id}{suffix}",
            lambda path: path.write_bytes(_intact(source, image_id, read())),
        )

    _visit(source, _VOC, wanted, label, copy)


def _convert_sbd(source: Path, out: Path, wanted: set[str]) -> None:
    def convert(_: str, image_id: str, read: Reader) -> None:
        target = out / "SegmentationClassAug" / f"{image_id}.png"
        if target.exists():
            return
        mask = sbd_mask(read(), f"{source}: cls/{image_id}.mat")
        with Image.open(out / "JPEGImages" / f"{image_id}.jpg") as image:
            size = image.size
        if mask.shape != size[::-1]:
            raise DataError(
                f"{source}: the mask of {image_id} is {mask.shape}, its photo {size[::-1]}: fetch the archive again."
            )
        write_mask(target, mask)

    _visit(source, _SBD, {"masks": wanted}, "masks of SBD", convert)


def _visit(
    source: Path,
    patterns: dict[str, re.Pattern],
    wanted: dict[str, set[str]],
    label: str,
    action: Callable[[str, str, Reader], None],
) -> None:
    """Call `action(kind, id, read)` for the wanted members."""
    with Progress(sum(map(len, wanted.values())), label, unit="file") as progress:
        for path, read in members(source):
            kind, name = _match(path, patterns)
            if name in wanted.get(kind, ()):
                action(kind, name, read)
                progress.step()


def _once(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file that is not there yet; what is there is whole, for it came the same way."""
    if path.exists():
        return
    with atomic_path(path) as temporary:
        write(temporary)


def _intact(source: Path, image_id: str, data: bytes) -> bytes:
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
    except (OSError, SyntaxError, ValueError) as error:
        raise DataError(f"{source}: the picture of {image_id} is broken ({error}): fetch the archive again.") from error
    return data


def sbd_mask(mat: bytes, what: str = "mask") -> np.ndarray:
    """`GTcls.Segmentation` of an SBD .mat file: class ids 0..20, uint8 [h, w].

    Raises:
        DataError: no such file, or other values; `what` names it.
    """
    from scipy.io import loadmat

    try:
        mask = np.asarray(loadmat(io.BytesIO(mat), variable_names=["GTcls"])["GTcls"][0]["Segmentation"][0])
    except (ValueError, TypeError, KeyError, IndexError, OSError, NotImplementedError, zlib.error) as error:
        raise DataError(f"{what} is no SBD mask ({error}): fetch the archive again.") from error
    if mask.ndim != 2 or mask.size == 0 or mask.dtype != np.uint8 or mask.max() >= len(VOC_CLASSES):
        raise DataError(f"{what} holds other than class numbers 0 to 20: fetch the archive again.")
    return mask


def _tags(voc: Path, out: Path, ids: Iterable[str], rule: str) -> dict[str, list[str]]:
    tags: dict[str, list[str]] = {}
    if rule == "mask":
        for image_id in ids:
            with Image.open(out / "SegmentationClassAug" / f"{image_id}.png") as mask:
                tags[image_id] = mask_tags(np.asarray(mask), VOC_CLASSES)
    else:
        parse = partial(_parse, tags, voc, rule == "xml")
        _visit(voc, _VOC, {"annotations": set(ids)}, "annotations", parse)
    return dict(sorted(tags.items()))


def _parse(tags: dict[str, list[str]], voc: Path, difficult: bool, _: str, image_id: str, read: Reader) -> None:
    try:
        tags[image_id] = xml_tags(read(), VOC_CLASSES, difficult)
    except DataError as error:
        raise DataError(f"{voc}: Annotations/{image_id}.xml: {error}") from error
