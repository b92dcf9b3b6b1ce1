"""The digest of the code behind a stage: what marks it, and what does not."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from common.pipeline.code_digest import changed_code, code_digests, code_sha, custom_imports, network_part

ROOT = Path(__file__).resolve().parents[2]
OWN = "codetoy"
STAGES = f"""
from typing import TYPE_CHECKING
from common.pipeline import Run
from {OWN} import Kind
from {OWN}.other import unused
if TYPE_CHECKING:
    from {OWN}.typing_only import Thing

FACTOR = 2

def stage(run: Run, kind: Kind, other) -> "Thing":
    from {OWN}.late import late
    return _helper(late(kind)) + other

def _helper(value):
    return value * FACTOR

def other(run: Run):
    return unused(3)
"""
FILES = {
    "__init__": f"from {OWN}.kinds import Kind\nfrom {OWN}.other import Sibling",
    "stages": STAGES,
    "kinds": "class Kind:\n    size = 1\n\nclass Cousin:\n    size = 1",
    "other": "class Sibling:\n    size = 1\n\ndef unused(x):\n    return x",
    "typing_only": "class Thing:\n    size = 1",
    "late": f"import {OWN}.deep\nimport numpy as np\n\ndef late(x):\n    return np.abs({OWN}.deep.far(x))",
    "deep": "def far(x):\n    return x\n\ndef not_asked_for(x):\n    return x",
}
MODEL = f"""
from mmseg.registry import MODELS
from {OWN}.losses import loss
import {OWN}.backbone

@MODELS.register_module()
class Net:
    def forward(self, x):
        return loss(x)

@MODELS.register_module(name="alias")
class Other:
    size = 1
"""
NETWORK = {
    "losses": "def loss(x):\n    return x",
    "backbone": "from mmseg.registry import MODELS\n\n@MODELS.register_module()\nclass Small:\n    size = 1\n\n"
    "@MODELS.register_module()\nclass Large:\n    size = 1",
    "model": MODEL,
}
CONFIG = {
    "custom_imports": {"imports": [f"{OWN}.model"], "allow_failed_imports": False},
    "model": {"type": "mmseg.Net", "backbone": {"type": "Small"}},
    "custom_hooks": [{"type": "Other"}],
}


class Project:
    """A package outside the checkout whose files a test writes and changes."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.time = folder, 10**9

    def write(self, name: str, text: str) -> None:
        self.time += 1
        path = self.folder / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        os.utime(path, (self.time, self.time))  # two edits within one tick of the clock are two edits

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.folder / f"{name}.py").read_text(encoding="utf-8")
        assert text.count(old) == 1
        self.write(name, text.replace(old, new))

    def stage(self, name: str = "stage", module: str = "stages") -> Callable:
        return getattr(importlib.import_module(f"{OWN}.{module}"), name)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    monkeypatch.syspath_prepend(tmp_path)
    project = Project(tmp_path / OWN)
    for name, text in {**FILES, **NETWORK}.items():
        project.write(name, text)
    yield project
    for name in [name for name in sys.modules if name.partition(".")[0] == OWN]:
        del sys.modules[name]


def marks(project: Project, edits: list[tuple[str, str, str]], *arguments: object, name: str = "stage") -> list[str]:
    """The modules that edits mark for a stage."""
    function = project.stage(name)
    before = code_digests(function, *arguments)
    for edit in edits:
        project.edit(*edit)
    after = code_digests(function, *arguments)
    assert (code_sha(before) == code_sha(after)) == (before == after)
    return changed_code(before, after)


def test_what_a_stage_uses_is_named_by_module(project: Project) -> None:
    digests = code_digests(project.stage())
    assert list(digests) == [OWN, *(f"{OWN}.{name}" for name in ("deep", "kinds", "late", "stages"))]
    assert digests == code_digests(project.stage())


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("stages", "+ other", "- other"),
        ("stages", "value * FACTOR", "value / FACTOR"),
        ("stages", "FACTOR = 2", "FACTOR = 3"),
        ("kinds", "class Kind:\n    size = 1", "class Kind:\n    size = 2"),  # an annotation, by way of a re-export
        ("late", "np.abs", "np.exp"),
        ("late", "import numpy as np", "import math as np"),
        ("deep", "def far(x):\n    return x", "def far(x):\n    return -x"),
    ],
)
def test_a_change_of_what_is_used_marks_the_stage(project: Project, file: str, old: str, new: str) -> None:
    assert marks(project, [(file, old, new)]) == [f"{OWN}.{file}"]


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("stages", "return unused(3)", "return unused(4)"),  # `other`, whose name is a parameter of the stage
        ("other", "return x", "return -x"),
        ("other", "size = 1", "size = 2"),
        ("kinds", "class Cousin:\n    size = 1", "class Cousin:\n    size = 2"),
        ("typing_only", "size = 1", "size = 2"),
        ("deep", "def not_asked_for(x):\n    return x", "def not_asked_for(x):\n    return -x"),
    ],
)
def test_a_change_of_anything_else_does_not(project: Project, file: str, old: str, new: str) -> None:
    assert marks(project, [(file, old, new)]) == []


def test_comments_docstrings_layout_and_order_mark_nothing(project: Project) -> None:
    helper = "def _helper(value):\n    return value * FACTOR\n"
    edits = [
        ("stages", helper, ""),
        ("stages", "def stage(", f"{helper}\ndef stage("),
        ("stages", "    return value * FACTOR", '    """Twice."""\n    # a factor\n\n    return (value*FACTOR)'),
        ("stages", "FACTOR = 2", '"""A module."""\nFACTOR = (2)\n"""How much."""'),
        ("kinds", "class Kind:\n", 'class Kind:\n    "A kind."\n'),
    ]
    assert marks(project, edits) == []


def test_what_comes_and_what_goes_is_named(project: Project) -> None:
    edits = [("stages", f"from {OWN}.late import late", f"from {OWN}.losses import loss as late")]
    assert marks(project, edits) == [f"{OWN}.{name}" for name in ("deep", "late", "losses", "stages")]


def test_importing_runs_calls_patches_and_own_decorators(project: Project) -> None:
    project.write("kinds", f"import {OWN}.patches\n" + FILES["kinds"])
    text = "import torch\nfrom codetoy.losses import loss\nTABLE = {}\ndef keep(f):\n    TABLE[f] = f\n    return f\n"
    project.write(
        "patches", text + "torch.loss = loss\n@keep\ndef kept(x):\n    return x\ndef free(x):\n    return -x\n"
    )
    assert marks(project, [("losses", "return x", "return 2 * x")]) == [f"{OWN}.losses"]
    assert marks(project, [("patches", "def kept(x):\n    return x", "def kept(x):\n    return 3")]) == [
        f"{OWN}.patches"
    ]
    assert marks(project, [("patches", "return -x", "return 4")]) == []


def test_ways_to_import(project: Project) -> None:
    project.write("area/__init__", "from .inner import *\n")
    project.write(
        "area/inner", "from ..losses import loss\ndef starred(x):\n    return loss(x)\ndef alone():\n    pass"
    )
    project.write("area/whole", "def one():\n    return 1\ndef __getattr__(name):\n    return 1")
    project.write(
        "ways",
        f"from {OWN} import area, deep as d\ntry:\n    from {OWN}.area import whole\nexcept ImportError:\n"
        "    whole = None\ndef stage(run):\n    return area.starred(d.far(whole))",
    )
    function = project.stage(module="ways")
    before = code_digests(function)
    assert set(before) == {f"{OWN}.{name}" for name in ("area.inner", "area.whole", "deep", "losses", "ways")}
    project.edit("deep", "def not_asked_for(x):\n    return x", "def not_asked_for(x):\n    return -x")
    project.edit("area/inner", "def alone():\n    pass", "def alone():\n    return 1")
    assert changed_code(before, code_digests(function)) == []
    project.edit("area/whole", "return 1\ndef __", "return 2\ndef __")  # the module itself is handed on
    project.edit("losses", "return x", "return -x")
    assert changed_code(before, code_digests(function)) == [f"{OWN}.area.whole", f"{OWN}.losses"]


@pytest.mark.parametrize(
    ("file", "old", "new", "marked"),
    [
        ("model", "return loss(x)", "return -loss(x)", True),
        ("losses", "return x", "return -x", True),
        ("backbone", "class Small:\n    size = 1", "class Small:\n    size = 2", True),
        ("backbone", "class Large:\n    size = 1", "class Large:\n    size = 2", False),
    ],
)
def test_a_network_counts_by_the_classes_its_config_names(
    project: Project, file: str, old: str, new: str, marked: bool
) -> None:
    assert marks(project, [(file, old, new)], [network_part(CONFIG)]) == ([f"{OWN}.{file}"] if marked else [])
    assert f"{OWN}.model" not in code_digests(project.stage())


def test_classes_are_found_by_any_key_alias_and_dotted_name(project: Project) -> None:
    edit = ("model", "size = 1", "size = 2")
    assert marks(project, [edit], [network_part(CONFIG)]) == []
    assert marks(project, [("model", "size = 2", "size = 3")], [CONFIG]) == [f"{OWN}.model"]
    alias = {"custom_imports": CONFIG["custom_imports"], "optim_wrapper": {"constructor": "alias"}}
    assert marks(project, [("model", "size = 3", "size = 4")], [alias]) == [f"{OWN}.model"]
    dotted = {"model": {"type": f"{OWN}.model.Other"}}
    assert marks(project, [("model", "size = 4", "size = 5")], [dotted]) == [f"{OWN}.model"]


def test_a_class_that_code_names_by_a_string_counts(project: Project) -> None:
    project.edit("model", "return loss(x)", "return MODELS.build({'type': 'Large'})(loss(x))")
    edit = ("backbone", "class Large:\n    size = 1", "class Large:\n    size = 2")
    assert marks(project, [edit], [CONFIG]) == [f"{OWN}.backbone"]


def test_the_kinds_of_the_inputs_count(project: Project) -> None:
    from_kinds = project.stage("Cousin", "kinds")
    edit = ("kinds", "class Cousin:\n    size = 1", "class Cousin:\n    size = 2")
    assert marks(project, [edit], [], [from_kinds]) == [f"{OWN}.kinds"]


def test_custom_imports_of_a_config() -> None:
    assert custom_imports({}) == custom_imports({"custom_imports": None}) == []
    assert custom_imports({"custom_imports": {"imports": "a.b"}}) == ["a.b"]
    assert custom_imports(CONFIG) == [f"{OWN}.model"]


def test_installed_packages_and_missing_modules_are_passed_over(project: Project) -> None:
    config = {"custom_imports": {"imports": ["mmseg.models", "json", "no_such_package.model", f"{OWN}.missing"]}}
    assert code_digests(project.stage(), [config]) == code_digests(project.stage())
    project.write("missing", "import torch\ntorch.patched = True")
    assert f"{OWN}.missing" in code_digests(project.stage(), [config])


def test_a_method_that_lives_elsewhere(toy_method: None) -> None:
    stage = importlib.import_module("methods.toy.stages").sneak
    config = {"custom_imports": {"imports": ["methods.toy.model"]}, "model": {"type": "ToyResNet"}}
    assert {"methods.toy.stages", "common.data.dataset"} <= set(code_digests(stage))
    assert {"methods.toy.model", "common.models.resnet"} <= set(code_digests(stage, [config]))


# --- the project's own recipes, in a copy whose files are changed -----------------------------------------------------

SCRIPT = """
import ast, json, sys, time
from pathlib import Path
from common.base.config import read_config
from common.pipeline.code_digest import changed_code, code_digests, network_part
from common.pipeline.recipe import load_recipe
from common.pipeline.stage import NetworkConfig

def digests(recipe):
    steps, found = {step.name: step for step in recipe.steps}, {}
    for name, step in steps.items():
        own = [read_config(value).to_dict() for value in step.params.values() if isinstance(value, NetworkConfig)]
        makers = [steps[other] for key, other in step.inputs.items() if key == "weights"]
        while makers and "weights" in makers[0].inputs:
            makers = [steps[makers[0].inputs["weights"]]]
        given = [network_part(read_config(maker.params["config"]).to_dict()) for maker in makers]
        kinds = [steps[other].kind for other in step.inputs.values()]
        started = time.process_time()
        found[f"{recipe.name}/{name}"] = code_digests(step.function, own + given, kinds)
        global spent
        spent += time.process_time() - started
    return found

class Silent(ast.NodeTransformer):
    def visit_Expr(self, node):
        return ast.Expr(ast.Constant("Other words.")) if isinstance(node.value, ast.Constant) else node

recipes = [load_recipe(path) for path in ("configs/irnet/irnet_shapes.py", "configs/seam/seam_shapes.py")]
spent = 0.0
before = digests(recipes[0])
result = {"seconds": spent, "torch": "torch" in sys.modules, "marked": {}}
before |= digests(recipes[1])
result["before"] = before
for edits in json.loads(sys.argv[1]):
    old = {name: Path(name).read_text() for name, *_ in edits}
    for name, found, new in edits:
        assert found in old[name], (name, found)
        Path(name).write_text(old[name].replace(found, new))
    after = digests(recipes[0]) | digests(recipes[1])
    result["marked"][edits[0][0]] = {key: names for key in before if (names := changed_code(before[key], after[key]))}
    for name, text in old.items():
        Path(name).write_text(text)
for path in [path for top in ("common", "methods") for path in Path(top).rglob("*.py")]:
    path.write_text(ast.unparse(ast.fix_missing_locations(Silent().visit(ast.parse(path.read_text())))) + "\\n")
after = digests(recipes[0]) | digests(recipes[1])
result["words"] = [key for key in before if before[key] != after[key]]
print(json.dumps(result))
"""
EDITS = [
    ["methods/seam/losses.py", "EPS = 1e-5", "EPS = 2e-05"],
    ["methods/irnet/losses.py", "return", "assert True; return"],
    ["common/ops/crf.py", "self.iterations = (n_labels, height, width)", "self.iterations = (n_labels, width, height)"],
    ["common/ops/affinity.py", "EPS = 1e-5", "EPS = 2e-05"],
    ["common/models/resnet.py", "super().train(mode)", "super().train(not mode)"],
    ["common/models/efficientnet.py", "super().train(mode)", "super().train(not mode)"],
    ["common/training/poly_sgd.py", "return", "assert True; return"],
    ["common/artifacts/scores.py", "LEVELS = 65535", "LEVELS = 255"],
    ["common/base/config.py", "encoding", "encoding_"],
    ["common/pipeline/per_image.py", "return", "assert True; return"],
    ["common/stages/inference.py", "LARGE = 50_000_000", "LARGE = 40_000_000"],
]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> dict:
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("common", "methods", "configs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-c", SCRIPT, json.dumps([[edit] for edit in EDITS])]
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def marked(own: dict, file: str) -> set[str]:
    """The stages that the edit of a file marks; every one of them by that file."""
    found = own["marked"][file]
    assert all(names == [file.removesuffix(".py").replace("/", ".")] for names in found.values())
    return set(found)


TRAININGS = {f"irnet_shapes/{name}" for name in ("cam", "irn", "deeplab")} | {
    f"seam_shapes/{name}" for name in ("cam", "aff", "deeplab")
}
CRF_USERS = {"irnet_shapes/ir_label", "seam_shapes/scores"}


def test_a_methods_losses_mark_its_own_network(own: dict) -> None:
    assert marked(own, "methods/seam/losses.py") == {"seam_shapes/cam", "seam_shapes/make_cam"}
    assert marked(own, "methods/irnet/losses.py") == {
        f"irnet_shapes/{name}" for name in ("irn", "irn_shifted", "walk", "instances")
    }


def test_the_crf_marks_no_training(own: dict) -> None:
    found = marked(own, "common/ops/crf.py")
    assert found >= CRF_USERS and not found & TRAININGS


def test_affinities_mark_the_networks_that_learn_them_and_the_walks(own: dict) -> None:
    names = ("irnet_shapes/irn", "irnet_shapes/walk", "irnet_shapes/instances", "seam_shapes/aff", "seam_shapes/walk")
    found = marked(own, "common/ops/affinity.py")
    assert found >= set(names) and not found & {
        f"{recipe}_shapes/{name}"
        for recipe in ("irnet", "seam")
        for name in (*("cam", "make_cam", "deeplab", "segment"),)
    }


def test_a_backbone_marks_the_networks_that_have_it(own: dict) -> None:
    assert marked(own, "common/models/resnet.py") == set()
    assert marked(own, "common/models/efficientnet.py") >= TRAININGS | {"irnet_shapes/segment", "seam_shapes/make_cam"}


def test_the_optimiser_marks_trainings_alone(own: dict) -> None:
    assert marked(own, "common/training/poly_sgd.py") == TRAININGS


def test_a_kind_marks_those_who_read_or_write_it(own: dict) -> None:
    found = marked(own, "common/artifacts/scores.py")
    assert found >= {"irnet_shapes/walk", "irnet_shapes/pseudo", "seam_shapes/walk", "seam_shapes/pseudo"}
    assert not found & {"irnet_shapes/cam", "irnet_shapes/make_cam", "irnet_shapes/segment", "irnet_shapes/val"}


def test_one_stage_of_a_file_does_not_mark_the_others(own: dict) -> None:
    assert marked(own, "common/stages/inference.py") == {"irnet_shapes/make_cam", "seam_shapes/make_cam"}


@pytest.mark.parametrize("file", ["common/base/config.py", "common/pipeline/per_image.py"])
def test_what_runs_the_stages_marks_nothing(own: dict, file: str) -> None:
    assert marked(own, file) == set()
    assert not [name for found in own["before"].values() for name in found if name.startswith(("common.base", "torch"))]


def test_other_words_and_another_layout_mark_nothing(own: dict) -> None:
    assert own["words"] == []


def test_it_is_quick_and_needs_no_torch(own: dict) -> None:
    assert not own["torch"]
    assert own["seconds"] < 1  # a third of that on two cores
