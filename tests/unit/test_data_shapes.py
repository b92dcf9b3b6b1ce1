"""The benchmark shapes: the same bytes for a seed, every file of the layout, and the problems it promises."""

from __future__ import annotations

import hashlib
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from common.base.errors import UserError
from common.data.dataset import open_dataset
from common.data.prepare.shapes import CLASSES, make_shapes, shapes_scene


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("data") / "shapes"
    make_shapes(out, train=8, val=4, size=96, seed=3)
    return out


@pytest.fixture(scope="module")
def scenes():
    return [shapes_scene("train", index) for index in range(48)]


def digest(root: Path) -> dict[str, str]:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_same_arguments_same_bytes(root, tmp_path):
    make_shapes(tmp_path / "again", train=8, val=4, size=96, seed=3)
    assert digest(tmp_path / "again") == digest(root)


def test_another_seed_draws_other_pictures(root, tmp_path):
    make_shapes(tmp_path / "other", train=8, val=4, size=96, seed=4)
    name = "JPEGImages/train_0000.jpg"
    assert digest(tmp_path / "other")[name] != digest(root)[name]


def test_more_pictures_keep_the_first_ones(root, tmp_path):
    make_shapes(tmp_path / "more", train=10, val=4, size=96, seed=3)
    more, few = digest(tmp_path / "more"), digest(root)
    pictures = [name for name in few if name.startswith(("JPEGImages", "Segmentation", "Saliency", "Annotations"))]
    assert len(pictures) == 12 * 5
    assert all(more[name] == few[name] for name in pictures)


def test_opens_as_a_data_set(root):
    data = open_dataset(root)
    assert data.name == "shapes" and data.classes == CLASSES
    assert data.ids("train") == data.ids("train_aug") == [f"train_{index:04d}" for index in range(8)]
    assert len(data.ids("val")) == 4
    for image_id in data.ids("train") + data.ids("val"):
        mask, instances = data.mask(image_id), data.instances(image_id)
        size = data.size(image_id)
        assert max(size) == 96
        assert mask.shape == instances.shape == data.saliency(image_id).shape == size
        assert set(np.unique(mask)) - {0, 255} == set(data.tags(image_id))
        assert ((mask == 255) == (instances == 255)).all() and ((mask == 0) == (instances == 0)).all()


def test_annotation_agrees_with_the_instances(root):
    data = open_dataset(root)
    for image_id in data.ids("train"):
        objects = ElementTree.parse(root / "Annotations" / f"{image_id}.xml").findall("object")
        mask, instances = data.mask(image_id), data.instances(image_id)
        assert len(objects) == len(set(np.unique(instances)) - {0, 255})
        for number, thing in enumerate(objects, 1):
            rows, columns = np.nonzero(instances == number)
            box = [int(thing.find(f"bndbox/{side}").text) for side in ("xmin", "ymin", "xmax", "ymax")]
            assert box == [columns.min() + 1, rows.min() + 1, columns.max() + 1, rows.max() + 1]
            assert {data.classes[value] for value in np.unique(mask[instances == number])} == {thing.find("name").text}


def test_heads_are_a_small_part(scenes):
    for class_id in range(1, len(CLASSES)):
        things = [scene for scene in scenes if set(scene.classes) == {class_id}]
        share = sum(scene.heads.sum() for scene in things) / sum((scene.mask == class_id).sum() for scene in things)
        assert 0.08 < share < 0.30, CLASSES[class_id]


def test_every_creature_and_its_head_are_seen(scenes):
    for scene in scenes:
        for number in range(1, len(scene.classes) + 1):
            thing = scene.instances == number
            assert thing.sum() > 200
            assert (scene.heads & thing).sum() > 20


def test_the_confounder_is_there_and_not_everywhere():
    boats, fish = Counter(), Counter()
    for index in range(120):
        scene = shapes_scene("train", index, size=64)
        names = {CLASSES[class_id] for class_id in scene.classes}
        if "boat" in names and "bird" not in names:
            boats[scene.surroundings] += 1
        if names == {"fish"}:
            fish[scene.surroundings] += 1
    assert boats["water"] / boats.total() > 0.85
    assert fish["water"] / fish.total() < 0.6


def test_edges_are_visible(scenes):
    """A picture changes more where a creature ends than anywhere inside the ground."""
    for scene in scenes[:20]:
        grey = scene.image.mean(2)
        change = np.hypot(*np.gradient(grey))
        assert change[scene.mask == 255].mean() > 2 * np.median(change[scene.mask == 0])


def test_keeps_the_same_set_and_refuses_another(root):
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    make_shapes(root, train=8, val=4, size=96, seed=3)
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before
    with pytest.raises(UserError, match="another data set"):
        make_shapes(root, train=9, val=4, size=96, seed=3)


def test_refuses_a_folder_of_something_else(tmp_path):
    (tmp_path / "photo.jpg").write_text("mine")
    with pytest.raises(UserError, match="no data set"):
        make_shapes(tmp_path, train=1, val=1)
    assert [path.name for path in tmp_path.iterdir()] == ["photo.jpg"]


def test_a_failure_leaves_nothing(tmp_path, monkeypatch):
    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("common.data.prepare.shapes._write_scene", full)
    with pytest.raises(UserError, match="No space left"):
        make_shapes(tmp_path / "shapes", train=1, val=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", [{"train": 0}, {"val": 0}, {"seed": -1}, {"size": 10}])
def test_arguments_out_of_range(tmp_path, wrong):
    with pytest.raises(UserError):
        make_shapes(tmp_path / "shapes", **wrong)
