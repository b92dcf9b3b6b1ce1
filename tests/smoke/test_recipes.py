"""Every stage and every network of the recipes, on a handful of shapes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from common.pipeline import run_recipe
from common.pipeline.plan import Settings
from common.pipeline.recipe import Recipe, load_recipe
from tests.smoke.cover import cover
from tests.smoke.shrink import shrunk

ROOT = Path(__file__).resolve().parents[2]
ALL = [path for path in ROOT.glob("configs/*/*.py") if "\npipeline" in path.read_text(encoding="utf-8")]
COVER = cover(ALL)


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs for each family."""
    return tmp_path_factory.mktemp("runs")


def family(recipe: Recipe) -> str:
    """Whose runs a recipe takes stages from: its method's, or IRNet's where it trains a network of that method."""
    networks = {step.network.resolve().parent.name for step in recipe.steps if step.network}
    return "irnet" if "irnet" in networks else recipe.method


@pytest.mark.parametrize("recipe", COVER, ids=lambda path: path.stem)
def test_recipe_runs(recipe: Path, shapes: Path, runs: Path) -> None:
    """Stages that another recipe of the family has made here are taken, as between real runs."""
    loaded = load_recipe(recipe, shrunk(recipe, shapes))
    work = runs / family(loaded) / recipe.stem
    settings = {"device": "cpu", "workers": 1, "threads": 1, "reuse": (work.parent,)}
    run_recipe(loaded, Settings(work_dir=work, until=COVER[recipe], **settings))
    for step in loaded.steps[: [step.name for step in loaded.steps].index(COVER[recipe]) + 1]:
        record = json.loads((work / step.name / "stage.json").read_text())
        assert record["images"] is None or record["images"] > 0
        if step.kind.__name__ == "Scores":
            score = record["numbers"].get("miou", record["numbers"].get("map"))
            assert score is None or 0 <= score <= 1
