"""The loss of a photo's graph network."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from common.base.constants import IGNORE
from methods.wsgcn.laplacian import smoothness


def propagation_loss(
    log_prob: Tensor, labels: Tensor, laplacian: Any, entropy: float, smooth: float
) -> dict[str, Tensor]:
    """loss = fg + bg + entropy H + smooth S, and its terms `fg`, `bg`, `entropy`, `laplacian` (released code).

    fg and bg are means of their own over the cells labelled with a class and over those labelled background, so both
    weigh the same however many cells they have. H is the mean of -p log p over the open cells and all classes. S is
    `smoothness` of the log-probabilities. A group without cells counts 0 (the released code makes NaN of it).

    log_prob: float [N, C]; labels: int64 [N], 255 open; laplacian: of `smoothness`; entropy: 10 for 21 classes; smooth:
    0.01, and where a weight is 0 its term is not computed and stands as 0.
    """
    is_open, background = labels == IGNORE, labels == 0
    unsure = log_prob[is_open]
    none = log_prob.new_zeros(())
    terms = {
        "fg": _mean_nll(log_prob, labels.masked_fill(background, IGNORE)),
        "bg": _mean_nll(log_prob, labels.masked_fill(~background, IGNORE)),
        "entropy": -(unsure.exp() * unsure).sum() / max(unsure.numel(), 1) if entropy else none,
        "laplacian": smoothness(log_prob, laplacian) if smooth else none,
    }
    total = terms["fg"] + terms["bg"] + entropy * terms["entropy"] + smooth * terms["laplacian"]
    return {"loss": total, **terms}


def _mean_nll(log_prob: Tensor, labels: Tensor) -> Tensor:
    """The mean over the cells that have a label; 0 where none has."""
    total = F.nll_loss(log_prob, labels, ignore_index=IGNORE, reduction="sum")
    return total / (labels != IGNORE).sum().clamp(min=1)
