"""The numbers that a recipe gives: how small a loss must be, and those of the graph network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from common.base.errors import UserError
from common.base.numbers import read_numbers


@dataclass(frozen=True)
class SmallLoss:
    """A pixel is clean if its loss lies below tau, or among the smallest ones of its class.

    tau: the loss, or one for each class in their order, background first; quantile: the share of each class's pixels;
    background: the background's own tau or share; None: as the others. Either tau or quantile is given.

    Raises:
        UserError: both or none are given, or a number is out of range.
    """

    tau: float | Sequence[float] | None = None
    quantile: float | None = None
    background: float | None = None

    def __post_init__(self) -> None:
        if (self.tau is None) == (self.quantile is None):
            raise UserError("one of tau and quantile is needed: write dict(tau=0.7) or dict(quantile=0.5).")
        key, limit = ("tau", math.inf) if self.quantile is None else ("quantile", 1.0)
        several = isinstance(self.tau, list | tuple)
        if several and self.background is not None:
            raise UserError("background has its tau in the list already: leave one of them out.")
        for name in (key, "background"):
            value = getattr(self, name)
            for number in value if name == "tau" and several else [value]:
                if number is None and name == "background":
                    continue
                if isinstance(number, bool) or not isinstance(number, int | float) or not 0 < number <= limit:
                    most = "" if limit == math.inf else f" and at most {limit:g}"
                    raise UserError(f"{name}={value!r} must be above 0{most}.")

    @classmethod
    def from_recipe(cls, value: Any) -> SmallLoss:
        """Read dict(tau=0.7), dict(quantile=0.5, background=0.8), ...

        Raises:
            UserError: it is no such dict; the sentence names the key and the nearest known one.
        """
        return cls(**read_numbers(cls, value, "dict(tau=0.7) or dict(quantile=0.5)", "a number"))

    def of_classes(self, count: int) -> list[float]:
        """The tau or share of each of so many classes.

        Raises:
            UserError: the taus are of another number of classes.
        """
        given = self.quantile if self.tau is None else self.tau
        each = list(given) if isinstance(given, list | tuple) else [given] * count
        if len(each) != count:
            raise UserError(f"tau holds {len(each)} numbers for {count} classes, the background among them.")
        if self.background is not None:
            each[0] = self.background
        return each


@dataclass(frozen=True)
class GATRule:
    """The numbers of the graph network and its training.

    channels: of a head; heads: of the first layer; dropout: of features and attention; epochs: passes over the graphs;
    batch: graphs of a step; lr, weight_decay: of Adam, the decay is part of the gradient.

    Raises:
        UserError: a number is out of range.
    """

    channels: int
    heads: int
    dropout: float
    epochs: int
    batch: int
    lr: float
    weight_decay: float

    def __post_init__(self) -> None:
        for key in ("channels", "heads", "epochs", "batch"):
            if type(getattr(self, key)) is not int or getattr(self, key) < 1:
                raise UserError(f"{key}={getattr(self, key)!r} must be a whole number, 1 or more.")
        for key, limit in (("dropout", 1), ("lr", math.inf), ("weight_decay", math.inf)):
            value = getattr(self, key)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < limit:
                raise UserError(f"{key}={value!r} must be a number from 0 on{', below 1' if limit == 1 else ''}.")

    @classmethod
    def from_recipe(cls, value: Any) -> GATRule:
        """Read dict(channels=8, heads=8, ...).

        Raises:
            UserError: it is no such dict; the sentence names the key and the nearest known one.
        """
        needs = "channels, heads, dropout, epochs, batch, lr, weight_decay"
        return cls(**read_numbers(cls, value, "dict(channels=8, heads=8, ...)", needs))
