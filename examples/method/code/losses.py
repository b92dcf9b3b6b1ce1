"""The terms of the loss: free functions of tensors."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def tag_loss(logits: Tensor, tags: Tensor) -> Tensor:
    """Multi-label soft margin of the mean class maps: [B, C, h, w], [B, C - 1] -> scalar."""
    return F.multilabel_soft_margin_loss(logits.mean(dim=(2, 3))[:, 1:], tags)


def saliency_loss(scores: Tensor, saliency: Tensor) -> Tensor:
    """Squared difference between what is no background and what is salient.

    scores: softmax, [B, C, h, w]; saliency: [B, 1, h, w] in 0..1. Returns a scalar, the mean over all places.
    """
    return (1 - scores[:, :1] - saliency).square().mean()


def region_loss(scores: Tensor, regions: Tensor, colours: Tensor) -> Tensor:
    """Distance of the scores of one image from their mean in each region; a colour that stands out weighs more.

    scores: [C, h, w]; regions: int64 [h, w], 0..K-1, -1 beyond the image; colours: [K, 3] in 0..1. Returns a scalar:
    the squared distances, weighted with `contrast` of the region's colour, mean over all places inside the image.
    """
    inside = regions.flatten() >= 0
    members = F.one_hot(regions.flatten()[inside], len(colours)).to(scores)  # [n, K]
    scores = scores.flatten(1).T[inside]  # [n, C]
    means = members.T @ scores / members.sum(dim=0).clamp(min=1)[:, None]  # [K, C]
    distances = (scores - members @ means).square().sum(dim=1)
    return (distances * (members @ contrast(colours))).sum() / max(len(distances), 1)


def contrast(colours: Tensor) -> Tensor:
    """Distance of each colour from the mean of all, [K, 3] in 0..1 -> [K] in 0..1 (sqrt(3) is the longest)."""
    return torch.linalg.vector_norm(colours - colours.mean(dim=0), dim=1) / 3**0.5
