"""The artefacts that a stage receives: from the annotations of its function to the names of earlier stages and back."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Mapping
from typing import Any

from common.artifacts import Artifact
from common.base.errors import UserError, nearest


def wanted_kind(hint: Any) -> tuple[type[Artifact], type | None] | None:
    """Kind and container of an annotation: `CAMs` has none, `list[CAMs]` a list, `dict[str, CAMs]` a dict of them.

    Each may be optional (`| None`). None: the parameter is no artefact.
    """
    for option in (hint, *typing.get_args(hint)):
        container = typing.get_origin(option)
        kind = typing.get_args(option)[-1] if container in (list, dict) else option
        if inspect.isclass(kind) and issubclass(kind, Artifact):
            return kind, container if container in (list, dict) else None
    return None


def named_inputs(
    where: str, key: str, value: Any, wanted: tuple[type[Artifact], type | None], earlier: Mapping[str, Any]
) -> dict[str, str]:
    """Dotted key -> the earlier stage it names: `cams`, `cams.0`, `inputs.superpixels`.

    earlier: the stages so far, each with the `kind` of what it makes.

    Raises:
        UserError: no earlier stage has the name, it makes another kind, or the value has another form.
    """
    kind, container = wanted
    where = f"{where}: {key}"
    if container is None:
        return {key: _earlier(where, value, kind, earlier)}
    form = "a list of names" if container is list else "dict(NAME='earlier stage')"
    if not isinstance(value, Mapping if container is dict else list | tuple) or not value:
        raise UserError(f"{where}: {form} of earlier stages is needed, not {value!r}.")
    found = {}
    for name, stage in value.items() if container is dict else enumerate(value):
        if container is dict and not (isinstance(name, str) and name.isidentifier()):
            raise UserError(f"{where}: {name!r} is no name; letters, digits and '_' make one.")
        found[f"{key}.{name}"] = _earlier(f"{where}.{name}", stage, kind, earlier)
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


def _earlier(where: str, value: Any, wanted: type[Artifact], earlier: Mapping[str, Any]) -> str:
    if not isinstance(value, str):
        raise UserError(f"{where}: the name of an earlier stage is needed, not {value!r:.60}.")
    if value not in earlier:
        raise UserError(f"{where}='{value}': no earlier stage has that name{nearest(value, earlier)}.")
    made = earlier[value].kind
    if not issubclass(made, wanted):
        raise UserError(f"{where}='{value}' makes {made.__name__}, but {wanted.__name__} are needed here.")
    return value
