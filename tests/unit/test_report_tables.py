"""Expected numbers, records of runs, verify and compare."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from common.base.errors import UserError
from common.data.dataset import open_dataset
from common.pipeline.passport import data_content
from common.pipeline.run_folder import RunFolder, headline, read_run
from common.report.compare import compare, tables
from common.report.expected import lookup, read_expected
from common.report.markdown import whole_runs
from common.report.record import find, make_record, write_record
from common.report.verify import verify
from tests.unit.report_run import NETWORK, make_run

EXPECTED = """
[[row]]
id = "cam"
name = "CAM, best threshold"
stage = "eval_cam"
data = "shapes"
split = "train"
metric = "miou"
value = 40.0
tolerance = 1.5
source = "paper, table 1"
others = [{ value = 39.2, source = "a | b" }]
headline = true

[[row]]
id = "pseudo"
stage = "eval_pseudo"
data = "shapes"
split = "train"
metric = "miou"
value = 60
source = "paper"

[[row]]
id = "bird"
stage = "val"
data = "shapes"
split = "val"
metric = "iou.bird"
value = 50.0
tolerance = 0.5
source = "paper"

[[row]]
id = "voc"
stage = "val"
split = "val"
metric = "miou"
value = 63.5
tolerance = 1
source = "paper"
headline = true
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> list[Path]:
    root = tmp_path_factory.mktemp("runs")
    return [make_run(root, seed=0), make_run(root, seed=1, shift=0.02)]


@pytest.fixture
def project(tmp_path) -> Path:
    method = tmp_path / "methods" / "toy"
    method.mkdir(parents=True)
    (method / "__init__.py").write_text('"""A toy paper."""\n')
    (method / "expected.toml").write_text(EXPECTED)
    (method / "README.md").write_text("# Toy\n\n<!-- table:expected -->\n<!-- /table -->\n\nafter\n")
    (tmp_path / "README.md").write_text("# All\n\n<!-- table:overview -->\nold\n<!-- /table -->\n")
    (tmp_path / "configs/toy").mkdir(parents=True)
    (tmp_path / "configs/toy/cam_toy.py").write_text(NETWORK)
    return tmp_path


def change(project: Path, old: str, new: str) -> None:
    path = project / "methods/toy/expected.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_expected_rows(project):
    rows = read_expected(project / "methods/toy/expected.toml")
    assert [row.id for row in rows] == ["cam", "pseudo", "bird", "voc"]
    assert rows[0].title == "CAM, best threshold" and rows[1].title == "pseudo"
    assert rows[0].others[0].value == 39.2 and rows[1].value == 60.0 and rows[1].tolerance is None
    assert rows[3].data == "voc12" and rows[3].recipe == ""
    assert read_expected(project / "absent.toml") == []


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("tolerance = 1.5", "tolerence = 1.5", "unknown key 'tolerence'"),
        ('metric = "iou.bird"', "", "row bird: the key 'metric' is missing"),
        ("value = 60", 'value = "60"', "'value' has the wrong type"),
        ("tolerance = 1.5", "tolerance = -1", "must not be negative"),
        ('id = "bird"', 'id = "cam"', "used twice"),
        (', source = "a | b"', "", "'others' holds tables"),
        ("tolerance = 1.5", "masks = 1.5", "'masks' has the wrong type"),
        ("tolerance = 1.5", "images = true", "'images' has the wrong type"),
        ("tolerance = 1.5", "masks = -1", "'masks' must not be negative"),
        ("tolerance = 1.5", "uses = [1]", "'uses' has the wrong type"),
        ("[[row]]\nid", "[[line]]\nid", "unknown key 'line'"),
        ("value = 60", "value = ", "no valid TOML"),
    ],
)
def test_a_wrong_expected_file_is_named(project, old, new, says):
    change(project, old, new)
    with pytest.raises(UserError, match="expected.toml.*" + says):
        read_expected(project / "methods/toy/expected.toml")


def test_lookup_headline_and_mark():
    assert lookup({"iou": {"bird": 0.5}}, "iou.bird") == 0.5
    assert lookup({"iou": {"bird": None}}, "iou.bird") is None and lookup({"miou": 1}, "miou.bird") is None
    assert headline({"curve": {}, "ok": True, "miou": 0.4, "x": 1.0}) == ("miou", 0.4)
    assert headline({}) is None


def test_what_was_chosen_on_masks_marks_all_that_is_made_of_it(tmp_path):
    given, chosen = ({"numbers": {"threshold_rule": rule}} for rule in ("given", "best on these masks"))
    stages = {
        "given": {"pixel_labels": "evaluation", **given},
        "chosen": {"pixel_labels": "evaluation", **chosen},
        "net": {"pixel_labels": "oracle", "numbers": {}},
        "segment": {"pixel_labels": "none", "numbers": {}, "inputs": {"weights": {"stage": "net"}}},
        "val": {"pixel_labels": "evaluation", "numbers": {"miou": 0.5}, "inputs": {"labels": {"stage": "segment"}}},
    }
    run = RunFolder(tmp_path, {}, stages)
    assert run.marks == {
        "given": None,
        "chosen": "threshold chosen on the masks it is judged with",
        **dict.fromkeys(("net", "segment", "val"), "the stage net sees pixel labels"),
    }


def test_numbers_on_masks_that_chose_the_recipes_constants_are_marked(tmp_path):
    judged = {"pixel_labels": "evaluation", "numbers": {"miou": 0.5}}
    stages = {name: {**judged, "params": {"split": name}} for name in ("train", "val")}
    stages["labels"] = {"pixel_labels": "none", "numbers": {}, "params": {"split": "train"}}
    run = RunFolder(tmp_path, {"content": {"tuned_on": ["train"]}}, stages)
    why = "constants of the recipe were chosen on the masks of train"
    assert run.marks == {"train": why, "val": None, "labels": None}


def test_record_holds_what_a_table_needs(runs, project):
    path = write_record(read_run(runs[0]), project)
    assert path == project / "results/toy/toy_shapes-seed0.json"
    record = json.loads(path.read_text())
    data = open_dataset(runs[0].parent / "data")
    splits = {split: data.fingerprint(split) for split in ("train", "val")}
    assert record["data"].pop("content") == data_content(
        {"images": dict.fromkeys(data.ids(split), "0")} for split in ("train", "val")
    )
    assert record["data"] == {"name": "shapes", "splits": splits}
    assert record["digest"] == "d" * 64 and record["overrides"] == {} and record["weights"] == {"imagenet": "abc"}
    assert record["versions"] == {"torch": "2.14.1", "numpy": "2.4"} and record["machine"]["threads"] == 2
    assert "versions" not in record["machine"] and record["taken"] == []
    assert record["supervision"] == {"masks": 0, "images": 6, "uses": ["tags"]}
    network = {"config": "cam_toy.py", "backbone": "ResNet-50", "weights": "imagenet"}
    assert record["networks"] == {"cam": network}
    assert record["commit"] == "abc123" and record["seconds"]["pseudo"] == 12.5
    assert set(record["stages"]) == {"eval_cam", "eval_pseudo", "val"}
    assert "curve" not in record["stages"]["eval_cam"]["numbers"]
    assert record["stages"]["eval_cam"]["mark"] and record["stages"]["val"]["mark"] is None
    assert path.stat().st_size < 4000


def test_a_run_is_recorded_up_to_where_it_was_stopped_but_not_with_a_gap(tmp_path):
    run = make_run(tmp_path)
    assert make_record(read_run(run))["until"] is None
    (run / "val" / "stage.json").unlink()
    record = make_record(read_run(run))
    assert record["until"] == list(record["seconds"])[-1] != "val" and "val" not in record["stages"]
    assert f"until {record['until']}" in whole_runs([record])
    (run / record["until"]).joinpath("stage.json").unlink()
    make_run(tmp_path / "again")
    shutil.copy(tmp_path / "again" / run.name / "val" / "stage.json", run / "val" / "stage.json")
    with pytest.raises(UserError, match=rf"not finished \({record['until']}\)"):
        make_record(read_run(run))
    with pytest.raises(UserError, match="is no run"):
        read_run(tmp_path)


def test_find_asks_for_data_split_and_recipe(runs, project):
    record = make_record(read_run(runs[0]))
    cam, _, bird, voc = read_expected(project / "methods/toy/expected.toml")
    assert find(record, cam) == (pytest.approx(41.0), "threshold chosen on the masks it is judged with")
    assert find(record, bird) == (pytest.approx(50.0), None)
    assert find(record, voc) is None
    change(project, 'split = "train"', 'split = "val"')
    assert find(record, read_expected(project / "methods/toy/expected.toml")[0]) is None
    change(project, 'stage = "val"\ndata = "shapes"', 'stage = "val"\nrecipe = "other"\ndata = "shapes"')
    assert find(record, read_expected(project / "methods/toy/expected.toml")[2]) is None


def test_verify_a_run(runs, project, capsys):
    assert verify("toy", project, runs[0]) == 0
    lines = capsys.readouterr().out.splitlines()
    verdicts = [line[:16].strip() for line in lines]
    assert verdicts == ["ok", "shown only", "ok", "not run"]
    assert "41.0 †, expected 40.0 ± 1.5 [paper, table 1]" in lines[0]
    assert verify("toy", project, runs[1]) == 1  # 43.0 is 3 points off
    assert capsys.readouterr().out.startswith("OUT OF TOLERANCE")


def test_verify_without_a_run_takes_the_mean_of_the_records(runs, project, capsys):
    assert verify("toy", project) == 0
    assert capsys.readouterr().out.count("not run") == 4
    for run in runs:
        write_record(read_run(run), project)
    assert verify("toy", project) == 1
    assert "42.0 † (mean of 2 runs)" in capsys.readouterr().out


def test_verify_names_what_is_wrong(runs, project):
    with pytest.raises(UserError, match="no method 'tox'; known are toy"):
        verify("tox", project)
    (project / "methods/other").mkdir()
    (project / "methods/other/__init__.py").write_text("")
    with pytest.raises(UserError, match="has no rows"):
        verify("other", project)
    (project / "methods/other/expected.toml").write_text(EXPECTED)
    with pytest.raises(UserError, match="is a run of toy, not of other"):
        verify("other", project, runs[0])


def test_compare_writes_only_between_the_markers(runs, project):
    assert compare(project) == 0
    page = (project / "methods/toy/README.md").read_text()
    assert page.startswith("# Toy\n\n<!-- table:expected -->\n| what |") and page.endswith("<!-- /table -->\n\nafter\n")
    assert page.count("not run") == 4 and "39.2 (a \\| b)" in page
    assert "\nold\n" not in (project / "README.md").read_text()
    for run in runs:
        write_record(read_run(run), project)
    assert compare(project) == 0
    overview = (project / "README.md").read_text()
    assert "| toy | CAM, best threshold | shapes train | miou | 40.0 | 42.0 ± 1.4 † (2 seeds) |" in overview
    assert (
        "| toy | voc | voc12 val | miou | 63.5 | not run |" in overview and "† selected with pixel labels" in overview
    )
    results = (project / "docs/results.md").read_text()
    assert "A toy paper." in results and "| toy_shapes | shapes val | val | miou | 56.0 ± 1.4 |" in results


def test_check_fails_until_the_tables_are_written(runs, project, capsys):
    assert compare(project, check=True) == 1
    assert not (project / "docs").exists()
    compare(project)
    assert compare(project, check=True) == 0
    write_record(read_run(runs[0]), project)
    assert compare(project, check=True) == 1
    compare(project)
    path = project / "README.md"
    path.write_text(path.read_text().replace("41.0", "99.9"))
    capsys.readouterr()
    assert compare(project, check=True) == 1
    assert capsys.readouterr().out.startswith("README.md differs")


def test_tables_do_not_depend_on_the_order_of_files(runs, project):
    write_record(read_run(runs[1]), project)
    write_record(read_run(runs[0]), project)
    assert "| 0, 1 |" in tables(project)["runs:toy"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<!-- table:none -->\n<!-- /table -->\n", "no table 'none'"),
        ("<!-- table:overview -->\n", "no <!-- /table -->"),
    ],
)
def test_a_wrong_marker_is_named(project, text, says):
    (project / "README.md").write_text(text)
    with pytest.raises(UserError, match=says):
        compare(project)


def test_a_file_that_is_no_record_is_named(project):
    (project / "results/toy").mkdir(parents=True)
    (project / "results/toy/x.json").write_text('{"method": "toy"}')
    with pytest.raises(UserError, match=r"x\.json is no record"):
        compare(project)
