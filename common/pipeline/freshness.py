"""When a stage is fresh: its record says the same as what is asked for now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

from common.base.files import read_json, sha256
from common.data.dataset import DESCRIPTION, DataSet
from common.pipeline.recipe import NetworkConfig, Recipe, Step, config_digest


def stamp(recipe: Recipe, step: Step, work_dir: Path, data: DataSet) -> dict[str, Any]:
    """All that a stage's result depends on; a stage is fresh while this is what its record says.

    Returns JSON-able values only.
    """
    params = {
        key: {"file": value.name, "sha256": config_digest(value)} if isinstance(value, NetworkConfig) else value
        for key, value in step.params.items()
    }
    named = (recipe.pixel_labels, step.params.get("split"), step.params.get("pixel_labels"))
    splits = {split for split in named if split is not None}
    return {
        "stage": step.stage,
        "params": plain(params),
        "inputs": {key: {"stage": name, "output": _output(work_dir / name)} for key, name in step.inputs.items()},
        "data": {
            "name": data.name,
            "description": sha256(data.root / DESCRIPTION),
            "splits": {split: data.fingerprint(split) for split in sorted(splits)},
        },
        "seed": recipe.seed,
        "oracle": step.oracle,
        "supervision": recipe.pixel_labels,
    }


def plain(value: Any) -> Any:
    """As JSON gives it back: tuples become lists, dataclasses dicts, paths text."""
    if isinstance(value, Path):
        return str(value)
    if is_dataclass(value):
        value = asdict(value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, tuple | list) else value


def _output(folder: Path) -> str | None:
    record = folder / "stage.json"
    return read_json(record)["output"] if record.exists() else None


def stale_reason(recipe: Recipe, step: Step, work_dir: Path, data: DataSet) -> str | None:
    """Why a stage has to run, or None."""
    folder = work_dir / step.name
    wanted = stamp(recipe, step, work_dir, data)
    for name in ("stage.json", "started.json"):
        if (folder / name).exists():
            differences = list(changes(read_json(folder / name), wanted))
            if differences:
                return f"changed: {'; '.join(differences)}"
            return None if name == "stage.json" else "goes on"
    return "not made yet"


def changes(old: dict[str, Any], new: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in new.items():
        before = old.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            yield from changes(before, value, f"{prefix}{key}.")
            yield from (f"{prefix}{key}.{gone} is gone" for gone in before.keys() - value.keys() if prefix)
        elif before != value:
            short = [str(item)[:12] if isinstance(item, str) and len(item) >= 40 else item for item in (before, value)]
            yield f"{prefix}{key} {short[0]!r} -> {short[1]!r}"
