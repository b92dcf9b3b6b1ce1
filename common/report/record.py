"""`results/<method>/<recipe>-seed<k>.json`: what a finished run measured, small enough to commit."""

from __future__ import annotations

import dataclasses
import json
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from common.base.errors import UserError
from common.base.files import read_json, write_json
from common.pipeline.estimate import Estimate
from common.pipeline.passport import data_content, initial_weights
from common.pipeline.run_folder import RunFolder
from common.report.expected import Expected, lookup
from common.report.lines import experiments, is_older, titles
from common.report.markdown import spread
from common.report.protocol import networks, supervision

__all__ = ["comparable", "find", "make_record", "measured", "read_records", "records_for", "write_record"]

CURVES = ("curve", "curves")
"""Numbers that only a report shows."""
_KEYS = ("method", "recipe", "seed", "commit", "data", "machine", "seconds", "stages")


def make_record(run: RunFolder) -> dict[str, Any]:
    """The record of a run; of one that was stopped on purpose (`--until`) it holds the stages up to there.

    Raises:
        UserError: no stage is finished, or one is missing before another that is.
    """
    finished = list(run.stages)
    wanted = [name for name in run.record["stages"] if name not in run.left_out]
    if not finished or finished != wanted[: len(finished)]:
        raise UserError(f"{run.path} is not finished ({', '.join(run.missing)}): run the recipe to its end first.")
    stages = list(run.stages.values())
    splits: dict[str, str] = {}
    for stage in stages:
        splits.update(stage["data"].get("splits", {}))
    reads = [stage.get("data", {}) for stage in run.reads.values()]
    longest = max(stages, key=lambda stage: stage["seconds"])["machine"]
    return {
        "method": run.record["method"],
        "recipe": run.record["recipe"],
        "seed": run.record["seed"],
        "until": finished[-1] if run.missing else None,
        "digest": run.record.get("digest"),
        "overrides": {key: value for key, value in run.record.get("overrides", {}).items() if key != "data.root"},
        "commit": ", ".join(sorted({str(stage["code"]["commit"]) for stage in stages})),
        "data": {"name": run.record["data"]["name"], "splits": splits, "content": data_content(reads, run.by_seed)},
        "weights": initial_weights(reads),
        "versions": _versions(stages),
        "machine": {key: value for key, value in longest.items() if key != "versions"},
        "finished": max(stage["finished"] for stage in stages),
        "seconds": {name: stage["seconds"] for name, stage in run.stages.items()},
        "taken": [name for name, stage in run.stages.items() if stage.get("taken_from")],
        "peak_memory_mb": max(stage["peak_memory_mb"] for stage in stages),
        "stages": {name: _stage(run, name, stage) for name, stage in run.stages.items() if stage["numbers"]},
    }


def _versions(stages: list[dict[str, Any]]) -> dict[str, str]:
    """The versions that the stages ran with; where they differ, all of them."""
    found: dict[str, set[str]] = {}
    for stage in stages:
        for name, version in stage["machine"].get("versions", {}).items():
            found.setdefault(name, set()).add(version)
    return {name: ", ".join(sorted(versions)) for name, versions in found.items()}


def write_record(run: RunFolder, root: Path, force: bool = False) -> Path:
    """Write the record of a run, with its protocol, under `root`/results; returns its path.

    force: replace another record of the same recipe and seed. Whether the run may be a result is asked before, by
    `common.report.recordable`.

    Raises:
        UserError: as `make_record`; the data set or a network config is no longer what the run was made with; there is
            another record, and no `force`.
    """
    protocol = {"supervision": dataclasses.asdict(supervision(run)), "networks": networks(run, root)}
    record = make_record(run) | protocol
    path = root / "results" / record["method"] / f"{record['recipe']}-seed{record['seed']}.json"
    if path.exists() and not force and read_json(path) != json.loads(json.dumps(record)):
        raise UserError(f"{path} is the record of another run: add --force to replace it.")
    write_json(path, record)
    return path


def read_records(root: Path, method: str = "*") -> list[dict[str, Any]]:
    """All records of a method, or of all, by recipe and seed.

    Raises:
        UserError: a file is no record.
    """
    records = []
    for path in sorted((root / "results").glob(f"{method}/*.json")):
        record = read_json(path)
        lacking = [key for key in _KEYS if not isinstance(record, dict) or key not in record]
        if lacking:
            raise UserError(f"{path} is no record of a run (no '{lacking[0]}'): make it with `wsseg report --record`.")
        records.append(record)
    return sorted(records, key=lambda record: (record["recipe"], record["seed"]))


def comparable(root: Path, recipe: str, device: str, threads: int) -> Estimate:
    """The times of the newest recorded run of a recipe on such a machine; empty where there is none.

    device: "cpu" or "cuda"; threads: of the CPU, which count on a CPU alone.
    """
    found = [record for record in read_records(root) if record["recipe"] == recipe and not record.get("until")]
    like = [record for record in found if _is_like(record["machine"], device, threads)]
    if not like:
        return Estimate()
    newest = max(like, key=lambda record: record.get("finished", ""))
    source = f"results/{newest['method']}/{recipe}-seed{newest['seed']}.json"
    return Estimate(newest["seconds"], source)


def _is_like(machine: dict[str, Any], device: str, threads: int) -> bool:
    if device != "cpu" or machine.get("gpu"):
        return device != "cpu" and bool(machine.get("gpu"))
    return machine.get("cpu") == platform.machine() and machine.get("threads") == threads


def records_for(method: str, rows: list[Expected], records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that can say something to a method's rows: its own, and those of references that a row names as recipe."""
    named = {row.recipe for row in rows}
    return [record for record in records if record["method"] == method or record["recipe"] in named]


def find(record: dict[str, Any], row: Expected) -> tuple[float, str | None] | None:
    """What a record says to a row: (value in percent, why it is marked or None); None where it was not measured."""
    stage = record["stages"].get(row.stage)
    if stage is None or record["data"]["name"] != row.data or (row.recipe and record["recipe"] != row.recipe):
        return None
    if stage["split"] not in (None, row.split):
        return None
    value = lookup(stage["numbers"], row.metric)
    return None if value is None else (100 * value, stage["mark"])


def measured(row: Expected, records: list[dict[str, Any]]) -> tuple[str, str]:
    """What all seeds of each experiment say to a row, and its recipe; a row that was not run says so."""
    groups = experiments(record for record in records if find(record, row) is not None)
    if not groups:
        return "not run", row.recipe or "–"
    return "; ".join(_mean(group, row) for group in groups.values()), "; ".join(titles(groups).values())


def _mean(group: list[dict[str, Any]], row: Expected) -> str:
    found = [value for record in group if (value := find(record, row))]
    count = f" ({len(found)} seeds)" if len(found) > 1 else ""
    return f"{spread([value for value, _ in found], any(mark for _, mark in found), is_older(group[0]))}{count}"


def _stage(run: RunFolder, name: str, stage: dict[str, Any]) -> dict[str, Any]:
    """Split, as the recipe writes it, numbers without curves, and the mark of a stage."""
    split = stage["params"].get("split")
    return {
        "stage": stage["stage"],
        "split": run.by_seed.get(split, split),
        "pixel_labels": stage["pixel_labels"],
        "mark": run.marks[name],
        "numbers": {key: _rounded(value) for key, value in stage["numbers"].items() if key not in CURVES},
    }


def _rounded(value: Any) -> Any:
    """Six digits are enough to compare and short enough to read."""
    if isinstance(value, float):
        return round(value, 6)
    return {key: _rounded(item) for key, item in value.items()} if isinstance(value, dict) else value
