"""`--backbone NAME`: a recipe whose classifiers, boundary networks and segmentors have another backbone."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from common.base.config import check_option, read_config
from common.base.errors import UserError, nearest
from common.checkpoints.names import stored_names
from common.pipeline.recipe import Step, load_recipe

__all__ = ["with_backbone"]

CHOICES = (
    "`--backbone-weights hub` downloads timm's, `--backbone-weights FILE` reads a file, `--backbone-weights random` "
    "begins with none"
)


def with_backbone(
    recipe: str | Path, options: Mapping[str, Any], name: str | None, weights: str | None = None
) -> dict[str, Any]:
    """The options of a recipe with those that exchange the backbone of every network it trains.

    They are options of its stages, so the plan, the stamps and the records know of them.

    Args:
        recipe: the file.
        options: those of `load_recipe` so far.
        name: of timm, or "efficientnet_lite0", whose weights are installed; None: nothing is exchanged.
        weights: "hub" (timm's, downloaded), "random", the name of imported weights, or a file.

    Raises:
        UserError: the name or the weights are unknown, or a network cannot take the backbone.
    """
    if name is None:
        if weights is not None:
            raise UserError("--backbone-weights belongs to --backbone NAME: name the backbone, too.")
        return dict(options)
    from common.models.exchange import choose

    choice = choose(name)
    choice = dataclasses.replace(choice, weights=_weights(choice, weights))
    read = load_recipe(recipe, options)
    found = dict(options)
    for step in read.steps:
        if file := step.network:
            found[f"pipeline.{step.name}.options"] = _exchanged(step, file, choice, weights is None)
    if len(found) == len(options) and not any(step.network for step in read.steps):
        raise UserError(f"{read.path} trains no network whose backbone could be exchanged.")
    return found


def _exchanged(step: Step, file: Path, choice: Any, untold: bool) -> dict[str, Any]:
    """The options of a stage; of EfficientNet-Lite0 as it is, where nothing was said of weights, its own."""
    from common.models.exchange import LITE0, exchange

    if "options" not in step.params:
        raise UserError(f"Stage '{step.name}' takes no options: the backbone of {file} cannot be exchanged.")
    own = dict(step.params["options"] or {})
    plain = read_config(file).to_dict()
    for key in own:
        check_option(plain, key, f"stage '{step.name}', {file}")
    network = read_config(file, own).to_dict()
    if choice.name == LITE0 and untold and _is_lite0(network):
        return own
    kept = {key: value for key, value in own.items() if not key.startswith("model.backbone.")}
    return {**kept, **exchange(network, choice, f"{file} (stage '{step.name}')")}


def _is_lite0(network: Mapping[str, Any]) -> bool:
    backbone = (network.get("model") or {}).get("backbone") or {}
    return backbone.get("type") == "EfficientNetLite" and backbone.get("name", "lite0") == "lite0"


def _weights(choice: Any, told: str | None) -> str | None:
    """As `NamedWeights` names them; None: random, which somebody has to ask for."""
    from common.models.exchange import LITE0

    if told is None and choice.name == LITE0:
        return f"package://{LITE0}"
    if told is None:
        raise UserError(f"--backbone {choice.name} needs weights: {CHOICES}.")
    if told == "random":
        return None
    if told == "hub":
        if choice.hub is None:
            raise UserError(
                f"timm has no weights of '{choice.name}': give a file with --backbone-weights FILE, or random."
            )
        return choice.hub
    if Path(told).is_file():
        return f"file://{Path(told).absolute()}"
    if told in stored_names():
        return told
    hint = nearest(told, ["hub", "random", *stored_names()])
    raise UserError(f"--backbone-weights {told} is no file and no imported weights{hint}: {CHOICES}.")
