"""The graph network of one photo: two of torch-geometric's GCN layers. Nothing but a fit imports this file."""

from __future__ import annotations

import warnings
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)  # it uses a part of torch that will go
    from torch_geometric.nn import GCNConv


class Propagation(GCNConv):
    """A GCN layer, A (x W) + b, whose A is given whole: torch-geometric's `lin` and `bias`, without its own
    normalisation and loops.

    The library's layer takes edges or sparse matrices. Here A is dense, or an object that never forms it.
    `conv(x, edge_index, edge_weight)` of the library is the same with an edge (source j, target i) of weight A_ij for
    each pair.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__(channels, width, normalize=False, add_self_loops=False)

    def draw(self, generator: torch.Generator) -> None:
        """Initial values uniform within 1 / sqrt(outputs): of pygcn, which counts the outputs, not the inputs."""
        bound = self.out_channels**-0.5
        for parameter in (self.lin.weight, self.bias):
            nn.init.uniform_(parameter, -bound, bound, generator=generator)

    def forward(self, x: Tensor, adjacency: Any) -> Tensor:
        """x: float [N, channels]; adjacency: [N, N], or anything with `@`. (A x) W where x is the narrower side."""
        if self.in_channels <= self.out_channels:
            return self.weighted(self.message_and_aggregate(adjacency, x))
        return self.message_and_aggregate(adjacency, self.lin(x)) + self.bias

    def weighted(self, propagated: Tensor) -> Tensor:
        """The layer's output from A x, float [N, channels], that was computed before."""
        return self.lin(propagated) + self.bias

    def message_and_aggregate(self, adjacency: Any, x: Tensor) -> Tensor:
        """A x."""
        return adjacency @ x


class PropagationGCN(nn.Module):
    """log_softmax(A (dropout(ReLU(A (X W1) + b1)) W2) + b2), one row of C log-probabilities for each cell (paper, GCN).

    channels: of the features X (160); width: of the hidden layer (16); classes: C, background among them; dropout: the
    share of hidden values that a step hides (0.3); generator: draws the initial values.
    """

    def __init__(self, channels: int, width: int, classes: int, dropout: float, generator: torch.Generator) -> None:
        super().__init__()
        with torch.device("meta"):  # the library's own initial values would draw from PyTorch's global generator
            self.first, self.second = Propagation(channels, width), Propagation(width, classes)
        self.to_empty(device=generator.device)
        for layer in (self.first, self.second):
            layer.draw(generator)
        self.dropout = dropout

    def forward(self, propagated: Tensor, adjacency: Any, generator: torch.Generator | None = None) -> Tensor:
        """float [N, C]. propagated: A X, float [N, channels], computed once for all steps; generator: draws what the
        dropout hides; None: nothing is hidden.
        """
        hidden = F.relu(self.first.weighted(propagated))
        if generator is not None and self.dropout:
            drawn = torch.rand(hidden.shape, generator=generator, device=hidden.device)
            hidden = hidden * (drawn >= self.dropout) / (1 - self.dropout)
        return F.log_softmax(self.second(hidden, adjacency), dim=1)
