"""What `wsseg report --record` refuses: one sentence, exit 2, and nothing is written."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from common.base.files import read_json, write_json
from common.cli import main
from common.report import cli
from common.report.compare import tables

RECIPE = """# A toy.
method = "toy"
data = dict(root={root!r})
pipeline = [
    dict(stage="toy.threshold", name="label", split="train", level=100.0),
    dict(stage="toy.invert", name="inverse", labels="label"),
    dict(stage="toy.count", name="score", labels="inverse", split="train"),
]
"""


@pytest.fixture
def project(tmp_path, tiny_voc, toy_method, monkeypatch) -> Path:
    """A checkout with the toy recipe, and its run in `run`."""
    root = tmp_path / "project"
    for name in ("configs/toy", "methods/toy"):
        (root / name).mkdir(parents=True)
    (root / "configs/toy/toy_tiny.py").write_text(RECIPE.format(root=str(tiny_voc)))
    (root / "methods/toy/__init__.py").write_text('"""Toy."""\n')
    monkeypatch.setattr(cli, "ROOT", root)
    assert run(root) == 0
    return root


def run(project: Path, *more: str) -> int:
    where = ["--work-dir", str(project / "run"), "--device", "cpu", "--workers", "1"]
    return main(["run", str(project / "configs/toy/toy_tiny.py"), *where, *more])


def report(project: Path, *more: str) -> int:
    return main(["report", str(project / "run"), "--record", *more])


def refused(project: Path, capsys: pytest.CaptureFixture, *says: str) -> None:
    before, pages = tables(project), sorted(project.glob("results/*/*"))
    capsys.readouterr()
    assert report(project) == 2
    out, err = capsys.readouterr()
    assert not out and err.startswith("wsseg: error: ") and err.count("\n") == 1
    for words in says:
        assert words in err
    assert tables(project) == before and sorted(project.glob("results/*/*")) == pages
    assert not (project / "run/report.html").exists()


def edit(path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    made = read_json(path)
    change(made)
    write_json(path, made)


def test_a_run_of_the_recipe_as_it_is_written_is_recorded(project, capsys):
    assert report(project) == 0
    record = read_json(project / "results/toy/toy_tiny-seed0.json")
    assert record["digest"] == read_json(project / "run/run.json")["digest"]
    assert len(record["data"]["content"]) == 64 and {"torch", "numpy"} <= set(record["versions"])
    assert str(project / "results/toy/toy_tiny-seed0.json") in capsys.readouterr().out
    assert report(project) == 0  # the same once more


def test_options_of_its_own_are_refused(project, capsys):
    assert run(project, "--cfg-options", "pipeline.label.level=90.0") == 0
    refused(project, capsys, "--cfg-options pipeline.label.level=90.0", "a recipe of its own")


def test_stages_that_an_earlier_option_made_are_refused(project, capsys):
    assert run(project, "--cfg-options", "pipeline.label.level=90.0") == 0
    assert run(project, "--only", "score", "--force") == 0  # run.json says nothing of the option any more
    assert read_json(project / "run/run.json")["overrides"] == {}
    refused(project, capsys, "'label'", "params.level 90.0 -> 100.0", "run it again")


def test_seed_place_of_the_data_and_until_are_allowed(project, tiny_voc):
    shutil.copytree(tiny_voc, project / "copy")
    assert report(project) == 0
    content = read_json(project / "results/toy/toy_tiny-seed0.json")["data"]["content"]
    shutil.rmtree(project / "run")
    assert run(project, "--seed", "3", "--data-root", str(project / "copy"), "--until", "score") == 0
    assert report(project) == 0
    record = read_json(project / "results/toy/toy_tiny-seed3.json")
    assert record["overrides"] == {"seed": 3} and record["data"]["content"] == content


def test_seeds_with_lists_of_their_own_share_a_line(project, tiny_voc):
    ids = (tiny_voc / "ImageSets/Segmentation/train.txt").read_text().split()
    for seed in (0, 1):
        for side, own in (("few", ids[seed::2]), ("rest", ids[1 - seed :: 2])):
            (tiny_voc / f"ImageSets/Segmentation/{side}_{seed}.txt").write_text("\n".join(own))
    recipe = project / "configs/toy/toy_tiny.py"
    count = 'dict(stage="toy.count", name="score", labels="inverse", split="train")'
    few = count.replace('"train"', '"few_{seed}"')
    recipe.write_text(recipe.read_text().replace(count, f"{few}, {count.replace('score', 'all')}"))
    shutil.rmtree(project / "run")
    for seed in (0, 1):
        assert run(project, "--seed", str(seed)) == 0 and report(project) == 0
        shutil.rmtree(project / "run")
    records = [read_json(project / f"results/toy/toy_tiny-seed{seed}.json") for seed in (0, 1)]
    assert records[0]["data"]["content"] == records[1]["data"]["content"]
    assert records[1]["stages"]["score"]["split"] == "few_{seed}" and "few_1" in records[1]["data"]["splits"]
    (line,) = (line for line in tables(project)["runs:toy"].splitlines() if "| score |" in line)
    assert "tiny few_{seed}" in line and "| 0, 1 |" in line


def test_other_data_are_another_content(project, tiny_voc):
    assert report(project) == 0
    content = read_json(project / "results/toy/toy_tiny-seed0.json")["data"]["content"]
    shutil.copytree(tiny_voc, project / "copy")
    shutil.copy(project / "copy/JPEGImages/2007_000001.jpg", project / "copy/JPEGImages/2007_000002.jpg")
    shutil.rmtree(project / "run")
    assert run(project, "--seed", "3", "--data-root", str(project / "copy")) == 0
    assert report(project) == 0
    assert read_json(project / "results/toy/toy_tiny-seed3.json")["data"]["content"] != content


def test_mixed_parts_are_refused(project, capsys):
    edit(project / "run/label/stage.json", lambda made: made.update(mixed=["trained with 1, then 2 threads"]))
    refused(project, capsys, "'label'", "mixed parts (trained with 1, then 2 threads)", "--force")


def test_other_code_is_refused(project, capsys):
    edit(project / "run/inverse/reads.json", lambda made: made["code"].update({"methods.toy.stages": "0"}))
    refused(project, capsys, "'inverse'", "other code (methods.toy.stages)", "--force")


def test_stages_of_an_older_version_are_refused(project, capsys):
    edit(project / "run/score/stage.json", lambda made: made.pop("format"))
    refused(project, capsys, "'score'", "older version", "--force")


def test_a_run_without_a_digest_is_refused_and_gets_it_by_the_same_command(project, capsys):
    edit(project / "run/run.json", lambda made: made.pop("digest"))
    refused(project, capsys, "no digest", "run the same command again")
    assert run(project) == 0 and report(project) == 0


def test_a_recipe_that_changed_or_is_gone_is_refused(project, capsys):
    recipe = project / "configs/toy/toy_tiny.py"
    text = recipe.read_text()
    recipe.write_text("# another comment\n" + text)
    assert report(project) == 0
    (project / "run/report.html").unlink()
    recipe.write_text(text.replace("100.0", "101.0"))
    refused(project, capsys, "toy_tiny.py", "has changed", "run it again")
    recipe.unlink()
    refused(project, capsys, "toy_tiny.py", "is gone")


def test_data_that_changed_since_are_refused(project, tiny_voc, capsys):
    shutil.copy(tiny_voc / "JPEGImages/2007_000001.jpg", tiny_voc / "JPEGImages/2007_000002.jpg")
    refused(project, capsys, "'label'", "2007_000002.jpg", "run it again")


def test_another_record_is_replaced_only_by_force(project, capsys):
    assert report(project) == 0
    path = project / "results/toy/toy_tiny-seed0.json"
    edit(path, lambda made: made["stages"]["score"]["numbers"].update(accuracy=0.99))
    other = path.read_text()
    (project / "run/report.html").unlink()
    refused(project, capsys, "toy_tiny-seed0.json is the record of another run", "--force")
    assert path.read_text() == other
    assert report(project, "--force") == 0 and path.read_text() != other
