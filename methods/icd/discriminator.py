"""The bottom-up branch: one direction for each class, and which side of it is the object (sec. 3.2)."""

from __future__ import annotations

import torch
from mmengine.dist import all_reduce
from torch import Tensor, nn

from methods.icd.losses import EPS, project


class IntraClassDiscriminator(nn.Module):
    """A direction W_c for each class, and running means of the CAM on its two sides.

    Attributes:
        weight: W [C, D], from N(0, 0.01).
        sides: a buffer [C, 2], the CAM where scores are positive and where they are negative, from 0. As a buffer it
            is saved with the weights and survives a resumed training.
    """

    def __init__(self, num_classes: int, channels: int, momentum: float = 0.9) -> None:
        super().__init__()
        self.momentum = momentum
        self.weight = nn.Parameter(0.01 * torch.randn(num_classes, channels))
        self.register_buffer("sides", torch.zeros(num_classes, 2))

    def project(self, features: Tensor) -> Tensor:
        """Normalised float [B, D, h, w] -> scores [B, C, h, w] before the sign, without a gradient."""
        with torch.no_grad():
            return project(features.float(), self.weight)

    @torch.no_grad()
    def update_sides(self, scores: Tensor, cam: Tensor, tags: Tensor) -> None:
        """Move the running means towards those of a batch, over all ranks; classes without an image keep theirs.

        scores: before the sign, float [B, C, h, w]; cam: raw, the same size; tags: [B, C], also of images with several.
        """
        active = cam.float().clamp(min=0)
        means = [_mean_where(active, side) for side in (scores > 0, scores < 0)]
        sums = torch.stack([*((mean * tags).sum(0) for mean in means), tags.sum(0)], dim=1)
        all_reduce(sums)
        images = sums[:, 2:]
        moved = self.momentum * self.sides + (1 - self.momentum) * sums[:, :2] / images.clamp(min=1)
        self.sides.copy_(torch.where(images > 0, moved, self.sides))

    def orient(self, scores: Tensor) -> Tensor:
        """Scores whose positive side is the one with the larger CAM, float [B, C, h, w]."""
        sign = torch.where(self.sides[:, 0] < self.sides[:, 1], -1.0, 1.0)
        return scores * sign[:, None, None]


def _mean_where(values: Tensor, chosen: Tensor) -> Tensor:
    """Mean over the chosen positions, 0 where there are none: [B, C] of two [B, C, h, w]."""
    return (values * chosen).sum(dim=(2, 3)) / chosen.sum(dim=(2, 3)).clamp(min=EPS)
