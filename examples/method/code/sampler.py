"""A sampler of the method's own: every class in turn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import common.base.compat  # isort: skip  # noqa: F401
from mmengine.dist import get_dist_info
from mmengine.registry import DATA_SAMPLERS
from torch.utils.data import Sampler

from common.training.sampler import epoch_order


@DATA_SAMPLERS.register_module()
class ExampleSampler(Sampler):
    """Endless `(pass, index)` pairs: an image of the first class, one of the second, ..., one of the first again.

    What is drawn is a function of the seed and the position alone, so a training that was stopped can seek: batch k is
    the k-th slice of batch_size x world_size positions, and rank r gets the r-th part of it.

    Args:
        dataset: says with `rarest` which class each image is needed for.
    """

    def __init__(self, dataset: Any, seed: int | None = None) -> None:
        self.seed, self.images = seed or 0, len(dataset)
        rarest = dataset.rarest
        self.groups = [[i for i, own in enumerate(rarest) if own == tag] for tag in sorted(set(rarest))]
        self.rank, self.world_size = get_dist_info()
        self.iteration, self.batch_size = 0, 1

    def seek(self, iteration: int, batch_size: int) -> None:
        """Start the next pass over the sampler with batch `iteration` (from 0)."""
        self.iteration, self.batch_size = iteration, batch_size

    def epoch_length(self, batch_size: int) -> int:
        """Iterations until as many images are drawn as there are, rounded up."""
        return -(-self.images // (batch_size * self.world_size))

    def draw(self, position: int) -> tuple[int, int]:
        """(pass over its class, index of the image) at a position (from 0) of the endless sequence."""
        turn, number = divmod(position, len(self.groups))
        group = self.groups[number]
        epoch, place = divmod(turn, len(group))
        return epoch, group[epoch_order(len(group), self.seed + number, epoch)[place]]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        batch = self.iteration
        while True:
            first = (batch * self.world_size + self.rank) * self.batch_size
            yield from map(self.draw, range(first, first + self.batch_size))
            batch += 1

    def __len__(self) -> int:
        """Images that one epoch hands to this rank."""
        return self.epoch_length(self.batch_size) * self.batch_size
