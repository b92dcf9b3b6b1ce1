"""VOC 2012 from a miniature of its archives: whole, damaged, stopped half-way, hostile."""

from __future__ import annotations

import dataclasses
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from common.base.errors import DataError, UserError
from common.data.check import check_dataset
from common.data.dataset import DataSet, open_dataset, write_description
from common.data.prepare import voc12 as prepare
from common.data.prepare.voc12 import OFFICIAL, prepare_voc12
from tests.unit import data_miniature as mini


@pytest.fixture
def archives(tmp_path: Path) -> tuple[Path, Path]:
    """VOC as tar, SBD as tgz."""
    voc = mini.pack(tmp_path / "voc.tar", mini.voc_files())
    return voc, mini.pack(tmp_path / "sbd.tgz", mini.sbd_files(), "w:gz")


def build(voc: Path, sbd: Path, out: Path, **options: object) -> DataSet:
    """Prepare with the miniature's counts, quietly."""
    prepare_voc12(voc, sbd, out, **{"counts": mini.COUNTS, "log": lambda _: None, **options})
    return open_dataset(out)


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_lists_masks_and_instances(archives, tmp_path):
    data = build(*archives, tmp_path / "out")
    assert (data.ids("train"), data.ids("val"), data.ids("train_aug")) == (mini.TRAIN, mini.VAL, mini.AUG)
    for image_id in (*mini.TRAIN, *mini.VAL):  # VOC's own mask wins
        assert np.array_equal(data.mask(image_id), mini.voc_mask(image_id))
        assert np.array_equal(data.instances(image_id), mini.voc_mask(image_id) == 8)
    for image_id in set(mini.AUG) - set(mini.TRAIN):
        assert np.array_equal(data.mask(image_id), mini.sbd_mask(image_id))
        with Image.open(data.folder("masks") / f"{image_id}.png") as picture:
            assert picture.mode == "P"
    assert data.splits() == ["train", "train_aug", "val"]
    assert not (data.root / "JPEGImages/2012_999999.jpg").exists()
    assert check_dataset(data.root, workers=1).faults == ()


def test_folders_give_the_same_bytes_as_archives(archives, tmp_path):
    build(*archives, tmp_path / "packed")
    voc = mini.unpack(tmp_path / "voc", mini.voc_files())
    sbd = mini.unpack(tmp_path / "sbd", mini.sbd_files())
    build(voc, sbd / "benchmark_RELEASE", tmp_path / "unpacked")
    assert tree(tmp_path / "packed") == tree(tmp_path / "unpacked")


def test_test_archive_is_optional(archives, tmp_path):
    said: list[str] = []
    build(*archives, tmp_path / "without", log=said.append)
    assert any("no test.txt" in line for line in said)
    test = mini.pack(tmp_path / "test.tar", mini.held_out_files())
    data = build(*archives, tmp_path / "with", test=test)
    assert data.ids("test") == mini.TEST and data.image(mini.TEST[0]).shape == (*mini.size(mini.TEST[0]), 3)
    assert check_dataset(data.root, workers=1).faults == ()


@pytest.mark.parametrize(
    ("rule", "own", "other"),
    [("xml", (4, 8, 15), (4, 8, 15)), ("xml-no-difficult", (8, 15), (8, 15)), ("mask", (8,), (12,))],
)
def test_tag_rules(archives, tmp_path, rule, own, other):
    data = build(*archives, tmp_path / "out", tag_rule=rule)
    assert data.tag_rule == rule
    assert data.tags(mini.TRAIN[0]) == own and data.tags("2011_000008") == other
    assert sorted(data.tagged_ids()) == sorted({*mini.AUG, *mini.VAL})


def test_unknown_tag_rule(archives, tmp_path):
    with pytest.raises(UserError, match="--tags boxes"):
        build(*archives, tmp_path / "out", tag_rule="boxes")


def test_wrong_counts_are_refused_side_by_side(archives, tmp_path):
    with pytest.raises(DataError) as error:
        build(*archives, tmp_path / "out", counts=OFFICIAL)
    lines = [line.split() for line in str(error.value).splitlines()]
    assert ["train", "4", "1464", "<-"] in lines and ["sbd_train_new", "3", "6820", "<-"] in lines
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(OFFICIAL)])
def test_every_count_is_checked(archives, tmp_path, field):
    test = mini.pack(tmp_path / "test.tar", mini.held_out_files())
    wrong = dataclasses.replace(mini.COUNTS, **{field: getattr(mini.COUNTS, field) + 1})
    with pytest.raises(DataError, match=rf"{field} .*<-"):
        build(*archives, tmp_path / "out", counts=wrong, test=test)


def test_official_counts_add_up():
    c = OFFICIAL
    assert c.sbd_train == c.sbd_train_in_train + c.sbd_train_in_val + c.sbd_train_new
    assert c.sbd_val == c.sbd_val_in_train + c.sbd_val_in_val + c.sbd_val_new
    assert c.train_aug == c.train + c.sbd_train_new + c.sbd_val_new


@pytest.mark.parametrize("keep", [0.3, 0.7])
@pytest.mark.parametrize("which", [0, 1])
def test_cut_archive(archives, tmp_path, which, keep):
    path = archives[which]
    path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])
    with pytest.raises(DataError, match=path.name):
        build(*archives, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_foreign_and_missing_archives(archives, tmp_path):
    voc, sbd = archives
    text = tmp_path / "page.html"
    text.write_text("<html>404</html>")
    with pytest.raises(DataError, match=r"page\.html is damaged, incomplete or no tar"):
        build(text, sbd, tmp_path / "out")
    with pytest.raises(DataError, match=r"nothing\.tar does not exist"):
        build(tmp_path / "nothing.tar", sbd, tmp_path / "out")
    with pytest.raises(DataError, match=r"has no (dataset|ImageSets)"):
        build(sbd, voc, tmp_path / "out")


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        (f"{mini.SBD_ROOT}/cls/2008_000006.mat", b"MATLAB 5.0 nonsense" * 20, "2008_000006.mat is no SBD mask"),
        (f"{mini.SBD_ROOT}/cls/2008_000006.mat", mini.mat(mini.sbd_mask("2008_000006"))[:200], "is no SBD mask"),
        (
            f"{mini.SBD_ROOT}/cls/2008_000006.mat",
            mini.mat(np.full(mini.size("6"), 77, np.uint8)),
            "class numbers 0 to 20",
        ),
        (
            f"{mini.SBD_ROOT}/cls/2008_000006.mat",
            mini.mat(np.zeros((3, 3), np.uint8)),
            r"the mask of 2008_000006 is \(3, 3\)",
        ),
    ],
)
def test_damaged_sbd_mask(tmp_path, archives, name, data, message):
    sbd = mini.pack(tmp_path / "bad.tgz", mini.sbd_files() | {name: data}, "w:gz")
    with pytest.raises(DataError, match=message):
        build(archives[0], sbd, tmp_path / "out")
    assert not (tmp_path / "out/dataset.toml").exists()
    assert not (tmp_path / "out/SegmentationClassAug/2008_000006.png").exists()


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("JPEGImages/2008_000006.jpg", mini.jpeg("2008_000006")[:150], "picture of 2008_000006 is broken"),
        ("SegmentationClass/2007_000001.png", b"", "picture of 2007_000001 is broken"),
        ("Annotations/2007_000001.xml", b"<annotation><object>", r"Annotations/2007_000001\.xml: .* no XML"),
    ],
)
def test_damaged_voc_file(tmp_path, archives, name, data, message):
    voc = mini.pack(tmp_path / "bad.tar", mini.voc_files() | {f"{mini.ROOT}/{name}": data})
    with pytest.raises(DataError, match=message):
        build(voc, archives[1], tmp_path / "out")
    assert not (tmp_path / "out/dataset.toml").exists()
    assert not list((tmp_path / "out").rglob("*.part"))


@pytest.mark.parametrize("folder", ["JPEGImages", "Annotations", "SegmentationClass", "SegmentationObject"])
def test_missing_member(tmp_path, archives, folder):
    files = {name: data for name, data in mini.voc_files().items() if f"{folder}/2007_000001" not in name}
    voc = mini.pack(tmp_path / "gap.tar", files)
    with pytest.raises(DataError, match=r"lacks the \w+ of 1 of .*2007_000001"):
        build(voc, archives[1], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_stopped_and_run_again_ends_with_the_same_bytes(archives, tmp_path, monkeypatch):
    build(*archives, tmp_path / "straight")
    convert, left = prepare.sbd_mask, [2]

    def stop(mat: bytes, what: str) -> np.ndarray:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return convert(mat, what)

    monkeypatch.setattr(prepare, "sbd_mask", stop)
    with pytest.raises(KeyboardInterrupt):
        build(*archives, tmp_path / "stopped")
    with pytest.raises(DataError, match=r"dataset\.toml does not exist"):
        open_dataset(tmp_path / "stopped")
    done: list[str] = []
    monkeypatch.setattr(prepare, "sbd_mask", lambda mat, what: done.append(what) or convert(mat, what))
    build(*archives, tmp_path / "stopped")
    assert tree(tmp_path / "stopped") == tree(tmp_path / "straight")
    assert len(done) == len(mini.AUG) - len(mini.TRAIN) - 2  # the two that were there are not made again


def test_member_outside_of_the_archive_is_refused(archives, tmp_path):
    for name in ("../../evil.txt", "/tmp/evil.txt", f"{mini.ROOT}/JPEGImages/../../../../evil.jpg"):
        voc = mini.pack(tmp_path / "evil.tar", mini.voc_files() | {name: b"x"})
        with pytest.raises(DataError, match="not the official archive"):
            build(voc, archives[1], tmp_path / "in/out")
    assert not list(tmp_path.rglob("evil.txt"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_links_are_not_followed(archives, tmp_path, kind):
    name = f"{mini.ROOT}/JPEGImages/2007_000001.jpg"
    voc = mini.pack(tmp_path / "link.tar", {k: v for k, v in mini.voc_files().items() if k != name})
    with tarfile.open(voc, "a") as archive:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, "/etc/hostname"
        archive.addfile(member)
    with pytest.raises(DataError, match="lacks the photos of 1 of the 11 images"):
        build(voc, archives[1], tmp_path / "out")


def test_two_devkits_in_one_folder(archives, tmp_path):
    files = mini.voc_files() | {"VOCdevkit/VOC2007/ImageSets/Segmentation/train.txt": b"000032\n"}
    with pytest.raises(DataError, match="give the folder of one data set alone"):
        build(mini.pack(tmp_path / "two.tar", files), archives[1], tmp_path / "out")


def test_another_data_set_is_not_overwritten(archives, tmp_path):
    write_description(tmp_path / "mine", "mine", ("background", "thing"), "given")
    before = tree(tmp_path / "mine")
    with pytest.raises(UserError, match="holds another data set"):
        build(*archives, tmp_path / "mine")
    assert tree(tmp_path / "mine") == before
