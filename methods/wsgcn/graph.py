"""The graph of one photo: its edges from IRNet's walk, the features of its cells."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from common.models.boundary import BoundaryNet
from common.ops.affinity import path_set, stencil_affinity
from common.ops.random_walk import transition_matrix
from common.ops.resize import padded_size
from methods.wsgcn.factor import factored_adjacency


def walk_matrix(edge: Tensor, radius: int, beta: float, exp_times: int) -> Tensor:
    """T^(2^exp_times) of IRNet's walk, dense [N, N], by squaring; columns sum to 1.

    edge: float [h, w], class boundary probability in [0, 1]; radius, beta: of `stencil_affinity`.
    """
    power = transition_matrix(stencil_affinity(edge, radius, beta), path_set(radius).points)
    for _ in range(exp_times):
        power = power @ power
    return power


def dense_adjacency(walked: Tensor) -> Tensor:
    """A = D^-1 (max(T, T^T) + I), rows sum to 1 (released code). walked: T, float [N, N], columns sum to 1."""
    adjacency = torch.maximum(walked, walked.T)
    adjacency.diagonal().add_(1)
    return adjacency.div_(adjacency.sum(dim=1, keepdim=True))


def adjacency_of(
    edge: Tensor, radius: int, beta: float, exp_times: int, dense: int, modes: int, generator: torch.Generator
) -> tuple[Any, float]:
    """A of a boundary map, and its estimated relative error: 0 where it is exact, a matrix [N, N].

    dense: a map of more cells gives a `FactoredAdjacency`; modes, generator: of `factored_adjacency`; edge, radius,
    beta, exp_times: of `walk_matrix`.
    """
    if edge.numel() <= dense:
        return dense_adjacency(walk_matrix(edge, radius, beta, exp_times)), 0.0
    factored = factored_adjacency(edge, radius, beta, exp_times, modes, generator)
    return factored, factored.error


@torch.no_grad()
def edges_and_features(network: BoundaryNet, image: Tensor, canvas: int) -> tuple[Tensor, Tensor]:
    """The boundary [h4, w4] of `BoundaryNet.boundary`, and what it is read from, float [h4 w4, 160].

    The features are the channels before the last layer times the weights of that layer, without its bias, so that their
    sum and the bias are the boundary's logit; the mean of the photo's and its mirror image's (released code,
    net/resnet50_irn.py:131-133).

    image: [3, H, W] RGB, 0..255; canvas: pixels.
    """
    channels = network.edge_head.features(network.taps(network.pair(image, canvas)))
    edge = network.probability(network.edge_head.out(channels), image.shape[-2:])
    height, width = edge.shape
    upright, mirrored = channels[..., :height, :width]
    features = (upright + mirrored.flip(-1)) / 2 * network.edge_head.out.weight[0]
    return edge, features.flatten(1).T.contiguous()


def mean_colours(image: np.ndarray, stride: int = 4) -> np.ndarray:
    """The mean colours of a photo's cells, float32 [h4 w4, 3] in 0..1, the features of a control.

    image: uint8 RGB [H, W, 3]; pixels repeat at the border.
    """
    (height, width), (rows, columns) = image.shape[:2], padded_size(image.shape[:2], stride)
    whole = np.pad(image, ((0, rows - height), (0, columns - width), (0, 0)), mode="edge").astype(np.float32) / 255
    return whole.reshape(rows // stride, stride, columns // stride, stride, 3).mean(axis=(1, 3)).reshape(-1, 3)


def spread_labels(adjacency: Any, labels: Tensor, classes: int) -> Tensor:
    """Labels spread by the walk alone, a control without a network: log-probabilities, float [N, C].

    A cell's probability of a class is the class's share of the labelled cells that its row of A reaches, weighted by A;
    equal for all where it reaches none.

    labels: int64 [N], class ids below C, others are open.
    """
    seeds = (labels[:, None] == torch.arange(classes, device=labels.device)).float()
    reached = (adjacency @ seeds).clamp(min=0) + torch.finfo(torch.float32).tiny ** 0.5
    return (reached / reached.sum(dim=1, keepdim=True)).log()
