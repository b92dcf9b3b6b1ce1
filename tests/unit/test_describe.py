"""`wsseg run --dry-run --full`: every stage of the plan with every parameter."""

from __future__ import annotations

import inspect
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
    assert [line for line in full if line[0] == "["] == plan and len(plan) == 15
    walk = full.index(plan[6])
    assert "walk (boundary_walk)" in plan[6]
    assert [line.strip() for line in full[walk + 1 : full.index(plan[7])]] == [
        "cams = the output of make_cam",
        "weights = the output of irn",
        "beta = 7.0",
        "exp_times = 6",
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
