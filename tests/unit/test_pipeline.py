"""Recipes are checked before they run; stages are fresh, stale or go on; a killed run ends with the same bytes."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import common.base.files
from common.artifacts import Labels
from common.base.errors import SupervisionError, UserError
from common.cli import main
from common.pipeline.plan import Settings, make_plan
from common.pipeline.recipe import load_recipe
from common.pipeline.run import run_recipe
from tests.digest import content_digest

PIPELINE = """[
    dict(stage="toy.threshold", name="label", split="train", level=LEVEL, delay=DELAY),
    dict(stage="toy.invert", name="inverse", labels="label"),
    dict(stage="toy.count", name="score", labels="inverse", split="train"),
]"""

pytestmark = pytest.mark.usefixtures("toy_method")


def write_recipe(folder: Path, data: Path, pipeline: str = PIPELINE, level: float = 100, delay: float = 0) -> Path:
    text = pipeline.replace("LEVEL", repr(level)).replace("DELAY", repr(delay))
    path = folder / "recipe.py"
    path.write_text(f'method = "toy"\ndata = dict(root={str(data)!r})\nseed = 0\npipeline = {text}\n')
    return path


def settings(work_dir: Path, **options: object) -> Settings:
    return Settings(work_dir=work_dir, device="cpu", workers=1, **options)


@pytest.fixture
def recipe(tmp_path: Path, tiny_voc: Path) -> Path:
    return write_recipe(tmp_path, tiny_voc)


def test_runs_and_records(recipe: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    run_recipe(load_recipe(recipe), settings(work))
    record = json.loads((work / "score/stage.json").read_text())
    assert record["numbers"]["accuracy"] < 0.5  # inverted labels
    assert record["pixel_labels"] == "evaluation"
    assert json.loads((work / "label/stage.json").read_text())["images"] == 8
    assert set(np.unique(Labels(work / "label").read("2007_000000"))) == {0, 1}


def test_second_run_does_nothing(recipe: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    run_recipe(load_recipe(recipe), settings(work))
    before = {path: path.stat().st_mtime_ns for path in work.rglob("*.png")}
    assert [item.reason for item in make_plan(load_recipe(recipe), settings(work))] == ["fresh"] * 3
    run_recipe(load_recipe(recipe), settings(work))
    assert before == {path: path.stat().st_mtime_ns for path in work.rglob("*.png")}


def test_a_changed_parameter_is_named_and_everything_after_it_follows(recipe: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    run_recipe(load_recipe(recipe), settings(work))
    changed = load_recipe(recipe, {"pipeline.0.level": 120.0})
    reasons = [item.reason for item in make_plan(changed, settings(work))]
    assert reasons == ["changed: params.level 100.0 -> 120.0", "follows label", "follows inverse"]


def test_same_output_of_a_remade_stage_keeps_what_follows(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    work = tmp_path / "work"
    run_recipe(load_recipe(recipe), settings(work))
    run_recipe(load_recipe(recipe, {"pipeline.0.delay": 0.001}), settings(work))
    assert capsys.readouterr().out.count("its inputs have not changed") == 2


def test_changed_data_is_noticed(recipe: Path, tiny_voc: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    run_recipe(load_recipe(recipe), settings(work))
    (tiny_voc / "ImageSets/Segmentation/train.txt").write_text("2007_000001\n")
    assert make_plan(load_recipe(recipe), settings(work))[0].reason.startswith("changed: data.splits.train")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('stage="toy.invert"', 'stage="toy.inverr"', "did you mean 'invert'"),
        ('stage="toy.invert"', 'stage="tou.invert"', "no module methods.tou.stages"),
        ('labels="label"', 'lables="label"', "no parameter 'lables' .did you mean 'labels'"),
        ('labels="label"', 'labels="labl"', "no earlier stage has that name .did you mean 'label'"),
        ('labels="inverse"', 'labels="score"', "no earlier stage has that name"),
        ("level=LEVEL", 'level="high"', "is not of type float"),
        ('name="inverse"', 'name="label"', "the name is taken"),
        ('name="inverse"', 'name="../up"', "a folder is named after it"),
        (', split="train"),\n]', "),\n]", "needs 'split'"),
    ],
)
def test_a_wrong_recipe_is_one_sentence(tmp_path: Path, tiny_voc: Path, old: str, new: str, message: str) -> None:
    assert old in PIPELINE
    path = write_recipe(tmp_path, tiny_voc, PIPELINE.replace(old, new, 1))
    with pytest.raises(UserError, match=message):
        load_recipe(path)


def test_artefact_of_the_wrong_kind(tmp_path: Path, tiny_voc: Path) -> None:
    extra = PIPELINE.replace("\n]", '\n    dict(stage="toy.invert", name="again", labels="score"),\n]')
    with pytest.raises(UserError, match="'score' makes Scores, but Labels are needed"):
        load_recipe(write_recipe(tmp_path, tiny_voc, extra))


def test_selection(recipe: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    with pytest.raises(UserError, match="reads 'label'"):
        run_recipe(load_recipe(recipe), settings(work, only="inverse"))
    run_recipe(load_recipe(recipe), settings(work, until="label"))
    assert not (work / "inverse").exists()
    run_recipe(load_recipe(recipe), settings(work, only="inverse"))
    assert (work / "inverse/stage.json").exists()
    assert not (work / "score").exists()
    with pytest.raises(UserError, match="did you mean 'inverse'"):
        run_recipe(load_recipe(recipe), settings(work, first="invers"))


def test_masks_are_out_of_reach_of_a_weak_stage(tmp_path: Path, tiny_voc: Path) -> None:
    pipeline = '[dict(stage="toy.peek", name="peek", split="train")]'
    with pytest.raises(SupervisionError, match="not part of this stage's supervision"):
        run_recipe(load_recipe(write_recipe(tmp_path, tiny_voc, pipeline)), settings(tmp_path / "weak"))
    oracle = pipeline.replace(")]", ", oracle=True)]")
    run_recipe(load_recipe(write_recipe(tmp_path, tiny_voc, oracle)), settings(tmp_path / "oracle"))
    assert json.loads((tmp_path / "oracle/peek/stage.json").read_text())["pixel_labels"] == "oracle"


def test_labelled_split_of_a_semi_supervised_recipe_is_in_reach(tmp_path: Path, tiny_voc: Path) -> None:
    pipeline = '[dict(stage="toy.peek", name="peek", split="SPLIT")]'
    for split, reachable in (("train", True), ("val", False)):
        path = write_recipe(tmp_path, tiny_voc, pipeline.replace("SPLIT", split))
        path.write_text(path.read_text() + 'pixel_labels = "train"\n')
        if reachable:
            run_recipe(load_recipe(path), settings(tmp_path / split))
        else:
            with pytest.raises(SupervisionError):
                run_recipe(load_recipe(path), settings(tmp_path / split))


def test_batches_hold_one_image_size(tmp_path: Path, tiny_voc: Path) -> None:
    path = write_recipe(tmp_path, tiny_voc, '[dict(stage="toy.batched", name="b", split="train")]')
    run_recipe(load_recipe(path), settings(tmp_path / "work"))
    labels = Labels(tmp_path / "work/b")
    sizes = {image_id: labels.read(image_id) for image_id in labels.ids()}
    assert len(sizes) == 8
    assert max(label.max() for label in sizes.values()) == 4


def test_a_corrupt_image_does_not_stop_the_others(recipe: Path, tiny_voc: Path, tmp_path: Path) -> None:
    work, broken = tmp_path / "work", tiny_voc / "JPEGImages/2007_000003.jpg"
    whole = broken.read_bytes()
    broken.write_bytes(whole[:200])
    with pytest.raises(UserError, match=r"1 of 8 images failed in stage 'label'(?s:.*)2007_000003"):
        run_recipe(load_recipe(recipe), settings(work))
    assert len(Labels(work / "label").ids()) == 7
    broken.write_bytes(whole)
    run_recipe(load_recipe(recipe), settings(work))
    assert len(Labels(work / "label").ids()) == 8


def test_full_disk_is_one_sentence_and_leaves_nothing_half_written(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, written = os.fsync, []

    def full(descriptor: int) -> None:
        written.append(descriptor)
        if len(written) == 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(common.base.files.os, "fsync", full)
    with pytest.raises(UserError, match="No space left"):
        run_recipe(load_recipe(recipe), settings(tmp_path / "work"))
    assert not list((tmp_path / "work").rglob("*.part"))
    assert not (tmp_path / "work/label/stage.json").exists()


def test_cuda_asked_for_and_absent(recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    assert main(["run", str(recipe), "--work-dir", str(tmp_path / "work"), "--device", "cuda"]) == 2
    assert "torch sees no GPU: use --device cpu" in capsys.readouterr().err
    assert not (tmp_path / "work").exists()


def test_a_foreign_folder_is_left_alone(recipe: Path, tmp_path: Path) -> None:
    precious = tmp_path / "work/label/thesis.txt"
    precious.parent.mkdir(parents=True)
    precious.write_text("all of it")
    with pytest.raises(UserError, match="not of this run"):
        run_recipe(load_recipe(recipe), settings(tmp_path / "work"))
    assert precious.read_text() == "all of it"


def command(recipe: Path, work: Path, workers: int = 1) -> list[str]:
    arguments = ["run", str(recipe), "--work-dir", str(work), "--device", "cpu", "--workers", str(workers)]
    return [sys.executable, "-m", "common.cli", *arguments]


@pytest.mark.slow
def test_worker_processes_give_the_same_bytes(recipe: Path, tmp_path: Path) -> None:
    run_recipe(load_recipe(recipe), settings(tmp_path / "one"))
    subprocess.run(command(recipe, tmp_path / "two", workers=2), check=True, capture_output=True)
    assert content_digest(tmp_path / "one") == content_digest(tmp_path / "two")


@pytest.mark.slow
def test_killed_at_random_moments_it_ends_with_the_same_bytes(tmp_path: Path, tiny_voc: Path) -> None:
    recipe = write_recipe(tmp_path, tiny_voc, delay=0.25)
    run_recipe(load_recipe(recipe), settings(tmp_path / "whole"))
    work, rng, kills = tmp_path / "killed", random.Random(0), 0
    first_written: dict[Path, int] = {}
    while kills < 3:
        process = subprocess.Popen(command(recipe, work), stdout=subprocess.DEVNULL, start_new_session=True)
        while process.poll() is None and len(list(work.glob("label/*.png"))) <= 2 * kills:
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.3))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        kills += 1
        for path in work.glob("label/*.png"):
            assert path.stat().st_mtime_ns == first_written.setdefault(path, path.stat().st_mtime_ns)
    assert len(first_written) > 0
    assert not (work / "score/stage.json").exists()
    subprocess.run(command(recipe, work), check=True, capture_output=True)
    assert content_digest(work) == content_digest(tmp_path / "whole")
    assert all(path.stat().st_mtime_ns == time_ for path, time_ in first_written.items()), "a finished image was remade"


def test_help_and_list_are_there_at_once() -> None:
    code = "import sys; from common.cli import main; code = main(['list']); print(code, 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 False"
