"""`--cfg-options` of a recipe: every key must touch something."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from common.base.errors import UserError, nearest

KEYS = ("pipeline", "method", "data", "seed", "pixel_labels", "uses", "images", "tuned_on")
"""The variables of a recipe that are read."""


def resolved(path: Path, config: Mapping[str, Any], options: Mapping[str, Any], parameters: Any) -> dict[str, Any]:
    """The options with stages by number: `pipeline.pseudo.bg` becomes `pipeline.6.bg`.

    config: the recipe without the options, its shape checked; parameters: stage -> the names its function takes.

    Raises:
        UserError: a key touches nothing; the nearest one is named.
    """
    return {_resolve(path, config, key, parameters): value for key, value in options.items()}


def _resolve(path: Path, config: Mapping[str, Any], key: str, parameters: Any) -> str:
    names = key.split(".")
    where = f"{path}: the option '{key}' touches nothing"
    if not all(names):
        raise UserError(f"{where}: write names with single dots between them, KEY.KEY=VALUE.")
    if names[0] not in KEYS:
        hint = ": it is a variable of the file; name the stage's parameter, pipeline.STAGE.PARAMETER"
        raise UserError(f"{where}{hint if names[0] in config else nearest(names[0], KEYS)}.")
    if names[0] == "data" and names[1:] not in ([], ["root"]):
        raise UserError(f"{where} (did you mean 'data.root'?).")
    if names[0] not in ("pipeline", "data") and len(names) > 1:
        raise UserError(f"{where}: '{names[0]}' has no parts.")
    if names[0] == "pipeline" and len(names) > 1:
        names[1] = str(_entry(where, config["pipeline"], names[1]))
        if len(names) > 2:
            _parameter(where, config["pipeline"][int(names[1])], names[2], parameters)
    return ".".join(names)


def _entry(where: str, pipeline: list[Any], name: str) -> int:
    known = [str(entry.get("name")) for entry in pipeline]
    if name in known:
        return known.index(name)
    if name.isdecimal() and int(name) < len(pipeline):
        return int(name)
    if name.isdecimal():
        raise UserError(f"{where}: the pipeline has {len(pipeline)} entries, 0 to {len(pipeline) - 1}.")
    raise UserError(f"{where}: there is no stage '{name}'{nearest(name, known)}.")


def _parameter(where: str, entry: Mapping[str, Any], name: str, parameters: Any) -> None:
    known = {"stage", "name", "oracle", *entry, *parameters(entry.get("stage"))}
    if name not in known:
        raise UserError(f"{where}: stage '{entry.get('stage')}' has no parameter '{name}'{nearest(name, known)}.")


def parameter_names(function: Any) -> list[str]:
    """The parameters of a stage function that a recipe may set."""
    return [name for name in inspect.signature(function).parameters if name != "run"]
