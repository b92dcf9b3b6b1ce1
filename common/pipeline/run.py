"""A plan is run: each stage owns a folder, is skipped while fresh, and goes on where it was stopped.

A stage's folder holds its files and, written last, `stage.json`: what was asked for, what it was made from and what
came out. While it works, `started.json` holds the asked-for part, so that a later run knows whose files lie there.
"""

from __future__ import annotations

import datetime
import functools
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.artifacts import PerImageArtifact, Scores
from common.base.constants import IGNORE
from common.base.errors import UserError
from common.base.files import read_json, remove_parts, write_json
from common.base.parallel import set_threads
from common.base.progress import Progress
from common.data.dataset import DataSet, open_dataset
from common.data.guard import guarding
from common.pipeline.checks import arguments
from common.pipeline.code import late_imports
from common.pipeline.freshness import changes, plain, stale_reason, stamp
from common.pipeline.inputs import assembled
from common.pipeline.per_image import Outcome, PerImageJob, run_here
from common.pipeline.plan import Planned, Settings, make_plan
from common.pipeline.recipe import Recipe, Step
from common.pipeline.records import code_version, duration, machine, peak_memory
from common.pipeline.stage import Run
from common.pipeline.workers import preload, run_workers


def run_recipe(recipe: Recipe, settings: Settings) -> None:
    """Run what is not fresh, in order.

    Raises:
        UserError: a stage cannot be made; what is finished is kept, and the same command goes on.
    """
    if settings.device not in ("auto", "cpu"):
        from common.base.device import pick_device

        pick_device(settings.device)  # refused before anything is written
    plan = make_plan(recipe, settings)
    preload(_worker_modules(plan))
    if settings.ranks.first:
        _write_run_record(recipe, settings, plan)
    for number, item in enumerate(plan, 1):
        title = f"[{number}/{len(plan)}] {item.step.name} ({item.step.stage})"
        if not item.runs:
            if settings.ranks.first:
                print(f"{title}: {item.reason}", flush=True)
            continue
        reason = stale_reason(recipe, item.step, settings.work_dir, open_dataset(recipe.data_root))
        if reason is None and not settings.force:  # its inputs were made again and are the same as before
            if settings.ranks.first:
                print(f"{title}: fresh, its inputs have not changed", flush=True)
            continue
        if settings.ranks.first:
            print(f"{title}: {reason or item.reason}", flush=True)
        _run_step(recipe, item.step, settings)


def _worker_modules(plan: list[Planned]) -> list[str]:
    """What the planned per-image stages import when they are called: the workers need it."""
    steps = [item.step for item in plan if item.runs and item.step.per_image]
    return sorted({module for step in steps for module in late_imports(step.function)})


def _run_step(recipe: Recipe, step: Step, settings: Settings) -> None:
    folder, ranks = settings.work_dir / step.name, settings.ranks
    data = open_dataset(recipe.data_root)
    wanted = stamp(recipe, step, settings.work_dir, data)
    if ranks.first:
        _prepare_folder(folder, wanted, settings.force)
    ranks.gather(f"{step.name}/prepared", True)
    started = time.monotonic()
    with peak_memory() as peak, guarding(_allowed(recipe, step)):
        outcome = _execute(recipe, step, settings)
    artifact = step.kind(folder)
    if ranks.first:
        numbers = artifact.read() if isinstance(artifact, Scores) else {}
        record = {
            "name": step.name,
            "kind": step.kind.kind_name(),
            **wanted,
            "output": artifact.digest(),
            "code": code_version(),
            "seconds": round(time.monotonic() - started, 2),
            "peak_memory_mb": round(max(peak(), outcome.peak_memory_mb)),
            "images": outcome.images,
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
        print(f"{step.name}: done in {duration(record['seconds'])}", flush=True)
        if isinstance(artifact, PerImageArtifact) and (line := _collapsed(artifact, data.classes)):
            print(f"{step.name}: {line}", flush=True)
    ranks.gather(f"{step.name}/recorded", True)


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


def _prepare_folder(folder: Path, wanted: dict[str, Any], force: bool) -> None:
    """Keep what an earlier run of the same stage left, clear away anything else that is ours."""
    trash = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(trash, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    remove_parts(folder)
    started = folder / "started.json"
    if any(folder.iterdir()):
        records = [path for path in (started, folder / "stage.json") if path.exists()]
        if not records:
            raise UserError(f"{folder} holds files that are not of this run: use another --work-dir or empty it.")
        if force or records[0] != started or list(changes(read_json(started), wanted)):
            folder.rename(trash)  # at once, so that a kill in the middle of the removal leaves nothing half-gone
            shutil.rmtree(trash)
            folder.mkdir()
    write_json(started, wanted)


def _make_run(recipe: Recipe, step: Step, work_dir: Path, device: str, launcher: str = "none") -> Run:
    with guarding(_allowed(recipe, step)):
        data = open_dataset(recipe.data_root)
    return Run(data, None if device == "auto" else device, work_dir / step.name, recipe.seed, launcher, step.stage)


def _allowed(recipe: Recipe, step: Step) -> list[str] | None:
    """The images whose pixel labels a stage may read; None: all."""
    if step.oracle or getattr(step.function, "pixel_labels", "none") == "evaluation":
        return None
    return open_dataset(recipe.data_root).ids(recipe.pixel_labels) if recipe.pixel_labels else []


def _call(recipe: Recipe, step: Step, work_dir: Path, run: Run) -> Any:
    kinds = {other.name: other.kind for other in recipe.steps}
    artifacts = {key: kinds[name](work_dir / name) for key, name in step.inputs.items()}
    return step.function(run, **step.params, **assembled(artifacts))


@dataclass(frozen=True)
class _Executed:
    """What a stage's record says of its execution: visited images, memory of its workers (MB), the GPU it asked for."""

    images: int | None
    peak_memory_mb: float
    gpu: Any


def _execute(recipe: Recipe, step: Step, settings: Settings) -> _Executed:
    if step.per_image:
        return _execute_per_image(recipe, step, settings)
    set_threads(settings.threads)
    run = _make_run(recipe, step, settings.work_dir, settings.device, settings.launcher)
    together = getattr(step.function, "every_rank", False) and run.device.type == "cuda"
    if not together:
        run.launcher = "none"
    if settings.ranks.first or together:
        made = _call(recipe, step, settings.work_dir, run)
        if step.kind is Scores and settings.ranks.first:
            Scores(run.out).write(plain(made))
    settings.ranks.gather(f"{step.name}/whole", True)
    return _Executed(None, 0.0, run.gpu)


def _execute_per_image(recipe: Recipe, step: Step, settings: Settings) -> _Executed:
    ranks, out = settings.ranks, step.kind(settings.work_dir / step.name)
    assert isinstance(out, PerImageArtifact)
    make_job = functools.partial(_worker_job, recipe, step.name, settings.work_dir, settings.device)
    set_threads(1)
    job, run = make_job()
    if run.gpu is not None:
        set_threads(settings.threads)
    alone = run.gpu is not None or settings.workers == 1 or ranks.world > 1
    ids = _ids(recipe, step, job, run.data, settings.work_dir)
    mine = ids[ranks.rank :: ranks.world]
    todo = [image_id for image_id in mine if not out.has(image_id)]
    with Progress(len(mine), step.name, done=len(mine) - len(todo)) as progress:
        if not todo:
            outcome = Outcome({}, 0.0)
        elif alone:
            outcome = run_here(job, run.data, out, todo, progress)
        else:
            del job
            outcome = run_workers(make_job, out, todo, settings.workers, progress)
    failures = {}
    for part in ranks.gather(f"{step.name}/failures", outcome.failures):
        failures.update(part)
    if failures:
        _report_failures(out.path, failures, len(ids))
    return _Executed(len(ids), outcome.peak_memory_mb, run.gpu)


def _worker_job(recipe: Recipe, name: str, work_dir: Path, device: str) -> tuple[PerImageJob, Run]:
    """Set a per-image stage up, in this process or in a worker."""
    step = next(step for step in recipe.steps if step.name == name)
    run = _make_run(recipe, step, work_dir, device)
    with guarding(_allowed(recipe, step)):
        return _call(recipe, step, work_dir, run), run


def _ids(recipe: Recipe, step: Step, job: PerImageJob, data: DataSet, work_dir: Path) -> list[str]:
    if job.split is not None:
        return data.ids(job.split)
    kinds = {other.name: other.kind for other in recipe.steps}
    for name in step.inputs.values():
        if issubclass(kinds[name], PerImageArtifact):
            return kinds[name](work_dir / name).ids()
    raise UserError(
        f"Stage '{step.name}' reads no per-image artefact: its function must say per_image(..., split=...)."
    )


def _report_failures(folder: Path, failures: dict[str, str], total: int) -> None:
    write_json(folder.parent / f"{folder.name}.failures.json", failures)
    shown = "".join(f"\n  {image_id}: {text}" for image_id, text in sorted(failures.items())[:10])
    more = f"\n  ... and {len(failures) - 10} more" if len(failures) > 10 else ""
    raise UserError(
        f"{len(failures)} of {total} images failed in stage '{folder.name}' (all are listed in "
        f"{folder.parent / folder.name}.failures.json); mend them and run the same command again, "
        f"the finished images are kept:{shown}{more}"
    )


# --- records ------------------------------------------------------------------------------------------------------


def _write_run_record(recipe: Recipe, settings: Settings, plan: list[Planned]) -> None:
    write_json(
        settings.work_dir / "run.json",
        {
            "recipe": recipe.name,
            "file": str(recipe.path),
            "method": recipe.method,
            "seed": recipe.seed,
            "supervision": recipe.pixel_labels,
            "data": {"name": open_dataset(recipe.data_root).name, "root": str(recipe.data_root.resolve())},
            "stages": [step.name for step in recipe.steps],
            "left_out": {item.step.name: item.reason for item in plan if item.left_out},
            "uses": recipe.uses,
            "images": recipe.images,
            "config": recipe.text,
            "content": recipe.content,
        },
    )
