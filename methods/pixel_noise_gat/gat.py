"""The graph network: two of torch-geometric's attention layers. Nothing but a stage that needs it imports this file."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import common.base.compat  # isort: skip  # noqa: F401
import numpy as np
import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor, nn

from methods.pixel_noise_gat.graphs import Graph

with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)  # it uses a part of torch that will go
    from torch_geometric.nn import GATConv


def attention_layer(inputs: int, outputs: int, heads: int, concat: bool, dropout: float) -> GATConv:
    """GATConv as the GAT paper has it: LeakyReLU slope 0.2, a loop at each node, bias.

    `layer(x, edges)`: with h = W x, an edge from j to i weighs LeakyReLU(<h_j, a_src> + <h_i, a_dst>), a softmax over
    the edges that end at i; out_i is the weighted sum of h_j, for each head.

    outputs: of a head; concat: heads stand side by side, else their mean is taken; dropout: of the weights.
    """
    return GATConv(
        inputs, outputs, heads=heads, concat=concat, negative_slope=0.2, dropout=dropout, add_self_loops=True, bias=True
    )


@MODELS.register_module()
class CorrectionGAT(nn.Module):
    """dropout, `conv1` (heads side by side), ELU, dropout, `conv2` (one head) -> C logits for each node.

    Args:
        features: d, of a node.
        classes: C, background among them.
        channels: of a head of the first layer; heads: of these.
        dropout: of features and of attention weights in training.
    """

    def __init__(self, features: int, classes: int, channels: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.conv1 = attention_layer(features, channels, heads, True, dropout)
        self.conv2 = attention_layer(channels * heads, classes, 1, False, dropout)

    def forward(self, features: Tensor, edges: Tensor) -> Tensor:
        """features: float [N, d]; edges: int64 [2, E], row 0 sources, row 1 targets -> logits [N, C]."""
        hidden = F.dropout(features, self.dropout, self.training)
        hidden = F.elu(self.conv1(hidden, edges))
        return self.conv2(F.dropout(hidden, self.dropout, self.training), edges)


def batched(graphs: Sequence[Graph], device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Several graphs as one without edges between them: features [N, d], edges [2, E], labels [N], class ids or 255."""
    starts = np.cumsum([0, *(len(graph.features) for graph in graphs)])
    edges = [graph.edges + start for graph, start in zip(graphs, starts, strict=False)]
    parts = ([graph.features for graph in graphs], edges, [graph.labels.astype(np.int64) for graph in graphs])
    features, joined, labels = (np.concatenate(part, axis) for part, axis in zip(parts, (0, 1, 0), strict=True))
    return tuple(torch.from_numpy(part).to(device) for part in (features, joined, labels))


def best_classes(logits: Tensor, present: Sequence[int]) -> np.ndarray:
    """The class of the highest logit of each node among those that the photo has: uint8 [N].

    logits: [N, C]; present: class ids, the background among them.
    """
    known = torch.as_tensor(sorted(present), device=logits.device)
    return known[logits[:, known].argmax(dim=1)].to(torch.uint8).cpu().numpy()
