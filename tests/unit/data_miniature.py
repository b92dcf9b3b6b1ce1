"""A made-up miniature of the VOC 2012 and SBD archives, for the tests of the data part."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

from common.data.dataset import voc_palette
from common.data.prepare.voc12 import Counts

TRAIN = ["2007_000001", "2007_000005", "2008_000002", "2008_000009"]
VAL = ["2007_000002", "2007_000003", "2008_000004"]
TEST = ["2008_000100", "2008_000101"]
SBD_TRAIN = ["2007_000005", "2007_000003", "2008_000006", "2008_000007", "2010_000001"]  # 1 train, 1 val, 3 new
SBD_VAL = ["2007_000001", "2008_000004", "2007_000002", "2011_000008"]  # 1 train, 2 val, 1 new
AUG = sorted({*TRAIN, "2008_000006", "2008_000007", "2010_000001", "2011_000008"})
COUNTS = Counts(4, 3, 2, 5, 4, 1, 1, 3, 1, 2, 1, 8)
ROOT, SBD_ROOT = "VOCdevkit/VOC2012", "benchmark_RELEASE/dataset"

Files = dict[str, bytes]


def size(image_id: str) -> tuple[int, int]:
    """(height, width) of a miniature photo."""
    return 12 + int(image_id[-1]), 16


def voc_mask(image_id: str) -> np.ndarray:
    """A cat (8) with a void outline."""
    mask = np.zeros(size(image_id), np.uint8)
    mask[2:9, 2:9] = 255
    mask[3:8, 3:8] = 8
    return mask


def sbd_mask(image_id: str) -> np.ndarray:
    """A dog (12), elsewhere, without void."""
    mask = np.zeros(size(image_id), np.uint8)
    mask[5:10, 8:14] = 12
    return mask


def annotation(*objects: tuple[str, int]) -> bytes:
    """(class, difficult) of each object, each with a part."""
    text = "".join(
        f"<object><name>{name}</name><truncated>1</truncated><difficult>{difficult}</difficult>"
        "<part><name>head</name></part></object>"
        for name, difficult in objects
    )
    return f"<annotation><folder>VOC2012</folder>{text}</annotation>".encode()


def png(mask: np.ndarray) -> bytes:
    """A palette PNG."""
    image = Image.frombytes("P", mask.shape[::-1], mask.tobytes())
    image.putpalette(voc_palette().tobytes())
    return _saved(image, "PNG")


def jpeg(image_id: str) -> bytes:
    """Noise of the photo's size."""
    pixels = np.random.default_rng(int(image_id[-4:])).integers(0, 255, (*size(image_id), 3), dtype=np.uint8)
    return _saved(Image.fromarray(pixels), "JPEG")


def mat(mask: np.ndarray) -> bytes:
    """SBD's struct."""
    stream = io.BytesIO()
    savemat(stream, {"GTcls": {"Segmentation": mask, "CategoriesPresent": np.unique(mask)}})
    return stream.getvalue()


def _saved(image: Image.Image, kind: str) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind)
    return stream.getvalue()


def voc_files() -> Files:
    """path -> bytes of the VOC archive, with a photo that no list names."""
    files = {f"{ROOT}/ImageSets/Segmentation/{n}.txt": _lines(i) for n, i in (("train", TRAIN), ("val", VAL))}
    for image_id in sorted({*AUG, *VAL, "2012_999999"}):
        files[f"{ROOT}/JPEGImages/{image_id}.jpg"] = jpeg(image_id)
        files[f"{ROOT}/Annotations/{image_id}.xml"] = annotation(("person", 0), ("cat", 0), ("boat", 1), ("cat", 0))
    for image_id in (*TRAIN, *VAL):
        files[f"{ROOT}/SegmentationClass/{image_id}.png"] = png(voc_mask(image_id))
        files[f"{ROOT}/SegmentationObject/{image_id}.png"] = png((voc_mask(image_id) == 8).astype(np.uint8))
    return files


def sbd_files() -> Files:
    """path -> bytes of the SBD archive."""
    files = {f"{SBD_ROOT}/{n}.txt": _lines(i) for n, i in (("train", SBD_TRAIN), ("val", SBD_VAL))}
    for image_id in (*SBD_TRAIN, *SBD_VAL):
        files[f"{SBD_ROOT}/cls/{image_id}.mat"] = mat(sbd_mask(image_id))
        files[f"{SBD_ROOT}/inst/{image_id}.mat"] = b"not read"
    return files


def held_out_files() -> Files:
    """path -> bytes of VOC's test archive."""
    files = {f"{ROOT}/ImageSets/Segmentation/test.txt": _lines(TEST)}
    return files | {f"{ROOT}/JPEGImages/{image_id}.jpg": jpeg(image_id) for image_id in TEST}


def _lines(ids: list[str]) -> bytes:
    return "".join(f"{image_id}\n" for image_id in ids).encode()


def pack(path: Path, files: Files, mode: str = "w") -> Path:
    """Write a tar archive ("w") or tgz ("w:gz")."""
    with tarfile.open(path, mode) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def unpack(folder: Path, files: Files) -> Path:
    """Write the files below `folder`."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder
