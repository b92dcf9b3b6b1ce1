"""Puzzle-CAM's losses: classification by both maps, and their distance, with the options of the released code.

A and A' are class maps [B, C, h, w] of C foreground classes: of the image, and of its tiles put together.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from common.models.progress import TrainingProgress

EPS = 1e-5

Distance = Literal["l1", "l2"]
Reduction = Literal["masking", "selection", "none"]
Level = Literal["feature", "cam"]


def puzzle_loss(
    full: Tensor,
    merged: Tensor,
    tags: Tensor,
    alpha: float,
    *,
    p_cls: bool = True,
    distance: Distance = "l1",
    reduction: Reduction = "masking",
    level: Level = "feature",
    tile_logits: Tensor | None = None,
) -> dict[str, Tensor]:
    """All terms of the paper's loss and their total, every one a scalar tensor.

        loss = L_cls + L_pcls + alpha L_re
        L_cls = msm(GAP(A), y)    L_pcls = msm(GAP(A'), y)    L_re = mean |A - A'| y

    with `cls`, `p_cls` and `re`; msm is the multi-label soft margin, a mean over classes and images. No gradient is
    cut: `re` pulls both maps.

    full, merged: float32 [B, C, h, w], raw, so they may be negative; tags: [B, C], 0 or 1; p_cls: False leaves L_pcls
    out; distance, reduction: of `reconstruction_loss`; level: "cam" sends both maps through `make_cam` before L_pcls
    and L_re, which the paper's numbers do not; tile_logits: [n, C], adds their `entropy`; None: there is no such term.
    """
    tags = tags.to(full)
    terms = {"cls": F.multilabel_soft_margin_loss(full.mean(dim=(2, 3)), tags)}
    if level == "cam":
        full, merged = make_cam(full), make_cam(merged)
    if p_cls:
        terms["p_cls"] = F.multilabel_soft_margin_loss(merged.mean(dim=(2, 3)), tags)
    terms["re"] = reconstruction_loss(full, merged, tags, distance, reduction)
    if tile_logits is not None:
        terms["entropy"] = entropy(tile_logits)
    total = sum(term for name, term in terms.items() if name != "re")
    return {"loss": total + alpha * terms["re"], **terms}


def reconstruction_loss(
    full: Tensor, merged: Tensor, tags: Tensor, distance: Distance = "l1", reduction: Reduction = "masking"
) -> Tensor:
    """L_re of the paper, the distance of two maps [B, C, h, w]: scalar.

    distance: |A - A'| or (A - A')^2.
    reduction: "masking" takes the classes of `tags` alone, and its mean is over all C classes, so absent ones count as
    0; "selection" is the mean over the present classes of an image, then over images, of which those without a tag
    count as 0; "none" is the mean over all classes, present or not.
    """
    apart = full - merged
    apart = apart.abs() if distance == "l1" else apart.square()
    if reduction == "none":
        return apart.mean()
    tags = tags.to(full)
    present = apart * tags[:, :, None, None]
    if reduction == "masking":
        return present.mean()
    return (present.mean(dim=(2, 3)).sum(dim=1) / tags.sum(dim=1).clamp(min=1)).mean()


def make_cam(maps: Tensor) -> Tensor:
    """Class maps on the scale of CAMs: relu(relu(m) - eps) / (max relu(m) + eps) per map, [B, C, h, w] in [0, 1)."""
    maps = maps.relu()
    highest = maps.flatten(2).max(dim=2).values[:, :, None, None]
    return (maps - EPS).relu() / (highest + EPS)


def entropy(logits: Tensor) -> Tensor:
    """Mean over tiles of -sum over classes of s log(s + 1e-5), with s = sigmoid(logits): [n, C] -> scalar, >= 0.

    An option of the code, not of the paper.
    """
    scores = torch.sigmoid(logits)
    return -(scores * (scores + EPS).log()).sum(dim=1).mean()


def ramp(progress: TrainingProgress | None, peak: float, share: float) -> float:
    """alpha(t) = min(peak t / (share T), peak) at iteration t, from 0, of T, as the released code has it.

    progress: None, outside of a training, gives the peak; share: of the training over which alpha rises, in [0, 1];
    with 0 alpha is the peak from the start.
    """
    if progress is None or not share:
        return peak
    return min(peak * progress.iteration / (progress.iterations * share), peak)
