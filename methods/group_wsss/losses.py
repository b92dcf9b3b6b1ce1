"""The loss of a group."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def group_loss(initial: Tensor, final: Tensor, tags: Tensor, initial_weight: float, divisor: float) -> Tensor:
    """(w sum_i L(initial_i, y_i) + sum_i L(final_i, y_i)) / divisor of each group, mean over the groups: a scalar.

    L is the multi-label soft margin, a mean over the classes (released code, train.py).

    initial, final: logits before and behind the graph, float [G, K, C - 1]; tags: [G, K, C - 1], 0 or 1;
    initial_weight: w; divisor: 6 since April 2021, 1 before.
    """
    terms = [F.multilabel_soft_margin_loss(logits, tags) for logits in (initial, final)]
    return tags.shape[1] * (initial_weight * terms[0] + terms[1]) / divisor
