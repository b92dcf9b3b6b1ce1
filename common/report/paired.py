"""`wsseg compare RUN RUN`: two runs, photo by photo."""

from __future__ import annotations

from pathlib import Path

from common.base.errors import UserError
from common.metrics.confusion import class_ids
from common.metrics.paired import Difference, difference
from common.metrics.photos import PHOTOS, PhotoMatrices
from common.pipeline.run_folder import RunFolder, read_run

__all__ = ["compare_runs"]


def compare_runs(first: Path, second: Path) -> int:
    """Print of every evaluation that both runs have how much higher the second is; returns 0.

    Raises:
        UserError: a folder is no run, or they have no evaluation in common that kept its photos.
    """
    runs = read_run(first), read_run(second)
    names = [name for name in runs[0].stages if all(_has(run, name) for run in runs)]
    if not names:
        raise UserError(f"{first} and {second} share no evaluation with {PHOTOS}: run both to their end with --force.")
    print(f"mIoU of {second} minus that of {first}, in points; 95 % of draws of the photos in brackets")
    for name in names:
        try:
            print(f"{name:<16}  {_words(_difference(runs, name))}")
        except UserError as error:
            print(f"{name:<16}  not comparable: {error}")
    return 0


def _has(run: RunFolder, name: str) -> bool:
    return name in run.stages and (run.path / name / PHOTOS).is_file()


def _difference(runs: tuple[RunFolder, RunFolder], name: str) -> Difference:
    stages = [run.stages[name] for run in runs]
    if any(stages[0]["data"].get(key) != stages[1]["data"].get(key) for key in ("name", "classes")):
        raise UserError("the data sets or their classes differ.")
    chosen = [stage["numbers"].get("classes") for stage in stages]
    if chosen[0] != chosen[1]:
        raise UserError("the mean goes over other classes.")
    subset = class_ids(stages[0]["data"]["classes"], chosen[0]) if chosen[0] else None
    return difference(*(PhotoMatrices.read(run.path / name) for run in runs), subset)


def _words(found: Difference) -> str:
    points = [f"{100 * value:+.1f}" for value in (found.miou, found.low, found.high)]
    counts = f"{found.better} of {found.photos} photos better, {found.worse} worse"
    return f"{points[0]} [{points[1]} to {points[2]}], {counts}"
