"""Which modules stand behind a function, read from its source."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Iterator
from typing import Any


def late_imports(function: Callable[..., Any]) -> set[str]:
    """Modules that a function, and the functions of its file that it uses, import when they are called."""
    return {name for part in used_parts(function) for node in ast.walk(part) for name in _imported(node)}


def attributes(function: Callable[..., Any]) -> set[str]:
    """The names of all attributes that a function, and the functions of its file that it uses, look at."""
    return {node.attr for part in used_parts(function) for node in ast.walk(part) if isinstance(node, ast.Attribute)}


def used_parts(function: Callable[..., Any]) -> list[ast.stmt]:
    """The top-level definitions of the function's file that it uses, itself first."""
    tree = ast.parse(inspect.getsource(sys.modules[function.__module__]))
    parts = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    found, todo = {}, [function.__name__]
    while todo:
        name = todo.pop()
        if name in parts and name not in found:
            found[name] = parts[name]
            todo += [node.id for node in ast.walk(parts[name]) if isinstance(node, ast.Name)]
    return list(found.values())


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.ImportFrom) and node.module:
        yield node.module
    elif isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
