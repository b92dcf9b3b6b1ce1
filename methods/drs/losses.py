"""Target and loss of the refinement network, and the second term of DRS's DeepLab v2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from common.ops.losses import pixel_cross_entropy, self_labels

Choice = Literal["product", "mask"]


def keep_pixel_maximum(maps: Tensor) -> Tensor:
    """At every pixel the largest of the classes keeps its value, the others become 0; equal ones stay: [..., K, h, w].

    Classes that are 0 everywhere may be left out of maps >= 0: the result is the same.
    """
    if not maps.shape[-3]:
        return maps
    return maps * (maps == maps.amax(dim=-3, keepdim=True))


def refinement_target(planes: Sequence[Tensor], tags: Tensor) -> Tensor:
    """What the refinement network learns (sec. 3.3), float [B, C - 1, h, w] in [0, 1]; 0 for the other classes.

    planes: for each image float [K, h, w] in [0, 1], maps of its tags in the order of the class ids, in whole levels of
    255: rounding takes the last digit of their storage off. tags: [B, C - 1], 0 or 1.

    Raises:
        ValueError: an image has another number of planes than tags.
    """
    target = planes[0].new_zeros(len(planes), tags.shape[1], *planes[0].shape[1:])
    for own, maps, present in zip(target, planes, tags > 0, strict=True):
        if len(maps) != int(present.sum()):
            raise ValueError(f"{len(maps)} maps do not fit {int(present.sum())} tags")
        own[present] = keep_pixel_maximum((255 * maps).round() / 255)
    return target


def refinement_loss(maps: Tensor, target: Tensor) -> Tensor:
    """Mean squared error over the batch, all classes and pixels: a scalar.

    maps: raw float [B, C - 1, h', w'], enlarged with aligned corners; target: [B, C - 1, h, w].
    """
    large = F.interpolate(maps, target.shape[-2:], mode="bilinear", align_corners=True)
    return F.mse_loss(large, target)


def own_labels(logits: Tensor, tags: Tensor, choice: Choice) -> Tensor:
    """The network's labels among background and the image's tags, int64 [B, h, w], without a gradient.

    logits: float [B, C, h, w]; tags: [B, C - 1], 0 or 1. "product": argmax of logit times tag, where a class without
    tag has 0 and so wins over negative logits; "mask": such classes cannot win.
    """
    known = torch.cat([torch.ones_like(tags[:, :1]), tags], dim=1)
    if choice == "product":
        return self_labels(logits, known)
    return logits.detach().masked_fill(known[:, :, None, None] == 0, float("-inf")).argmax(dim=1)


def self_label_loss(logits: Tensor, tags: Tensor, choice: Choice) -> Tensor:
    """Cross entropy of the logits with `own_labels`, mean over all pixels: a scalar."""
    return pixel_cross_entropy(logits, own_labels(logits, tags, choice))
