"""What Python files say as plain literals, read without running them: a plan and a report start without torch."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from typing import Any

from common.base.errors import UserError


def method_files(pattern: str, method: str = "*") -> list[Path]:
    """The files in the folders of a method, or of all, that fit a glob pattern such as "released.py" or "**/*.py"."""
    folders = importlib.import_module("methods").__path__
    return [path for folder in folders for path in sorted(Path(folder).glob(f"{method}/{pattern}"))]


def parse(path: Path) -> ast.Module:
    """The syntax tree of a file.

    Raises:
        UserError: it is no Python.
    """
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError) as error:
        raise UserError(f"{path} is no Python ({error}): correct it.") from error


def literal(body: list[ast.stmt], name: str) -> Any:
    """The plain value that a module or a class with these statements gives to `name`; None where it gives none.

    Raises:
        ValueError: what stands under that name must run to be known.
    """
    nodes = [node for node in body if name in _names(node)]
    if not nodes:
        return None
    if not isinstance(nodes[-1], ast.Assign | ast.AnnAssign):
        raise ValueError(f"line {nodes[-1].lineno} is no assignment of a literal")
    try:
        return ast.literal_eval(nodes[-1].value)
    except (TypeError, SyntaxError, RecursionError) as error:
        raise ValueError(f"line {nodes[-1].lineno} holds no literal") from error


def _names(node: ast.stmt) -> set[str]:
    """The names that a statement defines: by an assignment, or as a function or a class."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign | ast.AugAssign) and node.value is not None:
        targets = [node.target]
    else:
        return set()
    return {target.id for target in targets if isinstance(target, ast.Name)}
