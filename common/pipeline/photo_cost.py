"""What large photos will cost where class maps are inferred at several scales; said before the first stage."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from common.artifacts import CAMs
from common.base.errors import DataError
from common.data.dataset import DataSet, open_dataset
from common.pipeline.plan import Settings, selected
from common.pipeline.recipe import Recipe, Step

__all__ = ["estimate", "large_photos", "unfinished"]

LARGE = 1000  # pixels of the longer side
LOOKED_AT = 200  # photos; the headers of all of a large data set would take seconds

# One photo at scales 1, 0.5, 1.5, 2 and mirrored, EfficientNet-Lite0 on two CPU cores: 2000 x 1500 and 4000 x 3000.
SCALES = (1.0, 0.5, 1.5, 2.0)
SMALL_PIXELS, SMALL_SECONDS, SMALL_GB = 2000 * 1500, 24.0, 4.0
TIME_POWER = 1.13  # log(115 s / 24 s) / log(4)
MEMORY_POWER = 0.845  # log(12.9 GB / 4.0 GB) / log(4)


def estimate(pixels: int, scales: Sequence[float]) -> tuple[float, float]:
    """(seconds, GB) of one photo, by two measured sizes and a power law through both.

    The time goes with the pixels of all scales together, the memory with those of the largest one.
    """

    def squares(of: Sequence[float]) -> list[float]:
        return [scale * scale for scale in of]

    seen = pixels * sum(squares(scales)) / sum(squares(SCALES))
    largest = pixels * max(squares(scales)) / max(squares(SCALES))
    seconds = SMALL_SECONDS * (seen / SMALL_PIXELS) ** TIME_POWER
    return seconds, SMALL_GB * (largest / SMALL_PIXELS) ** MEMORY_POWER


def large_photos(data_root: Path, steps: Iterable[Step]) -> list[str]:
    """A line for each list with large photos whose class maps the steps infer at several scales, and the cure.

    The headers of the list's first photos are read. What cannot be read is left to the plan and the stages.
    """
    lines = {}
    for step in steps:
        split, scales = step.params.get("split"), step.params.get("scales")
        if not issubclass(step.kind, CAMs) or not isinstance(split, str) or not scales or split in lines:
            continue
        try:
            data = open_dataset(data_root)
            line = _line(data, step.name, split, scales)
        except DataError:
            continue
        if line:
            lines[split] = line
    return list(lines.values())


def unfinished(recipe: Recipe, settings: Settings) -> list[Step]:
    """The selected steps that a run would make: those without a record, and all of them with `--force`."""
    names = selected(recipe, settings)
    steps = [step for step in recipe.steps if step.name in names]
    if settings.force:
        return steps
    return [step for step in steps if not (settings.work_dir / step.name / "stage.json").exists()]


def _line(data: DataSet, stage: str, split: str, scales: Sequence[float]) -> str | None:
    ids = data.ids(split)
    sizes = _sizes(data, ids[:LOOKED_AT])
    large = [size for size in sizes if max(size) > LARGE]
    if not large:
        return None
    height, width = max(large, key=lambda size: size[0] * size[1])
    seconds, memory = estimate(height * width, scales)
    looked = f"the first {LOOKED_AT} of '{split}'" if len(ids) > LOOKED_AT else f"'{split}'"
    at = "one scale" if len(scales) == 1 else f"{len(scales)} scales"
    return (
        f"photos of up to {width} x {height} px ({len(large)} of {looked} are above {LARGE} px): about "
        f"{_number(seconds)} s and {_number(memory)} GB each in '{stage}', at {at} on EfficientNet-Lite0 and a CPU "
        f"(an estimate); `wsseg data scale {shlex.quote(str(data.root))} --longer-side 640 --out DIR` writes a smaller "
        "copy"
    )


def _sizes(data: DataSet, ids: Sequence[str]) -> list[tuple[int, int]]:
    found = []
    for image_id in ids:
        try:
            found.append(data.size(image_id))
        except DataError:
            continue
    return found


def _number(value: float) -> str:
    """Two digits of a small number, no decimals of a large one."""
    return f"{value:.0f}" if value >= 20 else f"{value:.1f}"
