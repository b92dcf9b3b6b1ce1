"""Whether a run may become a recorded result: of one recipe as it is written, of one piece, by today's code."""

from __future__ import annotations

from pathlib import Path

from common.base.errors import UserError, shortened
from common.base.hashes import Hashes
from common.pipeline.code_digest import changed_code
from common.pipeline.freshness import Freshness
from common.pipeline.passport import recipe_digest
from common.pipeline.plan import HASHES
from common.pipeline.recipe import Recipe, load_recipe
from common.pipeline.run_folder import RunFolder
from common.report.protocol import data_set

__all__ = ["check_recordable"]

ALLOWED = ("seed", "data.root")
"""Options that make no other recipe. The data are told apart by their content, a run that was stopped by its stages."""


def check_recordable(run: RunFolder, root: Path) -> None:
    """Refuse a run that is no result: the first thing that is wrong is said, with what to do about it.

    root: where the recipe is looked for if it does not lie where the run says.

    Raises:
        UserError: the run is of an older version, or was made with options of its own; its recipe is gone or another;
            a stage has mixed parts, is not what the recipe asks for, or was made by other code.
    """
    _check_what_it_says(run)
    recipe = _recipe(run, root)
    if recipe_digest(recipe) != run.record["digest"]:
        raise UserError(f"{recipe.path}, or a network config of it, has changed since {run.path} ran: run it again.")
    fresh = Freshness(recipe, run.path, data_set(run), Hashes(run.path / HASHES))
    for step in recipe.steps:
        if step.name not in run.stages:
            continue
        where = f"The stage '{step.name}' of {run.path}"
        if other := changed_code(run.reads[step.name].get("code", {}), fresh.code(step)):
            raise UserError(
                f"{where} was made by other code ({', '.join(shortened(other))}): run it again with --force."
            )
        if reason := fresh.state(step).reason:
            raise UserError(f"{where} is not what {recipe.path} asks for now ({reason}): run it again.")


def _check_what_it_says(run: RunFolder) -> None:
    """What the records of a run tell by themselves."""
    for name, stage in run.stages.items():
        where = f"The stage '{name}' of {run.path}"
        if "format" not in stage:
            raise UserError(f"{where} was made by an older version, which noted too little: run it again with --force.")
        if stage.get("mixed"):
            raise UserError(f"{where} has mixed parts ({'; '.join(stage['mixed'])}): run it again with --force.")
    if not run.record.get("digest"):
        raise UserError(f"{run.path}/run.json has no digest of its recipe: run the same command again, it adds it.")
    own = {key: value for key, value in run.record.get("overrides", {}).items() if key not in ALLOWED}
    if own:
        shown = " ".join(f"{key}={value}" for key, value in own.items())
        raise UserError(
            f"{run.path} was made with --cfg-options {shown}, which its recipe does not say: "
            "put it into a recipe of its own and run that."
        )


def _recipe(run: RunFolder, root: Path) -> Recipe:
    """The recipe of a run as it is written now, with the seed and the data of the run."""
    name = run.record["file"]
    file = next((file for file in (Path(name), root / name) if file.is_file()), None)
    if file is None:
        raise UserError(f"The recipe {name} of {run.path} is gone: put it back, or report from where the run began.")
    return load_recipe(file, {"seed": run.record["seed"], "data.root": str(data_set(run).root)})
