"""How far a training is: what a loss that changes over a training asks for."""

from __future__ import annotations

from typing import NamedTuple

from torch import nn


class TrainingProgress(NamedTuple):
    """Where the next update stands in its training. A module that declares `progress = None` is told before each step.

    iteration: batches drawn so far, from 0. iterations: those of the whole training. epoch: iteration // the epoch's
    length, from 0. epochs: iterations / the epoch's length, rounded up, so that a last part of an epoch counts as one.
    """

    iteration: int
    iterations: int
    epoch: int
    epochs: int


def progress_at(iteration: int, iterations: int, epoch_length: int) -> TrainingProgress:
    """The progress before batch `iteration` (from 0), with `epoch_length` iterations in an epoch."""
    return TrainingProgress(iteration, iterations, iteration // epoch_length, -(-iterations // epoch_length))


def listeners(model: nn.Module) -> list[nn.Module]:
    """The modules of `model`, itself among them, that have an attribute `progress`."""
    return [module for module in model.modules() if hasattr(module, "progress")]
