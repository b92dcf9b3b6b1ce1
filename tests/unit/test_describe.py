"""`wsseg run --dry-run --full`: every stage of the plan with every parameter."""

from __future__ import annotations

import inspect
import shutil
from pathlib import Path

import pytest

from common.cli import main
from common.pipeline.describe import step_lines
from common.pipeline.recipe import load_recipe
from tests.smoke.shrink import tiny_shapes

ROOT = Path(__file__).resolve().parents[2]
RECIPES = sorted(path for path in ROOT.glob("configs/*/*.py") if "\npipeline" in path.read_text(encoding="utf-8"))
SHAPES = ROOT / "configs/irnet/irnet_shapes.py"


def test_the_full_plan_shows_what_is_said_and_what_is_left_to_defaults(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    run = ["run", str(SHAPES.relative_to(ROOT)), "--data-root", str(tiny_shapes(tmp_path / "shapes")), "--dry-run"]
    run += ["--work-dir", str(tmp_path / "work"), "--cfg-options", "pipeline.walk.beta=7"]
    assert main(run) == 0
    plan = capsys.readouterr().out.splitlines()
    assert main([*run, "--full"]) == 0
    full = capsys.readouterr().out.splitlines()
    stages = [line for line in plan if line[0] == "["]
    assert [line for line in full if line[0] == "["] == stages and len(stages) == 15
    walk = full.index(plan[6])
    assert "walk (boundary_walk)" in plan[6]
    assert [line.strip() for line in full[walk + 1 : full.index(plan[7])]] == [
        "cams = the output of make_cam",
        "weights = the output of irn",
        "beta = 7.0",
        "exp_times = 7",
        "radius = 5",
        "canvas = 128",
    ]
    assert "config = configs/irnet/cam_lite0_shapes.py" in full[1]
    assert any(line.strip() == "normalisation = 'class_max'" for line in full), "a default of the stage"
    assert any("crf = CRFParams(iterations=10" in line for line in full)


def test_full_belongs_to_a_plan(capsys: pytest.CaptureFixture) -> None:
    assert main(["run", str(SHAPES), "--full"]) == 2
    assert "--dry-run" in capsys.readouterr().err


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_no_parameter_is_left_out(path: Path) -> None:
    for step in load_recipe(path).steps:
        lines = list(step_lines(step))
        for name in set(inspect.signature(step.function).parameters) - {"run"}:
            assert any(line.startswith((f"{name} = ", f"{name}.")) for line in lines), f"{step.name}: {name}"
        assert any("masks of training images" in line for line in lines) == step.oracle


@pytest.mark.parametrize("method", ["irnet", "affinitynet", "seam"])
def test_photos_with_tags_need_a_folder_alone(
    method: str, tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without any mask all is planned but what would judge; the stages are those of the measured recipe."""
    monkeypatch.chdir(tmp_path)
    root = tiny_shapes(tmp_path / "mine")
    for folder in ("SegmentationClassAug", "SegmentationObject"):
        shutil.rmtree(root / folder)
    photos, animals = (ROOT / f"configs/{method}/{method}_{name}.py" for name in ("photos", "voc12_animals"))
    assert main(["run", str(photos), "--data-root", str(root), "--dry-run"]) == 0
    planned = [line.split(" ", 3)[1:] for line in capsys.readouterr().out.splitlines()]
    steps = load_recipe(photos).steps
    judges = {step.name for step in steps if step.kind.__name__ == "Scores"}
    assert {name for verb, name, _ in planned if verb == "skip"} == judges and "val" in judges
    names = [(step.stage, step.name) for step in steps]
    assert names == [(step.stage, step.name) for step in load_recipe(animals).steps]
