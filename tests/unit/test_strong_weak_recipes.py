"""Strong-Weak's recipes: rows that differ in one thing, IRNet's stages as IRNet asks for them, labels of any method."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.pipeline.recipe import Step, load_recipe
from methods.strong_weak.recipe import baselines

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / "configs/strong_weak"
ROWS = ("strong", "weak", "mixed", "pooled", "balanced")


def steps(name: str, **options: object) -> dict[str, Step]:
    return {step.name: step for step in load_recipe(CONFIGS / f"strong_weak_{name}.py", options).steps}


def test_rows_have_one_network_and_one_schedule():
    found = steps("shapes_controls", seed=2)
    rows = {name: found[name] for name in ("dual", *ROWS, "fresh_dual", "fresh_strong")}
    assert len({step.params["config"] for step in rows.values()}) == 1
    schedules = [
        {key: value for key, value in step.params["options"].items() if key.startswith(("train_cfg", "param_"))}
        for step in rows.values()
    ]
    assert all(schedule == schedules[0] and len(schedule) == 2 for schedule in schedules)
    both = ("4_unlabeled_2+4_labeled_2", "4_labeled_2", "pseudo")
    assert {name: lists(step) for name, step in rows.items()} == {
        "dual": both,
        "strong": ("4_labeled_2", "4_labeled_2", None),
        "weak": ("train_aug", None, "pseudo"),
        "mixed": both,
        "pooled": both,
        "balanced": both,
        "fresh_dual": ("4_labeled_2", "4_labeled_2", None),
        "fresh_strong": ("4_labeled_2", "4_labeled_2", None),
    }
    heads = {name: step.params["options"].get("model.decode_head.type") for name, step in rows.items()}
    assert heads["dual"] is None and heads["balanced"] == "BalancedHead"
    assert {heads[name] for name in rows if name not in ("dual", "balanced")} == {"OneBranchHead"}
    paired = {name for name, step in rows.items() if "train_dataloader.sampler" not in step.params["options"]}
    assert paired == {"dual", "pooled", "balanced"}
    assert [found[f"fresh_{name}"].inputs["init"] for name in ("dual", "strong")] == ["trunk_dual", "trunk_strong"]
    assert found["trunk_dual"].inputs["weights"] == "dual" and found["trunk_strong"].inputs["weights"] == "strong"


def lists(step: Step) -> tuple:
    return step.params["split"], step.params["pixel_labels"], step.inputs.get("labels")


def test_the_papers_numbers_of_iterations():
    """20 passes over the weak list in batches of 8, a tenth from the 12th on."""
    for name, weak in (
        ("voc12", 9118),
        ("voc12_8", 9260),
        ("voc12_20", 10052),
        ("voc12_50", 10371),
        ("voc12_106", 10482),
    ):
        options = steps(f"vgg16_{name}")["dual"].params["options"]
        epoch = -(-weak // 8)
        assert options == {"train_cfg.max_iters": 20 * epoch, "param_scheduler.0.milestones": [12 * epoch]}, name
    repeated = steps("vgg16_voc12_controls")["repeated"].params["options"]
    assert repeated["train_dataloader.dataset.times"] == 6


def test_an_unknown_row_is_named():
    with pytest.raises(ValueError, match="'dual': there are strong, weak, mixed, repeated, pooled, balanced"):
        baselines(("dual",), "c.py", "few", "rest", every="all", labels="pseudo", iterations=1, step=1)


@pytest.mark.parametrize("data", ["shapes", "photos", "voc12_animals", "r50_voc12"])
def test_what_irnet_makes_is_asked_for_as_irnets_own_recipe_does(data: str):
    """Then its finished stages are taken."""
    asked = [wanted(step) for step in load_recipe(ROOT / f"configs/irnet/irnet_{data}.py").steps]
    for path in CONFIGS.glob("strong_weak_*_voc12*.py" if data == "r50_voc12" else f"strong_weak_{data}*.py"):
        own = {step.name: step for step in load_recipe(path).steps}
        for name in ("cam", "make_cam", "ir_label", "irn", "walk", "pseudo"):
            if name in own and not (path.stem.endswith("_cam") and name == "pseudo"):
                assert wanted(own[name]) in asked, f"{path.name}: {name}"


def wanted(step: Step) -> tuple[str, dict, dict]:
    """What a stage is asked for, its config as a path without '..'."""
    params = {key: value.resolve() if isinstance(value, Path) else value for key, value in step.params.items()}
    return step.stage, params, step.inputs


def test_weak_labels_of_any_method_come_by_a_stage(tmp_path: Path):
    text = """
_base_ = ["{configs}/strong_weak_shapes.py"]
from methods.strong_weak.recipe import dual
labelled, weak = _base_.pixel_labels, _base_.weak
config = "{configs}/dual_lite0_shapes.py"
pipeline = [
    dict(stage="read_labels", name="pseudo", folder="work_dirs/seam_shapes_{{seed}}/pseudo", split="train_aug"),
    *dual(config, labelled, weak, labels="pseudo", **_base_.schedule, **_base_.look),
]
"""
    recipe = tmp_path / "own.py"
    recipe.write_text(text.format(configs=CONFIGS))
    found = load_recipe(recipe, {"seed": 1})
    assert [step.name for step in found.steps] == ["pseudo", "dual", "branch", "segment_branch", "val"]
    assert str(found.steps[0].params["folder"]) == "work_dirs/seam_shapes_1/pseudo"
