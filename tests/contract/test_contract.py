"""What the repository promises as a whole: configs build, recipes check, stages explain themselves, tables are true."""

from __future__ import annotations

import ast
import importlib
import inspect
import itertools
import re
import typing
from collections.abc import Callable
from pathlib import Path

import pytest
from mmseg.registry import MODELS

from common.artifacts import Scores
from common.base.config import import_types, read_config
from common.base.origins import bases
from common.base.source import method_files
from common.checkpoints.names import SOURCES, sources
from common.checkpoints.networks import build_model, without_init
from common.models.classes import fill_classes
from common.pipeline import Run
from common.pipeline.recipe import load_recipe
from common.report.across import MEASURES
from common.report.backbones import backbone_name
from common.report.compare import compare
from common.report.expected import read_expected

ROOT = Path(__file__).resolve().parents[2]
METHODS = sorted(path.parent.name for path in ROOT.glob("methods/*/__init__.py"))
CONFIGS = sorted(path for path in ROOT.glob("configs/*/*.py") if path.parent.name != "_base_")
RECIPES = [path for path in CONFIGS if "\npipeline" in path.read_text(encoding="utf-8")]
NETWORKS = [path for path in CONFIGS if path not in RECIPES]
EXPECTED = {
    recipe: [row for row in rows if row.recipe == recipe and row.value is not None]
    for rows in (read_expected(path) for path in sorted(ROOT.glob("methods/*/expected.toml")))
    for recipe in {row.recipe for row in rows if row.recipe}
}
"""Recipe -> its rows with a number of the paper."""


def stages() -> list[Callable]:
    own = [f"methods.{path.parent.name}.stages" for path in sorted(ROOT.glob("methods/*/stages.py"))]
    modules = [importlib.import_module(name) for name in ("common.stages", *own)]
    return [
        function
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if f"{function.__module__}.".startswith(f"{module.__name__}.")
        and "run" in inspect.signature(function).parameters
        and name[0] != "_"
    ]


@pytest.mark.parametrize("path", NETWORKS, ids=lambda path: path.stem)
def test_network_config_builds(path: Path) -> None:
    config = read_config(path)
    import_types(config)
    fill_classes(config.model, 21)
    model = build_model({"model": without_init(config.model.to_dict())})
    assert any(parameter.requires_grad for parameter in model.parameters())
    for key in ("train_dataloader", "optim_wrapper", "train_cfg"):
        assert key in config


@pytest.mark.parametrize("path", NETWORKS, ids=lambda path: path.stem)
def test_the_title_that_a_report_reads_is_the_backbones(path: Path) -> None:
    config = read_config(path)
    import_types(config)
    backbone = config.model.backbone.to_dict()
    start = MODELS.get(backbone["type"]).title.partition("{")[0]
    name = backbone_name(backbone)
    assert start and name.startswith(start) and "{" not in name


@pytest.mark.parametrize("path", NETWORKS, ids=lambda path: path.stem)
def test_a_network_config_has_one_base_at_most(path: Path) -> None:
    """The constants of a paper's row stand in the recipe, the network config and one base; runtime.py has none."""
    built_on, file = [], path
    while own := bases(file):
        assert len(own) == 1, f"{file} has {len(own)} bases"
        file = own[0]
        built_on.append(file.name)
    assert not built_on or built_on.pop() == "runtime.py"
    assert len(built_on) <= 1 or not path.stem.endswith("_voc12")


def test_no_two_methods_name_the_same_weights() -> None:
    released = [importlib.import_module(f"methods.{path.parent.name}.released") for path in method_files("released.py")]
    names = [*SOURCES, *(name for module in released for name in getattr(module, "SOURCES", {}))]
    assert sorted(names) == sorted(sources())


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_recipe_is_sound(path: Path) -> None:
    recipe = load_recipe(path)
    assert recipe.method == path.parent.name


PARTS = ("Expected", "Time and memory: ", "Data: ", "Weights: ", "Run: wsseg run ")


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_begins_with_what_it_needs_and_reaches(path: Path) -> None:
    """`wsseg list` shows the first line of the docstring."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert text, "a recipe begins with a docstring"
    lines = text.splitlines()
    assert 5 <= len(lines) <= 12 and lines[1] == ""
    starts = [next((part for part in PARTS if line.startswith(part)), None) for line in lines]
    assert [part for part in starts if part] == list(PARTS)
    own_data = " --data-root DIR" if path.stem.endswith("_photos") else ""
    assert lines[-1] == f"Run: wsseg run {path.relative_to(ROOT)}{own_data}"


@pytest.mark.parametrize("path", [path for path in RECIPES if path.stem in EXPECTED], ids=lambda path: path.stem)
def test_the_numbers_that_a_recipe_expects_are_those_of_expected_toml(path: Path) -> None:
    said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    numbers = {float(number) for number in re.findall(r"\d+\.\d+", said)}
    assert {row.value for row in EXPECTED[path.stem]} <= numbers


def stage_entries(path: Path) -> set[str]:
    """The entries that a recipe writes out: `dict(stage=..., ...)`."""
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    return {ast.unparse(call) for call in calls if any(keyword.arg == "stage" for keyword in call.keywords)}


@pytest.mark.parametrize("method", METHODS)
def test_no_entry_stands_in_two_recipes_of_a_method(method: str) -> None:
    """What recipes share is a function of methods/<method>/recipe.py or common/fragments.py."""
    written = {path: stage_entries(path) for path in RECIPES if path.parent.name == method}
    for one, other in itertools.combinations(written, 2):
        assert not written[one] & written[other], f"{one.name} and {other.name}"


def fragments() -> list[Callable]:
    names = [f"methods.{path.parent.name}.recipe" for path in sorted(ROOT.glob("methods/*/recipe.py"))]
    modules = [importlib.import_module(name) for name in ("common.fragments", *names)]
    return [
        function
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and name[0] != "_"
    ]


@pytest.mark.parametrize("method", [m for m in METHODS if (ROOT / f"configs/{m}/{m}_voc12_animals.py").exists()])
def test_the_animals_recipe_is_the_one_for_any_photos_with_its_data_and_constants(method: str) -> None:
    """The same stages with the same parameters; only their values differ, and the classes that the mean is over."""
    photos, animals = (
        [(step.name, step.stage, step.inputs, sorted(set(step.params) - {"classes"})) for step in recipe.steps]
        for recipe in (
            load_recipe(ROOT / f"configs/{method}/{method}_{data}.py") for data in ("photos", "voc12_animals")
        )
    )
    assert animals == photos


@pytest.mark.parametrize("fragment", fragments(), ids=lambda fragment: f"{fragment.__module__}.{fragment.__name__}")
def test_a_fragment_has_no_number_of_its_own(fragment: Callable) -> None:
    """A default says "without" (None, no prefix); a number that a paper prints stands in the recipe."""
    defaults = {key: parameter.default for key, parameter in inspect.signature(fragment).parameters.items()}
    assert not {key: value for key, value in defaults.items() if value not in (inspect.Parameter.empty, None, "")}


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_names_that_correspond_across_methods_mean_the_same(path: Path) -> None:
    """The tables across methods are made by these names (CONTRIBUTING, "A recipe")."""
    steps = {step.name: step for step in load_recipe(path).steps}
    judged = {name: step for name, step in steps.items() if any(name in measure.stages for measure in MEASURES)}
    for name, step in judged.items():
        assert step.kind is Scores and getattr(step.function, "pixel_labels", "none") == "evaluation"
        assert step.params["split"].startswith("val") == (name == "val")
    if "eval_cam_best" in judged:
        assert judged["eval_cam_best"].params["thresholds"] == "best"
        assert "eval_cam" in judged, "eval_cam_best stands beside the threshold of the paper"


@pytest.mark.parametrize("stage", stages(), ids=lambda stage: f"{stage.__module__}.{stage.__name__}")
def test_stage_says_what_it_takes_and_makes(stage: Callable) -> None:
    assert inspect.getdoc(stage)
    hints = typing.get_type_hints(stage)
    assert hints.pop("run") is Run
    assert "return" in hints
    assert set(inspect.signature(stage).parameters) == set(hints) - {"return"} | {"run"}


@pytest.mark.parametrize("method", METHODS)
def test_method_is_complete(method: str) -> None:
    folder = ROOT / "methods" / method
    for name in ("README.md", "train.py", "expected.toml"):
        assert (folder / name).is_file()
    assert read_expected(folder / "expected.toml")
    assert (ROOT / "configs" / method / f"{method}_shapes.py").is_file()
    assert (ROOT / "tests/parity" / method / "cases.py").is_file()
    assert "<!-- table:" in (folder / "README.md").read_text(encoding="utf-8")


def test_tables_are_what_the_results_say(capsys: pytest.CaptureFixture) -> None:
    assert compare(ROOT, check=True) == 0, capsys.readouterr().out


def test_the_lock_holds_no_address() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in text
    assert text.count("--hash=sha256:") > 100
