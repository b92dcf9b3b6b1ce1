"""ICD's three losses, the target of the top-down branch, and the warm-up of its loss. All are means over the batch."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

EPS = 1e-5
"""The released code's floor of denominators."""


def tag_loss(cam: Tensor, tags: Tensor) -> Tensor:
    """Binary cross entropy of the maps' spatial means, summed over the classes, not averaged: a scalar.

    cam: raw float [B, C, h, w]; tags: [B, C], 0 or 1.
    """
    return F.binary_cross_entropy_with_logits(cam.mean(dim=(2, 3)), tags, reduction="sum") / len(tags)


def unit(weight: Tensor) -> Tensor:
    """Directions of length 1 [C, D]."""
    return weight / weight.norm(dim=1, keepdim=True).clamp(min=EPS)


def project(features: Tensor, weight: Tensor) -> Tensor:
    """The score of every position and class, X . W_c / |W_c|: float [B, C, h, w].

    features: X, float [B, D, h, w]; weight: W, [C, D].
    """
    return F.conv2d(features, unit(weight)[:, :, None, None])


def projection_variance_loss(weight: Tensor, features: Tensor, tags: Tensor, scale: float = 10.0) -> Tensor:
    """Minus scale / 2 times the mean square of the scores of an image's only class, a scalar (sec. 3.2).

    Its gradient reaches the weight alone, an online search for the direction of the largest variance. Images with two
    or more tags, or none, add 0 to the mean over the batch.

    weight: [C, D]; features: normalised, float [B, D, h, w]; tags: [B, C], 0 or 1.
    """
    single = tags.sum(dim=1) == 1
    own = unit(weight)[tags[single].argmax(dim=1)]
    scores = torch.einsum("bdn,bd->bn", features.detach()[single].flatten(2), own)
    return -scale * scores.square().sum() / (2 * len(tags) * features[0, 0].numel())


def discriminator_target(scores: Tensor, threshold: float = 0.2) -> tuple[Tensor, Tensor]:
    """What the top-down branch learns, and where: two of [B, C, h, w], float 0 or 1 and bool.

    Scores are divided by their maximum where they are positive and by their minimum where they are negative, per image
    and class; those within `threshold` of 0 are not learned. scores: refined, float [B, C, h, w].
    """
    relative = relative_scores(scores)
    return (relative > 0).to(scores), relative.abs() > threshold


def relative_scores(scores: Tensor) -> Tensor:
    """Positive scores over their maximum, negative ones over minus their minimum: float [..., h, w] in [-1, 1]."""
    positive, negative = scores.clamp(min=0), scores.clamp(max=0)
    top, low = (part.amax(dim=(-2, -1), keepdim=True).clamp(min=EPS) for part in (positive, -negative))
    return positive / top + negative / low


def topdown_loss(logits: Tensor, target: Tensor, mask: Tensor, tags: Tensor) -> Tensor:
    """Binary cross entropy of the tagged classes where `mask` holds, over batch and all positions: a scalar.

    The number of positions that are learned does not divide it. logits, target: float [B, C, h, w]; mask: bool, the
    same; tags: [B, C], 0 or 1.
    """
    each = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return (each * mask * tags[:, :, None, None]).sum() / (len(logits) * logits[0, 0].numel())


def exponential_ramp(step: int, steps: int) -> float:
    """exp(-10 (M - t) / M) for the iterations t = 0 .. M - 1, then 1; M = `steps`."""
    return math.exp(-10 * (steps - step) / steps) if step < steps else 1.0
