"""From epochs and images to iterations."""

from __future__ import annotations

from typing import Any

from mmengine.dist import get_world_size

from common.data.voc import open_dataset
from common.engine.sampler import iterations_per_epoch
from common.errors import UserError


def is_weak_dataset(dataset: Any) -> bool:
    """Whether a dataset config is our own, so that images and classes can be counted without building it."""
    return str(dataset.get("type", "")).rpartition(".")[2] == "WeakDataset"


def count_images(cfg: Any) -> int:
    """Training images of a network config.

    Raises:
        UserError: the data set is of a type that cannot be counted here.
    """
    dataset = cfg.train_dataloader.dataset
    if not is_weak_dataset(dataset):
        raise UserError(f"train_cfg.max_epochs cannot be counted on {dataset.get('type')}: give train_cfg.max_iters.")
    return len(open_dataset(dataset.root).ids(dataset.split))


def resolve_schedule(cfg: Any, world_size: int | None = None) -> int:
    """Turn `train_cfg.max_epochs` into iterations (incomplete batches dropped) and tell them to the learning rates.

    Fills, where the config leaves them out: `optim_wrapper.optimizer.max_step` of PolySGD (updates, i.e. iterations
    over `accumulative_counts`) and `end` of mmengine's PolyLR (iterations + 1, so that it follows the formula).

    Returns:
        The number of iterations.

    Raises:
        UserError: neither epochs nor iterations are given, or both, or they are not positive.
    """
    train_cfg = cfg.train_cfg
    epochs, iterations = train_cfg.get("max_epochs"), train_cfg.get("max_iters")
    if (epochs is None) == (iterations is None):
        raise UserError("train_cfg needs one of max_epochs and max_iters.")
    if iterations is None:
        per_epoch = iterations_per_epoch(
            count_images(cfg), cfg.train_dataloader.batch_size, world_size or get_world_size()
        )
        iterations = per_epoch * epochs
        train_cfg.pop("max_epochs")
    if not isinstance(iterations, int) or iterations < 1:
        raise UserError(f"train_cfg: the training must have a positive whole number of iterations, not {iterations!r}.")
    train_cfg.max_iters = iterations
    optimizer = cfg.optim_wrapper.optimizer
    if optimizer.type == "PolySGD":
        updates = -(-iterations // cfg.optim_wrapper.get("accumulative_counts", 1))
        optimizer.setdefault("max_step", updates)
    schedulers = cfg.get("param_scheduler") or []
    for scheduler in [schedulers] if isinstance(schedulers, dict) else schedulers:
        if scheduler.type == "PolyLR" and not scheduler.get("by_epoch", True):
            scheduler.setdefault("end", iterations + 1)
    return iterations
