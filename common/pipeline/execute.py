"""A stage is executed: as a whole, or image by image in worker processes or on a GPU."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.artifacts import PerImageArtifact, Scores
from common.base.errors import UserError
from common.base.files import write_json
from common.base.parallel import set_threads
from common.base.progress import Progress
from common.checkpoints.contents import completed
from common.data.dataset import DataSet, open_dataset
from common.data.guard import guarding
from common.data.reads import Reads
from common.pipeline.freshness import Freshness, plain
from common.pipeline.inputs import assembled
from common.pipeline.per_image import Outcome, PerImageJob, run_here
from common.pipeline.plan import Settings
from common.pipeline.read_log import ReadLog
from common.pipeline.recipe import Recipe, Step
from common.pipeline.stage import Run
from common.pipeline.workers import run_workers


@dataclass(frozen=True)
class Executed:
    """What a stage's record says of its execution: visited images, memory of its workers (MB), the GPU it asked for."""

    ids: list[str] | None
    peak_memory_mb: float
    gpu: Any


def execute(recipe: Recipe, step: Step, settings: Settings, fresh: Freshness, reads: Reads) -> Executed:
    """Make a stage's output in its folder; what it reads comes into `reads`, of single images into their `ReadLog`.

    Raises:
        UserError: images failed (the others are kept), or the stage cannot be made.
    """
    if step.per_image:
        return _execute_per_image(recipe, step, settings, fresh, reads)
    set_threads(settings.threads)
    run = _make_run(recipe, step, settings.work_dir, settings.device, settings.launcher, settings.told_threads)
    together = getattr(step.function, "every_rank", False) and run.device.type == "cuda"
    if not together:
        run.launcher = "none"
    if settings.ranks.first or together:
        made = _call(recipe, step, settings.work_dir, run)
        if step.kind is Scores and settings.ranks.first:
            Scores(run.out).write(plain(made))
    settings.ranks.gather(f"{step.name}/whole", True)
    return Executed(None, 0.0, run.gpu)


def _execute_per_image(recipe: Recipe, step: Step, settings: Settings, fresh: Freshness, reads: Reads) -> Executed:
    ranks, out = settings.ranks, step.kind(settings.work_dir / step.name)
    assert isinstance(out, PerImageArtifact)
    make_job = functools.partial(_worker_job, recipe, step.name, settings.work_dir, settings.device)
    set_threads(1)
    job, run = make_job()
    if run.gpu is not None:
        set_threads(settings.threads)
    alone = run.gpu is not None or settings.workers == 1 or ranks.world > 1
    ids = _ids(recipe, step, job, run.data, settings.work_dir)
    log = ReadLog(out.path, str(ranks.rank))
    log.add((), completed(reads.take(), fresh.data, fresh.hashes))
    mine = ids[ranks.rank :: ranks.world]
    todo = [image_id for image_id in mine if not out.has(image_id)]
    with Progress(len(mine), step.name, done=len(mine) - len(todo)) as progress:
        if not todo:
            outcome = Outcome({}, 0.0)
        elif alone:
            outcome = run_here(job, run.data, out, todo, progress, log)
        else:
            del job
            outcome = run_workers(make_job, out, todo, settings.workers, progress, log)
    failures = {}
    for part in ranks.gather(f"{step.name}/failures", outcome.failures):
        failures.update(part)
    if failures:
        _report_failures(out.path, failures, len(ids))
    return Executed(ids, outcome.peak_memory_mb, run.gpu)


def _worker_job(recipe: Recipe, name: str, work_dir: Path, device: str) -> tuple[PerImageJob, Run]:
    """Set a per-image stage up, in this process or in a worker."""
    step = next(step for step in recipe.steps if step.name == name)
    run = _make_run(recipe, step, work_dir, device)
    with guarding(allowed(recipe, step)):
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
        f"{folder.parent / folder.name}.failures.json); correct them and run the same command again, "
        f"the finished images are kept:{shown}{more}"
    )


def _make_run(
    recipe: Recipe, step: Step, work_dir: Path, device: str, launcher: str = "none", threads: int | None = None
) -> Run:
    with guarding(allowed(recipe, step)):
        data = open_dataset(recipe.data_root)
    device_name = None if device == "auto" else device
    return Run(data, device_name, work_dir / step.name, recipe.seed, launcher, step.stage, threads)


def allowed(recipe: Recipe, step: Step) -> list[str] | None:
    """The images whose pixel labels a stage may read; None: all."""
    if step.oracle or getattr(step.function, "pixel_labels", "none") == "evaluation":
        return None
    return open_dataset(recipe.data_root).ids(recipe.pixel_labels) if recipe.pixel_labels else []


def _call(recipe: Recipe, step: Step, work_dir: Path, run: Run) -> Any:
    kinds = {other.name: other.kind for other in recipe.steps}
    artifacts = {key: kinds[name](work_dir / name) for key, name in step.inputs.items()}
    return step.function(run, **step.params, **assembled(artifacts))
