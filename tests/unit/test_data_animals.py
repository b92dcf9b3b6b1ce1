"""voc12_animals: its lists, and the recipe that makes it from a prepared VOC."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from common.base.errors import DataError, UserError
from common.base.files import write_json
from common.data.check import check_dataset
from common.data.dataset import VOC_CLASSES, open_dataset, write_description, write_mask
from common.data.ids import write_ids
from common.data.prepare.animals import animal_lists, prepare_animals, small_size

IDS = ["2007_000001", "2007_000002", "2007_000003"]
LISTS = {"train": IDS[:1], "train_aug": IDS[:2], "val": IDS[2:]}


@pytest.fixture
def voc(tmp_path: Path) -> Path:
    """A small VOC with instances and saliency."""
    root, rng = tmp_path / "voc12", np.random.default_rng(0)
    for image_id, (height, width) in zip(IDS, ((375, 500), (500, 333), (125, 200)), strict=True):
        (root / "JPEGImages").mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (height, width, 3), dtype=np.uint8)).save(
            root / f"JPEGImages/{image_id}.jpg"
        )
        mask = rng.choice(np.array([0, 8, 255], np.uint8), (height, width))
        for folder in ("SegmentationClassAug", "SegmentationObject", "Saliency"):
            write_mask(root / folder / f"{image_id}.png", mask)
        Image.fromarray(mask).save(root / f"Saliency/{image_id}.png")
    write_json(root / "tags.json", {image_id: ["cat"] for image_id in IDS})
    write_ids(root / "ImageSets/Segmentation/train.txt", IDS)
    write_description(root, "voc12", VOC_CLASSES, "xml-no-difficult")
    return root


def test_shipped_lists():
    lists = animal_lists()
    assert {name: len(ids) for name, ids in lists.items()} == {
        "train": 437,
        "val": 445,
        "train_aug": 3131,
        "train_quick": 800,
    }
    sets = {name: set(ids) for name, ids in lists.items()}
    assert all(len(sets[name]) == len(ids) for name, ids in lists.items())
    assert sets["train"] < sets["train_aug"] and sets["train_quick"] < sets["train_aug"]
    assert not sets["val"] & sets["train_aug"] and len(sets["val"] | sets["train_aug"]) == 3576


def test_recipe(voc, tmp_path):
    data, source = open_dataset(prepare_animals(voc, tmp_path / "out", LISTS, workers=1)), open_dataset(voc)
    assert data.name == "voc12_animals" and data.tag_rule == "xml-no-difficult"
    assert {name: data.ids(name) for name in data.splits()} == LISTS
    assert [data.size(image_id) for image_id in IDS] == [(180, 240), (240, 160), (150, 240)]
    for image_id in IDS:
        height, width = data.size(image_id)
        rows = ((np.arange(height) + 0.5) * source.size(image_id)[0] / height).astype(int)
        columns = ((np.arange(width) + 0.5) * source.size(image_id)[1] / width).astype(int)
        nearest = source.mask(image_id)[np.ix_(rows, columns)]
        assert np.array_equal(data.mask(image_id), nearest) and np.array_equal(data.instances(image_id), nearest)
        assert data.saliency(image_id).shape == (height, width) and data.tags(image_id) == (8,)
    assert check_dataset(data.root, workers=1).faults == ()


def test_the_same_whatever_the_workers_and_again(voc, tmp_path):
    one, two = (prepare_animals(voc, tmp_path / str(workers), LISTS, workers) for workers in (1, 2))
    prepare_animals(voc, one, LISTS, 1)
    for path in one.rglob("*.*"):
        assert path.read_bytes() == (two / path.relative_to(one)).read_bytes()


def test_optional_folders(voc, tmp_path):
    for folder in ("Saliency", "SegmentationObject"):
        for path in (voc / folder).iterdir():
            path.unlink()
    out = prepare_animals(voc, tmp_path / "out", LISTS, workers=1)
    assert not (out / "Saliency").exists() and not (out / "SegmentationObject").exists()


def test_size_rounds():
    assert small_size(375, 500) == (180, 240) and small_size(500, 333) == (240, 160) and small_size(240, 1) == (240, 1)


@pytest.mark.parametrize(
    ("file", "what"), [("JPEGImages/2007_000002.jpg", "photos"), ("SegmentationClassAug/2007_000002.png", "masks")]
)
def test_incomplete_source(voc, tmp_path, file, what):
    (voc / file).unlink()
    with pytest.raises(DataError, match=f"lacks the {what} of 1 of the 3 images \\(2007_000002"):
        prepare_animals(voc, tmp_path / "out", LISTS, workers=1)
    assert not (tmp_path / "out").exists()


def test_wrong_source_and_target(voc, tiny_voc, tmp_path):
    with pytest.raises(DataError, match="lacks the classes of VOC"):
        prepare_animals(tiny_voc, tmp_path / "out", LISTS)
    with pytest.raises(UserError, match="holds another data set"):
        prepare_animals(voc, tiny_voc, LISTS)
