"""`wsseg data scale`: a smaller copy of a data set, its sizes, what it keeps, how it goes on, what it refuses."""

from __future__ import annotations

import json
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from common.base.errors import DataError, UserError
from common.cli import main
from common.data.check import check_dataset
from common.data.dataset import open_dataset, write_description, write_mask
from common.data.ids import write_ids
from common.data.prepare.scale import ORIENTATION, scale_dataset, smaller_size

SIZES = {"wide": (150, 200), "tall": (201, 99), "small": (40, 64)}
MASKS, INSTANCES, SALIENCY = "SegmentationClassAug", "SegmentationObject", "Saliency"


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """Three photos, one of them small; a mask of two halves and a void column, instances, saliency."""
    root, rng = tmp_path / "mine", np.random.default_rng(0)
    (root / "JPEGImages").mkdir(parents=True)
    (root / SALIENCY).mkdir()
    for image_id, (height, width) in SIZES.items():
        photo = np.repeat(rng.integers(0, 255, (height, 1, 3)), width, 1).astype(np.uint8)
        Image.fromarray(photo).save(root / f"JPEGImages/{image_id}.jpg", quality=95)
        mask = np.zeros((height, width), np.uint8)
        mask[:, width // 2 :], mask[:, -9:] = 1, 255
        write_mask(root / MASKS / f"{image_id}.png", mask)
        write_mask(root / INSTANCES / f"{image_id}.png", mask * (mask < 255) * 7)
        ramp = np.repeat(np.linspace(0, 255, width)[None], height, 0).astype(np.uint8)
        Image.fromarray(ramp).save(root / SALIENCY / f"{image_id}.png")
    (root / "tags.json").write_text(json.dumps({image_id: ["car"] for image_id in SIZES}))
    for split, ids in (("train", ["wide", "tall"]), ("train_aug", ["wide", "tall"]), ("val", ["small"])):
        write_ids(root / f"ImageSets/Segmentation/{split}.txt", ids)
    write_description(root, "mine", ["background", "car"], "given")
    return root


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def times(root: Path) -> dict[str, int]:
    return {str(path.relative_to(root)): path.stat().st_ctime_ns for path in root.rglob("*") if path.is_file()}


def test_sizes():
    assert smaller_size((3000, 4000), 640) == (480, 640)
    assert smaller_size((4000, 3000), 640) == (640, 480)
    assert smaller_size((480, 640), 640) == (480, 640)
    assert smaller_size((2, 4000), 640) == (1, 640)


def test_a_copy(mine: Path, tmp_path: Path) -> None:
    found = scale_dataset(mine, tmp_path / "out", 100, workers=2)
    assert (found.photos, found.shrunk) == (3, 2)
    data, source = open_dataset(tmp_path / "out"), open_dataset(mine)
    assert [data.size(image_id) for image_id in SIZES] == [(75, 100), (100, 49), (40, 64)]
    assert check_dataset(data.root, 1).faults == ()
    mask, instances = data.mask("wide"), data.instances("wide")
    rows, columns = ((np.arange(n) * 2 + 1) for n in (75, 100))  # of cells twice as large: PIL's nearest pixel
    assert np.array_equal(mask, source.mask("wide")[rows][:, columns])
    assert np.array_equal(instances, source.instances("wide")[rows][:, columns])
    assert set(np.unique(mask)) == {0, 1, 255} and set(np.unique(instances)) == {0, 7}
    with Image.open(data.path("masks", "wide")) as image:
        assert image.mode == "P" and image.getpalette()[:6] == [0, 0, 0, 128, 0, 0]
    pairs = source.saliency("wide").astype(float).reshape(75, 2, 100, 2).mean((1, 3))
    assert np.abs(data.saliency("wide") - pairs)[:, 1:-1].max() < 2
    for name in ("dataset.toml", "tags.json", "ImageSets/Segmentation/train.txt", "JPEGImages/small.jpg"):
        assert (data.root / name).read_bytes() == (mine / name).read_bytes()
    for folder in (MASKS, INSTANCES, SALIENCY):
        assert (data.root / folder / "small.png").read_bytes() == (mine / folder / "small.png").read_bytes()


def test_photos_are_averaged_not_picked(mine: Path, tmp_path: Path) -> None:
    stripes = np.zeros((160, 200, 3), np.uint8)
    stripes[::2] = 255
    Image.fromarray(stripes).save(mine / "JPEGImages/wide.jpg", quality=100)
    for folder in (MASKS, INSTANCES, SALIENCY):
        (mine / folder / "wide.png").unlink()
    scale_dataset(mine, tmp_path / "out", 50, workers=1)
    assert abs(open_dataset(tmp_path / "out").image("wide").astype(int) - 128).max() < 20


def test_grey_masks_take_the_nearest_pixel_too(mine: Path, tmp_path: Path) -> None:
    numbers = open_dataset(mine).mask("wide")
    Image.fromarray(numbers).save(mine / MASKS / "wide.png")
    scale_dataset(mine, tmp_path / "out", 70, workers=1)
    assert set(np.unique(open_dataset(tmp_path / "out").mask("wide"))) == {0, 1, 255}


def test_a_palette_shorter_than_the_numbers(mine: Path, tmp_path: Path) -> None:
    png = (mine / MASKS / "wide.png").read_bytes()  # Pillow itself writes no such file
    place = png.index(b"PLTE")
    chunk = b"PLTE" + bytes([0, 0, 0, 9, 8, 7])
    short = struct.pack(">I", 6) + chunk + struct.pack(">I", zlib.crc32(chunk))
    (mine / MASKS / "wide.png").write_bytes(png[: place - 4] + short + png[place + 4 + 768 + 4 :])
    scale_dataset(mine, tmp_path / "out", 100, workers=1)
    assert set(np.unique(open_dataset(tmp_path / "out").mask("wide"))) == {0, 1, 255}
    with Image.open(tmp_path / "out" / MASKS / "wide.png") as small:
        assert small.getpalette()[:6] == [0, 0, 0, 9, 8, 7]


def test_what_is_there_stays_and_what_changed_is_made_again(mine: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    scale_dataset(mine, out, 100, workers=1)
    first, before = contents(out), times(out)
    (out / "JPEGImages/tall.jpg").unlink()  # as after a kill
    (out / "dataset.toml").unlink()
    (out / "JPEGImages/.wide.jpg.abc.part").write_bytes(b"half")
    new = open_dataset(mine).mask("wide")
    new[:] = 1
    write_mask(mine / MASKS / "wide.png", new)
    scale_dataset(mine, out, 100, workers=1)
    after = contents(out)
    assert first.keys() == after.keys()
    changed = {name for name in first if first[name] != after[name]}
    assert changed == {f"{MASKS}/wide.png"}
    touched = {name for name in before if before[name] != times(out)[name]}
    assert touched == {f"{MASKS}/wide.png", "JPEGImages/tall.jpg", "dataset.toml", "scaled.json"}


def test_a_file_without_its_sources_time_is_made_again(mine: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    scale_dataset(mine, out, 100, workers=1)
    (out / "JPEGImages/wide.jpg").write_bytes(b"something else")
    scale_dataset(mine, out, 100, workers=1)
    assert open_dataset(out).size("wide") == (75, 100)


@pytest.mark.parametrize("upright", [True, False], ids=["masks as viewers show it", "masks as it is stored"])
def test_the_orientation_of_a_phone_stays_in_the_copy(mine: Path, tmp_path: Path, upright: bool) -> None:
    path = mine / "JPEGImages/wide.jpg"
    notes = Image.Exif()
    notes[ORIENTATION] = 6
    notes[0x010F] = "a maker"
    Image.open(path).save(path, exif=notes.tobytes(), quality=95)
    for folder in (MASKS, INSTANCES, SALIENCY):
        if upright:
            image = Image.open(mine / folder / "wide.png")
            image.transpose(Image.Transpose.ROTATE_270).save(mine / folder / "wide.png")
    scale_dataset(mine, tmp_path / "out", 100, workers=1)
    with Image.open(tmp_path / "out/JPEGImages/wide.jpg") as small:
        assert small.size == (100, 75) and small.getexif()[ORIENTATION] == 6 and 0x010F not in small.getexif()
    for folder in (MASKS, INSTANCES, SALIENCY):
        with Image.open(tmp_path / "out" / folder / "wide.png") as image:
            assert image.size == ((75, 100) if upright else (100, 75))


def test_a_photo_too_large_for_pillow(mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 5000)  # an error from twice as many on
    with pytest.raises(DataError):
        open_dataset(mine).image("wide")
    scale_dataset(mine, tmp_path / "out", 64, workers=1)
    assert Image.MAX_IMAGE_PIXELS == 5000
    assert open_dataset(tmp_path / "out").image("wide").shape == (48, 64, 3)


def test_photos_of_any_list_and_of_none_and_without_maps(mine: Path, tmp_path: Path) -> None:
    Image.new("RGBA", (300, 30), (200, 10, 10, 255)).save(mine / "JPEGImages/extra.png")
    scale_dataset(mine, tmp_path / "out", 100, workers=1)
    small = open_dataset(tmp_path / "out").image("extra")
    assert small.shape == (10, 100, 3) and np.abs(small.astype(int) - [200, 10, 10]).max() == 0


# --- what is refused ----------------------------------------------------------------------------------------------


def test_another_folder_is_not_touched(mine: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "letter.txt").write_text("mine")
    with pytest.raises(UserError, match="is not empty and no copy"):
        scale_dataset(mine, out, 100)
    assert contents(out) == {"letter.txt": b"mine"}
    with pytest.raises(UserError, match="is not empty and no copy"):
        scale_dataset(mine, mine, 100)


def test_another_copy_is_not_touched(mine: Path, tmp_path: Path) -> None:
    scale_dataset(mine, tmp_path / "out", 100, workers=1)
    with pytest.raises(UserError, match=r"holds a copy of .*mine at 100 px"):
        scale_dataset(mine, tmp_path / "out", 90)


def test_folders_outside_are_not_written_to(mine: Path, tmp_path: Path) -> None:
    outer = tmp_path / "saliency"
    os.rename(mine / SALIENCY, outer)
    before = contents(outer)
    for folder in (str(outer), "../saliency"):
        write_description(mine, "mine", ["background", "car"], "given", folders={"saliency": folder})
        with pytest.raises(UserError, match=r"'folders.saliency' is .*outside of the data set"):
            scale_dataset(mine, tmp_path / "out", 100, workers=1)
    assert contents(outer) == before and not (tmp_path / "out").exists()


def test_broken_files_are_named(mine: Path, tmp_path: Path) -> None:
    photo, mask = mine / "JPEGImages/wide.jpg", mine / MASKS / "tall.png"
    whole = photo.read_bytes()
    photo.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"wide\.jpg cannot be read"):
        scale_dataset(mine, tmp_path / "out", 100, workers=2)
    photo.write_bytes(whole)
    write_mask(mask, np.zeros((200, 99), np.uint8))
    with pytest.raises(DataError, match=r"tall\.png is 99 x 200 pixels, its photo 99 x 201"):
        scale_dataset(mine, tmp_path / "out", 100, workers=1)
    Image.fromarray(np.zeros((201, 99, 3), np.uint8)).save(mask)
    with pytest.raises(DataError, match="not class numbers"):
        scale_dataset(mine, tmp_path / "out", 100, workers=1)
    assert not (tmp_path / "out/dataset.toml").exists()


def test_sixteen_bits_are_refused(mine: Path, tmp_path: Path) -> None:
    (mine / "JPEGImages/wide.jpg").unlink()
    Image.fromarray(np.full((150, 200), 40000, np.uint16)).save(mine / "JPEGImages/wide.png")
    with pytest.raises(DataError, match="does not have 8 bits"):
        scale_dataset(mine, tmp_path / "out", 100, workers=1)


def test_the_command(mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    command = ["data", "scale", str(mine), "--out", str(tmp_path / "out"), "--workers", "1", "--longer-side"]
    assert main([*command, "100"]) == 0
    said = capsys.readouterr().out
    assert "3 photos, 2 of them shrunk to 100 pixels" in said and "no faults" in said
    assert main([*command, "90"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert main([*command, "3"]) == 2
    assert "at least 32" in capsys.readouterr().err
    assert main(["data", "scale", str(tmp_path / "no"), "--longer-side", "90", "--out", str(tmp_path / "b")]) == 2
