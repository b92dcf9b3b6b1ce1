"""The numbers of a CRF in a recipe: what is taken, what is refused and with which sentence, one option at a time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from common.base.errors import UserError
from common.ops.crf_params import CRFParams
from common.pipeline.freshness import plain
from common.pipeline.recipe import Recipe, load_recipe
from common.pipeline.typed import typed
from tests.crf_constants import crf_constants

IRN = CRFParams(iterations=10, bilateral=(50, 5, 10), gaussian=(3, 3))
CONFIGS = Path(__file__).resolve().parents[2] / "configs"
IRNET = CONFIGS / "irnet/irnet_shapes.py"
NUMBERS = {"iterations": 10, "bilateral": (50, 5, 10), "gaussian": (3, 3)}


def crfs(recipe: Recipe) -> dict[str, CRFParams]:
    """Stage -> its CRF."""
    return {step.name: step.params["crf"] for step in recipe.steps if step.params.get("crf") is not None}


def test_the_constants_are_those_of_the_papers() -> None:
    assert crf_constants() == {
        "psa": CRFParams(10, (80, 13, 10), (3, 3)),
        "irn": IRN,
        "deeplab": CRFParams(10, (67, 3, 4), (1, 3)),
        "largefov": CRFParams(10, (140, 5, 5), (3, 3)),
        "largefov_caffe": CRFParams(10, (49, 5, 4), (3, 3)),
        "seam_retrain": CRFParams(1, (32, 13, 10), (3, 3)),
    }


def test_numbers_are_taken_as_tuples_or_lists() -> None:
    assert typed("crf", NUMBERS, CRFParams) == IRN
    assert typed("crf", {**NUMBERS, "bilateral": [50, 5.0, 10]}, CRFParams | None) == IRN
    assert typed("crf", None, CRFParams | None) is None
    assert typed("crf", IRN, CRFParams) is IRN


def test_weights_may_be_zero_and_a_smaller_image_has_smaller_terms() -> None:
    assert CRFParams(10, (50, 5, 0), (3, 0)).bilateral == (50, 5, 0)
    assert CRFParams(10, (80, 13, 10), (3, 3)).shrunk(4) == CRFParams(10, (20, 13, 10), (0.75, 3))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("irn", r"'irn' is no dict of numbers: write them out, dict\(iterations=10, .* of configs/_base_/crf.py"),
        ((10, 50), "is no dict of numbers"),
        ({**NUMBERS, "iteration": 5}, r"there is no 'iteration' \(did you mean 'iterations'\?\)"),
        ({**NUMBERS, "bg": 5}, r"there is no 'bg' \(known are bilateral, gaussian, iterations\)"),
        ({"iterations": 10, "gaussian": (3, 3)}, "'bilateral' is missing: it needs iterations, bilateral, gaussian"),
        ({**NUMBERS, "iterations": 0}, "iterations=0 must be a whole number, 1 or more"),
        ({**NUMBERS, "iterations": 2.5}, "iterations=2.5 must be a whole number"),
        ({**NUMBERS, "iterations": True}, "iterations=True must be a whole number"),
        ({**NUMBERS, "bilateral": (50, 5)}, r"bilateral=\(50, 5\) must be 3 numbers: \(standard deviation in pixels, "),
        ({**NUMBERS, "gaussian": 3}, r"gaussian=3 must be 2 numbers: \(standard deviation in pixels, weight\)"),
        ({**NUMBERS, "gaussian": (3, "3")}, r"gaussian=\(3, '3'\) must be 2 numbers"),
        ({**NUMBERS, "gaussian": (3, float("nan"))}, r"gaussian=\(3, nan\) must be 2 numbers"),
        ({**NUMBERS, "gaussian": (3, -1)}, r"gaussian=\(3, -1\): the weight must be 0 or more, not -1"),
        (
            {**NUMBERS, "gaussian": (-3, 3)},
            r"gaussian=\(-3, 3\): the standard deviation in pixels must be above 0, not -3",
        ),
        (
            {**NUMBERS, "bilateral": (50, 0, 10)},
            r"bilateral=\(50, 0, 10\): the standard deviation in grey levels must be above 0, not 0",
        ),
    ],
    ids=str,
)
def test_what_is_no_crf_is_refused(value: Any, message: str) -> None:
    with pytest.raises(UserError, match=f"^recipe.py: crf: .*{message}"):
        typed("recipe.py: crf", value, CRFParams)
    with pytest.raises(UserError, match=f"^recipe.py: crf: .*{message}"):
        typed("recipe.py: crf", value, CRFParams | None)


def test_a_crf_that_must_be_there() -> None:
    with pytest.raises(UserError, match="crf: None is no dict of numbers"):
        typed("crf", None, CRFParams)


def test_an_option_changes_one_number_of_one_stage() -> None:
    before = crfs(load_recipe(IRNET))
    assert before == {"ir_label": IRN, "segment": IRN}
    after = crfs(load_recipe(IRNET, {"pipeline.ir_label.crf.iterations": 5}))
    assert after == {"ir_label": CRFParams(5, (50, 5, 10), (3, 3)), "segment": IRN}


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("crf.iteration", 5, r"irnet_shapes.py: pipeline\[\d\] 'ir_label': crf: there is no 'iteration' .did you mean"),
        ("crf.gaussian", (3,), r"pipeline\[\d\] 'ir_label': crf: gaussian=\(3,\) must be 2 numbers"),
        ("crf", "irn", r"pipeline\[\d\] 'ir_label': crf: 'irn' is no dict of numbers"),
    ],
)
def test_a_wrong_option_is_refused_by_the_plan(key: str, value: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_recipe(IRNET, {f"pipeline.ir_label.{key}": value})


def test_a_recipe_may_change_a_part_of_a_constant(tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    crf = CONFIGS / "_base_/crf.py"
    stage = 'dict(stage="cam_to_ir_label", name="label", cams="cams", crf=dict(_base_.crf_irn, iterations=5)),'
    path.write_text(
        f'_base_ = ["{crf}"]\nmethod = "own"\ndata = dict(root="data")\npipeline = [\n'
        '    dict(stage="train", name="cam", config="net.py"),\n'
        '    dict(stage="infer_cam", name="cams", weights="cam", split="train"),\n'
        f"    {stage}\n]\n"
    )
    (tmp_path / "net.py").write_text("")
    assert crfs(load_recipe(path)) == {"label": CRFParams(5, (50, 5, 10), (3, 3))}


def test_a_stamp_holds_the_numbers() -> None:
    stamp = plain({"crf": IRN})
    assert json.loads(json.dumps(stamp)) == stamp
    assert stamp == {"crf": {"iterations": 10, "bilateral": [50, 5, 10], "gaussian": [3, 3]}}
