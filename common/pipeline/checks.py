"""What is checked of every stage before the first one runs: lists, masks, tags, saliency, weights, classes, options."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from common.base.config import check_option, read_config
from common.base.errors import DataError, UserError, lacking
from common.checkpoints.names import missing_weights, named_weights
from common.data.dataset import DataSet
from common.models.classes import check_classes
from common.pipeline.code import attributes
from common.pipeline.recipe import Recipe, Step
from common.pipeline.stage import Folder, NetworkConfig

CHOOSERS = {"KeepBestHook": "keeps the best snapshot", "EarlyStoppingHook": "stops"}
"""Hooks that choose by masks."""

THINGS = {"instances": "instance masks", "saliency": "saliency maps"}
"""What the folders of a data set hold, in words, where their kind does not say it."""


def left_out(step: Step, data: DataSet) -> str | None:
    """Why an evaluation has nothing to judge by, or None.

    Raises:
        UserError: some images of its list have a mask and some have none.
    """
    split = step.params.get("split")
    if not isinstance(split, str):
        return None
    for kind in getattr(step.function, "judges_by", ()):
        if not (data.having(kind) & set(data.ids(split))):
            return f"{split} has no {THINGS.get(kind, kind)}"
        require(data, kind, split, f"stage '{step.name}' judges by them")
    return None


def require(data: DataSet, kind: str, split: str, why: str) -> None:
    """Refuse a list with an image that has no file of a kind ("masks", "instances", "saliency").

    Raises:
        DataError: with the count.
    """
    _require_each(data.having(kind), data, split, data.folder(kind), THINGS.get(kind, kind), why)


def _require_each(have: Collection[str], data: DataSet, split: str, where: Path, things: str, why: str) -> None:
    ids = data.ids(split)
    missing = [image_id for image_id in ids if image_id not in have]
    if missing:
        cure = f"{why}, so add them, or take the images off the list"
        raise DataError(lacking(where, things, missing, f"{len(ids)} images of '{split}'", cure))


def check_step(recipe: Recipe, step: Step, data: DataSet) -> None:
    """Refuse a stage that would fail for what is missing now.

    Raises:
        UserError: one sentence with the file or key and the cure.
    """
    for key in ("split", "pixel_labels"):
        if isinstance(step.params.get(key), str):
            data.ids(step.params[key])
    for key, value in step.params.items():
        if isinstance(value, Folder) and not value.is_dir():
            raise UserError(f"{value} does not exist: correct '{key}' of stage '{step.name}'.")
    check = getattr(step.function, "check", None)
    if check is not None:
        check(data, **arguments(check, step.params))
    configs = [value for value in step.params.values() if isinstance(value, NetworkConfig)]
    for config in configs:
        _check_training(step, config, data)
    split = step.params.get("split")
    if not isinstance(split, str) or configs:
        return
    used = attributes(step.function)
    if used & {"tags", "tag_vector"}:
        _require_tags(data, split, step.name)
    if "saliency" in used:
        require(data, "saliency", split, f"stage '{step.name}' reads them")


def arguments(function: Callable[..., Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Those of `given` that a function has parameters for."""
    return {name: given[name] for name in inspect.signature(function).parameters if name in given}


def _require_tags(data: DataSet, split: str, stage: str) -> None:
    where = data.root / data.tags_file
    _require_each(set(data.tagged_ids()), data, split, where, "tags", f"stage '{stage}' reads them")


# --- training -----------------------------------------------------------------------------------------------------


def _check_training(step: Step, file: NetworkConfig, data: DataSet) -> None:
    options = step.params.get("options") or {}
    plain = read_config(file).to_dict()
    for key in options:
        check_option(plain, key, f"stage '{step.name}', {file}")
    config = read_config(file, options)
    where = f"{file} (stage '{step.name}')"
    for key in ("model", "train_dataloader", "optim_wrapper", "train_cfg"):
        if key not in config:
            raise UserError(f"{where} has no '{key}': it is no network config.")
    check_classes(config.model, data.num_classes, str(data.root), where)
    for spec in named_weights(config.model):
        if sentence := missing_weights(spec):
            raise UserError(f"{where}: {sentence}")
    if config.get("load_from") and not Path(config.load_from).is_file():
        raise UserError(f"{where}: load_from {config.load_from} does not exist.")
    if step.params.get("pixel_labels"):
        require(data, "masks", step.params["pixel_labels"], f"stage '{step.name}' learns from them")
    elif not step.inputs.get("labels") and step.params.get("split"):
        _require_tags(data, step.params["split"], step.name)
    _check_choice(step, config, data, where)


def _check_choice(step: Step, config: Mapping[str, Any], data: DataSet, where: str) -> None:
    """A choice by masks needs `oracle=True`, and the masks."""
    best = step.params.get("best")
    hooks = [*(config.get("custom_hooks") or []), *(config.get("default_hooks") or {}).values()]
    for hook in [*hooks, *([{"type": "KeepBestHook", **best}] if best else [])]:
        kind = str(hook.get("type", "")).rpartition(".")[2]
        does = CHOOSERS.get(kind) or ("keeps the best snapshot" if hook.get("save_best") else None)
        if does and not step.oracle:
            raise UserError(
                f"{where}: {kind} {does} by masks, which the stage's supervision does not include: add oracle=True "
                "to the stage (its numbers are then marked), or leave the hook out."
            )
        if (does or kind == "ValidateHook") and isinstance(hook.get("split"), str):
            require(data, "masks", hook["split"], f"{kind} of stage '{step.name}' judges by them")
