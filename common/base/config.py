"""mmengine configs: recipes and networks, read without importing what they name."""

from __future__ import annotations

import ast
import copy
import difflib
import json
from collections.abc import Mapping
from keyword import iskeyword
from pathlib import Path
from typing import Any

from common.base.errors import UserError, nearest


def read_config(path: str | Path, options: Mapping[str, Any] | None = None) -> Any:
    """An mmengine Config with `options` (dotted key -> value) merged in.

    A .py file is Python and runs; .yaml and .json files are data and never run code. The modules of its
    `custom_imports`, which register what it is built of, are not imported: see `import_types`.

    Raises:
        UserError: the file is missing or no config, or an option does not fit.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path} does not exist: name a config file (`wsseg list` shows the recipes).")
    config = _read_data(path) if path.suffix in (".yaml", ".yml", ".json") else _run_python(path)
    for key in options or {}:
        if not all(key.split(".")):
            raise UserError(f"'{key}' is no key of {path}: write names with single dots between them, KEY.KEY=VALUE.")
    try:
        config.merge_from_dict(copy.deepcopy(dict(options or {})))  # it takes `_delete_` out of what it is given
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, AssertionError) as error:
        raise UserError(f"The options {options} do not fit {path}: {error}.") from error
    return config


def _run_python(path: Path) -> Any:
    from mmengine.config import Config

    try:
        return Config.fromfile(str(path), import_custom_modules=False)
    except Exception as error:  # a config is Python: anything may go wrong in it
        raise UserError(f"{path} cannot be read as a config ({type(error).__name__}: {error}).") from error


def _read_data(path: Path) -> Any:
    from mmengine.config import Config

    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix == ".json":
            content = json.loads(text)
        else:
            import yaml

            content = yaml.safe_load(text)
    except Exception as error:  # yaml and json have errors of their own; all mean that the file is unreadable
        sentence = " ".join(str(error).split())
        raise UserError(f"{path} is no readable {path.suffix[1:]} of plain data ({sentence}): correct it.") from error
    if not isinstance(content, dict):
        raise UserError(f"{path} must hold names and values, not a {type(content).__name__}.")
    if "_base_" in content:
        raise UserError(f"{path}: only a .py config may have _base_: write this one as Python, or in full.")
    return Config(content)


def plain_text(config: Any) -> str:
    """A config as Python that says the same without its base files: assignments of literals and dict(...) calls.

    It is mmengine's `pretty_text` in a fixed layout; that one takes seconds where a path is long.
    """
    return "".join(f"{name} = {_layout(value, 0)}\n" for name, value in config.to_dict().items())


def _layout(value: Any, indent: int) -> str:
    """One line, or one for each part where that would be too long."""
    opening, parts, closing = _parts(value, indent + 4)
    line = f"{opening}{', '.join(parts)}{closing}"
    if not parts or (len(line) + indent <= 100 and "\n" not in line):
        return line
    pad = "\n" + " " * (indent + 4)
    return f"{opening}{''.join(f'{pad}{part},' for part in parts)}{pad[:-4]}{closing}"


def _parts(value: Any, indent: int) -> tuple[str, list[str], str]:
    if isinstance(value, Mapping):
        if all(isinstance(key, str) and key.isidentifier() and not iskeyword(key) for key in value):
            return "dict(", [f"{key}={_layout(item, indent)}" for key, item in value.items()], ")"
        return "{", [f"{key!r}: {_layout(item, indent)}" for key, item in value.items()], "}"
    if isinstance(value, list):
        return "[", [_layout(item, indent) for item in value], "]"
    if isinstance(value, tuple) and len(value) != 1:
        return "(", [_layout(item, indent) for item in value], ")"
    return repr(value), [], ""


def read_plain(text: str) -> dict[str, Any]:
    """The variables of a config as `plain_text` and mmengine's `pretty_text` print it. Nothing runs.

    Raises:
        ValueError: the text holds anything else.
    """
    try:
        body = ast.parse(text).body
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"no Python: {error}") from error
    found = {}
    for node in body:
        if not (isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)):
            raise ValueError(f"line {node.lineno} is no assignment of plain data")
        found[node.targets[0].id] = _plain(node.value)
    return found


def _plain(node: ast.expr) -> Any:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict":
        parts = [_plain(argument) for argument in node.args]
        parts += [_plain(k.value) if k.arg is None else {k.arg: _plain(k.value)} for k in node.keywords]
        return {key: value for part in parts for key, value in part.items()}
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        parts = [_plain(value) if key is None else {ast.literal_eval(key): _plain(value)} for key, value in pairs]
        return {key: value for part in parts for key, value in part.items()}
    if isinstance(node, ast.List | ast.Tuple):
        return [_plain(item) for item in node.elts] if isinstance(node, ast.List) else tuple(map(_plain, node.elts))
    return ast.literal_eval(node)


def import_types(config: Mapping[str, Any]) -> None:
    """Import the modules of `custom_imports`, so that the types a network config names are registered.

    Raises:
        UserError: a module cannot be imported.
    """
    from mmengine.utils import import_modules_from_strings

    try:
        import_modules_from_strings(**config.get("custom_imports", {"imports": None}))
    except (ImportError, TypeError) as error:
        raise UserError(f"custom_imports: {error}.") from error


def check_option(config: Mapping[str, Any], key: str, where: str) -> None:
    """Refuse a dotted key that touches nothing: a name on the way to it is missing, or it is a typing error.

    The last name may be new (a parameter that the config leaves at its default) unless it resembles a known one.

    Raises:
        UserError: naming the nearest key.
    """
    part: Any = config
    names = key.split(".")
    for depth, name in enumerate(names):
        before = ".".join(names[:depth])
        if isinstance(part, list | tuple):
            if not name.isdecimal() or int(name) >= len(part):
                raise UserError(f"{where}: the option '{key}' touches nothing, '{before}' has {len(part)} entries.")
            part = part[int(name)]
            continue
        if not isinstance(part, Mapping):
            raise UserError(f"{where}: the option '{key}' touches nothing, '{before}' is {part!r}.")
        if name not in part:
            last = depth == len(names) - 1
            close = difflib.get_close_matches(name, map(str, part), n=1, cutoff=0.75 if last else 0.4)
            if last and not close:
                return
            known = nearest(name, [str(other) for other in part])
            raise UserError(f"{where}: the option '{key}' touches nothing, there is no '{name}'{known}.")
        part = part[name]
