"""Every stage and every network of the recipes, on a handful of shapes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from common.pipeline import run_recipe
from common.pipeline.plan import Settings
from common.pipeline.recipe import load_recipe
from tests.smoke.cover import cover
from tests.smoke.shrink import shrunk

ROOT = Path(__file__).resolve().parents[2]
ALL = [path for path in ROOT.glob("configs/*/*.py") if "\npipeline" in path.read_text(encoding="utf-8")]
COVER = cover(ALL)


@pytest.mark.parametrize("recipe", COVER, ids=lambda path: path.stem)
def test_recipe_runs(recipe: Path, shapes: Path, tmp_path: Path) -> None:
    loaded = load_recipe(recipe, shrunk(recipe, shapes))
    run_recipe(loaded, Settings(work_dir=tmp_path, device="cpu", workers=1, threads=1, until=COVER[recipe]))
    for step in loaded.steps[: [step.name for step in loaded.steps].index(COVER[recipe]) + 1]:
        record = json.loads((tmp_path / step.name / "stage.json").read_text())
        assert record["images"] is None or record["images"] > 0
        if step.kind.__name__ == "Scores":
            score = record["numbers"].get("miou", record["numbers"].get("map"))
            assert score is None or 0 <= score <= 1
