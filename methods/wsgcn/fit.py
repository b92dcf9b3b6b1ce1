"""A graph network of its own for every photo, and the rules of its training."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from common.base.errors import UserError
from common.base.numbers import read_numbers

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from methods.wsgcn.layers import PropagationGCN

FEATURES = ("edges", "colour")


@dataclass(frozen=True)
class FitRule:
    """The numbers of a fit; papers and controls differ in them alone.

    steps: of Adam; width: of the hidden layer; dropout: share of hidden values that a step hides; lr, weight_decay: of
    Adam, the decay is part of the gradient; entropy, laplacian: weights of these terms, 0 leaves one out; features:
    "edges", what IRNet's boundaries are read from, or "colour", the mean colours of the cells, a control.

    Raises:
        UserError: a number is out of range.
    """

    steps: int
    width: int
    dropout: float
    lr: float
    weight_decay: float
    entropy: float
    laplacian: float
    features: str = "edges"

    def __post_init__(self) -> None:
        for key in ("steps", "width"):
            if type(getattr(self, key)) is not int or getattr(self, key) < 1:
                raise UserError(f"{key}={getattr(self, key)!r} must be a whole number, 1 or more.")
        for key in ("dropout", "lr", "weight_decay", "entropy", "laplacian"):
            value = getattr(self, key)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
                raise UserError(f"{key}={value!r} must be a number, 0 or more.")
        if self.dropout >= 1:
            raise UserError(f"dropout={self.dropout!r} must be below 1.")
        if self.features not in FEATURES:
            raise UserError(f"features={self.features!r} must be one of {', '.join(FEATURES)}.")

    @classmethod
    def from_recipe(cls, value: Any) -> FitRule:
        """Read dict(steps=250, width=16, ...).

        Raises:
            UserError: it is no such dict; the sentence names the key and the nearest known one.
        """
        needs = "steps, width, dropout, lr, weight_decay, entropy, laplacian"
        return cls(**read_numbers(cls, value, "dict(steps=250, width=16, ...)", needs))


@dataclass(frozen=True)
class Fits:
    """Several fits of each photo, by name, on one graph; None: no network, the labels spread by the walk alone."""

    rules: dict[str, FitRule | None]

    @property
    def features(self) -> set[str]:
        """What the fits read, a part of `FEATURES`."""
        return {rule.features for rule in self.rules.values() if rule is not None}

    @classmethod
    def from_recipe(cls, value: Any) -> Fits:
        """Read dict(NAME=dict(steps=250, ...), NAME=None, ...).

        Raises:
            UserError: it is no such dict, or empty.
        """
        if not isinstance(value, Mapping) or not value:
            raise UserError(f"{value!r} names no fit: write dict(gcn=dict(steps=250, ...)).")
        rules = {}
        for name, numbers in value.items():
            try:
                rules[str(name)] = None if numbers is None else FitRule.from_recipe(numbers)
            except UserError as error:
                raise UserError(f"{name}: {error}") from error
        return cls(rules)


def fit(
    model: PropagationGCN,
    propagated: Tensor,
    adjacency: Any,
    labels: Tensor,
    laplacian: Any,
    rule: FitRule,
    generator: torch.Generator,
    watch: Callable[[int, dict[str, Tensor]], None] | None = None,
) -> Tensor:
    """Train in place for `rule.steps` steps on the whole graph; returns the last log-probabilities, float [N, C].

    They are those behind the last step, without dropout. There is no schedule and no choice of a step.

    Args:
        model: a new one for each photo.
        propagated: A X, float [N, channels]; adjacency: A, [N, N] or anything with `@`.
        labels: int64 [N], class ids, 0 background, 255 open.
        laplacian: of `smoothness`.
        generator: draws what the dropout hides.
        watch: called before each update with the step, from 0 on, and the terms of `propagation_loss`.

    Raises:
        FloatingPointError: the training diverged.
    """
    import torch

    from methods.wsgcn.losses import propagation_loss

    optimizer = torch.optim.Adam(model.parameters(), lr=rule.lr, weight_decay=rule.weight_decay)
    for step in range(rule.steps):
        log_prob = model(propagated, adjacency, generator)
        losses = propagation_loss(log_prob, labels, laplacian, rule.entropy, rule.laplacian)
        if watch is not None:
            watch(step, {name: loss.detach() for name, loss in losses.items()})
        optimizer.zero_grad()
        losses["loss"].backward()
        optimizer.step()
    with torch.no_grad():
        log_prob = model(propagated, adjacency)
    if not log_prob.isfinite().all():
        raise FloatingPointError("the graph network's probabilities are not finite: its training diverged")
    return log_prob
