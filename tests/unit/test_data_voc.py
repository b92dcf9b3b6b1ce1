"""Opening a data set: what it reads, what it refuses, and the guard on pixel labels."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from common.base.errors import DataError, SupervisionError
from common.data.dataset import VOC_CLASSES, open_dataset, voc_palette, write_description, write_mask
from common.data.ids import ids_sha1


def described(root: Path, text: str) -> Path:
    (root / "dataset.toml").write_text(text)
    return root


def test_reads_what_is_there(tiny_voc):
    data = open_dataset(tiny_voc)
    image_id = data.ids("val")[0]
    assert data.classes == ("background", "thing") and data.num_classes == 2 and data.ignore_index == 255
    assert data.splits() == ["train", "train_aug", "val"]
    assert data.image(image_id).shape == (*data.size(image_id), 3) and data.image(image_id).dtype == np.uint8
    assert data.mask(image_id).shape == data.size(image_id) and set(np.unique(data.mask(image_id))) == {0, 1}
    assert data.tags(image_id) == (1,) and data.tag_vector(image_id).tolist() == [1.0]
    assert data.fingerprint("val") == ids_sha1(data.ids("val"))


def test_fingerprint_depends_on_ids_and_their_order():
    assert ids_sha1(["a", "b"]) == "05dec960e24d918b8a73a1c53bcbbaac2ee5c2e0"  # printf "a\nb\n" | sha1sum
    assert len({ids_sha1(["a", "b"]), ids_sha1(["b", "a"]), ids_sha1(["ab"])}) == 3


def test_palette_begins_as_voc_does():
    assert voc_palette()[[0, 1, 2, 15, 255]].tolist() == [
        [0, 0, 0], [128, 0, 0], [0, 128, 0], [192, 128, 128], [224, 224, 192],
    ]  # fmt: skip


def test_own_classes_palette_and_folders(tmp_path):
    write_description(
        tmp_path, "roads", ("background", "car", "tree"), "given",
        ignore_index=200, tags="labels/tags.json", palette=[(1, 2, 3), (4, 5, 6), (7, 8, 9)],
        folders={"images": "photos", "masks": "gt", "splits": "lists"},
    )  # fmt: skip
    (tmp_path / "photos").mkdir()
    Image.fromarray(np.full((5, 7, 3), 9, np.uint8)).save(tmp_path / "photos/x.png")
    write_mask(tmp_path / "gt/x.png", np.full((5, 7), 200, np.uint8))
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels/tags.json").write_text('{"x": ["tree", "car", "tree"]}')
    data = open_dataset(tmp_path)
    assert data.palette[:3].tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9]] and data.palette.shape == (256, 3)
    assert data.image("x").max() == 9 and data.size("x") == (5, 7) and set(data.mask("x").flat) == {200}
    assert data.tags("x") == (1, 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('name = "x"', "the key 'classes' is missing"),
        ('name = "x"\nclasses = ["cat", "dog"]', '"background" first'),
        ('name = "x"\nclasses = ["background", "cat", "cat"]', "names a class twice"),
        ('name = "x"\nclases = ["background", "cat"]', "unknown key 'clases' (did you mean 'classes'?)."),
        ('name = "x"\nclasses = ["background", "cat"]\nignore_index = 1', "'ignore_index' must lie above"),
        ('name = "x"\nclasses = ["background", "cat"]\nignore_index = "255"', "'ignore_index' must be a int"),
        ('name = "x"\nclasses = ["background", "cat"]\ntag_rule = "boxes"', "'tag_rule' must be one of"),
        ('name = "x"\nclasses = ["background", "cat"]\npalette = [[0, 0, 0]]', "1 colours for 2 classes"),
        ('name = "x"\nclasses = ["background", "cat"]\npalette = [[0, 0], [1, 1]]', "'palette' must be a list"),
        ('name = "x"\nclasses = ["background", "cat"]\n[folders]\nimage = "a"', "unknown key 'folders.image'"),
        ('name = "x"\nclasses = ["background", "cat"]\n[folders]\nimages = 3', "must be a folder name"),
        ("name = ", "no valid TOML"),
    ],
)
def test_bad_description(tmp_path, text, message):
    with pytest.raises(DataError, match=r"dataset\.toml") as error:
        open_dataset(described(tmp_path, text))
    assert message in str(error.value)


def test_missing_folder_and_description(tmp_path):
    with pytest.raises(DataError, match=r"nowhere does not exist"):
        open_dataset(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"dataset\.toml does not exist"):
        open_dataset(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"), [("a b\n", "'a b' is no image id"), ("../a\n", "no image id"), ("\n", "is empty")]
)
def test_bad_lists(tiny_voc, text, message):
    (tiny_voc / "ImageSets/Segmentation/odd.txt").write_text(text)
    with pytest.raises(DataError, match=rf"odd\.txt.*{message}"):
        open_dataset(tiny_voc).ids("odd")


def test_unknown_split_names_the_known_ones(tiny_voc):
    with pytest.raises(DataError, match=r"none\.txt does not exist.*train, train_aug, val"):
        open_dataset(tiny_voc).ids("none")


def test_missing_files_are_named(tiny_voc):
    data = open_dataset(tiny_voc)
    for read in (data.image, data.size, data.mask, data.saliency, data.instances):
        with pytest.raises(DataError, match=r"ghost\.(jpg|png) does not exist"):
            read("ghost")
    with pytest.raises(DataError, match="no tags for ghost"):
        data.tags("ghost")


def test_guard(tiny_voc):
    data = open_dataset(tiny_voc)
    train, val = data.ids("train"), data.ids("val")
    guarded = data.guarded(train)
    assert guarded.mask(train[0]).shape == data.size(train[0])
    for read in (guarded.mask, guarded.instances):
        with pytest.raises(SupervisionError, match=val[0]):
            read(val[0])
    assert guarded.image(val[0]).size and guarded.tags(val[0]) == (1,)  # photos and tags stay free
    assert data.guarded(None).mask(val[0]).size
    with pytest.raises(SupervisionError):  # a guard never widens
        guarded.guarded([*train, *val]).mask(val[0])
    with pytest.raises(SupervisionError):
        guarded.guarded(None).mask(val[0])
    with pytest.raises(SupervisionError):  # nor is it lost on the way to a worker process
        pickle.loads(pickle.dumps(guarded)).mask(val[0])


def test_masks_survive_writing(tmp_path):
    mask = np.random.default_rng(0).choice(np.array([0, 7, 20, 255], np.uint8), (9, 4))
    write_description(tmp_path, "voc", VOC_CLASSES, "given")
    write_mask(tmp_path / "SegmentationClassAug/x.png", mask)
    assert np.array_equal(open_dataset(tmp_path).mask("x"), mask)
    with Image.open(tmp_path / "SegmentationClassAug/x.png") as picture:
        assert picture.mode == "P" and picture.getpalette()[:6] == [0, 0, 0, 128, 0, 0]
