"""Fragments of recipes: what they refuse."""

from __future__ import annotations

import pytest

from common.fragments import retrained, until, with_configs


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
