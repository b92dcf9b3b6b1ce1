"""The artefacts that a stage receives: from the annotations of its function to the names of earlier stages and back."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Mapping
from typing import Any

from common.artifacts import Artifact
from common.base.errors import UserError, nearest

Wanted = tuple[tuple[type[Artifact], ...], type | None]
"""The kinds that a parameter takes, and whether it takes a list or a dict of them."""


def wanted_kinds(hint: Any) -> Wanted | None:
    """Of `CAMs | ScoreMaps` both kinds, of `list[CAMs]` the kind in a list, of `dict[str, CAMs]` in a dict.

    Each may be optional (`| None`). None: the parameter is no artefact.
    """
    options = typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)
    for option in options:
        if (container := typing.get_origin(option)) in (list, dict):
            inner = wanted_kinds(typing.get_args(option)[-1])
            if inner is not None:
                return inner[0], container
    kinds = tuple(option for option in options if inspect.isclass(option) and issubclass(option, Artifact))
    return (kinds, None) if kinds else None


def named_inputs(where: str, key: str, value: Any, wanted: Wanted, earlier: Mapping[str, Any]) -> dict[str, str]:
    """Dotted key -> the earlier stage it names: `cams`, `cams.0`, `inputs.superpixels`.

    earlier: the stages so far, each with the `kind` of what it makes.

    Raises:
        UserError: no earlier stage has the name, it makes another kind, or the value has another form.
    """
    kinds, container = wanted
    where = f"{where}: {key}"
    if container is None:
        return {key: _earlier(where, value, kinds, earlier)}
    form = "a list of names" if container is list else "dict(NAME='earlier stage')"
    if not isinstance(value, Mapping if container is dict else list | tuple) or not value:
        raise UserError(f"{where}: {form} of earlier stages is needed, not {value!r}.")
    found = {}
    for name, stage in value.items() if container is dict else enumerate(value):
        if container is dict and not (isinstance(name, str) and name.isidentifier()):
            raise UserError(f"{where}: {name!r} is no name; letters, digits and '_' make one.")
        found[f"{key}.{name}"] = _earlier(f"{where}.{name}", stage, kinds, earlier)
    return found


def assembled(artifacts: Mapping[str, Artifact]) -> dict[str, Any]:
    """The keyword arguments of a stage from its artefacts by dotted key, in the recipe's order."""
    arguments: dict[str, Any] = {}
    for dotted, artifact in artifacts.items():
        key, _, name = dotted.partition(".")
        if not name:
            arguments[key] = artifact
        elif name.isdecimal():
            arguments.setdefault(key, []).append(artifact)
        else:
            arguments.setdefault(key, {})[name] = artifact
    return arguments


def _earlier(where: str, value: Any, wanted: tuple[type[Artifact], ...], earlier: Mapping[str, Any]) -> str:
    if not isinstance(value, str):
        raise UserError(f"{where}: the name of an earlier stage is needed, not {value!r:.60}.")
    if value not in earlier:
        raise UserError(f"{where}='{value}': no earlier stage has that name{nearest(value, earlier)}.")
    made = earlier[value].kind
    if not issubclass(made, wanted):
        needed = " or ".join(kind.__name__ for kind in wanted)
        raise UserError(f"{where}='{value}' makes {made.__name__}, but {needed} are needed here.")
    return value
