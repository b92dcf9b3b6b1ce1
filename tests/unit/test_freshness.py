"""Nothing stale is taken for fresh: data, tags, lists, weights, code and outputs are compared by what is in them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from common.base.files import read_json, write_json
from common.base.hashes import Hashes
from common.cli import main
from common.data.dataset import open_dataset, write_mask
from common.pipeline.plan import make_plan
from common.pipeline.recipe import load_recipe
from common.pipeline.run import run_recipe
from tests.digest import content_digest
from tests.unit.test_pipeline import PIPELINE, command, settings, write_recipe

pytestmark = pytest.mark.usefixtures("toy_method")
TAGGED = '[dict(stage="toy.tagged", name="label", split="train")]'
SALIENT = '[dict(stage="read_maps", name="saliency", what="saliency", split="train")]'
FIRST = "2007_000001"


def plan(recipe: Path, work: Path) -> list[str]:
    return [item.reason for item in make_plan(load_recipe(recipe), settings(work))]


def finished(tmp_path: Path, root: Path, pipeline: str = PIPELINE) -> tuple[Path, Path]:
    """A recipe and the work dir of its run."""
    recipe, work = write_recipe(tmp_path, root, pipeline), tmp_path / "work"
    run_recipe(load_recipe(recipe), settings(work))
    assert set(plan(recipe, work)) == {"fresh"}
    return recipe, work


def replace_photo(root: Path, image_id: str = FIRST) -> None:
    path = root / f"JPEGImages/{image_id}.jpg"
    Image.new("RGB", Image.open(path).size, "white").save(path)


def saliency(root: Path, value: int) -> None:
    data = open_dataset(root)
    data.folder("saliency").mkdir(exist_ok=True)
    for image_id in data.ids("train"):
        level = np.full(data.size(image_id), value, np.uint8)
        Image.fromarray(level).save(data.folder("saliency") / f"{image_id}.png")


def test_a_replaced_photo_is_named_and_what_read_it_made_anew(tmp_path: Path, tiny_voc: Path):
    recipe, work = finished(tmp_path, tiny_voc)
    before = (work / f"label/{FIRST}.png").read_bytes()
    replace_photo(tiny_voc)
    assert plan(recipe, work)[0] == f"changed: JPEGImages/{FIRST}.jpg"
    run_recipe(load_recipe(recipe), settings(work))
    assert (work / f"label/{FIRST}.png").read_bytes() != before
    assert set(plan(recipe, work)) == {"fresh"}


def test_a_replaced_mask_marks_the_evaluation_alone(tmp_path: Path, tiny_voc: Path):
    recipe, work = finished(tmp_path, tiny_voc)
    path = tiny_voc / f"SegmentationClassAug/{FIRST}.png"
    write_mask(path, np.ones_like(np.array(Image.open(path))))
    assert plan(recipe, work) == ["fresh", "fresh", f"changed: SegmentationClassAug/{FIRST}.png"]


def test_tags_count_by_image(tmp_path: Path, tiny_voc: Path):
    recipe, work = finished(tmp_path, tiny_voc, TAGGED)
    tags = read_json(tiny_voc / "tags.json")
    write_json(tiny_voc / "tags.json", {**tags, "somebody_else": ["thing"]})
    assert plan(recipe, work) == ["fresh"]
    write_json(tiny_voc / "tags.json", {**tags, FIRST: []})
    assert plan(recipe, work) == [f"changed: the tags of {FIRST}"]


def test_saliency_counts_where_it_is_read(tmp_path: Path, tiny_voc: Path):
    recipe, work = finished(tmp_path, tiny_voc)
    saliency(tiny_voc, 20)
    assert set(plan(recipe, work)) == {"fresh"}
    shutil.rmtree(work)
    recipe, work = finished(tmp_path, tiny_voc, SALIENT)
    saliency(tiny_voc, 30)
    assert plan(recipe, work)[0].startswith("changed: Saliency/2007_000000.png; Saliency/")
    assert plan(recipe, work)[0].endswith("; 5 more")


def test_a_list_and_the_classes_count_a_comment_does_not(tmp_path: Path, tiny_voc: Path):
    recipe, work = finished(tmp_path, tiny_voc, TAGGED)
    description = tiny_voc / "dataset.toml"
    text = description.read_text()
    description.write_text(f"# seen\n{text}")
    assert plan(recipe, work) == ["fresh"]
    description.write_text(text.replace('"thing"', '"thing", "other"'))
    assert plan(recipe, work)[0].startswith("changed: data.classes")
    description.write_text(text)
    names = tiny_voc / "ImageSets/Segmentation/train.txt"
    names.write_text("\n".join(names.read_text().split()[:-1]) + "\n")
    assert "changed: data.splits.train" in plan(recipe, work)[0]


def test_a_half_finished_stage_does_not_mix_old_and_new(tmp_path: Path, tiny_voc: Path):
    recipe, work = write_recipe(tmp_path, tiny_voc, delay=0.25), tmp_path / "work"
    process = subprocess.Popen(command(recipe, work), stdout=subprocess.DEVNULL)
    while len(list(work.glob("label/*.png"))) < 3:
        time.sleep(0.01)
    process.kill()
    process.wait()
    done = sorted(work.glob("label/*.png"))
    kept, written = done[-1], done[-1].stat().st_mtime_ns
    replace_photo(tiny_voc, done[0].stem)
    run_recipe(load_recipe(recipe), settings(work))
    run_recipe(load_recipe(recipe), settings(tmp_path / "whole"))
    assert content_digest(work) == content_digest(tmp_path / "whole")
    assert kept.stat().st_mtime_ns == written, "an image whose photo is the same was made again"


def test_a_mask_that_changes_while_it_is_read_leaves_the_stage_stale(tmp_path: Path, tiny_voc: Path):
    recipe, work = finished(tmp_path, tiny_voc)
    shutil.rmtree(work / "score")
    original, path = (tiny_voc / f"SegmentationClassAug/{FIRST}.png"), tiny_voc / "SegmentationClassAug/2007_000004.png"
    text = Path(original).read_bytes()

    class Late(type(open_dataset(tiny_voc))):
        """Its fourth mask is read when somebody has replaced the first."""

        def mask(self, image_id: str) -> np.ndarray:
            if image_id == path.stem:
                write_mask(original, np.ones_like(np.array(Image.open(original))))
            return super().mask(image_id)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("common.data.dataset.DataSet", Late)
        run_recipe(load_recipe(recipe), settings(work))
    assert original.read_bytes() != text
    assert plan(recipe, work)[2] == f"changed: SegmentationClassAug/{FIRST}.png"


@pytest.mark.parametrize("how", ["missing", "replaced"])
def test_of_a_damaged_output_only_the_damaged_files_are_made(tmp_path: Path, tiny_voc: Path, how: str):
    recipe, work = finished(tmp_path, tiny_voc)
    before = content_digest(work)
    kept = (work / "label/2007_000000.png").stat().st_mtime_ns
    file = work / f"label/{FIRST}.png"
    file.unlink()
    if how == "replaced":
        file.write_bytes(b"x")
    assert plan(recipe, work)[:2] == [f"1 of its files is missing or replaced, first {FIRST}.png", "follows label"]
    run_recipe(load_recipe(recipe), settings(work))
    assert content_digest(work) == before and set(plan(recipe, work)) == {"fresh"}
    assert (work / "label/2007_000000.png").stat().st_mtime_ns == kept
    assert read_json(work / "label/reads.json")["data"]["images"].keys() == set(open_dataset(tiny_voc).ids("train"))


def test_a_finished_output_stays_until_its_replacement_is_finished(tmp_path: Path, tiny_voc: Path):
    recipe, work = finished(tmp_path, tiny_voc)
    (work / "label/notes.txt").write_text("mine")
    changed = load_recipe(recipe, {"pipeline.0.level": 120.0, "pipeline.0.delay": 0.2})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("common.pipeline.run.execute", lambda *rest: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run_recipe(changed, settings(work))
    assert len(list((work / ".label.old").glob("*.png"))) == 8
    run_recipe(changed, settings(work))
    assert not (work / ".label.old").exists()
    assert (work / "label/notes.txt").read_text() == "mine" and len(list((work / "label").glob("*.png"))) == 8


@pytest.mark.parametrize("text", ["null", "[]", '{"stage": "toy.threshold", "params": {}}'])
def test_a_damaged_record_is_named(tmp_path: Path, tiny_voc: Path, text: str, capsys):
    recipe, work = finished(tmp_path, tiny_voc)
    (work / "label/stage.json").write_text(text)
    assert main(["run", str(recipe), "--work-dir", str(work)]) == 2
    assert "label/stage.json is no record of a stage" in capsys.readouterr().err


def test_the_list_of_failed_images_goes_when_they_are_made(tmp_path: Path, tiny_voc: Path):
    recipe, work, photo = write_recipe(tmp_path, tiny_voc), tmp_path / "work", tiny_voc / f"JPEGImages/{FIRST}.jpg"
    whole = photo.read_bytes()
    photo.write_bytes(b"x")
    assert main(["run", str(recipe), "--work-dir", str(work), "--workers", "1"]) == 2
    assert (work / "label.failures.json").exists()
    photo.write_bytes(whole)
    assert main(["run", str(recipe), "--work-dir", str(work), "--workers", "1"]) == 0
    assert not (work / "label.failures.json").exists()


def test_foreign_names_in_a_folder_are_no_images(tmp_path: Path, tiny_voc: Path):
    recipe, work = finished(tmp_path, tiny_voc)
    for name in ("._2007_000001.png", "another.png"):
        shutil.copy(work / f"label/{FIRST}.png", work / "label" / name)
    shutil.rmtree(work / "inverse")
    run_recipe(load_recipe(recipe), settings(work))
    assert len(list((work / "inverse").iterdir())) == 8 + 3


def test_changed_code_is_said_and_not_redone_without_force(tmp_path: Path, tiny_voc: Path, capsys):
    toy = tmp_path / "own/methods_toy/toy"
    shutil.copytree(Path(__file__).parent / "toy/methods_toy/toy", toy, ignore=shutil.ignore_patterns("__pycache__"))
    (toy.parent.parent / "sitecustomize.py").write_text(
        f"import methods\nmethods.__path__.append({str(toy.parent)!r})\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(toy.parent.parent), str(Path(__file__).parents[2])])}
    recipe = write_recipe(tmp_path, tiny_voc)

    def run(*more: str) -> list[str]:
        arguments = [*command(recipe, tmp_path / "work"), *more]
        done = subprocess.run(arguments, env=env, capture_output=True, text=True, check=True)
        return [line for line in done.stdout.splitlines() if line.startswith("[")]

    run()
    file = toy / "stages.py"
    file.write_text(file.read_text().replace("1 - labels.read(image.id)", "2 - labels.read(image.id)"))
    label, inverse, score = run()
    assert label.endswith(": fresh") and score.endswith(": fresh")
    assert inverse.endswith("fresh; its code has changed since (methods.toy.stages): --force makes it again")
    run("--force", "--only", "inverse")
    assert (
        run()[1].endswith("(toy.invert): fresh")
        and np.array(Image.open(tmp_path / f"work/inverse/{FIRST}.png")).max() == 2
    )


def test_code_that_changes_in_the_middle_is_recorded(tmp_path: Path, tiny_voc: Path):
    recipe, work = finished(tmp_path, tiny_voc)
    for name in ("label/stage.json", f"label/{FIRST}.png"):
        (work / name).unlink()
    record = read_json(work / "inverse/stage.json")
    kept = {key: record[key] for key in ("format", "seed", "oracle", "supervision", "data")}
    params = {"split": "train", "level": 100.0, "delay": 0.0}
    started = {**kept, "stage": "toy.threshold", "params": params, "inputs": {}, "code": {"methods.toy.stages": "old"}}
    started["data"] = {key: value for key, value in kept["data"].items() if key != "root"}
    started["data"]["splits"] = {"train": open_dataset(tiny_voc).fingerprint("train")}
    write_json(work / "label/started.json", started)
    lines = [{"ids": [], "reads": {}}, {"ids": [path.stem for path in work.glob("label/*.png")], "reads": {}}]
    (work / "label/reads.0.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert plan(recipe, work)[0] == "goes on"
    run_recipe(load_recipe(recipe), settings(work))
    assert "the code changed meanwhile" in read_json(work / "label/stage.json")["mixed"][0]
    assert plan(recipe, work)[0].startswith("fresh; made of mixed parts (the code changed meanwhile")


def test_named_weights_count_by_their_bytes(tmp_path: Path, monkeypatch):
    from common.checkpoints.contents import changed, completed

    monkeypatch.setenv("WSSEG_WEIGHTS", str(tmp_path))
    (tmp_path / "mine.pth").write_bytes(b"first")
    found = completed({"weights": {"mine": None, "torchvision://resnet50-V1": None}}, None, Hashes())
    assert changed(found, None, Hashes()) == []
    (tmp_path / "mine.pth").write_bytes(b"other")
    assert changed(found, None, Hashes()) == ["the weights 'mine'"]


def test_hashes_are_remembered_until_the_file_changes(tmp_path: Path, monkeypatch):
    memory, file = tmp_path / "hashes.json", tmp_path / "photo.jpg"
    file.write_bytes(b"one")
    assert Hashes(memory).of(tmp_path / "none") is None
    monkeypatch.setattr("common.base.hashes.SETTLED_NS", 0)
    hashes = Hashes(memory)
    first = hashes.of(file)
    hashes.save()
    read: list[str] = []
    monkeypatch.setattr("common.base.hashes.sha256", lambda name: read.append(name) or "new")
    assert Hashes(memory).of(file) == first and read == []
    state = file.stat()
    file.unlink()
    file.write_bytes(b"two")  # of the same size, and set to the same time
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert Hashes(memory).of(file) == "new"
    memory.write_text("{broken")
    assert Hashes(memory).of(file) == "new"


def test_twelve_thousand_photos_cost_less_than_a_second_the_second_time(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("common.base.hashes.SETTLED_NS", 0)
    files = [tmp_path / f"{number}.jpg" for number in range(12_000)]
    for file in files:
        file.touch()
    hashes = Hashes(tmp_path / "hashes.json")
    for file in files:
        hashes.of(file)
    hashes.save()
    begin = time.process_time()
    again = Hashes(tmp_path / "hashes.json")
    assert all(again.of(file) for file in files)
    assert time.process_time() - begin < 1


def test_the_list_of_reads_is_remembered_by_the_run(tmp_path: Path, tiny_voc: Path):
    recipe, work = finished(tmp_path, tiny_voc)
    reads = read_json(work / "score/reads.json")
    assert reads["data"].keys() == {"splits", "masks"} and len(reads["data"]["masks"]) == 8
    assert "methods.toy.stages" in reads["code"] and "common.data.dataset" in reads["code"]
    assert main(["run", str(recipe), "--work-dir", str(work), "--dry-run"]) == 0
