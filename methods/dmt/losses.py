"""The losses of mutual training: cross entropy against pseudo labels, weighted by what the trained network thinks.

Of every pixel: y the label and c_l the confidence of the labeller; p the trained network's softmax, q = p_y,
a = argmax p, c = max p. A rule turns them into a weight and a label; gradient flows through the cross entropy alone.
Pixels of labelled images weigh 1, pixels without a label (255) nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from common.base.constants import IGNORE


@dataclass(frozen=True)
class Pixels:
    """What a rule sees, without gradient; all [N, H, W].

    label: y, int64, 255 where there is none; confidence: c_l; agreed: a == y; own: a, int64; own_confidence: c; fit: q.
    """

    label: Tensor
    confidence: Tensor
    agreed: Tensor
    own: Tensor
    own_confidence: Tensor
    fit: Tensor


Rule = Callable[..., tuple[Tensor, Tensor]]


def dynamic(pixels: Pixels, gamma_agree: float = 5.0, gamma_disagree: float = 5.0) -> tuple[Tensor, Tensor]:
    """DMT (sec. 3.2): q^gamma_agree where both agree; else q^gamma_disagree, or 0 if the trained network is surer.

    Ties (c == c_l) learn. With both gammas 0 every weight is 1, the last case included, as in the released code.
    """
    if gamma_agree == 0 and gamma_disagree == 0:
        return torch.ones_like(pixels.fit), pixels.label
    overruled = pixels.own_confidence > pixels.confidence
    disagreed = torch.where(overruled, 0.0, pixels.fit**gamma_disagree)
    return torch.where(pixels.agreed, pixels.fit**gamma_agree, disagreed), pixels.label


def naive(pixels: Pixels, gamma: float = 5.0) -> tuple[Tensor, Tensor]:
    """q^gamma, whichever is surer: DST's weight, and the ablation "naive" when the labeller is another network."""
    return pixels.fit**gamma, pixels.label


def flip(pixels: Pixels, gamma_agree: float = 5.0, gamma_disagree: float = 5.0) -> tuple[Tensor, Tensor]:
    """As `dynamic`, but where the trained network is surer the label becomes its own, weighted (1 - c_l)^gamma."""
    weight, label = dynamic(pixels, gamma_agree, gamma_disagree)
    flipped = ~pixels.agreed & (pixels.own_confidence > pixels.confidence) & (label != IGNORE)
    weight = torch.where(flipped, (1 - pixels.confidence) ** gamma_disagree, weight)
    return weight, torch.where(flipped, pixels.own, label)


def online(pixels: Pixels, threshold: float = 0.9) -> tuple[Tensor, Tensor]:
    """No stored labels: the network's own one where its confidence exceeds `threshold`, weight 1."""
    label = torch.where(pixels.own_confidence > threshold, pixels.own, IGNORE)
    return torch.ones_like(pixels.fit), label


def plain(pixels: Pixels) -> tuple[Tensor, Tensor]:
    """Every pseudo label weighs 1 (CBST)."""
    return torch.ones_like(pixels.fit), pixels.label


RULES: dict[str, Rule] = {"dynamic": dynamic, "naive": naive, "flip": flip, "online": online, "plain": plain}


def mutual_loss(
    logits: Tensor, label: Tensor, confidence: Tensor, labelled: Tensor, rule: str = "dynamic", **options: Any
) -> tuple[Tensor, dict[str, Tensor]]:
    """Sum of weight times cross entropy, over the number of pixels that have a label (not over the sum of weights).

    Args:
        logits: float [N, C, H, W], at the size of the labels.
        label: int64 [N, H, W], 0..C-1 or 255.
        confidence: float [N, H, W], the labeller's; any value where there is no label or the image is labelled.
        labelled: bool [N], images with ground truth.
        rule, options: the name of one of `RULES` and its parameters.

    Returns:
        The loss, a scalar (0 where no pixel has a label), and of the labelled pixels `plain_ce` (every weight 1) and
        `mean_weight`, of the pseudo-labelled ones the counts `disagree` and, of these, `overruled` (the trained network
        is surer); scalars without gradient.
    """
    log_p = logits.float().log_softmax(1)
    seen = look(log_p.detach(), label, confidence)
    weight, target = weights_and_targets(seen, labelled, rule, **options)
    ce = -log_p.gather(1, target.masked_fill(target == IGNORE, 0)[:, None])[:, 0]
    count = (target != IGNORE).sum().clamp(min=1)
    disagree = ~labelled[:, None, None] & (label != IGNORE) & ~seen.agreed
    statistics = {
        "plain_ce": ce.detach().masked_fill(target == IGNORE, 0.0).sum() / count,
        "mean_weight": weight.sum() / count,
        "disagree": disagree.sum(),
        "overruled": (disagree & (seen.own_confidence > confidence)).sum(),
    }
    return (weight * ce).sum() / count, statistics


def look(log_p: Tensor, label: Tensor, confidence: Tensor) -> Pixels:
    """The pixels of a batch; log_p: log-softmax [N, C, H, W] without gradient, the rest as in `mutual_loss`."""
    best, own = log_p.max(1)
    known = label.masked_fill(label == IGNORE, 0)
    fit = log_p.gather(1, known[:, None])[:, 0].exp()
    return Pixels(label, confidence, own == label, own, best.exp(), fit)


def weights_and_targets(pixels: Pixels, labelled: Tensor, rule: str, **options: Any) -> tuple[Tensor, Tensor]:
    """Weight, float [N, H, W], and class to learn, int64 [N, H, W], of every pixel; labelled images weigh 1.

    Weight 0 and class 255 where there is nothing to learn. Arguments as in `mutual_loss`.
    """
    given = labelled[:, None, None]
    weight, target = RULES[rule](pixels, **options)
    target = torch.where(given, pixels.label, target)
    return torch.where(given, 1.0, weight).masked_fill(target == IGNORE, 0.0), target
