"""The numbers of a dense CRF, apart from the CRF itself: a plan checks them without loading the library."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from common.base.errors import UserError
from common.base.numbers import read_numbers

_WEIGHT = "weight"
_MEANING = {
    "bilateral": ("standard deviation in pixels", "standard deviation in grey levels", _WEIGHT),
    "gaussian": ("standard deviation in pixels", _WEIGHT),
}


@dataclass(frozen=True)
class CRFParams:
    """Mean-field iterations, and width and weight of the two pairwise terms.

    iterations: 1 or more; bilateral: (standard deviation in pixels, in grey levels 0..255, weight) of the term in
    position and colour; gaussian: (standard deviation in pixels, weight) of the term in position alone. Standard
    deviations lie above 0; a weight of 0 switches its term off.

    Raises:
        UserError: a number is missing, no number or out of range.
    """

    iterations: int
    bilateral: tuple[float, float, float]
    gaussian: tuple[float, float]

    def __post_init__(self) -> None:
        if type(self.iterations) is not int or self.iterations < 1:
            raise UserError(f"iterations={self.iterations!r} must be a whole number, 1 or more.")
        for key, meaning in _MEANING.items():
            _check(key, getattr(self, key), meaning)

    @classmethod
    def from_recipe(cls, value: Any) -> CRFParams:
        """Read dict(iterations=..., bilateral=(..., ..., ...), gaussian=(..., ...)); tuples may be lists.

        Raises:
            UserError: it is no such dict; the sentence names the key and the nearest known one, or what to write.
        """
        example = (
            "dict(iterations=10, bilateral=(50, 5, 10), gaussian=(3, 3)), or take a named constant of "
            "configs/_base_/crf.py, such as _base_.crf_irn"
        )
        numbers = read_numbers(cls, value, example, "iterations, bilateral, gaussian")
        return cls(**{key: tuple(item) if isinstance(item, list) else item for key, item in numbers.items()})

    def shrunk(self, factor: float) -> CRFParams:
        """The same terms on an image that is `factor` times smaller."""
        bilateral, gaussian = ((pixels / factor, *rest) for pixels, *rest in (self.bilateral, self.gaussian))
        return replace(self, bilateral=bilateral, gaussian=gaussian)


def _check(key: str, numbers: Any, meaning: tuple[str, ...]) -> None:
    if not isinstance(numbers, tuple) or len(numbers) != len(meaning) or not all(map(_is_number, numbers)):
        raise UserError(f"{key}={numbers!r} must be {len(meaning)} numbers: ({', '.join(meaning)}).")
    for number, what in zip(numbers, meaning, strict=True):
        if number < 0 or (number == 0 and what != _WEIGHT):
            least = "0 or more" if what == _WEIGHT else "above 0"
            raise UserError(f"{key}={numbers!r}: the {what} must be {least}, not {number!r}.")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
