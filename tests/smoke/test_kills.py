"""A run that is killed, or shared out over ranks and workers, ends with the bytes of one that was left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from common.pipeline import run_recipe
from common.pipeline.plan import Settings
from common.pipeline.recipe import load_recipe
from tests.digest import content_digest
from tests.smoke.shrink import shrunk

pytestmark = pytest.mark.xdist_group("kills")  # one reference run for all of them

ROOT = Path(__file__).resolve().parents[2]
SHAPES = ROOT / "configs/irnet/irnet_shapes.py"
ROUNDS = ROOT / "configs/dmt/dmt_shapes.py"


def small_settings(work_dir: Path, until: str | None = None) -> Settings:
    return Settings(work_dir=work_dir, device="cpu", workers=1, threads=1, until=until)


@pytest.fixture(scope="module")
def whole(shapes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shapes recipe without a break, in one process."""
    work = tmp_path_factory.mktemp("whole")
    run_recipe(load_recipe(SHAPES, shrunk(SHAPES, shapes)), small_settings(work))
    return work


def command(recipe: Path, shapes: Path, work: Path, *more: str) -> list[str]:
    options = [f"{key}={value!r}" for key, value in shrunk(recipe, shapes).items()]
    where = ["--work-dir", str(work), "--device", "cpu", "--threads", "1", *more]
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
    """DMT killed while its second round labels, and again while it trains."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    run_recipe(load_recipe(ROUNDS, shrunk(ROUNDS, shapes)), small_settings(whole, "b2"))
    run = [sys.executable, *command(ROUNDS, shapes, broken, "--workers", "1", "--until", "b2")]
    kill_when_there(run, broken / "labels_a1/started.json")
    kill_when_there(run, broken / "a2/started.json")
    before = files_of(broken)
    assert {"a0", "b0", "a1", "b1", "labels_b1"} <= {path.parent.name for path in before}
    subprocess.run(run, check=True, capture_output=True, cwd=ROOT)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert content_digest(broken) == content_digest(whole)


def files_of(work: Path) -> dict[Path, int]:
    """The files of the finished stages, with the time they were written."""
    stages = [path.parent for path in work.glob("*/stage.json")]
    return {path: path.stat().st_mtime_ns for stage in stages for path in stage.iterdir()}
