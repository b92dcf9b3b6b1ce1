"""The derivation of trainaug, the splits and their names; the published lists are held in tests/parity/protocols."""

from __future__ import annotations

import random

import numpy as np
import pytest

from common.base.errors import DataError, UserError
from common.data import protocols
from common.data.dataset import open_dataset
from common.data.tags import mask_tags, xml_tags

IDS = [f"2008_{number:06d}" for number in range(10582)]


def test_trainaug_on_a_small_tree():
    found = protocols.trainaug(["c", "a"], ["b", "v"], ["b", "a", "e"], ["v", "d"])
    assert found == ["a", "c", "d", "e"]


@pytest.mark.parametrize(
    ("fraction", "floor", "dmt"),
    [
        ("1/2", 5291, 5291),
        ("1/4", 2645, 2645),
        ("1/8", 1322, 1322),
        ("1/20", 529, 530),
        ("1/50", 211, 211),
        ("1/106", 100, 100),
    ],
)
def test_counts(fraction, floor, dmt):
    assert protocols.labelled_count(10582, fraction, "floor") == floor
    assert protocols.labelled_count(10582, fraction) == dmt
    assert len(protocols.fraction_split(IDS, fraction).labelled) == dmt


def test_one_more_only_at_one_mod_eight():
    assert [protocols.labelled_count(n, "1/1") for n in (8, 9, 10, 17)] == [8, 9, 10, 17]  # never more than there are
    assert [protocols.labelled_count(n, "1/2") for n in (16, 18, 20, 34)] == [8, 10, 10, 18]


def test_splits_are_prefixes_of_one_shuffle_after_another():
    rng, order = random.Random(7777), sorted(IDS)
    for split in range(3):
        rng.shuffle(order)
        small, large = (protocols.fraction_split(IDS[::-1], fraction, split) for fraction in ("1/50", "1/8"))
        assert list(large.labelled) == order[:1322] and list(large.unlabelled) == order[1322:]
        assert large.labelled[: len(small.labelled)] == small.labelled


def test_seed_changes_the_split():
    assert protocols.fraction_split(IDS, "1/8", seed=1).labelled != protocols.fraction_split(IDS, "1/8").labelled


def test_dms_halves_share_sixty_percent():
    for (fraction, split), (left, right) in protocols.dms_subsets(IDS).items():
        labelled = set(protocols.fraction_split(IDS, fraction, split).labelled)
        assert len(left) == len(right) and set(left) | set(right) == labelled
        assert len(set(left) & set(right)) / len(labelled) == pytest.approx(0.6, abs=0.01)


def test_permuted_split(tmp_path):
    order = np.random.default_rng(0).permutation(40)
    ids = [f"i{number:02d}" for number in range(40)]
    found = protocols.permuted_split(ids[::-1], order.tolist(), 0.3)
    assert list(found.labelled) == [ids[position] for position in order[:12]]
    np.save(tmp_path / "p.npy", order)
    np.savez(tmp_path / "q.npz", permutation=order.astype(np.uint16))
    (tmp_path / "r.txt").write_text("\n".join(map(str, order)))
    for name in ("p.npy", "q.npz", "r.txt"):
        assert protocols.read_permutation(tmp_path / name) == order.tolist()
    lists = protocols.permuted_lists(ids, tmp_path / "r.txt", ["1/8"])
    assert lists == {
        "8_labeled_r": [ids[position] for position in order[:5]],
        "8_unlabeled_r": [ids[position] for position in order[5:]],
    }


@pytest.mark.parametrize("order", [[0, 1], [0, 1, 1], [1, 2, 3]])
def test_a_permutation_holds_every_position_once(order):
    with pytest.raises(DataError, match="every position 0 to 2 once"):
        protocols.permuted_split(["a", "b", "c"], order, 0.5)


def test_pickled_permutation_is_refused(tmp_path):
    np.save(tmp_path / "bad.npy", np.array([{}], dtype=object), allow_pickle=True)
    (tmp_path / "words.txt").write_text("one two")
    for name in ("bad.npy", "words.txt", "missing.npz"):
        with pytest.raises(DataError, match=f"{name} holds no permutation".replace(".", r"\.")):
            protocols.read_permutation(tmp_path / name)


def test_names(tiny_voc):
    (tiny_voc / "ImageSets/Segmentation/train.txt").write_text("2007_000001\n2007_000004\n")
    data = open_dataset(tiny_voc)
    train, aug = data.ids("train"), data.ids("train_aug")
    rest = [image_id for image_id in aug if image_id not in train]
    assert protocols.resolve(data, "1.4k strong") == protocols.Protocol("1.4k strong", tuple(train), ())
    both = protocols.resolve(data, "1.4k strong + 9.2k weak")
    assert (list(both.labelled), list(both.unlabelled)) == (train, rest)
    assert (
        protocols.resolve(data, "10.6k weak").unlabelled
        == tuple(aug)
        == protocols.resolve(data, "10.6k strong").labelled
    )
    for split in range(3):
        assert protocols.resolve(data, "1/2", split) == protocols.fraction_split(aug, "1/2", split)
    with pytest.raises(UserError, match=r"'1\.4k storng' is no protocol .did you mean '1\.4k strong'"):
        protocols.resolve(data, "1.4k storng")
    with pytest.raises(UserError, match="'1/x' is no fraction"):
        protocols.resolve(data, "1/x")


def test_an_image_is_labelled_or_not():
    with pytest.raises(DataError, match="b is in the labelled and in the unlabelled list"):
        protocols.Protocol("x", ("a", "b"), ("b",))


def test_xml_tags():
    def found(name: str, difficult: int) -> str:
        return f"<object><name>{name}</name><difficult>{difficult}</difficult><part><name>dog</name></part></object>"

    xml = f"<annotation><name>dog</name>{found('car', 1)}{found('cat', 0)}{found('unicorn', 0)}</annotation>".encode()
    classes = ("background", "car", "cat", "dog")
    assert xml_tags(xml, classes) == ["car", "cat"] and xml_tags(xml, classes, difficult=False) == ["cat"]
    alone = b"<annotation><object><name>car</name><difficult>1</difficult></object></annotation>"
    assert xml_tags(alone, classes, difficult=False) == ["car"]  # without it the image would have no tag
    assert xml_tags(b"<annotation></annotation>", classes, difficult=False) == []
    with pytest.raises(DataError, match="no XML"):
        xml_tags(b"<annotation>", classes)


def test_mask_tags():
    assert mask_tags(np.array([[0, 2, 255]], np.uint8), ("background", "car", "cat")) == ["cat"]
