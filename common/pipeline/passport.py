"""What makes two results the same experiment: the digest of their recipe, and that of the data they were made from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from common.data.reads import Found
from common.pipeline.freshness import plain
from common.pipeline.recipe import NetworkConfig, Recipe, Step, config_digest

__all__ = ["data_content", "initial_weights", "recipe_digest"]

NO_DATA = ("weights", "files")
"""Kinds of reads that are no part of a data set."""


def recipe_digest(recipe: Recipe) -> str:
    """SHA-256 of what a recipe asks for, options included.

    Each network config counts by its content, with the options of its stage. The seed, the place of the data, comments
    and the names of variables and files do not count. Words that follow the seed count as they are written.
    """
    asked = {
        "method": recipe.method,
        "pixel_labels": recipe.pixel_labels,
        "uses": recipe.uses,
        "images": recipe.images,
        "pipeline": [_asked(step) for step in recipe.steps],
    }
    return _sha256(_as_written(plain(asked), recipe.by_seed))


def _as_written(value: Any, by_seed: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _as_written(item, by_seed) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_written(item, by_seed) for item in value]
    return by_seed.get(value, value) if isinstance(value, str) else value


def _asked(step: Step) -> dict[str, Any]:
    params = {
        key: config_digest(value, step.params.get("options")) if isinstance(value, NetworkConfig) else value
        for key, value in step.params.items()
    }
    return {"stage": step.stage, "name": step.name, "params": params, "inputs": step.inputs, "oracle": step.oracle}


def data_content(reads: Iterable[Found], by_seed: Mapping[str, str] | None = None) -> str | None:
    """SHA-256 of all that the stages of a run read of their data, with its content; None: nothing is known of it.

    reads: what each stage read. Initial weights and files outside the data set do not count. by_seed: of the recipe;
    lists that follow the seed count by their names.
    """
    found: dict[str, dict[str, Any]] = {}
    for stage in reads:
        for kind, names in stage.items():
            if kind not in NO_DATA:
                found.setdefault(kind, {}).update(names)
    for name in (by_seed or {}).keys() & found.get("splits", {}).keys():
        del found["splits"][name]
        found["splits"][by_seed[name]] = None
    return _sha256(found) if found else None


def initial_weights(reads: Iterable[Found]) -> dict[str, str | None]:
    """Name -> SHA-256 of the weights that the networks of a run began with; a name that is no file stands for itself.

    reads: what each stage read.
    """
    return dict(sorted(pair for stage in reads for pair in stage.get("weights", {}).items()))


def _sha256(value: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
