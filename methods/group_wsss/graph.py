"""The graph of a group: co-attention messages, gated and fused, a convolutional GRU, graph dropout (sec. 3)."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from common.base.errors import UserError

Messages = Literal["concat", "sum"]


class CoAttention(nn.Module):
    """Gated messages between the maps of two images.

    With q = P_a(h_i) and k = P_b(h_j) a position p of image i receives m_p = sum_s softmax_s(q_p . k_s) h_j,s over the
    positions s of image j. The scores are not divided by sqrt(d), and what is sent are the maps themselves. The gate
    sigmoid(W m) is one number for each position.

    Args:
        channels: of the maps, C.
        width: of both projections, d.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.query = nn.Conv2d(channels, width, 1)
        self.key = nn.Conv2d(channels, width, 1)
        self.gate = nn.Conv2d(channels, 1, 1, bias=False)

    def forward(self, states: Tensor, to: list[int], source: list[int]) -> Tensor:
        """Messages of the pairs (to[n] <- source[n]), float [G, N, C, h, w], of the nodes [G, K, C, h, w].

        Every node is projected once, however many pairs it is in. Zeros make all vectors equally long and the maps lie
        in rows of memory: only then does the attention keep no h w x h w matrix.
        """
        channels, *size = states.shape[2:]
        nodes = states.flatten(0, 1)
        query, key = (layer(nodes).view(*states.shape[:2], -1, *size) for layer in (self.query, self.key))
        longest = max(channels, query.shape[2])

        def rows(maps: Tensor, chosen: list[int]) -> Tensor:
            vectors = maps[:, chosen].flatten(3).transpose(2, 3)
            return F.pad(vectors, (0, longest - maps.shape[2])).contiguous()

        found = F.scaled_dot_product_attention(rows(query, to), rows(key, source), rows(states, source), scale=1.0)
        found = found[..., :channels].transpose(2, 3).unflatten(3, size)
        gate = self.gate(found.flatten(0, 1)).sigmoid()
        return found * gate.view(*found.shape[:2], 1, *size)


class ConvGRUCell(nn.Module):
    """A gated recurrent unit of 1x1 convolutions on [message, state]; both have `channels`, C."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.reset, self.update, self.out = (nn.Conv2d(2 * channels, channels, 1) for _ in range(3))

    def forward(self, message: Tensor, state: Tensor | None = None) -> Tensor:
        """The new state (1 - u) state + u tanh(out[message, r state]), float [B, C, h, w]; no state: zeros."""
        state = torch.zeros_like(message) if state is None else state
        joined = torch.cat([message, state], dim=1)
        update, reset = self.update(joined).sigmoid(), self.reset(joined).sigmoid()
        new = self.out(torch.cat([message, state * reset], dim=1)).tanh()
        return (1 - update) * state + update * new


class GraphDropout(nn.Module):
    """Hides the strongest positions of a map, or weights all by their importance; always active.

    With the channel mean a and its maximum in the image: the mask is 1 where a < threshold max(a), and 0 elsewhere; the
    importance is sigmoid(a). The result is (h s + h) / 2, s being one of the two. It does not ask whether the network
    trains: the maps are taken with it on.

    Args:
        rate: probability of the mask.
        threshold: share of the maximum. A mean that is negative everywhere hides nothing.
    """

    def __init__(self, rate: float, threshold: float) -> None:
        super().__init__()
        self.rate, self.threshold = rate, threshold

    def takes_mask(self, draws: Tensor) -> Tensor:
        """Which uses take the mask, bool, from numbers of [0, 1)."""
        return draws + self.rate >= 1

    def draw(self, *size: int) -> Tensor:
        """`takes_mask` of so many uses, drawn on the CPU whatever the device."""
        return self.takes_mask(torch.rand(size))

    def forward(self, x: Tensor, use_mask: Tensor) -> Tensor:
        """float [B, C, h, w] -> the same; use_mask: bool [B]."""
        mean = x.mean(dim=1, keepdim=True)
        mask = (mean < self.threshold * mean.amax(dim=(2, 3), keepdim=True)).to(x)
        chosen = torch.where(use_mask.to(x.device)[:, None, None, None], mask, mean.sigmoid())
        return (x * chosen + x) / 2


class GroupGraph(nn.Module):
    """A fully connected graph whose nodes are the class maps of a group's images.

    In each round all nodes are updated from the old states of all, then the dropout is applied to each. Projections,
    gate, fusion and unit are shared by all nodes and rounds.

    Args:
        channels: of the class maps, C - 1; group_size: images, K; rounds: R.
        width: of the attention's projections.
        messages: "concat", as released: the messages of the others in ascending order through one 3x3 convolution;
            "sum", as the paper's equation 8: the sum of all, the node's own among them.
        drop_rate, drop_threshold: of the `GraphDropout`; rate None: there is none.

    Raises:
        UserError: a group of one image with "concat", or another word for `messages`.
    """

    def __init__(
        self,
        channels: int,
        group_size: int,
        rounds: int,
        width: int,
        messages: Messages,
        drop_rate: float | None,
        drop_threshold: float,
    ) -> None:
        super().__init__()
        if messages not in ("concat", "sum"):
            raise UserError(f"model.messages is {messages!r}: it must be 'concat' or 'sum'.")
        if group_size < 2 and messages == "concat":
            raise UserError(f"model.group_size is {group_size}: a node needs another, so take 2 or more.")
        self.group_size, self.rounds, self.messages = group_size, rounds, messages
        self.attention = CoAttention(channels, width)
        others = group_size - 1
        self.fusion = nn.Conv2d(others * channels, channels, 3, padding=1) if messages == "concat" else None
        self.unit = ConvGRUCell(channels)
        self.dropout = None if drop_rate is None else GraphDropout(drop_rate, drop_threshold)
        nodes = range(group_size)
        pairs = [(i, j) for i in nodes for j in nodes if messages == "sum" or i != j]
        self.to, self.source = ([pair[end] for pair in pairs] for end in (0, 1))

    def fused(self, states: Tensor) -> Tensor:
        """What every node receives, float [G K, C, h, w], from the nodes [G, K, C, h, w]."""
        messages = self.attention(states, self.to, self.source)
        messages = messages.unflatten(1, (self.group_size, -1)).flatten(0, 1)
        return messages.sum(dim=1) if self.fusion is None else self.fusion(messages.flatten(1, 2))

    def update(self, states: Tensor) -> Tensor:
        """One round without the dropout: nodes [G, K, C, h, w] -> the same."""
        return self.unit(self.fused(states), states.flatten(0, 1)).view_as(states)

    def forward(self, states: Tensor, use_mask: Tensor | None = None) -> Tensor:
        """All rounds, float [G, K, C, h, w] -> the same.

        use_mask: bool [G, R, K], which uses of the dropout take the mask; None: they are drawn.
        """
        if self.dropout is not None and use_mask is None:
            use_mask = self.dropout.draw(len(states), self.rounds, self.group_size)
        for number in range(self.rounds):
            states = self.update(states)
            if self.dropout is not None:
                chosen = use_mask[:, number].flatten()
                states = self.dropout(states.flatten(0, 1), chosen).view_as(states)
        return states
