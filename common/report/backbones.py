"""What a backbone is called in the field, read from the file of its class: to import it would import torch."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from common.base.errors import UserError
from common.base.source import literal, method_files, parse

__all__ = ["backbone_name"]

SHARED = Path(__file__).parents[1] / "models"
Found = tuple[Path, ast.ClassDef]


def backbone_name(backbone: Mapping[str, Any], imports: Iterable[str] = ()) -> str:
    """The field's name of a backbone's config, e.g. 'ResNet-50'.

    It is the `title` of the backbone's class or of the nearest base class that has one. Its {words} are filled in from
    the config, or from the defaults of `__init__`, with a capital first letter. Without a title, or where a word is
    unknown, it is the name of the class, with the depth where there is one ('ResNetV1c-50').

    Args:
        backbone: the config.
        imports: the modules of the config's `custom_imports`; a method that is among them is searched first.

    Raises:
        UserError: a title is no plain string.
    """
    kind = str(backbone.get("type", "own")).rpartition(".")[2]
    family = list(_family(kind, _files(imports)))
    words = {key: _capital(value) for key, value in (_defaults(family) | dict(backbone)).items()}
    plain = f"{kind}-{words['depth']}" if "depth" in words else kind
    title = next(filter(None, map(_title, family)), None)
    try:
        return title.format(**words) if title else plain
    except (LookupError, ValueError):
        return plain


def _capital(value: Any) -> str:
    text = str(value)
    return text[:1].upper() + text[1:]


def _files(imports: Iterable[str]) -> list[Path]:
    """Where a class may be: in the methods that a config imports, in common, in the other methods."""
    named = [name.split(".")[1] for name in imports if name.startswith("methods.")]
    first = [path for method in named for path in method_files("**/*.py", method)]
    return [*first, *sorted(SHARED.glob("*.py")), *method_files("**/*.py")]


def _family(kind: str, files: list[Path], seen: frozenset[str] = frozenset()) -> Iterator[Found]:
    """The class and its base classes, the nearest first, as far as the files hold them."""
    found = None if kind in seen else next(_classes(kind, files), None)
    if found is None:
        return
    yield found
    for base in found[1].bases:
        name = ast.unparse(base).rpartition(".")[2]
        yield from _family(name, [found[0], *files], seen | {kind})


def _classes(kind: str, files: Iterable[Path]) -> Iterator[Found]:
    """The classes of that name; only files that seem to hold one are parsed."""
    pattern = re.compile(rf"^class {re.escape(kind)}\b", re.MULTILINE)
    for path in files:
        body = parse(path).body if pattern.search(path.read_text(encoding="utf-8")) else []
        for node in body:
            if isinstance(node, ast.ClassDef) and node.name == kind:
                yield path, node


def _title(found: Found) -> str | None:
    path, node = found
    try:
        title = literal(node.body, "title")
    except ValueError:
        title = 0
    if title is None or isinstance(title, str):
        return title
    example = '"ResNet-{depth}"'
    raise UserError(
        f"{path}: the title of {node.name} must be a plain string such as {example}: "
        "it is read without running the file."
    )


def _defaults(family: Iterable[Found]) -> dict[str, Any]:
    """The plain defaults of the first `__init__` in the family; those of a base class may be overruled in it."""
    parts = [part for _, node in family for part in node.body if isinstance(part, ast.FunctionDef)]
    init = next((part.args for part in parts if part.name == "__init__"), None)
    if init is None:
        return {}
    named = [*init.posonlyargs, *init.args]
    pairs = [*zip(named[len(named) - len(init.defaults) :], init.defaults, strict=True)]
    pairs += zip(init.kwonlyargs, init.kw_defaults, strict=True)
    return {argument.arg: value.value for argument, value in pairs if isinstance(value, ast.Constant)}
