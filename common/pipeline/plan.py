"""Which stages of a recipe have to run, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from common.base.errors import UserError, nearest
from common.base.hashes import Hashes
from common.base.ranks import Ranks
from common.data.dataset import open_dataset
from common.pipeline.checks import check_step, left_out
from common.pipeline.estimate import Estimate
from common.pipeline.freshness import Freshness, State
from common.pipeline.recipe import Recipe, Step
from common.pipeline.reuse import Finished, Shelf

HASHES = "hashes.json"
"""In a work dir: what is remembered of files."""


@dataclass(frozen=True)
class Settings:
    """How to run a recipe: nothing in here changes a result.

    device: "auto", "cpu", "cuda" or "cuda:N"; workers: processes of per-image stages on the CPU; threads: of other
    stages; told_threads: the same where somebody asked for it, else None; reuse: folders of runs that finished stages
    are taken from; estimate: the times of a comparable run.
    """

    work_dir: Path
    device: str = "auto"
    workers: int = 2
    threads: int = 2
    told_threads: int | None = None
    launcher: str = "none"
    first: str | None = None
    until: str | None = None
    only: str | None = None
    force: bool = False
    reuse: tuple[Path, ...] = ()
    estimate: Estimate = field(default_factory=Estimate)
    ranks: Ranks = field(default_factory=Ranks)


@dataclass(frozen=True)
class Planned:
    """A step, whether this run executes it, and why (not).

    left_out: an evaluation that has nothing to judge by; nothing may read its scores. taken: the finished stage of
    another run that is taken instead.
    """

    step: Step
    runs: bool
    reason: str
    left_out: bool = False
    taken: Finished | None = None


def make_plan(recipe: Recipe, settings: Settings, hashes: Hashes | None = None) -> list[Planned]:
    """Which steps have to run, each with its reason; hashes: of files that are known already.

    Raises:
        UserError: a selected stage does not exist, needs one that is neither finished nor selected, or would fail for
            what is known to be missing (see `common.pipeline.checks`).
    """
    chosen = selected(recipe, settings)
    data = open_dataset(recipe.data_root)
    fresh = Freshness(recipe, settings.work_dir, data, hashes or Hashes(settings.work_dir / HASHES))
    shelf = Shelf(settings.reuse, settings.work_dir, settings.device)
    plan: list[Planned] = []
    for step in recipe.steps:
        plan.append(_planned(fresh, step, settings, plan, step.name in chosen, shelf))
    coming = {item.step.name for item in plan if item.runs or item.taken}
    for item in plan:
        if item.runs:
            _check_inputs(item.step, settings.work_dir, coming)
            check_step(recipe, item.step, data)
    return plan


def _planned(
    fresh: Freshness, step: Step, settings: Settings, before: list[Planned], selected: bool, shelf: Shelf
) -> Planned:
    why = left_out(step, fresh.data)
    if why:
        return Planned(step, False, f"left out, {why}", left_out=True)
    if not selected:
        return Planned(step, False, "not selected")
    for item in before:
        if item.left_out and item.step.name in step.inputs.values():
            raise UserError(
                f"Stage '{step.name}' reads the scores of '{item.step.name}', which is {item.reason}: add the masks, "
                "or take both stages out of the recipe."
            )
    running = {item.step.name for item in before if item.runs}
    source = next((source for source in step.inputs.values() if source in running), None)
    state = State(f"follows {source}") if source else fresh.state(step)
    if settings.force:
        return Planned(step, True, state.reason or "forced")
    if state.reason is None or source:
        return Planned(step, state.reason is not None, state.words)
    outputs = {item.step.name: item.taken.record["output"] for item in before if item.taken}
    taken = shelf.find(fresh, step, fresh.stamp(step, outputs))
    return Planned(step, taken is None, str(taken or state.reason), taken=taken)


def selected(recipe: Recipe, settings: Settings) -> set[str]:
    """The names of the stages that `--from`, `--until` and `--only` leave.

    Raises:
        UserError: there is no stage of that name, or none is left.
    """
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


def _check_inputs(step: Step, work_dir: Path, coming: set[str]) -> None:
    for key, source in step.inputs.items():
        if source not in coming and not (work_dir / source / "stage.json").exists():
            raise UserError(
                f"Stage '{step.name}' reads '{source}' ({key}), which is not finished in {work_dir}: "
                f"run it first (without --from and --only, or with --until {source})."
            )
