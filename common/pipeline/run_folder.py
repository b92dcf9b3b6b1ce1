"""A run's folder, read: `run.json` and the `stage.json` of what is finished."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import Any

from common.base.config import read_plain
from common.base.errors import UserError
from common.base.files import read_json

__all__ = ["RunFolder", "headline", "read_run"]


@dataclasses.dataclass(frozen=True)
class RunFolder:
    """`record` is run.json; `stages` maps the names of the finished stages, in order, to their stage.json."""

    path: Path
    record: dict[str, Any]
    stages: dict[str, dict[str, Any]]

    @property
    def missing(self) -> list[str]:
        """Stages of the recipe that are not finished."""
        return [name for name in self.record["stages"] if name not in self.stages and name not in self.left_out]

    @property
    def left_out(self) -> dict[str, str]:
        """Evaluations that had nothing to judge by, with the reason."""
        return self.record.get("left_out", {})

    @property
    def content(self) -> dict[str, Any]:
        """The recipe as plain data; nothing of the record is run.

        Raises:
            UserError: the record holds more than plain data.
        """
        if "content" in self.record:
            return self.record["content"]
        try:
            return read_plain(self.record["config"])
        except ValueError as error:
            raise UserError(
                f"{self.path / 'run.json'}: 'config' is no plain recipe ({error}): run it again."
            ) from error

    @property
    def by_seed(self) -> dict[str, str]:
        """Words of the recipe that follow the seed, as they are -> as they are written."""
        return self.record.get("by_seed", {})

    @property
    def uses(self) -> tuple[str, ...]:
        """What is known of the images without pixel labels: by the recipe, and by what it took from elsewhere."""
        own = self.content.get("uses", ("tags",))
        taken = [word for stage in self.stages.values() for word in stage.get("source", {}).get("uses", ())]
        return tuple(dict.fromkeys((*own, *taken)))

    @property
    def seconds(self) -> float:
        """Time of all finished stages."""
        return sum(stage["seconds"] for stage in self.stages.values())

    @functools.cached_property
    def reads(self) -> dict[str, dict[str, Any]]:
        """Of each finished stage what it read (`data`) and its `code`; empty for one from before."""
        files = {name: self.path / name / "reads.json" for name in self.stages}
        return {name: read_json(file) if file.is_file() else {} for name, file in files.items()}

    @functools.cached_property
    def marks(self) -> dict[str, str | None]:
        """Of each stage, why its numbers owe something to pixel labels the method does not have, or None.

        A stage inherits the mark of what it was made from.
        """
        marks: dict[str, str | None] = {}
        tuned_on = self.record.get("content", {}).get("tuned_on", ())
        for name, stage in self.stages.items():  # inputs come before what is made of them
            inherited = [marks.get(source["stage"]) for source in stage.get("inputs", {}).values()]
            if stage.get("pixel_labels") == "oracle" or stage.get("oracle"):
                marks[name] = f"the stage {name} sees pixel labels"
            elif str(stage.get("numbers", {}).get("threshold_rule", "")).startswith("best"):
                marks[name] = "threshold chosen on the masks it is judged with"
            elif (
                stage.get("pixel_labels") == "evaluation"
                and (split := stage.get("params", {}).get("split")) in tuned_on
            ):
                marks[name] = f"constants of the recipe were chosen on the masks of {split}"
            elif stage.get("source", {}).get("mark"):
                marks[name] = stage["source"]["mark"]
            else:
                marks[name] = next(filter(None, inherited), None)
        return marks


def read_run(path: Path) -> RunFolder:
    """Read a run.

    Raises:
        UserError: the folder is no run.
    """
    path = Path(path)
    if not (path / "run.json").is_file():
        raise UserError(f"{path} is no run (it has no run.json): name the --work-dir of `wsseg run`.")
    record = read_json(path / "run.json")
    files = {name: path / name / "stage.json" for name in record["stages"]}
    return RunFolder(path, record, {name: read_json(file) for name, file in files.items() if file.is_file()})


def headline(numbers: dict[str, Any]) -> tuple[str, float] | None:
    """The first number of a stage, by convention the one it is about."""
    for key, value in numbers.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            return key, float(value)
    return None
