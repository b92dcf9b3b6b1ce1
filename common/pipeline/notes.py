"""What stages have to say of the data before the first one runs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from common.base.errors import DataError
from common.data.dataset import open_dataset
from common.pipeline.checks import arguments
from common.pipeline.recipe import Step


def data_notes(data_root: Path, steps: Iterable[Step]) -> list[str]:
    """The lines of the steps' `noted_by` functions, each line once.

    What cannot be read is left to the plan and the stages.
    """
    lines: list[str] = []
    for step in steps:
        note = getattr(step.function, "note", None)
        if note is None:
            continue
        try:
            lines += note(open_dataset(data_root), **arguments(note, step.params))
        except DataError:
            continue
    return list(dict.fromkeys(lines))
