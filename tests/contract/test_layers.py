"""The folders of common are layers: each imports only those above it, and the parts without torch start without it."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAYERS = (
    *("base", "ops", "metrics", "data", "artifacts", "models", "checkpoints", "inference", "training", "pipeline"),
    *("stages", "fragments", "report", "new", "cli"),
)
OLD_NAMES = {
    "common/errors.py",
    "common/train.py",
    "common/data/voc.py",
    "common/data/opencv.py",
    "common/models/weights.py",
}
"""Modules that only re-export; `test_old_names_only_re_export` holds them to that."""
LIGHT = ("base.errors", "data.check", "data.cli", "metrics", "artifacts", "pipeline", "stages", "fragments")
LIGHT_TOO = ("report.cli", "report.page", "report.compare", "checkpoints.cli", "new", "cli")


def modules() -> list[Path]:
    return [path for folder in ("common", "methods") for path in sorted((ROOT / folder).rglob("*.py"))]


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of every import of the project's own modules in a file, those inside functions included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write the whole name"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from ((node.lineno, name) for name in names if name.split(".")[0] in ("common", "methods"))


def room(path: Path) -> str:
    """The layer of a file of common."""
    return path.relative_to(ROOT / "common").parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_imports_only_what_lies_above_it(path: Path) -> None:
    name = str(path.relative_to(ROOT))
    if name in OLD_NAMES or name == "common/__init__.py":
        return
    for line, imported in imports(path):
        where = f"{name}:{line}: {imported}"
        top, *rest = imported.split(".")
        if path.is_relative_to(ROOT / "methods"):
            assert top == "common" or rest[0] == path.parent.name or bond(path.parent.name, rest[0]), (
                f"{where}: a method imports another only where its paper builds on it, and its README says so"
            )
            assert f"common/{'/'.join(rest)}.py" not in OLD_NAMES, f"{where}: an old name"
            continue
        assert top == "common", f"{where}: common imports no method"
        assert rest[0] in LAYERS, f"{where}: no layer, or the old name of a module"
        assert LAYERS.index(rest[0]) <= LAYERS.index(room(path)), f"{where}: {room(path)} lies above {rest[0]}"


def bond(method: str, other: str) -> bool:
    """Whether the page of `method` says that it builds on `other`."""
    return f"methods/{other}" in (ROOT / "methods" / method / "README.md").read_text(encoding="utf-8").replace(
        "..", "methods"
    )


def test_every_folder_of_common_is_a_layer() -> None:
    rooms = {room(path) for path in (ROOT / "common").rglob("*.py") if str(path.relative_to(ROOT)) not in OLD_NAMES}
    assert rooms - {"__init__"} == set(LAYERS)


@pytest.mark.parametrize("name", sorted(OLD_NAMES))
def test_old_names_only_re_export(name: str) -> None:
    docstring, *body = ast.parse((ROOT / name).read_text(encoding="utf-8")).body
    assert isinstance(docstring, ast.Expr)
    assert all(isinstance(node, ast.ImportFrom) for node in body[:-1])
    assert isinstance(body[-1], ast.Assign) and body[-1].targets[0].id == "__all__"


def test_what_needs_no_network_starts_without_torch() -> None:
    stages = [f"methods.{path.parent.name}.stages" for path in sorted((ROOT / "methods").glob("*/stages.py"))]
    recipes = [f"methods.{path.parent.name}.recipe" for path in sorted((ROOT / "methods").glob("*/recipe.py"))]
    names = [*(f"common.{name}" for name in (*LIGHT, *LIGHT_TOO)), *stages, *recipes]
    code = "import importlib, sys\nfor name in sys.argv[1:]:\n importlib.import_module(name)\n"
    code += " assert not {'torch', 'scipy', 'pydensecrf'} & set(sys.modules), name"
    subprocess.run([sys.executable, "-c", code, *names], check=True, cwd=ROOT)
