"""From epochs and images to iterations."""

from __future__ import annotations

from typing import Any

from mmseg.registry import DATASETS

from common.base.errors import UserError
from common.training.datasets import WeakDataset


def is_weak_dataset(dataset: Any) -> bool:
    """Whether a dataset config is of our own type, or of a method's that builds on it."""
    kind = dataset.get("type")
    found = DATASETS.get(kind) if isinstance(kind, str) else kind
    return isinstance(found, type) and issubclass(found, WeakDataset)


def resolve_schedule(cfg: Any, epoch_length: int) -> int:
    """Turn `train_cfg.max_epochs` into iterations and tell them to the learning rates.

    `train_cfg.min_iters`, next to the epochs, is the least number of iterations: few photos make short epochs. Where it
    lengthens a training, milestones in epochs become iterations at the same share of it.
    Fills, where the config leaves them out: `optim_wrapper.optimizer.max_step` of PolySGD (updates, i.e. iterations
    over `accumulative_counts`), its `epoch_length` (updates) if it refreshes by epoch, and `end` of mmengine's PolyLR
    (iterations + 1, or epochs + 1, so that it follows the formula; mmengine's own would end one step too early).

    Args:
        cfg: a network config, changed in place.
        epoch_length: iterations of an epoch, as the sampler counts them.

    Returns:
        The number of iterations.

    Raises:
        UserError: neither epochs nor iterations are given, or both, or they are not positive; or a training cannot be
            lengthened.
    """
    train_cfg = cfg.train_cfg
    epochs, iterations = train_cfg.get("max_epochs"), train_cfg.get("max_iters")
    least = train_cfg.pop("min_iters", None)
    if (epochs is None) == (iterations is None):
        raise UserError("train_cfg needs one of max_epochs and max_iters.")
    if iterations is None:
        iterations = epoch_length * epochs
        train_cfg.pop("max_epochs")
    if not isinstance(iterations, int) or iterations < 1:
        raise UserError(f"train_cfg: the training must have a positive whole number of iterations, not {iterations!r}.")
    schedulers = cfg.get("param_scheduler") or []
    schedulers = [schedulers] if isinstance(schedulers, dict) else schedulers
    if least is not None:
        planned, iterations = iterations, _at_least(iterations, least, epochs)
        if iterations > planned:
            _stretch(schedulers, iterations / epochs)
    train_cfg.max_iters = iterations
    if cfg.optim_wrapper.optimizer.type == "PolySGD":
        _fill_updates(cfg.optim_wrapper, iterations, epoch_length)
    for scheduler in schedulers:
        if scheduler.type == "PolyLR" and not scheduler.get("convert_to_iter_based"):
            steps = -(-iterations // epoch_length) if scheduler.get("by_epoch", True) else iterations
            scheduler.setdefault("end", steps + 1)
    return iterations


def _at_least(iterations: int, least: Any, epochs: Any) -> int:
    if epochs is None:
        raise UserError("train_cfg.min_iters goes with max_epochs, not with max_iters: leave it out.")
    if not isinstance(least, int) or least < 1:
        raise UserError(f"train_cfg.min_iters must be a positive whole number, not {least!r}.")
    return max(iterations, least)


def _stretch(schedulers: list[Any], epoch: float) -> None:
    """Milestones in epochs become iterations; `epoch` of them are what the config calls an epoch."""
    for scheduler in schedulers:
        if scheduler.type == "MultiStepLR" and scheduler.get("by_epoch", True):
            scheduler.milestones = [round(milestone * epoch) for milestone in scheduler.milestones]
            scheduler.by_epoch = False
        elif scheduler.type != "PolyLR":
            raise UserError(f"train_cfg.min_iters cannot lengthen a training with {scheduler.type}: leave it out.")


def _fill_updates(wrapper: Any, iterations: int, epoch_length: int) -> None:
    """Tell PolySGD how many updates there are; an incomplete last accumulation is one."""
    counts = wrapper.get("accumulative_counts", 1)
    wrapper.optimizer.setdefault("max_step", -(-iterations // counts))
    if wrapper.optimizer.get("refresh") == "epoch":
        whole = epoch_length % counts == 0
        wrapper.optimizer.setdefault("epoch_length", epoch_length // counts if whole else epoch_length / counts)
