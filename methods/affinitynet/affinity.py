"""Affinities from features (AffinityNet sec. 3.2): a = exp(-mean |f_i - f_j|)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

from common.ops.affinity import Border, PairSet


def fitting_radius(radius: int, height: int, width: int) -> int:
    """`radius`, smaller on a grid with a side below 2 radius + 1, at least 2: SEAM's rule for small pictures."""
    return max(2, min(radius, (min(height, width) - 1) // 2))


def pair_affinity(features: Tensor, pairs: PairSet) -> Tensor:
    """a = exp(-mean over channels |f(destination) - f(source)|) of every pair: features [B, C, h, w] -> [B, n, m].

    AffinityNet sec. 3.2, with a mean for the paper's sum as in the released code. Values are in (0, 1]; 0 where
    a feature is infinite, as those of `PairSet.pad(features, inf)`.
    """
    return torch.exp(-_FeatureDistance.apply(features, pairs))


def feature_affinity(features: Tensor, radius: int = 5, border: Border = "released") -> Tensor:
    """`pair_affinity` as a stencil for `walk`: features [C, h, w] -> [n, h, w], 0 where there is no such pair.

    border: which pairs there are, see `PairSet.pad`.
    """
    pairs, grid = PairSet(radius), features.shape[-2:]
    values = pair_affinity(pairs.pad(features, torch.inf, border)[None], pairs)[0]
    return pairs.stencil(values, *grid) if border == "released" else values.unflatten(-1, grid)


class _FeatureDistance(torch.autograd.Function):
    """Mean absolute difference of the features of every pair, [B, C, h, w] -> [B, n, m].

    One offset at a time, on shifted views. The differences are computed again for the gradient, so that nothing of the
    size B x C x n x m is ever kept: memory is that of the features.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, features: Tensor, pairs: PairSet) -> Tensor:
        ctx.save_for_backward(features)
        ctx.pairs = pairs
        source = pairs.shift(features, (0, 0))
        distances = [(pairs.shift(features, point) - source).abs_().mean(dim=1) for point in pairs.points]
        return torch.stack(distances, dim=1).flatten(-2)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor, None]:
        (features,), pairs = ctx.saved_tensors, ctx.pairs
        total = torch.zeros_like(features)
        source, at_source = pairs.shift(features, (0, 0)), pairs.shift(total, (0, 0))
        planes = (gradient / features.shape[1]).unflatten(-1, source.shape[-2:])
        for k, point in enumerate(pairs.points):
            part = (pairs.shift(features, point) - source).sign_().mul_(planes[:, k, None])
            pairs.shift(total, point).add_(part)
            at_source.sub_(part)
        return total, None
