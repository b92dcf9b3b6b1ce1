"""A stage that a sibling run has finished is taken from there, if nothing tells it from one that is made here."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from common.base.files import read_json, write_json
from common.cli import main
from common.pipeline.records import device_kind
from tests.digest import content_digest
from tests.unit.test_pipeline import PIPELINE, write_recipe

pytestmark = pytest.mark.usefixtures("toy_method")
NAMES = PIPELINE.replace('"label"', '"mine"').replace('"inverse"', '"other"')
"""The same stages under other names."""


def run(recipe: Path, work: Path, *more: str) -> int:
    return main(["run", str(recipe), "--work-dir", str(work), "--device", "cpu", "--workers", "1", *more])


def lines(capsys) -> list[str]:
    return [line.partition(": ")[2] for line in capsys.readouterr().out.splitlines() if line.startswith("[")]


@pytest.fixture
def runs(tmp_path: Path, tiny_voc: Path, capsys) -> Path:
    """A folder `work_dirs` with one finished run, `first`."""
    folder = tmp_path / "work_dirs"
    assert run(write_recipe(tmp_path, tiny_voc), folder / "first") == 0
    capsys.readouterr()
    return folder


def test_a_sibling_takes_what_is_finished_under_any_name(runs: Path, tmp_path: Path, tiny_voc: Path, capsys):
    recipe = write_recipe(tmp_path, tiny_voc, NAMES)
    taken = ["taken from first/label", "taken from first/inverse", "taken from first/score"]
    assert run(recipe, runs / "second", "--dry-run") == 0
    assert lines(capsys) == taken and not (runs / "second").exists()
    assert run(recipe, runs / "second") == 0
    assert lines(capsys) == taken
    first, second = (read_json(runs / name / "stage.json") for name in ("first/inverse", "second/other"))
    assert second["inputs"]["labels"]["stage"] == "mine" and second["name"] == "other"
    assert second["taken_from"] == {"run": "first", "stage": "inverse"} and second["seconds"] == first["seconds"]
    image = "2007_000001.png"
    assert (runs / "first/label" / image).samefile(runs / "second/mine" / image)
    assert run(recipe, runs / "second") == 0
    assert lines(capsys) == ["fresh"] * 3
    assert run(recipe, runs / "third") == 0
    assert read_json(runs / "third/other/stage.json")["taken_from"]["run"] == "first"


def test_only_the_same_is_taken(runs: Path, tmp_path: Path, tiny_voc: Path, capsys):
    assert run(write_recipe(tmp_path, tiny_voc, level=120), runs / "level") == 0
    assert lines(capsys)[0] == "not made yet"
    recipe = write_recipe(tmp_path, tiny_voc)
    assert run(recipe, runs / "seed", "--seed", "1") == 0
    assert run(recipe, runs / "own", "--no-reuse") == 0
    assert run(recipe, runs / "forced", "--force") == 0
    assert "taken" not in " ".join(lines(capsys))


def test_a_recipe_with_masks_takes_what_was_made_without_any(runs: Path, tmp_path: Path, tiny_voc: Path, capsys):
    """A tags-only run's networks serve semi-supervised recipes; what has read masks is made again for other masks."""
    seen = '[dict(stage="toy.peek", name="seen", split="train"),' + PIPELINE.removeprefix("[")
    found = {}
    for name, masks in (("few", "train"), ("other", "train+val"), ("again", "train")):
        recipe = write_recipe(tmp_path, tiny_voc, seen)
        recipe.write_text(recipe.read_text() + f'pixel_labels = "{masks}"\n')
        assert run(recipe, runs / name) == 0
        found[name] = [line.partition("/")[0] for line in lines(capsys)]
    assert found["few"] == ["not made yet", "taken from first", "taken from first", "not made yet"]
    assert found["other"] == ["not made yet", "taken from few", "taken from few", "not made yet"]
    assert found["again"] == ["taken from few"] * 4
    assert read_json(runs / "other/label/stage.json")["supervision"] == "train+val"


@pytest.mark.parametrize("damage", ["photo", "output", "code", "mixed", "older", "machine", "device"])
def test_what_differs_is_not_taken(runs: Path, tmp_path: Path, tiny_voc: Path, capsys, damage: str):
    stage = runs / "first/label"
    record, reads = read_json(stage / "stage.json"), read_json(stage / "reads.json")
    if damage == "photo":
        path = tiny_voc / "JPEGImages/2007_000001.jpg"
        Image.new("RGB", Image.open(path).size, "white").save(path)
    elif damage == "output":
        (stage / "2007_000001.png").write_bytes(b"x")
    elif damage == "code":
        write_json(stage / "reads.json", {**reads, "code": {**reads["code"], "methods.toy.stages": "0"}})
    else:
        other = {
            "mixed": {"mixed": ["two parts"]},
            "machine": {"machine": {**record["machine"], "versions": {"torch": "0"}}},
            "device": {"device": "cuda"},
        }
        changed = {**record, **other.get(damage, {})}
        if damage == "older":
            del changed["format"]
        write_json(stage / "stage.json", changed)
    assert run(write_recipe(tmp_path, tiny_voc), runs / "second") == 0
    assert lines(capsys)[0] == "not made yet"


def test_equal_contents_in_another_place_are_the_same(runs: Path, tmp_path: Path, tiny_voc: Path, capsys):
    moved = tmp_path / "elsewhere/copy"
    shutil.copytree(tiny_voc, moved)
    description = moved / "dataset.toml"
    description.write_text(description.read_text().replace('"tiny"', '"copy"'))
    assert run(write_recipe(tmp_path, moved), runs / "second") == 0
    assert all(line.startswith("taken") for line in lines(capsys))
    assert read_json(runs / "second/label/stage.json")["data"]["name"] == "copy"


def test_other_folders_share_when_they_are_told(runs: Path, tmp_path: Path, tiny_voc: Path, capsys):
    recipe = write_recipe(tmp_path, tiny_voc)
    assert run(recipe, tmp_path / "elsewhere/a") == 0
    assert lines(capsys)[0] == "not made yet"
    for told in (runs, runs / "first"):
        assert run(recipe, tmp_path / f"elsewhere/{told.name}", "--reuse", str(told)) == 0
        assert lines(capsys)[0] == "taken from first/label"
    assert run(recipe, tmp_path / "elsewhere/b", "--reuse", str(tmp_path / "none")) == 2
    assert "none is no folder: name a run, or a folder of runs" in capsys.readouterr().err


def test_a_taken_output_may_be_made_anew_without_harm_to_the_other(runs: Path, tmp_path: Path, tiny_voc: Path):
    before = content_digest(runs / "first")
    assert run(write_recipe(tmp_path, tiny_voc), runs / "second") == 0
    assert run(write_recipe(tmp_path, tiny_voc, level=60), runs / "second") == 0
    assert content_digest(runs / "first") == before
    values = np.array(Image.open(runs / "second/label/2007_000001.png"))
    assert (values != np.array(Image.open(runs / "first/label/2007_000001.png"))).any()


def test_a_stage_that_was_half_finished_is_taken(runs: Path, tmp_path: Path, tiny_voc: Path, capsys):
    recipe = write_recipe(tmp_path, tiny_voc)
    assert run(recipe, runs / "second", "--no-reuse") == 0
    stage = runs / "second/label"
    record = read_json(stage / "stage.json")
    started = {
        key: record[key] for key in ("format", "stage", "params", "inputs", "data", "seed", "oracle", "supervision")
    }
    started["data"] = {key: value for key, value in started["data"].items() if key != "root"}
    write_json(stage / "started.json", {**started, "code": read_json(stage / "reads.json")["code"], "mixed": []})
    (stage / "stage.json").unlink()
    capsys.readouterr()
    assert run(recipe, runs / "second") == 0
    assert lines(capsys)[0] == "taken from first/label"


def test_the_kind_of_a_device_needs_no_torch(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert [device_kind(name) for name in ("cpu", "cuda:1", "auto")] == ["cpu", "cuda", "cpu"]
