"""`methods/<name>/expected.toml`: the numbers of the paper and of known reproductions, each with its protocol.

[[row]]
id = "pseudo"                    # unique in the file
name = "semantic pseudo labels"  # what a table calls it
stage = "eval_pseudo"            # the recipe's stage that measures it; "" where no recipe does
recipe = "irnet_r50_voc12"       # the recipe that reproduces it; left out: any recipe on the row's data
data = "voc12"                   # name of the data set (voc12 where left out)
split = "train"
metric = "miou"                  # key of the stage's numbers; "iou.bird" goes one level down
value = 66.5                     # percent; left out where the paper gives none
tolerance = 1.5                  # points a run may miss it by; left out: shown, not verified
source = "paper, table 2"
protocol = "ImageNet ResNet-50, no saliency, threshold 0.25"
others = [{ value = 65.9, source = "re-run, issue 26" }]
headline = true                  # also in the overview of all methods
network = "ResNet-50"            # the network the number is of
masks = 1464                     # training images with pixel labels; left out: none, weak supervision
images = 10582                   # all training images
uses = ["tags", "saliency"]      # what is known of the images without pixel labels; left out: tags, or, beside masks,
                                 # that they are not looked at
"""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path
from typing import Any

from common.base.errors import UserError
from common.report.protocol import Supervision

__all__ = ["Expected", "Other", "lookup", "read_expected"]


@dataclasses.dataclass(frozen=True)
class Other:
    """Somebody else's reproduction; value in percent."""

    value: float
    source: str


@dataclasses.dataclass(frozen=True)
class Expected:
    """One row of expected.toml; values in percent."""

    id: str
    stage: str
    split: str
    metric: str
    source: str
    name: str = ""
    recipe: str = ""
    data: str = "voc12"
    value: float | None = None
    tolerance: float | None = None
    protocol: str = ""
    others: tuple[Other, ...] = ()
    headline: bool = False
    network: str = ""
    masks: int = 0
    images: int | None = None
    uses: tuple[str, ...] | None = ("tags",)

    @property
    def supervision(self) -> Supervision:
        """What the number's method learns from."""
        return Supervision(self.masks, self.images, self.uses)

    @property
    def title(self) -> str:
        """The name in tables."""
        return self.name or self.id


_NUMBERS = ("value", "tolerance")
_TYPES: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(_NUMBERS, (int, float)),
    **dict.fromkeys(("masks", "images"), int),
    **dict.fromkeys(("others", "uses"), list),
    "headline": bool,
}
_REQUIRED = [field.name for field in dataclasses.fields(Expected) if field.default is dataclasses.MISSING]
_KNOWN = [field.name for field in dataclasses.fields(Expected)]


def read_expected(path: Path) -> list[Expected]:
    """The rows of an expected.toml; none where the file does not exist.

    Raises:
        UserError: no TOML, an unknown or missing key, a wrong type, an id used twice.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is no valid TOML ({error}): correct it.") from error
    if set(content) - {"row"}:
        raise UserError(f"{path}: unknown key '{min(set(content) - {'row'})}'; the file holds [[row]] tables only.")
    rows = [_row(path, number, row) for number, row in enumerate(content.get("row", []), 1)]
    seen: set[str] = set()
    for row in rows:
        if row.id in seen:
            raise UserError(f"{path}: the id '{row.id}' is used twice.")
        seen.add(row.id)
    return rows


def lookup(numbers: dict[str, Any], metric: str) -> float | None:
    """The number of a dotted key, None where there is none."""
    value: Any = numbers
    for key in metric.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _row(path: Path, number: int, row: dict[str, Any]) -> Expected:
    where = f"{path}, row {row.get('id', number)}"
    for key in row:
        if key not in _KNOWN:
            raise UserError(f"{where}: unknown key '{key}'; known are {', '.join(_KNOWN)}.")
    for key in _REQUIRED:
        if key not in row:
            raise UserError(f"{where}: the key '{key}' is missing.")
    for key, value in row.items():
        _check_type(where, key, value)
    others = tuple(_other(where, other) for other in row.get("others", []))
    numbers = {key: float(row[key]) for key in _NUMBERS if key in row}
    unsaid = None if row.get("masks") else ("tags",)
    uses = tuple(row["uses"]) if "uses" in row else unsaid
    return Expected(**{**row, **numbers, "others": others, "uses": uses})


def _check_type(where: str, key: str, value: Any) -> None:
    kind = _TYPES.get(key, str)
    fits = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    if not fits or (key == "uses" and not all(isinstance(word, str) for word in value)):
        raise UserError(f"{where}: '{key}' has the wrong type: {value!r}.")
    if key in ("tolerance", "masks", "images") and value < 0:
        raise UserError(f"{where}: '{key}' must not be negative.")


def _other(where: str, other: Any) -> Other:
    if not isinstance(other, dict) or set(other) != {"value", "source"} or not isinstance(other["value"], int | float):
        raise UserError(f"{where}: 'others' holds tables {{ value = ..., source = ... }}, not {other!r}.")
    return Other(float(other["value"]), str(other["source"]))
