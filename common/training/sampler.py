"""Which images make up which batch: a function of the seed and the iteration, so that a resumed run can seek."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from typing import Any

import torch
from mmengine.dist import get_dist_info
from mmengine.registry import DATA_SAMPLERS
from torch.utils.data import Sampler

from common.base.errors import UserError


def iterations_per_epoch(images: int, batch_size: int, world_size: int = 1) -> int:
    """Full batches of an epoch; the incomplete one is dropped.

    Raises:
        UserError: there are fewer images than one batch.
    """
    batch = batch_size * world_size
    if images < batch:
        raise UserError(
            f"{images} training images do not fill one batch of {batch}: lower train_dataloader.batch_size "
            "or use more images."
        )
    return images // batch


def seeking(loader: Any) -> Any:
    """The loader's sampler, which can say how long an epoch is and start anywhere.

    Raises:
        UserError: it cannot.
    """
    sampler = loader.sampler
    if not (hasattr(sampler, "seek") and hasattr(sampler, "epoch_length")):
        raise UserError(
            f"train_dataloader.sampler is a {type(sampler).__name__}, which cannot start in the middle of an epoch: "
            "take a SeekingSampler, a StrongWeakSampler, or one with their methods seek and epoch_length."
        )
    return sampler


def epoch_order(images: int, seed: int, epoch: int, shuffle: bool = True) -> list[int]:
    """The image indices of an epoch: a permutation that depends on (seed, epoch) alone."""
    if not shuffle:
        return list(range(images))
    generator = torch.Generator().manual_seed((seed * 1_000_003 + epoch) & 0x7FFF_FFFF_FFFF_FFFF)
    return torch.randperm(images, generator=generator).tolist()


@DATA_SAMPLERS.register_module()
class SeekingSampler(Sampler):
    """Endless `(epoch, index)` pairs, from any iteration on.

    Batch k of the run is the k-th slice of batch_size x world_size images, counted over epochs without their incomplete
    last batches; rank r gets the r-th part of the slice. The training loop calls `seek` before it draws.
    """

    def __init__(self, dataset: Sized, seed: int | None = None, shuffle: bool = True) -> None:
        self.images = len(dataset)
        self.seed = seed or 0
        self.shuffle = shuffle
        self.rank, self.world_size = get_dist_info()
        self.iteration, self.batch_size = 0, 1

    def seek(self, iteration: int, batch_size: int) -> None:
        """Start the next pass over the sampler with batch `iteration` (from 0)."""
        self.iteration, self.batch_size = iteration, batch_size

    def epoch_length(self, batch_size: int) -> int:
        """Iterations of an epoch."""
        return iterations_per_epoch(self.images, batch_size, self.world_size)

    def largest_batch(self, batch_size: int) -> int:
        """`batch_size`, or the largest below it that the images fill on every rank; at least 1."""
        return max(1, min(batch_size, self.images // self.world_size))

    def __iter__(self) -> Iterator[tuple[int, int]]:
        per_epoch = self.epoch_length(self.batch_size)
        epoch, start = divmod(self.iteration, per_epoch)
        while True:
            order = epoch_order(self.images, self.seed, epoch, self.shuffle)
            for batch in range(start, per_epoch):
                first = (batch * self.world_size + self.rank) * self.batch_size
                yield from ((epoch, index) for index in order[first : first + self.batch_size])
            epoch, start = epoch + 1, 0

    def __len__(self) -> int:
        """Images that one epoch hands to this rank."""
        return self.epoch_length(self.batch_size) * self.batch_size
