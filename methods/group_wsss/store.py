"""Maps that are accumulated while the network trains: they are the product of the training, not its weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def to_levels(maps: Tensor) -> Tensor:
    """Maps >= 0, float [..., h, w], as levels of their own maximum, rint(255 map / (max + 1e-8)): uint8."""
    return (maps / (maps.amax(dim=(-2, -1), keepdim=True) + 1e-8) * 255).round().to(torch.uint8)


class MapStore(nn.Module):
    """The maximum over epochs of every image's maps, each in levels of its own maximum (released code).

    Its buffers travel with the weights: a training that goes on after a kill has those of its checkpoint.

    Args:
        pairs: images times their classes, P: each has a map of its own.
        grid: (h, w) of the maps.
        least: probability below which a map does not count.

    Attributes:
        levels: uint8 [P, h, w]; written: uint8 [P], 1 where there is a map yet.
    """

    def __init__(self, pairs: int, grid: tuple[int, int], least: float) -> None:
        super().__init__()
        self.least = least
        self.register_buffer("levels", torch.zeros(pairs, *grid, dtype=torch.uint8))
        self.register_buffer("written", torch.zeros(pairs, dtype=torch.uint8))

    @torch.no_grad()
    def update(self, rows: Tensor, levels: Tensor, scores: Tensor, epoch: int, epochs: int) -> None:
        """Take in maps of `epoch`, one of 0 .. epochs - 1; the first counts nothing.

        A map counts from a probability of `least` on; in the last epoch also where there is none yet.

        Args:
            rows: int64 [n], which maps these are, each once.
            levels: uint8 [n, h, w], see `to_levels`.
            scores: float [n], the classes' probabilities.
        """
        if epoch < 1:
            return
        counts = scores >= self.least
        if epoch == epochs - 1:
            counts = counts | (self.written[rows] == 0)
        rows = rows[counts]
        self.levels[rows] = torch.maximum(self.levels[rows], levels[counts])
        self.written[rows] = 1
