"""Which stages of a recipe have to run, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from common.base.errors import UserError, nearest
from common.base.ranks import Ranks
from common.data.dataset import open_dataset
from common.pipeline.freshness import stale_reason
from common.pipeline.recipe import Recipe, Step


@dataclass(frozen=True)
class Settings:
    """How to run a recipe: nothing in here changes a result.

    device: "auto", "cpu", "cuda" or "cuda:N"; workers: processes of per-image stages on the CPU; threads: of other
    stages.
    """

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
