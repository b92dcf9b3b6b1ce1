"""Which file set each value of a config: the file itself, one of its bases, or an option of the command line."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from common.base.config import read_config

OPTIONS = "--cfg-options"


class Origin(NamedTuple):
    """A value of a config under its dotted key, and the file that said it last."""

    key: str
    value: Any
    source: str


def origins(path: str | Path, content: Mapping[str, Any], options: Mapping[str, Any] | None = None) -> list[Origin]:
    """All values of a config, in its order.

    path: the file, which `read_config` has read without a fault; content: what it says with its bases and options;
    options: those of the command line, dotted key -> value. What a function returns counts as the file's that calls it;
    a dictionary that is lent as `_base_.NAME` counts as the base's, and so does what is left of a list.
    """
    said = [(str(file), written(file)) for file in files(Path(path))]
    said += [(_source(key, said) or str(path), places) for key, places in _lent(Path(path), content)]
    said += [(origin.source, {origin.key}) for origin in _inherited(Path(path), content)]
    said.append((OPTIONS, {part for key, value in (options or {}).items() for part, _ in leaves(value, key)}))
    return [Origin(key, value, _source(key, said) or str(path)) for key, value in leaves(content)]


def _lent(path: Path, content: Mapping[str, Any]) -> Iterator[tuple[str, set[str]]]:
    """(a key of it, the keys of all that is equal to it) for each dictionary `_base_.NAME` that the file uses."""
    for name in _borrowed(path):
        if isinstance(lent := content.get(name), Mapping):
            yield next(leaves(lent, name))[0], set(_places(content, lent))


def _inherited(path: Path, content: Mapping[str, Any]) -> Iterator[Origin]:
    """The values of the lists `_base_.NAME` that the file uses, where they still stand in its own list of that name."""
    names = {name for name in _borrowed(path) if isinstance(content.get(name), list | tuple)}
    now = dict(leaves({name: content[name] for name in names})) if names else {}
    for base in bases(path) if names else ():
        found = origins(base, read_config(base).to_dict())
        yield from (origin for origin in found if origin.key in now and now[origin.key] == origin.value)


def _borrowed(path: Path) -> list[str]:
    return sorted(set(re.findall(r"\b_base_\.(\w+)", path.read_text(encoding="utf-8"))))


def _places(part: Any, wanted: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """The dotted keys under which a dictionary stands in another."""
    if prefix and part == wanted:
        yield prefix
    elif isinstance(part, Mapping | list | tuple):
        for key, value in part.items() if isinstance(part, Mapping) else enumerate(part):
            yield from _places(value, wanted, f"{prefix}.{key}" if prefix else str(key))


def _source(key: str, said: list[tuple[str, set[str]]]) -> str | None:
    """The last one that says this key, or a part that holds it; what comes later in the list overrides."""
    names = key.split(".")
    parts = {".".join(names[:depth]) for depth in range(1, len(names) + 1)}
    return next((source for source, keys in reversed(said) if parts & keys), None)


def files(path: Path) -> Iterator[Path]:
    """A config's bases and theirs, then the config itself: each overrides those before it."""
    for base in bases(path):
        yield from files(base)
    yield path


def bases(path: Path) -> list[Path]:
    """The files that a config names in `_base_`."""
    for target, value in _assignments(path):
        if target == "_base_":
            named = ast.literal_eval(value)
            return [
                Path(os.path.normpath(path.parent / name)) for name in ([named] if isinstance(named, str) else named)
            ]
    return []


def written(path: Path) -> set[str]:
    """The dotted keys that a .py file assigns, as deep as it writes dictionaries; of a data file all its names."""
    if path.suffix != ".py":
        return set()
    return {key for target, value in _assignments(path) for key in _keys(target, value)}


def _assignments(path: Path) -> Iterator[tuple[str, ast.expr]]:
    """(name, expression) of all assignments of a file, those in loops too."""
    if path.suffix != ".py":
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            value = getattr(node, "value", None) or getattr(node, "iter", None)
            if isinstance(target, ast.Name):
                yield target.id, value
            elif isinstance(target, ast.Tuple | ast.List):  # a, b = ...
                yield from ((part.id, ast.Constant(None)) for part in target.elts if isinstance(part, ast.Name))


def _keys(prefix: str, value: ast.expr) -> Iterator[str]:
    parts = _parts(value)
    if not parts:
        yield prefix
    for name, part in parts.items():
        yield from _keys(f"{prefix}.{name}", part)


def _parts(value: ast.expr) -> dict[str, ast.expr]:
    """The entries of `dict(a=...)` and `{"a": ...}`; none where it holds anything that is not written out."""
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "dict" and not value.args:
        parts = {keyword.arg: keyword.value for keyword in value.keywords}
        return {} if None in parts else parts
    if isinstance(value, ast.Dict) and all(isinstance(key, ast.Constant) for key in value.keys):
        return {str(key.value): part for key, part in zip(value.keys, value.values, strict=True)}
    return {}


def leaves(content: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted key, value) of a nested config; a list is a value of its own unless it holds dictionaries."""
    if isinstance(content, Mapping) and (content or not prefix):
        items = content.items()
    elif isinstance(content, list | tuple) and any(isinstance(item, Mapping) for item in content):
        items = enumerate(content)
    else:
        yield prefix, content
        return
    for key, value in items:
        yield from leaves(value, f"{prefix}.{key}" if prefix else str(key))


def table(found: list[Origin]) -> Iterator[str]:
    """Lines of plain text: key, value, file."""
    shown = [(origin.key, repr(origin.value), _shown(origin.source)) for origin in found]
    keys, values = (max((len(row[column]) for row in shown), default=0) for column in (0, 1))
    for key, value, source in shown:
        yield f"{key:<{keys}}  {value:<{min(values, 40)}}  {source}"


def _shown(source: str) -> str:
    """A path below the working directory without it."""
    if source == OPTIONS:
        return source
    path = os.path.relpath(source)
    return source if path.startswith("..") else path
