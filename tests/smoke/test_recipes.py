"""Every recipe from end to end on a handful of shapes: killed, on two ranks, and as it stands."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from common.base.config import read_config
from common.pipeline.plan import Settings
from common.pipeline.recipe import load_recipe
from common.pipeline.run import run_recipe
from tests.digest import content_digest
from tests.smoke.shrink import shrunk, tiny_shapes

ROOT = Path(__file__).resolve().parents[2]
ALL = sorted(path for path in ROOT.glob("configs/*/*.py") if "\npipeline" in path.read_text(encoding="utf-8"))


def _distinct(recipes: list[Path]) -> list[Path]:
    """Without those whose every stage and network another one has too: they differ by lists and numbers."""
    parts = {
        path: {(step.stage, (path.parent / step.get("config", "")).resolve()) for step in read_config(path).pipeline}
        for path in recipes
    }
    kept: list[Path] = []
    for path in sorted(recipes, key=lambda path: (-len(parts[path]), path)):
        if not any(parts[path] <= parts[other] for other in kept):
            kept.append(path)
    return sorted(kept)


RECIPES = _distinct(ALL)
SHAPES = ROOT / "configs/irnet/irnet_shapes.py"
ROUNDS = ROOT / "configs/dmt/dmt_shapes.py"


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_shapes(tmp_path_factory.mktemp("data") / "shapes")


def small_settings(work_dir: Path) -> Settings:
    return Settings(work_dir=work_dir, device="cpu", workers=1, threads=2)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_recipe_runs_from_end_to_end(recipe: Path, shapes: Path, tmp_path: Path) -> None:
    loaded = load_recipe(recipe, shrunk(recipe, shapes))
    run_recipe(loaded, small_settings(tmp_path))
    for step in loaded.steps:
        record = json.loads((tmp_path / step.name / "stage.json").read_text())
        assert record["images"] is None or record["images"] > 0
        if step.kind.__name__ == "Scores":
            score = record["numbers"].get("miou", record["numbers"].get("map"))
            assert score is None or 0 <= score <= 1


@pytest.fixture(scope="module")
def whole(shapes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shapes recipe without a break, in one process."""
    work = tmp_path_factory.mktemp("whole")
    run_recipe(load_recipe(SHAPES, shrunk(SHAPES, shapes)), small_settings(work))
    return work


def command(recipe: Path, shapes: Path, work: Path, *more: str) -> list[str]:
    options = [f"{key}={value!r}" for key, value in shrunk(recipe, shapes).items()]
    where = ["--work-dir", str(work), "--device", "cpu", "--threads", "2", *more]
    return ["-m", "common.cli", "run", str(recipe), *where, "--cfg-options", *options]


def kill_when_there(run: list[str], awaited: Path) -> None:
    """Start the run and SIGKILL it and its workers as soon as a file exists."""
    process = subprocess.Popen(run, cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True)
    while not awaited.exists():
        assert process.poll() is None, f"ended before {awaited}"
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_two_ranks_make_the_same_bytes(shapes: Path, whole: Path, tmp_path: Path) -> None:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node=2", "--master_port=29617"]
    arguments = command(SHAPES, shapes, tmp_path, "--launcher", "pytorch")
    subprocess.run([*torchrun, *arguments], check=True, capture_output=True, cwd=ROOT)
    assert content_digest(tmp_path) == content_digest(whole)


def test_worker_processes_and_kills_make_the_same_bytes(shapes: Path, whole: Path, tmp_path: Path) -> None:
    """Killed in a training, in a per-image stage and between stages, then run to the end with two workers."""
    run = [sys.executable, *command(SHAPES, shapes, tmp_path, "--workers", "2")]
    for awaited in ("cam/started.json", "make_cam/started.json", "ir_label/stage.json"):
        kill_when_there(run, tmp_path / awaited)
    subprocess.run(run, check=True, capture_output=True, cwd=ROOT)
    assert content_digest(tmp_path) == content_digest(whole)


def test_a_round_that_was_killed_leaves_those_before_it_alone(shapes: Path, tmp_path: Path) -> None:
    """DMT killed while its third round labels, and again while it trains."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    run_recipe(load_recipe(ROUNDS, shrunk(ROUNDS, shapes)), small_settings(whole))
    run = [sys.executable, *command(ROUNDS, shapes, broken, "--workers", "1")]
    kill_when_there(run, broken / "labels_a2/started.json")
    kill_when_there(run, broken / "a3/started.json")
    before = files_of(broken)
    assert {"a0", "b0", "a1", "b1", "a2", "b2", "labels_b1"} <= {path.parent.name for path in before}
    subprocess.run(run, check=True, capture_output=True, cwd=ROOT)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert content_digest(broken) == content_digest(whole)


def files_of(work: Path) -> dict[Path, int]:
    """The files of the finished stages, with the time they were written."""
    stages = [path.parent for path in work.glob("*/stage.json")]
    return {path: path.stat().st_mtime_ns for stage in stages for path in stage.iterdir()}
