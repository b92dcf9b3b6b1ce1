"""A plan is run: each stage owns a folder, is skipped while fresh, and goes on where it was stopped.

A stage's folder holds its files and, written last, `stage.json`: what was asked for, what it was made from and what
came out. While it works, `started.json` holds the asked-for part, so that a later run knows whose files lie there.
"""

from __future__ import annotations

import contextlib
import datetime
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from common.artifacts import PerImageArtifact, Scores
from common.base.constants import IGNORE
from common.base.errors import UserError
from common.base.files import read_json, write_json
from common.base.hashes import Hashes
from common.checkpoints.contents import completed
from common.data.dataset import open_dataset
from common.data.guard import guarding
from common.data.reads import Reads, recording
from common.pipeline.checks import arguments
from common.pipeline.code import late_imports
from common.pipeline.execute import allowed, execute
from common.pipeline.freshness import FORMAT, Freshness, State, plain
from common.pipeline.outputs import finish, record_files
from common.pipeline.passport import recipe_digest
from common.pipeline.plan import HASHES, Planned, Settings, make_plan
from common.pipeline.prepare import prepare
from common.pipeline.read_log import ReadLog
from common.pipeline.recipe import Recipe, Step
from common.pipeline.records import code_version, device_kind, duration, machine, peak_memory
from common.pipeline.reuse import Shelf, take
from common.pipeline.run_log import logged
from common.pipeline.workers import preload


def run_recipe(recipe: Recipe, settings: Settings) -> None:
    """Run what is not fresh, in order.

    Raises:
        UserError: a stage cannot be made; what is finished is kept, and the same command goes on.
    """
    if settings.device not in ("auto", "cpu"):
        from common.base.device import pick_device

        pick_device(settings.device)  # refused before anything is written
    hashes = Hashes(settings.work_dir / HASHES)
    plan = _agreed_plan(recipe, settings, hashes)
    preload(_worker_modules(plan))
    if settings.ranks.first:
        _write_run_record(recipe, settings, plan)
    with logged(settings.work_dir) if settings.ranks.first else contextlib.nullcontext():
        try:
            for number, item in enumerate(plan, 1):
                title = f"[{number}/{len(plan)}] {item.step.name} ({item.step.stage})"
                clock = time.monotonic()
                _visit(recipe, item, settings, hashes, title)
                _say_what_is_left(item, time.monotonic() - clock, plan[number:], settings)
        finally:
            if settings.ranks.first:
                hashes.save()


def _say_what_is_left(item: Planned, seconds: float, rest: list[Planned], settings: Settings) -> None:
    """After a stage that ran: about how long the others will take."""
    if not item.runs or not settings.ranks.first:
        return
    settings.estimate.finished(item.step.name, seconds)
    left = settings.estimate.left([other.step.name for other in rest if other.runs])
    if left is not None:
        print(f"about {duration(left)} left", flush=True)


def _agreed_plan(recipe: Recipe, settings: Settings, hashes: Hashes) -> list[Planned]:
    """The plan of the first rank: it alone looks at the files."""

    def look() -> list[list[Any]]:
        plan = make_plan(recipe, settings, hashes)
        return [[item.runs or item.taken is not None, item.reason, item.left_out] for item in plan]

    plan = _agreed(settings, "plan", look)
    return [Planned(step, *said) for step, said in zip(recipe.steps, plan, strict=True)]


def _agreed(settings: Settings, key: str, look: Callable[[], Any]) -> Any:
    """What the first rank finds, in all of them; JSON-able.

    Raises:
        UserError: that of the first rank, in all of them.
    """
    if settings.ranks.world == 1:
        return look()
    found: dict[str, Any] = {}
    if settings.ranks.first:
        try:
            found = {"value": look()}
        except UserError as error:
            found = {"error": str(error)}
    found = settings.ranks.gather(key, found)[0]
    if "error" in found:
        raise UserError(found["error"])
    return found["value"]


def _visit(recipe: Recipe, item: Planned, settings: Settings, hashes: Hashes, title: str) -> None:
    """One stage of the plan: run it, unless it is fresh now (its inputs may have been made again, and be the same)."""

    def say(text: str) -> None:
        if settings.ranks.first:
            print(f"{title}: {text}", flush=True)

    if not item.runs:
        return say(item.reason)
    fresh = Freshness(recipe, settings.work_dir, open_dataset(recipe.data_root), hashes)
    state, taken = _agreed(settings, f"{item.step.name}/state", lambda: _look(item.step, settings, fresh))
    state = State(**state)
    if taken:
        return say(taken)
    if state.reason is None and not settings.force:
        return say("; ".join(("fresh, its inputs have not changed", *state.remarks)))
    say(state.reason or item.reason)
    return _run_step(recipe, item.step, settings, fresh, state)


def _look(step: Step, settings: Settings, fresh: Freshness) -> tuple[dict[str, Any], str | None]:
    """The state of a stage, and from where it was taken if another run has finished it."""
    state = fresh.state(step)
    if state.reason is None or settings.force:
        return asdict(state), None
    wanted = fresh.stamp(step)
    found = Shelf(settings.reuse, settings.work_dir, settings.device).find(fresh, step, wanted)
    if found is not None:
        take(found, step.kind(settings.work_dir / step.name), wanted)
    return asdict(state), None if found is None else str(found)


def _worker_modules(plan: list[Planned]) -> list[str]:
    """What the planned per-image stages import when they are called: the workers need it."""
    steps = [item.step for item in plan if item.runs and item.step.per_image]
    return sorted({module for step in steps for module in late_imports(step.function)})


def _run_step(recipe: Recipe, step: Step, settings: Settings, fresh: Freshness, state: State) -> None:
    folder, ranks = settings.work_dir / step.name, settings.ranks
    made, reads = step.kind(folder), Reads(fresh.hashes)
    started = {"format": FORMAT, **fresh.stamp(step), "code": fresh.code(step)} if ranks.first else {}
    if ranks.first:
        started["mixed"] = prepare(made, started, state, fresh, settings.force)
        write_json(folder / "started.json", started)
        (folder / "stage.json").unlink(missing_ok=True)
    ranks.gather(f"{step.name}/prepared", True)
    clock = time.monotonic()
    with peak_memory() as peak, guarding(allowed(recipe, step)), recording(reads):
        outcome = execute(recipe, step, settings, fresh, reads)
    if ranks.first:
        numbers = made.read() if isinstance(made, Scores) else {}
        _write_reads(folder, reads, fresh, started.pop("code"))
        record = {
            "name": step.name,
            "kind": step.kind.kind_name(),
            **started,
            "mixed": started["mixed"] + _threads(folder),
            "output": record_files(made, fresh.hashes, outcome.ids),
            "code": code_version(),
            "device": device_kind(settings.device),
            "seconds": round(time.monotonic() - clock, 2),
            "peak_memory_mb": round(max(peak(), outcome.peak_memory_mb)),
            "images": None if outcome.ids is None else len(outcome.ids),
            "numbers": numbers,
            "machine": machine(outcome.gpu, settings.threads, settings.workers, ranks.world),
            "pixel_labels": "oracle" if step.oracle else getattr(step.function, "pixel_labels", "none"),
            "finished": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        }
        if (source := getattr(step.function, "source", None)) is not None:
            record["source"] = plain(source(**arguments(source, {**step.params, "pixel_labels": recipe.pixel_labels})))
        record["data"]["root"] = str(recipe.data_root)
        write_json(folder / "stage.json", record)
        (folder / "started.json").unlink(missing_ok=True)
        finish(folder)
        print(f"{step.name}: done in {duration(record['seconds'])}", flush=True)
        if isinstance(made, PerImageArtifact) and (line := _collapsed(made, fresh.data.classes)):
            print(f"{step.name}: {line}", flush=True)
    ranks.gather(f"{step.name}/recorded", True)


def _write_reads(folder: Path, reads: Reads, fresh: Freshness, code: dict[str, str]) -> None:
    log = ReadLog(folder)
    reads.add(log.merged())
    found = completed(reads.found, open_dataset(fresh.data.root), fresh.hashes)
    write_json(folder / "reads.json", {"data": found, "code": code})
    log.clear()


def _threads(folder: Path) -> list[str]:
    """Whether a training went on with another number of threads, in words."""
    file = folder / "trained.json"
    used = read_json(file).get("threads", []) if file.exists() else []
    return [f"trained with {', then '.join(map(str, used))} threads"] if len(used) > 1 else []


def _collapsed(labels: PerImageArtifact, names: Sequence[str]) -> str | None:
    """A line about label maps that hold one class everywhere, or none; two differing pixels end the search."""
    found: set[int] = set()
    ids = labels.ids()
    for image_id in ids:
        classes = labels.classes(labels.read(image_id))
        if classes is None:
            return None
        found |= set(classes.tolist()) - {IGNORE}
        if len(found) > 1:
            return None
    if not ids:
        return None
    what = f"hold nothing but '{names[found.pop()]}'" if found and max(found) < len(names) else "leave every pixel open"
    return f"all {len(ids)} label maps {what}: what made them has collapsed, or its thresholds are too strict"


# --- records ------------------------------------------------------------------------------------------------------


def _write_run_record(recipe: Recipe, settings: Settings, plan: list[Planned]) -> None:
    write_json(
        settings.work_dir / "run.json",
        {
            "recipe": recipe.name,
            "file": str(recipe.path),
            "method": recipe.method,
            "seed": recipe.seed,
            "digest": recipe_digest(recipe),
            "overrides": recipe.overrides,
            "supervision": recipe.pixel_labels,
            "data": {"name": open_dataset(recipe.data_root).name, "root": str(recipe.data_root.resolve())},
            "stages": [step.name for step in recipe.steps],
            "left_out": {item.step.name: item.reason for item in plan if item.left_out},
            "uses": recipe.uses,
            "images": recipe.images,
            "config": recipe.text,
            "content": recipe.content,
            "by_seed": recipe.by_seed,
        },
    )
