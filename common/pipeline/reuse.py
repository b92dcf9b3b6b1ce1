"""A stage that a sibling run has finished is taken from there instead of being made again."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.artifacts import Artifact
from common.artifacts.base import FILES
from common.base.errors import UserError
from common.base.files import atomic_path, read_json, write_json
from common.pipeline.freshness import FORMAT, Freshness
from common.pipeline.outputs import damaged, finish
from common.pipeline.prepare import begin_anew
from common.pipeline.recipe import Step
from common.pipeline.records import device_kind, versions

FOLDER = "work_dirs"
"""Runs in a folder of this name share finished stages by default."""
PIXEL_LABELS = ("masks", "instances")
"""Kinds of reads that a recipe's supervision guards."""


@dataclass(frozen=True)
class Finished:
    """A finished stage of another run."""

    folder: Path
    record: dict[str, Any]

    def __str__(self) -> str:
        return f"taken from {self.folder.parent.name}/{self.folder.name}"


class Shelf:
    """The finished stages of sibling runs.

    folders: of runs, or runs themselves; own: the run that looks, which takes nothing from itself; device: "auto",
    "cpu", "cuda" or "cuda:N".
    """

    def __init__(self, folders: tuple[Path, ...], own: Path, device: str) -> None:
        self.device = device_kind(device)
        self._stages: dict[str, list[Finished]] = {}
        for run in _runs(folders, own):
            for file in sorted(run.glob("*/stage.json")):
                with contextlib.suppress(UserError):  # a broken record concerns only its own run
                    record = read_json(file)
                    if isinstance(record, dict) and record.get("format") == FORMAT:
                        self._stages.setdefault(record["stage"], []).append(Finished(file.parent, record))

    def find(self, fresh: Freshness, step: Step, wanted: Mapping[str, Any]) -> Finished | None:
        """A stage of the same stamp, made by the same code from the same contents, whose files are whole."""
        return next(
            (found for found in self._stages.get(step.stage, ()) if self._fits(found, fresh, step, wanted)), None
        )

    def _fits(self, found: Finished, fresh: Freshness, step: Step, wanted: Mapping[str, Any]) -> bool:
        record = found.record
        if record.get("mixed") or record.get("device") != self.device or record["machine"]["versions"] != versions():
            return False
        if record["kind"] != step.kind.kind_name() or _nameless(record) != _nameless(wanted):
            return False
        with contextlib.suppress(UserError, KeyError):
            reads = read_json(found.folder / "reads.json")
            if any(reads["data"].get(kind) for kind in PIXEL_LABELS) and _supervised(record) != _supervised(wanted):
                return False
            same = reads["code"] == fresh.code(step) and fresh.is_current(reads["data"])
            return same and not damaged(step.kind(found.folder), record["output"], fresh.hashes)
        return False


def take(found: Finished, made: Artifact, wanted: Mapping[str, Any]) -> None:
    """Link the files of a finished stage (copy them where the disk is another) and copy its records.

    wanted: the stamp in this run.
    """
    folder = made.path
    begin_anew(made)
    write_json(folder / "started.json", {"format": FORMAT, **wanted, "code": {}, "mixed": []})
    files = read_json(found.folder / FILES)
    for path in sorted(found.folder.iterdir()):
        if path.name in files:
            _link(path, folder / path.name)
        elif path.is_file() and made.leaves(path.name):
            _copy(path, folder / path.name)
    for name in ("reads.json", FILES):
        _copy(found.folder / name, folder / name)
    origin = found.record.get("taken_from") or {"run": found.folder.parent.name, "stage": found.folder.name}
    root = found.record["data"].get("root")
    record = {**found.record, **wanted, "name": made.name, "taken_from": origin}
    record["data"] = {**wanted["data"], "root": root}
    write_json(folder / "stage.json", record)
    (folder / "started.json").unlink(missing_ok=True)
    finish(folder)


def _nameless(stamp: Mapping[str, Any]) -> dict[str, Any]:
    """What of a stamp counts for others: contents, not names of stages, configs and data sets."""
    params = {key: _digest_alone(value) for key, value in stamp["params"].items()}
    own = {params.get("split"), params.get("pixel_labels")}  # its recipe's list of masks is there, too
    splits = {name: content for name, content in stamp["data"]["splits"].items() if name in own}
    data = {**{key: stamp["data"][key] for key in ("classes", "ignore_index")}, "splits": splits}
    inputs = {key: given["output"] for key, given in stamp["inputs"].items()}
    return {"params": params, "inputs": inputs, "data": data} | {key: stamp[key] for key in ("stage", "seed", "oracle")}


def _supervised(stamp: Mapping[str, Any]) -> tuple[Any, Any]:
    """Whose pixel labels a stage may read. One that read none made the same as it would make in any recipe."""
    return stamp["supervision"], stamp["data"]["splits"]


def _digest_alone(value: Any) -> Any:
    is_config = isinstance(value, dict) and set(value) == {"file", "sha256"}
    return value["sha256"] if is_config else value


def _runs(folders: tuple[Path, ...], own: Path) -> Iterator[Path]:
    for folder in folders:
        inside = sorted(path.parent for path in folder.glob("*/run.json"))
        for run in [folder, *inside] if (folder / "run.json").is_file() else inside:
            if run.resolve() != own.resolve():
                yield run


def _link(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        _copy(source, target)


def _copy(source: Path, target: Path) -> None:
    with atomic_path(target) as temporary:
        shutil.copyfile(source, temporary)
