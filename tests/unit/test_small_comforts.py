"""What people expect of a command: its version, help, the nearest verb; a log with times, and how long it will take."""

from __future__ import annotations

import platform
import re
from importlib.metadata import version
from pathlib import Path

import pytest

from common.base.files import write_json
from common.cli import main
from common.pipeline.estimate import Estimate
from common.report.record import comparable
from tests.unit.test_pipeline import write_recipe


def test_version_help_and_the_nearest_verb(capsys):
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    assert left.value.code == 0 and capsys.readouterr().out.strip() == f"wsseg {version('wsseg')}"
    assert main([]) == 0
    assert "usage: wsseg" in capsys.readouterr().out
    assert main(["rum", "x.py"]) == 2
    assert capsys.readouterr().err == "wsseg: error: There is no verb 'rum' (did you mean 'run'?).\n"


@pytest.mark.usefixtures("toy_method")
def test_a_run_keeps_what_it_says_with_times(tmp_path: Path, tiny_voc: Path, capsys):
    work = tmp_path / "work"
    command = [
        "run",
        str(write_recipe(tmp_path, tiny_voc)),
        "--work-dir",
        str(work),
        "--device",
        "cpu",
        "--workers",
        "1",
    ]
    assert main(command) == 0
    shown = capsys.readouterr().out.splitlines()
    lines = (work / "run.log").read_text().splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  ", line) for line in lines)
    assert [line[21:] for line in lines] == shown
    (tiny_voc / "JPEGImages/2007_000001.jpg").write_bytes(b"x")
    assert main(command) == 2
    assert "  error: 1 of 8 images failed in stage 'label'" in (work / "run.log").read_text()


def test_what_is_left_follows_the_speed_of_this_machine():
    estimate = Estimate({"cam": 100.0, "walk": 50.0, "val": 10.0})
    assert estimate.left(["walk", "val"]) == 60
    estimate.finished("cam", 200.0)
    assert estimate.left(["walk", "val"]) == 120
    assert estimate.left([]) is None and estimate.left(["walk", "new"]) is None and Estimate().left(["cam"]) is None


def test_a_comparable_run_is_one_on_such_a_machine(tmp_path: Path):
    machine = {"cpu": platform.machine(), "threads": 2, "gpu": None}
    record = {"method": "m", "recipe": "r", "seed": 0, "commit": "c", "data": {}, "stages": {}, "finished": "1"}
    write_json(tmp_path / "results/m/r-seed0.json", {**record, "machine": machine, "seconds": {"cam": 5.0}})
    gpu = {**record, "seed": 1, "machine": {**machine, "gpu": "one"}, "seconds": {"cam": 1.0}}
    write_json(tmp_path / "results/m/r-seed1.json", gpu)
    assert comparable(tmp_path, "r", "cpu", 2).seconds == {"cam": 5.0}
    assert comparable(tmp_path, "r", "cuda", 1).source == "results/m/r-seed1.json"
    assert comparable(tmp_path, "r", "cpu", 4).seconds == {} == comparable(tmp_path, "other", "cpu", 2).seconds
