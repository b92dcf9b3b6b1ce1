"""Every fault of a data set is named with its file and its cure; a sound one has none."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from common.data.check import check_dataset
from common.data.dataset import write_description, write_mask

IDS = [f"a{number}" for number in range(6)]
CLASSES = ("background", "cat", "dog")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A sound data set: train 3, train_aug 4, val 2."""
    lists = {"train": IDS[:3], "train_aug": IDS[:4], "val": IDS[4:]}
    for folder in ("JPEGImages", "ImageSets/Segmentation"):
        (tmp_path / folder).mkdir(parents=True)
    for name, ids in lists.items():
        write_list(tmp_path, name, ids)
    rng = np.random.default_rng(0)
    for image_id in IDS:
        pixels = rng.integers(0, 255, (40, 50, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"JPEGImages/{image_id}.jpg")
        mask = np.zeros((40, 50), np.uint8)
        mask[:9], mask[9:12] = 1, 255
        for folder in ("SegmentationClassAug", "SegmentationObject"):
            write_mask(tmp_path / folder / f"{image_id}.png", mask)
        (tmp_path / "Saliency").mkdir(exist_ok=True)
        Image.fromarray(mask).save(tmp_path / f"Saliency/{image_id}.png")
    write_tags(tmp_path, {image_id: ["cat"] for image_id in IDS})
    write_description(tmp_path, "mine", CLASSES, "given")
    return tmp_path


def write_list(root: Path, name: str, ids: list[str]) -> None:
    (root / f"ImageSets/Segmentation/{name}.txt").write_text("\n".join(ids) + "\n")


def write_tags(root: Path, tags: dict[str, list[str]]) -> None:
    (root / "tags.json").write_text(json.dumps(tags))


def found(root: Path) -> list[tuple[str, str]]:
    """(file, fault) of every fault; each has a cure."""
    faults = check_dataset(root, workers=1).faults
    assert all(fault.cure for fault in faults)
    return [(fault.file, fault.fault) for fault in faults]


def test_sound(root):
    report = check_dataset(root, workers=1)
    assert report.faults == () and report.notes == () and report.images == 6
    assert str(report).endswith("no faults")


def test_truncated_photo(root):
    path = root / "JPEGImages/a1.jpg"
    path.write_bytes(path.read_bytes()[:-300])
    ((file, fault),) = found(root)
    assert file == "JPEGImages/a1.jpg" and "truncated" in fault


def test_unreadable_photo(root):
    (root / "JPEGImages/a1.jpg").write_bytes(b"<html>not found</html>")
    assert found(root) == [("JPEGImages/a1.jpg", "is no image")]


@pytest.mark.parametrize("image_id", ["a0", "a3", "a5"])
def test_missing_mask(root, image_id):
    write_list(root, "train_aug", IDS[:4])
    if image_id == "a3":  # train_aug beyond train: all or none, so another one there must have a mask
        write_list(root, "train", IDS[:2])
    (root / f"SegmentationClassAug/{image_id}.png").unlink()
    assert found(root) == [(f"SegmentationClassAug/{image_id}.png", "does not exist")]


def test_what_a_list_has_none_of_is_noted(root):
    """Masks of val and all tags may be absent; only some of them are a fault."""
    for image_id in IDS[4:]:
        (root / f"SegmentationClassAug/{image_id}.png").unlink()
    (root / "tags.json").unlink()
    report = check_dataset(root, workers=1)
    assert report.faults == ()
    assert any(note.startswith("val has no masks") for note in report.notes)
    assert any(note.startswith("there are no tags") for note in report.notes)


def test_training_lists_without_any_mask_are_noted(root):
    for image_id in IDS[:4]:
        (root / f"SegmentationClassAug/{image_id}.png").unlink()
    report = check_dataset(root, workers=1)
    assert report.faults == () and len(report.notes) == 2 and "train has no masks" in report.notes[0]


@pytest.mark.parametrize("folder", ["SegmentationClassAug", "SegmentationObject", "Saliency"])
def test_other_size(root, folder):
    Image.fromarray(np.zeros((20, 50), np.uint8)).save(root / folder / "a2.png")
    assert found(root) == [(f"{folder}/a2.png", "is 50 x 20 pixels, the photo 50 x 40")]


def test_colour_picture_instead_of_a_mask(root):
    Image.fromarray(np.zeros((40, 50, 3), np.uint8)).save(root / "SegmentationClassAug/a4.png")
    assert found(root) == [("SegmentationClassAug/a4.png", "is a RGB picture, not class numbers")]


def test_values_outside_the_classes(root):
    write_mask(root / "SegmentationClassAug/a0.png", np.full((40, 50), 3, np.uint8))
    ((file, fault),) = found(root)
    assert file == "SegmentationClassAug/a0.png" and "holds the value 3, which is no class" in fault


def test_broken_mask(root):
    path = root / "SegmentationClassAug/a0.png"
    path.write_bytes(path.read_bytes()[:60])
    ((file, _),) = found(root)
    assert file == "SegmentationClassAug/a0.png"


def test_ids(root):
    write_list(root, "train", [*IDS[:3], "a1", "ghost"])
    lists = "ImageSets/Segmentation"
    assert found(root) == [
        (f"{lists}/train.txt", "a1 is listed 2 times"),
        (f"{lists}/train.txt", "ghost has no photo"),
        (f"{lists}/train_aug.txt", "ghost of train is missing"),
        ("tags.json", "ghost has no entry"),
    ]


@pytest.mark.parametrize("name", ["train", "train_aug", "8_labeled_0"])
def test_val_in_training(root, name):
    members = [*IDS[:4], "a4"] if name != "train" else [*IDS[:3], "a4"]
    write_list(root, name, members)
    faults = [fault for fault in found(root) if "also in val" in fault[1]]
    assert faults == [(f"ImageSets/Segmentation/{name}.txt", "a4 is also in val")]


def test_trainval_may_hold_val(root):
    write_list(root, "trainval", IDS)
    assert found(root) == []


def test_tags(root):
    write_tags(root, {"a0": [], "a1": ["cat"], "a2": ["dog"], "a4": ["dog"], "a5": ["dog"], "ghost": ["cat"]})
    assert any("1 images have no class (a0, ...)" in note for note in check_dataset(root, workers=1).notes)
    assert found(root) == [
        ("tags.json", "a3 has no entry"),
        ("tags.json", "ghost is no image of this data set"),
    ]


@pytest.mark.parametrize("text", ["{", "[]", '{"a0": ["kat"]}', '{"a0": "cat"}', '{"a0": [["cat"]]}'])
def test_broken_tags_file(root, text):
    (root / "tags.json").write_text(text)
    ((file, _),) = found(root)
    assert file == "tags.json"


def test_missing_saliency_of_a_training_image(root):
    (root / "Saliency/a1.png").unlink()
    (root / "Saliency/a4.png").unlink()  # val needs none
    assert found(root) == [("Saliency/a1.png", "does not exist")]


def test_empty_list_and_no_list(root):
    write_list(root, "train_quick", [])
    assert found(root) == [("ImageSets/Segmentation/train_quick.txt", "is empty")]
    for path in (root / "ImageSets/Segmentation").iterdir():
        path.unlink()
    assert ("ImageSets/Segmentation", "holds no readable list") in found(root)


def test_all_faults_in_one_table_whatever_the_workers(root):
    (root / "JPEGImages/a1.jpg").write_bytes(b"")
    Image.fromarray(np.zeros((40, 50, 3), np.uint8)).save(root / "SegmentationClassAug/a4.png")
    write_tags(root, {image_id: ["cat"] for image_id in IDS[1:]})
    one, two = check_dataset(root, workers=1), check_dataset(root, workers=2)
    assert one == two and len(one.faults) == 3
    text = str(one).splitlines()
    assert text[-1] == "3 faults" and sum(line.startswith(("JPEG", "Seg", "tags")) for line in text) == 3
