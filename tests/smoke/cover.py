"""Which recipes to run, and how far, so that every stage and every network of all recipes is run once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from common.base.config import read_config


class Part(NamedTuple):
    """What has to be run once: a stage with the kinds of its inputs, and what its network is built of."""

    stage: str
    inputs: frozenset[str]
    network: tuple[str, ...]


def parts(recipe: Path) -> dict[str, Part]:
    """Stage name -> its part, in the order of the recipe."""
    found: dict[str, Part] = {}
    for step in read_config(recipe).pipeline:
        inputs = {key for key, value in step.items() if isinstance(value, str) and value in found and key != "stage"}
        inputs |= {key for key in ("best", "pixel_labels") if step.get(key)}
        network = _types(read_config(recipe.parent / step.config).model) if "config" in step else ()
        found[step.name] = Part(step.stage, frozenset(inputs - {"name"}), network)
    return found


def _types(model: Any) -> tuple[str, ...]:
    return tuple(part.type for part in (model, model.backbone, model.get("decode_head")) if part)


def cover(recipes: Iterable[Path]) -> dict[Path, str]:
    """Recipe -> the last stage to run.

    Every method's recipes for the shapes and for any photos run to their end, others up to what they add.
    """
    of = {recipe: parts(recipe) for recipe in sorted(recipes)}
    left = {part for found in of.values() for part in found.values()}
    chosen: dict[Path, str] = {}
    for recipe, found in of.items():
        if recipe.stem in (f"{recipe.parent.name}_shapes", f"{recipe.parent.name}_photos"):
            chosen[recipe] = list(found)[-1]
            left -= set(found.values())
    while left:
        recipe = min(of, key=lambda recipe: (-len(left & set(of[recipe].values())), len(of[recipe]), recipe))
        names, found = list(of[recipe]), list(of[recipe].values())
        chosen[recipe] = names[max(found.index(part) for part in left & set(found))]
        left -= set(found)
    return chosen
