"""What a plan finds before anything runs: evaluations without masks, options that touch nothing, choices by masks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from common.base.errors import DataError, SupervisionError, UserError
from common.cli import main
from common.data.dataset import open_dataset, open_for_judging
from common.data.guard import guarding
from common.pipeline import run_recipe
from common.pipeline.notes import data_notes
from common.pipeline.plan import Settings, make_plan
from common.pipeline.recipe import load_recipe
from common.pipeline.run_folder import read_run

pytestmark = pytest.mark.usefixtures("toy_method")
ROOT = Path(__file__).resolve().parents[2]
LABELS = 'dict(stage="toy.threshold", name="label", split="train"),'
COUNT = 'dict(stage="toy.count", name="score", labels="label", split="train"),'


def recipe(folder: Path, data: Path, pipeline: str = LABELS + COUNT, extra: str = "") -> Path:
    path = folder / "recipe.py"
    path.write_text(f'method = "toy"\ndata = dict(root={str(data)!r})\nseed = 0\npipeline = [{pipeline}]\n{extra}')
    return path


def settings(work_dir: Path, **options: object) -> Settings:
    return Settings(work_dir=work_dir, device="cpu", workers=1, **options)


def plan(path: Path, work_dir: Path, options: dict | None = None) -> list[str]:
    return [item.reason for item in make_plan(load_recipe(path, options), settings(work_dir))]


def without_masks(data: Path, split: str, keep: int = 0) -> None:
    for image_id in open_dataset(data).ids(split)[keep:]:
        (data / f"SegmentationClassAug/{image_id}.png").unlink()


# --- evaluations judge, they do not block -------------------------------------------------------------------------


def test_an_evaluation_without_any_mask_is_left_out(
    tmp_path: Path, tiny_voc: Path, capsys: pytest.CaptureFixture
) -> None:
    without_masks(tiny_voc, "train")
    path, work = recipe(tmp_path, tiny_voc), tmp_path / "work"
    assert plan(path, work) == ["not made yet", "left out, train has no masks"]
    run_recipe(load_recipe(path), settings(work))
    assert "[2/2] score (toy.count): left out, train has no masks" in capsys.readouterr().out
    assert main(["status", str(work)]) == 0
    assert "left out, train has no masks" in capsys.readouterr().out
    run = read_run(work)
    assert run.left_out == {"score": "left out, train has no masks"} and run.missing == []
    assert main(["report", str(work)]) == 0
    assert "no masks" in (work / "report.html").read_text()


def test_some_missing_masks_are_refused_with_their_count(tmp_path: Path, tiny_voc: Path) -> None:
    without_masks(tiny_voc, "train", keep=6)
    with pytest.raises(DataError, match="lacks the masks of 2 of the 8 images of 'train'"):
        plan(recipe(tmp_path, tiny_voc), tmp_path / "work")


def test_instances_are_judged_by_instance_masks(tmp_path: Path, tiny_voc: Path) -> None:
    judge = 'dict(stage="toy.count_instances", name="score", labels="label", split="train"),'
    path = recipe(tmp_path, tiny_voc, LABELS + judge)
    assert plan(path, tmp_path / "work")[1] == "left out, train has no instance masks"


def test_scores_of_a_left_out_stage_cannot_be_read(tmp_path: Path, tiny_voc: Path) -> None:
    without_masks(tiny_voc, "train")
    path = recipe(tmp_path, tiny_voc, LABELS + COUNT + 'dict(stage="toy.use", name="use", scores="score")')
    with pytest.raises(UserError, match="'use' reads the scores of 'score', which is left out"):
        plan(path, tmp_path / "work")


def test_tags_are_asked_for_where_a_stage_reads_them(tmp_path: Path, tiny_voc: Path) -> None:
    path = recipe(tmp_path, tiny_voc, 'dict(stage="toy.tagged", name="label", split="train"),')
    assert plan(path, tmp_path / "work") == ["not made yet"]
    tags = json.loads((tiny_voc / "tags.json").read_text())
    tags.pop("2007_000003")
    (tiny_voc / "tags.json").write_text(json.dumps(tags))
    with pytest.raises(DataError, match=r"lacks the tags of 1 of the 8 images of 'train' \(2007_000003\)"):
        plan(path, tmp_path / "work")
    (tiny_voc / "tags.json").unlink()
    assert plan(recipe(tmp_path, tiny_voc, LABELS), tmp_path / "work") == ["not made yet"]


# --- options ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("data.rooot", "did you mean 'data.root'"),
        ("seeds", "did you mean 'seed'"),
        ("level", "variable of the file; name the stage's parameter"),
        ("pipeline.0.levl", "'toy.threshold' has no parameter 'levl' .did you mean 'level'"),
        ("pipeline.labell.level", "no stage 'labell' .did you mean 'label'"),
        ("pipeline.9.level", "has 2 entries, 0 to 1"),
        ("method.x", "'method' has no parts"),
        ("seed..x", "single dots"),
    ],
)
def test_an_option_that_touches_nothing_is_refused(tmp_path: Path, tiny_voc: Path, key: str, message: str) -> None:
    path = recipe(tmp_path, tiny_voc, extra="level = 100\n")
    with pytest.raises(UserError, match=message):
        load_recipe(path, {key: 3})


def test_a_stage_goes_by_its_name(tmp_path: Path, tiny_voc: Path) -> None:
    path = recipe(tmp_path, tiny_voc)
    assert load_recipe(path, {"pipeline.label.level": 7}).steps[0].params["level"] == 7.0


def test_repeated_options_add_up(tmp_path: Path, tiny_voc: Path) -> None:
    path, work = recipe(tmp_path, tiny_voc), tmp_path / "work"
    options = ["--cfg-options", "pipeline.label.level=7", "--cfg-options", "seed=3"]
    assert main(["run", str(path), "--work-dir", str(work), "--workers", "1", "--until", "label", *options]) == 0
    record = json.loads((work / "label/stage.json").read_text())
    assert (record["params"]["level"], record["seed"]) == (7.0, 3)


def test_ranges_and_flags(tmp_path: Path, tiny_voc: Path) -> None:
    path = recipe(tmp_path, tiny_voc)
    with pytest.raises(UserError, match="level=-1 is out of range: at least 0 is allowed"):
        load_recipe(path, {"pipeline.label.level": -1})
    with pytest.raises(UserError, match="oracle must be True or False, not 'false'"):
        load_recipe(path, {"pipeline.label.oracle": "false"})


@pytest.mark.parametrize(
    "text",
    [
        "pipeline = None",
        "pipeline = []",
        "pipeline = ['abc']",
        "pipeline = dict(a=1)",
        "data = 3",
        "data = dict(root=3)",
    ],
)
def test_a_recipe_of_the_wrong_shape_is_one_sentence(tmp_path: Path, tiny_voc: Path, text: str) -> None:
    path = recipe(tmp_path, tiny_voc)
    path.write_text(path.read_text() + text + "\n")
    with pytest.raises(UserError, match=r"'(pipeline|data|data\.root)'|pipeline\[0\]"):
        load_recipe(path)


def test_data_recipes_run_no_code(tmp_path: Path, tiny_voc: Path) -> None:
    mark = tmp_path / "ran"
    yaml, other = tmp_path / "recipe.yaml", tmp_path / "other.json"
    yaml.write_text(f"x: !!python/object/apply:os.system ['touch {mark}']\npipeline: []\n")
    other.write_text('{"_base_": ["evil.py"], "pipeline": []}')
    (tmp_path / "evil.py").write_text(f"open({str(mark)!r}, 'w')\n")
    for path in (yaml, other):
        with pytest.raises(UserError):
            load_recipe(path)
    assert not mark.exists()
    yaml.write_text(
        f"method: toy\ndata: {{root: {tiny_voc}}}\npipeline:\n- {{stage: toy.threshold, name: label, split: train}}\n"
    )
    assert load_recipe(yaml).steps[0].name == "label"


# --- pixel labels -------------------------------------------------------------------------------------------------


def training(folder: Path, data: Path, hooks: str = "[]", step: str = "", model: str = "") -> Path:
    (folder / "net.py").write_text(
        f'model = dict(type="X"{model})\ntrain_dataloader = dict(batch_size=2)\noptim_wrapper = dict()\n'
        f"train_cfg = dict(max_iters=2)\ncustom_hooks = {hooks}\n"
    )
    return recipe(folder, data, f'dict(stage="train", name="net", config="net.py", split="train"{step}),')


@pytest.mark.parametrize(
    "hook", ['dict(type="KeepBestHook", split="val", interval=1)', 'dict(type="Own", save_best="m")']
)
def test_a_choice_by_masks_is_refused_without_oracle(tmp_path: Path, tiny_voc: Path, hook: str) -> None:
    with pytest.raises(UserError, match="add oracle=True"):
        plan(training(tmp_path, tiny_voc, f"[{hook}]"), tmp_path / "work")
    inside = f", options=dict(custom_hooks=[{hook}])"
    with pytest.raises(UserError, match="add oracle=True"):
        plan(training(tmp_path, tiny_voc, step=inside), tmp_path / "work")
    assert plan(training(tmp_path, tiny_voc, f"[{hook}]", ", oracle=True"), tmp_path / "work") == ["not made yet"]


def test_a_validation_that_only_reports_is_an_evaluation(tmp_path: Path, tiny_voc: Path) -> None:
    hook = '[dict(type="ValidateHook", split="val", interval=1)]'
    assert plan(training(tmp_path, tiny_voc, hook), tmp_path / "work") == ["not made yet"]


@pytest.mark.parametrize("model", [", num_classes=20", ", decode_head=dict(num_classes=21)"])
def test_another_number_of_classes_is_refused(tmp_path: Path, tiny_voc: Path, model: str) -> None:
    with pytest.raises(UserError, match=r"num_classes is 2[01], but .* has [12] classes .*: leave the key out"):
        plan(training(tmp_path, tiny_voc, model=model), tmp_path / "work")
    right = model.replace("20", "1").replace("21", "2")
    assert plan(training(tmp_path, tiny_voc, model=right), tmp_path / "work") == ["not made yet"]


def test_missing_weights_are_found(tmp_path: Path, tiny_voc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WSSEG_WEIGHTS", str(tmp_path / "weights"))
    model = ', backbone=dict(init_cfg=dict(type="NamedWeights", weights="vgg16_20M"))'
    with pytest.raises(UserError, match=r"no weights 'vgg16_20M' in .*weights import FILE --as vgg16_20M"):
        plan(training(tmp_path, tiny_voc, model=model), tmp_path / "work")


def test_a_method_says_where_its_weights_come_from(
    tmp_path: Path, tiny_voc: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = ', backbone=dict(init_cfg=dict(type="NamedWeights", weights="toynet_photos"))'
    path = training(tmp_path, tiny_voc, model=model)
    sentence = "get toynet.pth of example.org/toy, the file without a head and run `wsseg weights import FILE --as toy"
    monkeypatch.setenv("WSSEG_WEIGHTS", str(tmp_path / "weights"))
    with pytest.raises(UserError, match=sentence):
        plan(path, tmp_path / "work")
    code = "import sys\nfrom common.cli import main\ncode = main(sys.argv[1:])\nassert 'torch' not in sys.modules\n"
    arguments = ["run", str(path), "--work-dir", str(tmp_path / "work"), "--dry-run"]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=ROOT)
    assert sentence in done.stderr and done.returncode == 0


def test_data_opened_inside_a_stage_are_guarded_in_workers_too(tmp_path: Path, tiny_voc: Path) -> None:
    path = recipe(tmp_path, tiny_voc, 'dict(stage="toy.sneak", name="sneak", split="train"),')
    with pytest.raises(SupervisionError):
        run_recipe(load_recipe(path), settings(tmp_path / "here"))
    command = ["-m", "common.cli", "run", str(path), "--work-dir", str(tmp_path / "workers"), "--workers", "2"]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2 and "not part of this stage's supervision" in done.stderr


def test_a_guard_ends_with_its_block(tiny_voc: Path) -> None:
    with guarding(["2007_000000"]):
        assert open_dataset(tiny_voc).mask("2007_000000").any()
        with pytest.raises(SupervisionError):
            open_dataset(tiny_voc).mask("2007_000001")
        assert open_for_judging(tiny_voc).mask("2007_000001").any()
    assert open_dataset(tiny_voc).mask("2007_000001").any()


def test_label_maps_of_one_class_are_a_line(tmp_path: Path, tiny_voc: Path, capsys: pytest.CaptureFixture) -> None:
    path = recipe(tmp_path, tiny_voc, LABELS)
    run_recipe(load_recipe(path, {"pipeline.label.level": 300}), settings(tmp_path / "all"))
    assert "label: all 8 label maps hold nothing but 'background'" in capsys.readouterr().out
    run_recipe(load_recipe(path), settings(tmp_path / "some"))
    assert "label maps" not in capsys.readouterr().out


def test_what_a_stage_has_to_say_of_the_data(tmp_path: Path, tiny_voc: Path, capsys: pytest.CaptureFixture) -> None:
    """Once, in front of the plan and of a run that makes the stage."""
    noted = "".join(f'dict(stage="toy.noted", name="{name}", split="train"),' for name in ("one", "other"))
    path, line = recipe(tmp_path, tiny_voc, noted), "8 images of 'train' have one tag"
    command = ["run", str(path), "--work-dir", str(tmp_path / "work"), "--workers", "1", "--device", "cpu"]
    assert main([*command, "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == line
    assert main(command) == 0
    assert capsys.readouterr().out.count(line) == 1
    assert main(command) == 0 and line not in capsys.readouterr().out
    (tiny_voc / "tags.json").unlink()
    loaded = load_recipe(path)
    assert data_notes(loaded.data_root, loaded.steps) == []  # the plan says what is missing
