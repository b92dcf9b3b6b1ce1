"""A training loop that resumes in the middle of an epoch without reading the batches before."""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import IterTimerHook
from mmengine.registry import LOOPS
from mmengine.runner import BaseLoop

from common.base.errors import UserError
from common.models.progress import listeners, progress_at
from common.training.sampler import seeking


def seed_iteration(seed: int, iteration: int, rank: int = 0) -> None:
    """Seed torch, numpy and random from (seed, iteration, rank): dropout of a resumed run draws as the unbroken one."""
    value = zlib.crc32(f"{seed}/{iteration}/{rank}".encode())
    torch.manual_seed(value)
    np.random.seed(value)  # noqa: NPY002  (models of others may draw from the global generator)
    random.seed(value)


def next_batch(batches: Iterator[Any]) -> Any:
    """The next batch; a `UserError` of a worker process keeps its sentence and loses the worker's traceback.

    Raises:
        UserError: the data set refused an image.
    """
    try:
        return next(batches)
    except UserError as error:
        sentence = re.search(rf"^[\w.]*{type(error).__name__}: (.*)", str(error), re.MULTILINE)
        if sentence is None:
            raise
        raise type(error)(sentence[1]) from error


def stop_workers(batches: Iterator[Any]) -> None:
    """End the loader's worker processes now: held by a traceback they would be killed later, after 5 seconds each."""
    if hasattr(batches, "_shutdown_workers"):
        batches._shutdown_workers()


@LOOPS.register_module()
class SeekingTrainLoop(BaseLoop):
    """Trains for `max_iters` iterations; a config gives `max_epochs` or `max_iters` (see `resolve_schedule`).

    As mmengine's loops, but the data loader starts at the iteration that comes next. One iteration is, in this order:

        before_train_epoch   at an epoch's first iteration
        before_train_iter, the step, after_train_iter
        after_train_epoch    at an epoch's last iteration; a part of one at the end of the training does not count
        train_validation     hooks of ours that judge (`ValidateHook`), then the config's validation
        train_checkpoint     the state is saved when all of the above is part of it

    `batch_idx` of the hooks counts within the epoch. From `after_train_epoch` on, `runner.iter` holds the iterations
    done; from `train_validation` on, `runner.epoch` holds the epochs done.
    """

    def __init__(
        self, runner: Any, dataloader: Any, max_iters: int, val_begin: int = 1, val_interval: int = 1000
    ) -> None:
        super().__init__(runner, dataloader)
        self.sampler = seeking(self.dataloader)
        self.epoch_length = self.sampler.epoch_length(self.dataloader.batch_size)
        self.sampler.seek(0, self.dataloader.batch_size)  # from now on the loader's length is that of an epoch
        self.max_iters, self.max_epochs = max_iters, -(-max_iters // self.epoch_length)
        self.val_begin, self.val_interval = val_begin, val_interval
        self._iter = self._epoch = 0
        self.stop_training = False

    @property
    def iter(self) -> int:
        """Iterations done."""
        return self._iter

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return self._epoch

    def go_on_after(self, iteration: int) -> None:
        """Start behind `iteration` updates of the model, with their epochs' hooks."""
        self._iter, self._epoch = iteration, iteration // self.epoch_length

    def run(self) -> torch.nn.Module:
        """Train to `max_iters`."""
        self.runner.call_hook("before_train")
        self._start_clocks()
        self.listeners = listeners(self.runner.model)
        self.runner.model.train()
        self.sampler.seek(self._iter, self.dataloader.batch_size)
        batches = iter(self.dataloader) if self._iter < self.max_iters else iter(())
        try:
            while self._iter < self.max_iters and not self.stop_training:
                if self._iter % self.epoch_length == 0:
                    self.runner.call_hook("before_train_epoch")
                self._step(next_batch(batches))
                self._close_step()
        finally:
            stop_workers(batches)
        self.runner.call_hook("after_train")
        return self.runner.model

    def _start_clocks(self) -> None:
        """mmengine's timer starts its clock with an epoch; a run that resumes within one needs it before."""
        for hook in self.runner.hooks:
            if isinstance(hook, IterTimerHook):
                hook._before_epoch(self.runner)

    def _step(self, batch: Any) -> None:
        seed_iteration(self.runner.seed, self._iter, get_rank())
        progress = progress_at(self._iter, self.max_iters, self.epoch_length)
        for module in self.listeners:
            module.progress = progress
        number = self._iter % self.epoch_length
        self.runner.call_hook("before_train_iter", batch_idx=number, data_batch=batch)
        losses = self.runner.model.train_step(batch, optim_wrapper=self.runner.optim_wrapper)
        self.runner.call_hook("after_train_iter", batch_idx=number, data_batch=batch, outputs=losses)
        self._iter += 1

    def _close_step(self) -> None:
        if self._iter % self.epoch_length == 0:
            self.runner.call_hook("after_train_epoch")
            self._epoch += 1
        self.runner.call_hook("train_validation")
        if self._validates():
            self.runner.val_loop.run()
            self.runner.model.train()
        self.runner.call_hook("train_checkpoint")

    def _validates(self) -> bool:
        if self.runner.val_loop is None or self._iter < self.val_begin:
            return False
        return self._iter % self.val_interval == 0 or self._iter == self.max_iters
