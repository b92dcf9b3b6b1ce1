"""The picture of README: which photos it shows, and what it needs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from common.artifacts import CAM, CAMs, Labels
from common.base.errors import UserError
from common.base.files import write_json
from common.data.dataset import DataSet, open_dataset
from common.data.prepare.shapes import make_shapes
from common.pipeline.run_folder import RunFolder
from common.report import steps as module
from common.report.steps import CELL, GAP, HEADS, at_quarters, main, sheet, steps


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    root = tmp_path_factory.mktemp("steps") / "shapes"
    make_shapes(root, train=12, val=2, size=64)
    return open_dataset(root)


def made(path: Path, data: DataSet) -> RunFolder:
    """CAMs that know nothing, and pseudo labels that are the truth."""
    cams, pseudo = CAMs(path / "make_cam"), Labels(path / "pseudo")
    for folder in ("make_cam", "pseudo"):
        (path / folder).mkdir()
    for name in data.ids("train"):
        (height, width), keys = data.size(name), np.array(data.tags(name), np.int64)
        cams.write(name, CAM(keys, np.zeros((len(keys), -(-height // 4), -(-width // 4)), np.float32), (height, width)))
        pseudo.write(name, data.mask(name))
    return RunFolder(path, {}, {name: {} for name in ("make_cam", "pseudo")})


def test_the_photos_at_the_quarters_are_shown():
    assert at_quarters({f"{score:02}": score for score in range(9)}) == ["06", "04", "02"]
    assert at_quarters({"b": 0.5, "a": 0.5, "c": 0.5}) == ["a", "b"]
    assert at_quarters({"a": 0.5}) == ["a"]


def test_a_sheet_has_a_column_a_step_and_its_tags():
    photos = [np.full((100, 50, 3), 7 * number, np.uint8) for number in range(len(HEADS))]
    tags = [("cat", (255, 0, 0))]
    drawn = np.asarray(sheet([(photos, tags), (photos, tags)]))
    assert drawn.shape[1] == len(HEADS) * (CELL + GAP) + GAP and drawn.shape[0] > 2 * CELL
    middles = drawn[CELL // 2, GAP + CELL // 2 :: CELL + GAP]
    assert np.array_equal(middles[:, 0], [7 * number for number in range(len(HEADS))])
    assert (drawn == (255, 0, 0)).all(2).sum() > 2 * 100


def test_a_run_is_drawn_from_photos_with_several_tags(tmp_path, data, monkeypatch):
    run, asked = made(tmp_path, data), []
    monkeypatch.setattr(module, "_network", lambda run, data: lambda name: asked.append(name) or data.mask(name))
    assert steps(run, data).width == len(HEADS) * (CELL + GAP) + GAP
    assert 1 <= len(asked) <= 3 and all(len(data.tags(name)) > 1 for name in asked)


def test_a_run_that_lacks_a_step_is_named(tmp_path, data):
    write_json(tmp_path / "run.json", {"stages": ["make_cam"], "data": {"root": str(data.root)}})
    with pytest.raises(UserError, match="has no finished stage 'make_cam'"):
        main([str(tmp_path), str(tmp_path / "picture.png")])
    with pytest.raises(UserError, match="has no finished stage 'deeplab'"):
        steps(made(tmp_path, data), data)
    assert not (tmp_path / "picture.png").exists()
