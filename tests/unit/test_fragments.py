"""Fragments of recipes: what they refuse."""

from __future__ import annotations

import pytest

from common.fragments import evaluations, retrained, strong_and_weak, strong_only, until, with_configs


def test_another_row_differs_in_its_network_configs_alone():
    row = retrained("one.py", labels="pseudo", split="train", scales=(1.0,), flip=True)
    other = with_configs(row, deeplab="other.py")
    assert other == retrained("other.py", labels="pseudo", split="train", scales=(1.0,), flip=True)
    assert row[0]["config"] == "one.py"


@pytest.mark.parametrize("name", ["deeplap", "val"])
def test_a_config_needs_a_stage_that_has_one(name: str):
    row = retrained("one.py", labels="pseudo", split="train", scales=(1.0,), flip=True)
    with pytest.raises(ValueError, match=name):
        with_configs(row, **{name: "other.py"})


def test_a_control_shares_the_stages_up_to_a_name():
    row = retrained("one.py", labels="pseudo", split="train", scales=(1.0,), flip=True)
    assert until(row, "segment") == row[:2] and until(row, "val") == row
    with pytest.raises(ValueError, match="pseudo"):
        until(row, "pseudo")


def test_few_masks_alone_and_with_pseudo_labels():
    """Images with pseudo labels come first, as a paired sampler has them; the masks are those of one list."""
    assert strong_only("strong", "net.py", "few", options={"train_cfg.max_iters": 7}) == {
        "stage": "train",
        "name": "strong",
        "config": "net.py",
        "split": "few",
        "pixel_labels": "few",
        "options": {"train_cfg.max_iters": 7},
    }
    assert strong_and_weak("mixed", "net.py", "few", "rest", labels="pseudo") == {
        "stage": "train",
        "name": "mixed",
        "config": "net.py",
        "labels": "pseudo",
        "split": "rest+few",
        "pixel_labels": "few",
    }


def test_every_network_is_judged_by_its_own_label_maps():
    first, second = (
        evaluations({name: weights}, split="val", scales=(1.5,)) for name, weights in (("val", "a"), ("b", "c"))
    )
    assert evaluations({"val": "a", "b": "c"}, split="val", scales=(1.5,)) == first + second
    assert first[0] == {"stage": "infer_seg", "name": "segment_a", "weights": "a", "split": "val", "scales": (1.5,)}
    assert second[1] == {"stage": "eval_labels", "name": "b", "labels": "segment_c", "split": "val", "classes": None}
