"""Batches of so many labelled and so many pseudo-labelled images: semi-supervised training."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mmengine.registry import DATA_SAMPLERS

from common.base.errors import UserError
from common.training.sampler import SeekingSampler, epoch_order


def paired_iterations(weak: int, strong_per_batch: int, batch_size: int, world_size: int = 1) -> int:
    """Iterations of one pass over `weak` pseudo-labelled images; the last batch is filled up from the next pass.

    Raises:
        UserError: a batch has no place for one of the two kinds.
    """
    if not 0 < strong_per_batch < batch_size:
        raise UserError(
            f"A batch of {batch_size} with {strong_per_batch} labelled images must hold both kinds: "
            "change train_dataloader.batch_size or train_dataloader.sampler.strong."
        )
    return -(-weak // ((batch_size - strong_per_batch) * world_size))


@DATA_SAMPLERS.register_module()
class StrongWeakSampler(SeekingSampler):
    """Endless `(pass, index)` pairs: in every batch first the weak images (pseudo labels), then the strong (masks).

    Each list is shuffled again for every pass over it, and restarts by itself when it is exhausted. An epoch is one
    pass over the weak list. Batch k of the run takes the k-th slice of each list of passes, so that the batch is
    a function of (seed, k), and rank r gets the r-th part of both slices.

    Args:
        dataset: tells which images are which: `strong`, a truth value for each (`WeakDataset`).
        strong: labelled images in a rank's batch; the rest of `batch_size` are weak.

    Raises:
        UserError: the data set lacks one of the two kinds.
    """

    def __init__(self, dataset: Any, strong: int = 1, seed: int | None = None, shuffle: bool = True) -> None:
        super().__init__(dataset, seed, shuffle)
        self.per_batch = strong
        self.strong = [index for index, known in enumerate(dataset.strong) if known]
        self.weak = [index for index, known in enumerate(dataset.strong) if not known]
        for kind, indices in (("labelled", self.strong), ("pseudo-labelled", self.weak)):
            if not indices:
                raise UserError(
                    f"The training set has no {kind} image: 'pixel_labels' must name some of the images of 'split', "
                    "not all of them."
                )

    def epoch_length(self, batch_size: int) -> int:
        """Iterations of a pass over the weak list."""
        return paired_iterations(len(self.weak), self.per_batch, batch_size, self.world_size)

    def largest_batch(self, batch_size: int) -> int:
        """`batch_size`: a batch is filled up from the next pass."""
        return batch_size

    def __iter__(self) -> Iterator[tuple[int, int]]:
        self.epoch_length(self.batch_size)  # refuses a batch that cannot hold both
        weak = self._passes(self.weak, self.batch_size - self.per_batch)
        strong = self._passes(self.strong, self.per_batch)
        while True:
            yield from next(weak)
            yield from next(strong)

    def _passes(self, indices: list[int], count: int) -> Iterator[list[tuple[int, int]]]:
        """This rank's `count` of each batch, from `iteration` on."""
        batch, order, ordered = self.iteration, [], -1
        while True:
            first = (batch * self.world_size + self.rank) * count
            pairs = []
            for position in range(first, first + count):
                number, place = divmod(position, len(indices))
                if number != ordered:
                    order, ordered = epoch_order(len(indices), self.seed, number, self.shuffle), number
                pairs.append((number, indices[order[place]]))
            yield pairs
            batch += 1
