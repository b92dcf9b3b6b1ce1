"""Passports: the digest of a recipe, its overrides, the data's content, and the state of the code."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from common.cli import main
from common.pipeline import records
from common.pipeline.passport import data_content, initial_weights, recipe_digest
from common.pipeline.recipe import load_recipe

ROOT = Path(__file__).resolve().parents[2]
SHAPES = ROOT / "configs/irnet/irnet_shapes.py"
RECIPES = sorted(path for path in ROOT.glob("configs/*/*.py") if "\npipeline" in path.read_text(encoding="utf-8"))

RECIPE = """# {comment}
method = "toy"
data = dict(root={root!r})
seed = {seed}
{variable} = {level}
pipeline = [
    dict(stage="toy.threshold", name="label", split="train", level={variable}),
    dict(stage="toy.count", name="score", labels="label", split="train"),
]
"""


def toy(folder: Path, name: str = "toy.py", **changed: object) -> Path:
    given = {"comment": "A recipe.", "root": str(folder / "tiny"), "seed": 0, "variable": "high", "level": 100.0}
    (folder / name).write_text(RECIPE.format(**given | changed))
    return folder / name


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_has_a_digest_of_its_own(path):
    assert len(recipe_digest(load_recipe(path))) == 64


def test_recipes_differ_by_their_digest():
    digests = {recipe_digest(load_recipe(path)) for path in RECIPES}
    assert len(digests) == len(RECIPES)


@pytest.mark.usefixtures("toy_method")
def test_what_changes_no_number_changes_no_digest(tmp_path):
    digest = recipe_digest(load_recipe(toy(tmp_path)))
    same = [{"comment": "Other words."}, {"seed": 7}, {"root": "elsewhere"}, {"variable": "low"}, {"name": "b.py"}]
    for changed in same:
        assert recipe_digest(load_recipe(toy(tmp_path, **changed))) == digest, changed
    assert recipe_digest(load_recipe(toy(tmp_path), {"seed": 3, "data.root": "x"})) == digest
    assert recipe_digest(load_recipe(toy(tmp_path, level=101.0))) != digest
    assert recipe_digest(load_recipe(toy(tmp_path), {"pipeline.label.level": 90.0})) != digest
    assert recipe_digest(load_recipe(toy(tmp_path), {"pixel_labels": "val"})) != digest


@pytest.mark.usefixtures("toy_method")
def test_words_that_follow_the_seed_are_the_same_recipe(tmp_path):
    """Split k of a paper with seed k: the runs are seeds of one experiment."""
    path = toy(tmp_path)
    text = path.read_text().replace('split="train"', 'split="few_{seed}+rest_{seed}"')
    path.write_text(text + 'pixel_labels = "few_{seed}"\n')
    first, second = (load_recipe(path, {"seed": seed}) for seed in (0, 2))
    assert [first.pixel_labels, second.pixel_labels] == ["few_0", "few_2"]
    assert second.steps[0].params["split"] == "few_2+rest_2"
    assert second.by_seed == {"few_2+rest_2": "few_{seed}+rest_{seed}", "few_2": "few_{seed}"}
    assert recipe_digest(first) == recipe_digest(second)
    fixed = toy(tmp_path, "fixed.py")
    fixed.write_text(path.read_text().replace("{seed}", "0"))
    assert load_recipe(fixed).by_seed == {} and recipe_digest(load_recipe(fixed)) != recipe_digest(first)
    reads = [{"splits": {recipe.pixel_labels: sha, "val": "v"}} for recipe, sha in ((first, "a"), (second, "b"))]
    contents = [data_content([read], recipe.by_seed) for read, recipe in zip(reads, (first, second), strict=True)]
    assert contents[0] == contents[1] != data_content([{"splits": {"few_0": "a", "val": "w"}}], first.by_seed)
    assert data_content([reads[0]]) != data_content([reads[1]])


def test_a_network_config_counts_by_its_content(tmp_path):
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    path = tmp_path / SHAPES.relative_to(ROOT)
    digest = recipe_digest(load_recipe(path))
    config = path.parent / "cam_lite0_shapes.py"
    config.write_text("# the same\n" + config.read_text())
    assert recipe_digest(load_recipe(path)) == digest
    config.write_text(config.read_text() + "\nanother = 1\n")
    assert recipe_digest(load_recipe(path)) != digest


@pytest.mark.usefixtures("toy_method")
def test_a_run_records_its_digest_and_what_was_overridden(tmp_path, tiny_voc):
    recipe, work = toy(tmp_path), tmp_path / "work"
    options = ["--seed", "4", "--data-root", str(tiny_voc), "--cfg-options", "pipeline.label.level=90"]
    assert main(["run", str(recipe), "--work-dir", str(work), "--device", "cpu", "--workers", "1", *options]) == 0
    record = json.loads((work / "run.json").read_text())
    assert record["overrides"] == {"seed": 4, "data.root": str(tiny_voc), "pipeline.label.level": 90}
    assert record["digest"] == recipe_digest(load_recipe(recipe, {"pipeline.label.level": 90}))
    machine = json.loads((work / "score/stage.json").read_text())["machine"]
    assert {"python", "torch", "numpy", "pillow", "mmengine"} <= set(machine["versions"]) and machine["threads"]
    assert main(["run", str(recipe), "--work-dir", str(tmp_path / "plain"), "--device", "cpu", "--workers", "1"]) == 0
    assert json.loads((tmp_path / "plain/run.json").read_text())["overrides"] == {}


def test_the_content_of_the_data_is_what_all_stages_read_of_it():
    first = {"images": {"a": "1"}, "weights": {"imagenet": "f"}, "files": {"/x": "9"}}
    second = {"images": {"b": "2"}, "tags": {"a": "cat"}}
    content = data_content([first, second])
    assert content == data_content([second, first]) and len(content) == 64
    assert content == data_content([{"images": {"b": "2", "a": "1"}, "tags": {"a": "cat"}}])
    assert content != data_content([first]) and content != data_content([first, {**second, "images": {"b": "3"}}])
    assert data_content([]) is None and data_content([{"weights": {"imagenet": "f"}}]) is None
    assert initial_weights([first, second]) == {"imagenet": "f"}


@pytest.fixture
def checkout(tmp_path, monkeypatch) -> Path:
    """A repository with one commit."""
    for name in ("common/a.py", "configs/b.py", "results/c.json", ".gitignore"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("*.pyc\n")
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["add", "."], [*who, "commit", "-qm", "begin"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    monkeypatch.setattr(records, "ROOT", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "dirty"),
    [
        ("common/a.py", True),
        ("common/new.py", True),
        ("methods/own/model.py", True),
        ("configs/new.py", True),
        ("common/a.pyc", False),
        ("results/c.json", False),
        ("notes.txt", False),
    ],
)
def test_untracked_code_makes_a_commit_dirty(checkout, name, dirty):
    look = records.code_version.__wrapped__
    assert len(look()["commit"]) == 12
    (checkout / name).parent.mkdir(parents=True, exist_ok=True)
    (checkout / name).write_text("changed")
    assert look()["commit"].endswith("-dirty") == dirty


def test_without_git_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert records.code_version.__wrapped__()["commit"] is None
