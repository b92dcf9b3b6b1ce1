"""Strong-Weak's loss: each kind of labels has a mean of its own, over the output that answers for it."""

from __future__ import annotations

from torch import Tensor

from common.ops.losses import pixel_cross_entropy


def dual_loss(
    strong_logits: Tensor, weak_logits: Tensor, labels: Tensor, strong: Tensor, weak_weight: float = 1.0
) -> dict[str, Tensor]:
    """L = CE(strong branch, strong images) + w CE(weak branch, weak images), each over its own pixels with a label.

    One mean over the whole batch would let the kind with more pixels decide.

    Args:
        strong_logits: of the images with masks, float [S, C, h, w]; weak_logits: of the others, [N - S, C, h, w].
        labels: integer [N, h, w], 255 where there is none; strong: bool [N], the images with masks.
        weak_weight: w.

    Returns:
        `strong` and `weak` (the weighted term) and their sum `total`, scalars; a kind without a pixel gives 0.
    """
    by_masks = pixel_cross_entropy(strong_logits, labels[strong])
    by_others = weak_weight * pixel_cross_entropy(weak_logits, labels[~strong])
    return {"strong": by_masks, "weak": by_others, "total": by_masks + by_others}
