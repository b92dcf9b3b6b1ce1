"""Cross entropy on label maps."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch.nn.functional as F
from torch import Tensor

from common.base.constants import IGNORE
from common.ops.resize import resize_labels


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
