"""Label maps at the size of the logits, and the cross entropy on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from common.data.constants import IGNORE


def nearest_index(inputs: int, outputs: int) -> Tensor:
    """Source index of every output of PIL's nearest resize: floor((i + 1/2) inputs / outputs), int64 [outputs].

    321 -> 41 gives 3, 11, 19, ...: the centres of cells whose corners are not aligned. The positions are summed up in
    double precision as PIL does it; where one falls on a whole number its rounding decides.
    """
    step = inputs / outputs
    positions = np.add.accumulate(np.r_[step / 2, np.full(outputs - 1, step)])
    return torch.from_numpy(positions.astype(np.int64))


def resize_labels(labels: Tensor, size: Sequence[int]) -> Tensor:
    """Labels [..., H, W] of any integer type, shrunk or enlarged to size (h, w) by `nearest_index`."""
    rows = nearest_index(labels.shape[-2], size[0]).to(labels.device)
    columns = nearest_index(labels.shape[-1], size[1]).to(labels.device)
    return labels[..., rows[:, None], columns]


def pixel_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross entropy over the pixels whose label is not 255; 0 where there are none.

    logits: float [B, C, h, w]; labels: integer [B, h, w].
    """
    total = F.cross_entropy(logits, labels.long(), ignore_index=IGNORE, reduction="sum")
    return total / (labels != IGNORE).sum().clamp(min=1)


def multi_scale_losses(
    outputs: Sequence[Tensor],
    labels: Tensor,
    criterion: Callable[[Tensor, Tensor], Tensor] = pixel_cross_entropy,
) -> list[Tensor]:
    """One loss per output: the labels are shrunk to its size. DeepLab v2 trains on the sum.

    outputs: float [B, C, h_i, w_i]; labels: integer [B, H, W].
    """
    return [criterion(output, resize_labels(labels, output.shape[-2:])) for output in outputs]


def self_labels(logits: Tensor, tags: Tensor) -> Tensor:
    """The network's own labels for a further cross entropy: argmax_c of logit_c times tag_c, int64 [B, h, w].

    A product, not a mask: where all tagged classes have negative logits an untagged class (0) wins. (DRS's segmentation
    training.) logits: float [B, C, h, w]; tags: 0 or 1, [B, C], the background's among them.
    """
    return (logits.detach() * tags[:, :, None, None].to(logits)).argmax(1)
