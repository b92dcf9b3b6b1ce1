"""Recipe -> plan -> run: each stage owns a folder, is skipped while fresh, and goes on where it was stopped.

A stage's folder holds its files and, written last, `stage.json`: what was asked for, what it was made from and what
came out. While it works, `started.json` holds the asked-for part, so that a later run knows whose files lie there.
"""

from __future__ import annotations

import datetime
import functools
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from common.artifacts import PerImageArtifact, Scores
from common.data.voc import DataSet, open_dataset
from common.errors import UserError
from common.files import read_json, remove_parts, write_json
from common.freshness import changes, plain, stale_reason, stamp
from common.per_image import Image, Outcome, PerImageJob, per_image, run_here, run_workers
from common.progress import Progress
from common.ranks import Ranks
from common.recipe import NetworkConfig, PerImage, Recipe, Step, nearest
from common.records import code_version, duration, machine, peak_memory

__all__ = ["Image", "NetworkConfig", "PerImage", "Run", "evaluation", "every_rank", "per_image", "run_recipe"]


def evaluation(function: Callable[..., Any]) -> Callable[..., Any]:
    """Declare that a stage judges: it may read masks, and its numbers are marked as chosen or measured with them."""
    function.pixel_labels = "evaluation"  # type: ignore[attr-defined]
    return function


def every_rank(function: Callable[..., Any]) -> Callable[..., Any]:
    """Declare that on GPUs a whole stage runs on all ranks at once (training)."""
    function.every_rank = True  # type: ignore[attr-defined]
    return function


@dataclass(frozen=True)
class Run:
    """What a stage function knows of the run it is part of.

    data: the data set, its pixel labels guarded; out: the stage's own folder; device: a torch.device.
    """

    data: DataSet
    device: Any
    out: Path
    seed: int
    launcher: str = "none"

    def log(self, text: str) -> None:
        """Print one line under the stage's name."""
        print(f"{self.out.name}: {text}", flush=True)


@dataclass(frozen=True)
class Settings:
    """How to run a recipe: nothing in here changes a result."""

    work_dir: Path
    device: str = "auto"
    workers: int = 2
    threads: int = 2
    launcher: str = "none"
    first: str | None = None
    until: str | None = None
    only: str | None = None
    force: bool = False
    ranks: Ranks = field(default_factory=Ranks)


@dataclass(frozen=True)
class Planned:
    """A step, whether this run executes it, and why (not)."""

    step: Step
    runs: bool
    reason: str


# --- plan ---------------------------------------------------------------------------------------------------------


def make_plan(recipe: Recipe, settings: Settings) -> list[Planned]:
    """Which steps have to run, each with its reason.

    Raises:
        UserError: a selected stage does not exist, or needs one that is neither finished nor selected.
    """
    selected = _selected(recipe, settings)
    data = open_dataset(recipe.data_root)
    plan: list[Planned] = []
    running: set[str] = set()
    for step in recipe.steps:
        if step.name not in selected:
            plan.append(Planned(step, False, "not selected"))
            continue
        reason = next((f"follows {source}" for source in step.inputs.values() if source in running), None)
        reason = reason or stale_reason(recipe, step, settings.work_dir, data) or ("forced" if settings.force else None)
        if reason:
            running.add(step.name)
        plan.append(Planned(step, reason is not None, reason or "fresh"))
    for item in plan:
        if item.runs:
            _check_inputs(item.step, settings.work_dir, running)
    return plan


def _selected(recipe: Recipe, settings: Settings) -> set[str]:
    names = [step.name for step in recipe.steps]
    for option, name in (("--from", settings.first), ("--until", settings.until), ("--only", settings.only)):
        if name is not None and name not in names:
            raise UserError(f"{option} {name}: {recipe.path} has no stage of that name{nearest(name, names)}.")
    if settings.only:
        return {settings.only}
    begin = names.index(settings.first) if settings.first else 0
    end = names.index(settings.until) + 1 if settings.until else len(names)
    if begin >= end:
        raise UserError(f"--from {settings.first} comes after --until {settings.until}: nothing would run.")
    return set(names[begin:end])


def _check_inputs(step: Step, work_dir: Path, running: set[str]) -> None:
    for key, source in step.inputs.items():
        if source not in running and not (work_dir / source / "stage.json").exists():
            raise UserError(
                f"Stage '{step.name}' reads '{source}' ({key}), which is not finished in {work_dir}: "
                f"run it first (without --from and --only, or with --until {source})."
            )


# --- run ----------------------------------------------------------------------------------------------------------


def run_recipe(recipe: Recipe, settings: Settings) -> None:
    """Run what is not fresh, in order.

    Raises:
        UserError: a stage cannot be made; what is finished is kept, and the same command goes on.
    """
    from common.device import pick_device

    device = pick_device(None if settings.device == "auto" else settings.device)
    plan = make_plan(recipe, settings)
    if settings.ranks.first:
        _write_run_record(recipe, settings)
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
        _run_step(recipe, item.step, settings, device)


def _run_step(recipe: Recipe, step: Step, settings: Settings, device: Any) -> None:
    folder, ranks = settings.work_dir / step.name, settings.ranks
    data = open_dataset(recipe.data_root)
    wanted = stamp(recipe, step, settings.work_dir, data)
    if ranks.first:
        _prepare_folder(folder, wanted, settings.force)
    ranks.gather(f"{step.name}/prepared", True)
    started = time.monotonic()
    with peak_memory() as peak:
        images, workers_peak = _execute(recipe, step, settings, device)
    artifact = step.kind(folder)
    if ranks.first:
        numbers = artifact.read() if isinstance(artifact, Scores) else {}
        record = {
            "name": step.name,
            "kind": step.kind.__name__,
            **wanted,
            "output": artifact.digest(),
            "code": code_version(),
            "seconds": round(time.monotonic() - started, 2),
            "peak_memory_mb": round(max(peak(), workers_peak)),
            "images": images,
            "numbers": numbers,
            "machine": machine(device, settings.threads, settings.workers, ranks.world),
            "pixel_labels": "oracle" if step.oracle else getattr(step.function, "pixel_labels", "none"),
            "finished": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        }
        record["data"]["root"] = str(recipe.data_root)
        write_json(folder / "stage.json", record)
        (folder / "started.json").unlink(missing_ok=True)
        print(f"{step.name}: done in {duration(record['seconds'])}", flush=True)
    ranks.gather(f"{step.name}/recorded", True)


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


def _make_run(recipe: Recipe, step: Step, work_dir: Path, device: Any, launcher: str = "none") -> Run:
    data = open_dataset(recipe.data_root)
    if not step.oracle and getattr(step.function, "pixel_labels", "none") == "none":
        data = data.guarded(data.ids(recipe.pixel_labels) if recipe.pixel_labels else ())
    return Run(data, device, work_dir / step.name, recipe.seed, launcher)


def _call(recipe: Recipe, step: Step, work_dir: Path, run: Run) -> Any:
    kinds = {other.name: other.kind for other in recipe.steps}
    artifacts = {key: kinds[name](work_dir / name) for key, name in step.inputs.items()}
    return step.function(run, **step.params, **artifacts)


def _execute(recipe: Recipe, step: Step, settings: Settings, device: Any) -> tuple[int | None, float]:
    import torch

    if step.per_image:
        return _execute_per_image(recipe, step, settings, device)
    together = device.type == "cuda" and getattr(step.function, "every_rank", False)
    if settings.ranks.first or together:
        torch.set_num_threads(settings.threads)
        run = _make_run(recipe, step, settings.work_dir, device, settings.launcher if together else "none")
        made = _call(recipe, step, settings.work_dir, run)
        if step.kind is Scores and settings.ranks.first:
            Scores(run.out).write(plain(made))
    settings.ranks.gather(f"{step.name}/whole", True)
    return None, 0.0


def _execute_per_image(recipe: Recipe, step: Step, settings: Settings, device: Any) -> tuple[int, float]:
    import torch

    ranks, out = settings.ranks, step.kind(settings.work_dir / step.name)
    assert isinstance(out, PerImageArtifact)
    make_job = functools.partial(_worker_job, recipe, step.name, settings.work_dir, str(device))
    torch.set_num_threads(1 if device.type == "cpu" else settings.threads)
    alone = device.type == "cuda" or settings.workers == 1 or ranks.world > 1
    job, data = make_job()
    ids = _ids(recipe, step, job, data, settings.work_dir)
    mine = ids[ranks.rank :: ranks.world]
    todo = [image_id for image_id in mine if not out.has(image_id)]
    with Progress(len(mine), step.name, done=len(mine) - len(todo)) as progress:
        if not todo:
            outcome = Outcome({}, 0.0)
        elif alone:
            outcome = run_here(job, data, out, todo, progress)
        else:
            del job
            outcome = run_workers(make_job, out, todo, settings.workers, progress)
    failures = {}
    for part in ranks.gather(f"{step.name}/failures", outcome.failures):
        failures.update(part)
    if failures:
        _report_failures(out.path, failures, len(ids))
    return len(ids), outcome.peak_memory_mb


def _worker_job(recipe: Recipe, name: str, work_dir: Path, device: str) -> tuple[PerImageJob, DataSet]:
    """Set a per-image stage up, in this process or in a worker."""
    import torch

    step = next(step for step in recipe.steps if step.name == name)
    run = _make_run(recipe, step, work_dir, torch.device(device))
    return _call(recipe, step, work_dir, run), run.data


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


def _write_run_record(recipe: Recipe, settings: Settings) -> None:
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
            "config": recipe.text,
        },
    )
