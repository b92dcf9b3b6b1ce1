"""What is not the same experiment never shares a line of a table, and a record from before is marked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from common.base.files import read_json, write_json
from common.pipeline.run_folder import read_run
from common.report.compare import tables
from common.report.lines import Experiment, titles
from common.report.markdown import DAGGER, NOTES, whole_runs
from common.report.record import write_record
from common.report.verify import verify
from tests.unit.report_run import NETWORK, make_run

ROW = '[[row]]\nid = "val"\nstage = "val"\ndata = "shapes"\nsplit = "val"\nmetric = "miou"\nvalue = 60.0\n'
ROW += 'tolerance = 3.0\nsource = "paper"\nheadline = true\n'
SAME = {"digest": "d" * 64, "content": "c" * 64}
LINES = ("compare:shapes", "runs:toy")


@pytest.fixture
def project(tmp_path) -> Path:
    folder = tmp_path / "methods/toy"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text('"""Toy."""\n')
    (folder / "expected.toml").write_text(ROW)
    return tmp_path


def record(project: Path, seed: int, miou: float, digest: str | None, content: str | None, **more: Any) -> None:
    data = {"name": "shapes", "splits": {"val": "v"}} | ({"content": content} if content else {})
    made = {
        "method": "toy", "recipe": "toy_shapes", "seed": seed, "commit": "abc", "data": data, "seconds": {"val": 60.0},
        "machine": {"cpu": "x86_64", "threads": 2},
        "stages": {"val": {"split": "val", "mark": None, "numbers": {"miou": miou}}},
    } | ({"digest": digest} if digest else {}) | more  # fmt: skip
    write_json(project / f"results/toy/toy_shapes-seed{seed}.json", made)


def shown(project: Path, name: str) -> list[str]:
    return [line for line in tables(project)[name].splitlines() if "toy_shapes" in line]


@pytest.mark.parametrize("name", LINES)
def test_seeds_of_one_experiment_share_a_line(project, name):
    for seed in (0, 1):
        record(project, seed, 0.6, **SAME)
    (line,) = shown(project, name)
    assert "| toy_shapes |" in line and "| 60.0 ± 0.0 |" in line and "| 0, 1 |" in line


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize(
    ("other", "says"), [({"digest": "e" * 64}, "digest eeeeeeee"), ({"content": "f" * 64}, "data ffffffff")]
)
def test_another_recipe_or_other_data_have_a_line_of_their_own(project, name, other, says):
    record(project, 0, 0.6, **SAME)
    record(project, 1, 0.7, **SAME | other)
    first, second = shown(project, name)
    assert "60.0 |" in first and "70.0 |" in second and "±" not in first + second
    assert f"| toy_shapes ({says}) |" in second and "| toy_shapes |" not in first


@pytest.mark.parametrize("name", LINES)
def test_a_record_from_before_stands_alone_and_is_marked(project, name):
    record(project, 0, 0.5, None, None)
    record(project, 1, 0.6, **SAME)
    older, new = shown(project, name)
    assert "| toy_shapes ‡ |" in older and "50.0 |" in older
    assert "| toy_shapes |" in new and "60.0 |" in new
    assert tables(project)[name].count(NOTES["‡"]) == 1
    record(project, 0, 0.5, **SAME)
    assert "‡" not in tables(project)[name]


def test_beside_the_paper_each_experiment_has_its_number(project, capsys):
    record(project, 0, 0.5, None, None)
    record(project, 1, 0.6, **SAME)
    record(project, 2, 0.62, **SAME)
    assert "| 50.0 ‡; 61.0 ± 1.4 (2 seeds) |" in tables(project)["overview"]
    assert "| 50.0 ‡; 61.0 ± 1.4 (2 seeds) | toy_shapes; toy_shapes |" in tables(project)["expected:toy"]
    assert verify("toy", project) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("OUT OF TOLERANCE") and first.endswith("an older record")
    assert second.startswith("ok") and "61.0 (mean of 2 runs)" in second and "older" not in second


def test_titles_say_only_what_tells_experiments_apart():
    one = Experiment("toy", "a", "shapes", "1" * 64, "2" * 64)
    others = [
        Experiment("toy", "a", "shapes", "3" * 64, "4" * 64),
        Experiment("toy", "b", "shapes", "5" * 64, "2" * 64),
    ]
    assert titles([one]) == {one: "a"}
    assert list(titles([one, *others]).values()) == ["a (digest 11111111, data 22222222)",
                                                     "a (digest 33333333, data 44444444)", "b"]  # fmt: skip


def test_what_was_taken_from_another_run_is_recorded_and_its_seconds_are_marked(tmp_path, project):
    run = make_run(tmp_path / "runs")
    (project / "configs/toy").mkdir(parents=True)
    (project / "configs/toy/cam_toy.py").write_text(NETWORK)
    stage = read_json(run / "cam/stage.json") | {"taken_from": {"run": "/somewhere/else", "stage": "cam"}}
    write_json(run / "cam/stage.json", stage)
    path = write_record(read_run(run), project)
    made = read_json(path)
    assert made["taken"] == ["cam"] and made["seconds"]["cam"] == 12.5 and "/somewhere" not in path.read_text()
    assert "| 100.0 s §, x86_64, 2 threads |" in tables(project)["runs:toy"]
    assert NOTES["§"] in tables(project)["runs:toy"]
    assert whole_runs([made, made | {"taken": [], "machine": {"gpu": "H200"}}]).endswith("; 100.0 s, H200")


def test_every_mark_is_explained_once(project):
    record(project, 0, 0.5, None, None, taken=["val"])
    text = tables(project)["runs:toy"]
    assert text.index(NOTES["‡"]) < text.index(NOTES["§"]) and DAGGER not in text
