"""From epochs and images to iterations."""

from __future__ import annotations

from typing import Any

from mmengine.dist import get_world_size

from common.base.errors import UserError
from common.data.dataset import open_dataset
from common.data.protocols import without
from common.training.paired_sampler import paired_iterations
from common.training.sampler import iterations_per_epoch


def is_weak_dataset(dataset: Any) -> bool:
    """Whether a dataset config is our own, so that images and classes can be counted without building it."""
    return str(dataset.get("type", "")).rpartition(".")[2] == "WeakDataset"


def epoch_length(cfg: Any, world_size: int) -> int:
    """Iterations of an epoch of a network config: as its sampler counts them, without building the data set.

    Raises:
        UserError: the data set is of a type that cannot be counted here, or fills no batch.
    """
    loader = cfg.train_dataloader
    dataset, sampler = loader.dataset, loader.get("sampler") or {}
    if not is_weak_dataset(dataset):
        raise UserError(f"train_cfg.max_epochs cannot be counted on {dataset.get('type')}: give train_cfg.max_iters.")
    data = open_dataset(dataset.root)
    ids = data.ids(dataset.split)
    if sampler.get("type") != "StrongWeakSampler":
        return iterations_per_epoch(len(ids), loader.batch_size, world_size)
    weak = without(ids, data.ids(dataset.pixel_labels)) if dataset.get("pixel_labels") else ids
    return paired_iterations(len(weak), sampler.get("strong", 1), loader.batch_size, world_size)


def resolve_schedule(cfg: Any, world_size: int | None = None) -> int:
    """Turn `train_cfg.max_epochs` into iterations (see `epoch_length`) and tell them to the learning rates.

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
        iterations = epoch_length(cfg, world_size or get_world_size()) * epochs
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
