"""A smaller copy of a data set: photos with their masks, instances and saliency."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePath

import numpy as np
from PIL import Image, UnidentifiedImageError

from common.base.errors import DataError, UserError
from common.base.files import atomic_path, read_json, remove_parts, write_json
from common.base.parallel import parallel_map
from common.data.dataset import PHOTO_SUFFIXES, DataSet, open_dataset, write_mask
from common.data.description import DESCRIPTION

__all__ = ["MARKER", "Scaled", "scale_dataset", "smaller_size"]

MARKER = "scaled.json"
"""In the copy: what it is a copy of."""
SMALLEST = 32
JPEG_QUALITY = 95
ORIENTATION = 0x0112  # the EXIF tag
_UNREADABLE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)
_EIGHT_BIT = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "LAB")

Size = tuple[int, int]


@dataclasses.dataclass(frozen=True)
class Scaled:
    """What a copy holds: its photos, and how many of them are smaller than in the source."""

    photos: int
    shrunk: int


def smaller_size(size: Size, longer_side: int) -> Size:
    """(height, width) with the longer side at `longer_side` pixels; the size itself where it is no longer than that."""
    scale = longer_side / max(size)
    if scale >= 1:
        return size
    height, width = (max(1, round(side * scale)) for side in size)
    return height, width


def scale_dataset(source: str | Path, out: str | Path, longer_side: int, workers: int | None = None) -> Scaled:
    """Write a copy of the data set `source` to `out` with photos of at most `longer_side` pixels.

    Photos are resampled (Lanczos), masks and instances take the nearest pixel and become 8-bit palette PNGs, saliency
    is averaged (bilinear). A photo that is small enough is copied as it is, and so are its maps, lists, tags and
    `dataset.toml`, which comes last: without it the copy is not finished. The orientation that a camera notes in a
    photo is kept, and its colour profile; its other notes (place, time) are not. A stopped call goes on: a file that
    bears the time of its source stays.

    Args:
        longer_side: at least 32.
        workers: processes; None: all cores.

    Raises:
        DataError: a file of the source is broken, or a map and its photo differ in size.
        UserError: `out` holds something else, `longer_side` is too small, or the description names outer folders.
    """
    data, out = open_dataset(source), Path(out)
    if longer_side < SMALLEST:
        raise UserError(f"--longer-side {longer_side} is too small: give at least {SMALLEST} pixels.")
    _require_own_folders(data)
    ids = _photo_ids(data)
    _begin(out, {"source": str(data.root.resolve()), "longer_side": longer_side})
    job = partial(_scale, data, out, longer_side)
    shrunk = sum(parallel_map(job, ids, f"scale to {longer_side} px", workers))
    for path in sorted(data.folder("splits").glob("*.txt")):
        _make(path, out / data.folders["splits"] / path.name)
    if (data.root / data.tags_file).is_file():
        _make(data.root / data.tags_file, out / data.tags_file)
    _make(data.root / DESCRIPTION, out / DESCRIPTION)
    return Scaled(len(ids), shrunk)


# --- the two folders ----------------------------------------------------------------------------------------------


def _require_own_folders(data: DataSet) -> None:
    """The copy has the same description, so what it names must lie inside the data set."""
    named = {**{f"folders.{kind}": folder for kind, folder in data.folders.items()}, "tags": data.tags_file}
    for key, name in named.items():
        path = PurePath(name)
        if path.is_absolute() or ".." in path.parts:
            raise UserError(
                f"{data.root / DESCRIPTION}: '{key}' is {name}, outside of the data set: move it, or a link to it, "
                f"into {data.root}, so that the copy can have its own."
            )


def _photo_ids(data: DataSet) -> list[str]:
    """The ids of all photos, listed or not.

    Raises:
        DataError: there is none.
    """
    folder = data.folder("images")
    found = folder.iterdir() if folder.is_dir() else ()
    ids = sorted({path.stem for path in found if path.suffix in PHOTO_SUFFIXES and not path.name.startswith(".")})
    if not ids:
        raise DataError(f"{folder} holds no photo: add <id>.jpg files, or name their folder in {DESCRIPTION}.")
    return ids


def _begin(out: Path, what: dict[str, object]) -> None:
    """Make `out`, or go on with a copy of the same.

    Raises:
        UserError: it holds anything else, or cannot be written to.
    """
    try:
        if out.is_dir() and any(out.iterdir()):
            _require_same(out, what)
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"Cannot write {out} ({error.strerror}): check the path and its permissions.") from error
    write_json(out / MARKER, what)
    for folder in out.rglob("*"):
        if folder.is_dir():
            remove_parts(folder)


def _require_same(out: Path, what: dict[str, object]) -> None:
    if not (out / MARKER).is_file():
        raise UserError(f"{out} is not empty and no copy made by `wsseg data scale`: choose another folder with --out.")
    before = read_json(out / MARKER)
    if before != what:
        said = f"{before.get('source')} at {before.get('longer_side')} px" if isinstance(before, dict) else "other data"
        raise UserError(f"{out} holds a copy of {said}: choose another folder with --out, or delete this one first.")


# --- one photo ----------------------------------------------------------------------------------------------------


def _scale(data: DataSet, out: Path, longer_side: int, image_id: str) -> bool:
    """Bring a photo and its maps to `out`; returns whether they are smaller there."""
    photo = data.path("images", image_id)
    size = _photo_size(photo)
    small = smaller_size(size, longer_side)
    for kind in ("masks", "instances", "saliency"):
        path = data.path(kind, image_id)
        if path.exists():
            _scale_map(data, kind, path, out / data.folders[kind] / path.name, (size, small))
    _make(photo, out / data.folders["images"] / photo.name, None if small == size else partial(_shrink_photo, small))
    return small != size


def _scale_map(data: DataSet, kind: str, path: Path, target: Path, sizes: tuple[Size, Size]) -> None:
    """A mask, instance or saliency map; sizes: (height, width) of the stored photo before and after."""
    size, small = sizes
    found = _size(path)
    if found == size[::-1] != size:  # drawn on a photo that viewers turn by its orientation
        small = small[::-1]
    elif found != size:
        raise DataError(
            f"{path} is {found[1]} x {found[0]} pixels, its photo {size[1]} x {size[0]}: make it again in the photo's "
            "size, or take it away."
        )
    shrink = partial(_shrink_saliency, small) if kind == "saliency" else partial(_shrink_numbers, data.palette, small)
    _make(path, target, None if small == found else shrink)


def _make(source: Path, target: Path, shrink: partial[None] | None = None) -> None:
    """Write `target` by `shrink(source, target)`, or as a copy where it is None; what bears the source's time stays."""
    if _same_time(source, target):
        return
    if shrink is None:
        _copy(source, target)
        return
    try:
        shrink(source, target)
    except _UNREADABLE as error:
        raise _broken(source, error) from error
    _take_time(source, target)


def _copy(source: Path, target: Path) -> None:
    with atomic_path(target) as temporary:
        shutil.copyfile(source, temporary)
    _take_time(source, target)


def _same_time(source: Path, target: Path) -> bool:
    return target.is_file() and target.stat().st_mtime_ns == source.stat().st_mtime_ns


def _take_time(source: Path, target: Path) -> None:
    """After the file is whole: one that a kill leaves without its source's time is made again."""
    stamp = source.stat()
    os.utime(target, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))


# --- pixels -------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """A picture, its pixels not read yet. Of any size: this command is the cure of a picture that is too large."""
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        with Image.open(path) as image:
            yield image
    finally:
        Image.MAX_IMAGE_PIXELS = before


def _size(path: Path) -> Size:
    """(height, width) as the header says.

    Raises:
        DataError: the file is broken.
    """
    try:
        with _opened(path) as image:
            return image.height, image.width
    except _UNREADABLE as error:
        raise _broken(path, error) from error


def _photo_size(path: Path) -> Size:
    """(height, width) of a photo as it is stored.

    Raises:
        DataError: the file is broken, or has other than 8 bits a channel.
    """
    try:
        with _opened(path) as image:
            size, mode = (image.height, image.width), image.mode
    except _UNREADABLE as error:
        raise _broken(path, error) from error
    if mode not in _EIGHT_BIT:
        raise DataError(f"{path} does not have 8 bits a channel (Pillow calls it {mode}): save it as an 8-bit picture.")
    return size


def _shrink_photo(size: Size, source: Path, target: Path) -> None:
    height, width = size
    with _opened(source) as image:
        orientation = image.getexif().get(ORIENTATION)
        profile = image.info.get("icc_profile") if image.mode == "RGB" else None
        image.draft("RGB", (2 * width, 2 * height))  # a JPEG may be decoded at half its size, or less
        small = image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
    notes = Image.Exif()
    if orientation is not None:
        notes[ORIENTATION] = orientation
    kept = {"exif": notes.tobytes()} if orientation is not None else {}
    with atomic_path(target) as temporary:
        if target.suffix == ".png":
            small.save(temporary, "PNG", icc_profile=profile, **kept)
        else:
            small.save(temporary, "JPEG", quality=JPEG_QUALITY, icc_profile=profile, **kept)


def _shrink_numbers(palette: np.ndarray, size: Size, source: Path, target: Path) -> None:
    """Class or instance numbers: every pixel takes one of the source; colours are the file's own, or `palette`."""
    height, width = size
    with _opened(source) as image:
        if image.mode not in ("P", "L"):
            raise ValueError(f"a picture of Pillow's mode {image.mode}, not class numbers, 8-bit palette or grey")
        small = np.asarray(image.resize((width, height), Image.Resampling.NEAREST))
        own = image.getpalette("RGB") if image.mode == "P" else None
    if own:
        palette = np.zeros((256, 3), np.uint8)
        palette[: len(own) // 3] = np.array(own, np.uint8).reshape(-1, 3)
    write_mask(target, small, palette)


def _shrink_saliency(size: Size, source: Path, target: Path) -> None:
    height, width = size
    with _opened(source) as image:
        small = image.convert("L").resize((width, height), Image.Resampling.BILINEAR)
    with atomic_path(target) as temporary:
        small.save(temporary, "PNG")


def _broken(path: Path, error: Exception) -> DataError:
    if isinstance(error, UnidentifiedImageError):
        return DataError(f"{path} is no image: replace it by an intact copy.")
    return DataError(f"{path} cannot be read ({error}): replace it by an intact copy, or take it away.")
