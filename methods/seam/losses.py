"""SEAM's losses: classification, equivariance of the maps under a change of scale, and their parts.

Maps are [B, C, H, W] with channel 0 the background and channel k the class id k.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

EPS = 1e-5


def seam_losses(
    cam1: Tensor,
    refined1: Tensor,
    cam2: Tensor,
    refined2: Tensor,
    tags: Tensor,
    scale: float = 0.3,
    hard_fraction: float = 0.2,
    min_fraction: float = 0.25,
    min_weight: float = 1.0,
) -> dict[str, Tensor]:
    """All terms of the loss (sec. 3.4) and their total, every one a scalar tensor.

        loss = cls + min_weight * min + er + ecr

    with `cls` and `min` the means over the two views, `cls1`, `cls2`, `min1`, `min2`, and `ecr` = `ecr1` + `ecr2`.

    cam1, refined1: float32 [B, C, H, W], raw and refined maps of the image, at its size; cam2, refined2: [B, C, h, w],
    those of its copy reduced by `scale` (see `shrink`); tags: [B, C - 1], 0 or 1; hard_fraction: share of the largest
    differences that count in `ecr`; min_fraction, min_weight: of `adaptive_min_pooling_loss`, which only the
    released code has (in the paper its weight is 0).

    Class scores are means over the maps at image size: with aligned corners a cell at the edge of the network's grid
    counts about half.
    """
    tags = tags.to(cam1)
    present = torch.cat([torch.ones_like(tags[:, :1]), tags], dim=1)[:, :, None, None]
    terms = {
        **classification_losses(cam1, cam2, tags),
        "min1": adaptive_min_pooling_loss((refined1 * present)[:, 1:], min_fraction),
        "min2": adaptive_min_pooling_loss((refined2 * present)[:, 1:], min_fraction),
    }
    # The image's maps are normalised at its own size and then reduced, those of the copy are normalised as they are.
    cam1, refined1 = (shrink(max_norm(maps), scale) * present for maps in (cam1, refined1))
    cam2, refined2 = (max_norm(maps) * present for maps in (cam2, refined2))
    terms["er"] = (cam1 - cam2)[:, 1:].abs().mean()
    terms["ecr1"] = cross_loss(cam2, refined1, hard_fraction)
    terms["ecr2"] = cross_loss(cam1, refined2, hard_fraction)

    terms["min"] = (terms["min1"] + terms["min2"]) / 2
    terms["ecr"] = terms["ecr1"] + terms["ecr2"]
    return {"loss": terms["cls"] + min_weight * terms["min"] + terms["er"] + terms["ecr"], **terms}


def classification_losses(cam1: Tensor, cam2: Tensor, tags: Tensor) -> dict[str, Tensor]:
    """`classification_loss` of both views, `cls1` and `cls2`, and their mean, `cls`."""
    first, second = classification_loss(cam1, tags), classification_loss(cam2, tags)
    return {"cls1": first, "cls2": second, "cls": (first + second) / 2}


def classification_loss(cam: Tensor, tags: Tensor) -> Tensor:
    """Multi-label soft margin of the mean class maps: [B, C, H, W], [B, C - 1] -> scalar, mean over classes, batch."""
    return F.multilabel_soft_margin_loss(cam.mean(dim=(2, 3))[:, 1:], tags)


def cross_loss(cam: Tensor, refined: Tensor, hard_fraction: float = 0.2) -> Tensor:
    """Equivariant cross regularisation (sec. 3.4): the refined map of one view follows the raw map of the other.

    cam, refined: [B, C, h, w] in [0, 1], normalised. The target is the raw map with its background score and its
    largest class alone, without a gradient. Returns the mean of the largest `hard_fraction` of the differences of each
    image.
    """
    target = keep_largest(replace_background(cam.detach()))
    difference = (target - refined).abs().flatten(1)
    return difference.topk(int(difference.shape[1] * hard_fraction), dim=1).values.mean()


def adaptive_min_pooling_loss(x: Tensor, fraction: float = 0.25) -> Tensor:
    """Mean of the lowest `fraction` of the pixels of the foreground, at least 0: [B, C, H, W] -> scalar.

    A pixel's foreground is the maximum over its channels; the lowest pixels are taken image by image.
    """
    foreground = x.amax(dim=1).flatten(1)
    lowest = foreground.topk(int(foreground.shape[1] * fraction), dim=1, largest=False).values
    return lowest.relu().mean()


def max_norm(maps: Tensor, eps: float = EPS) -> Tensor:
    """Every map to [0, 1): with m = relu(m), relu(m - min m - eps) / (max m - min m + eps); [..., H, W].

    A constant map gives 0. The gradient flows through maximum and minimum, too.
    """
    maps = maps.relu()
    flat = maps.flatten(-2)
    highest, lowest = (extreme.values[..., None, None] for extreme in (flat.max(dim=-1), flat.min(dim=-1)))
    return (maps - lowest - eps).relu() / (highest - lowest + eps)


def replace_background(maps: Tensor) -> Tensor:
    """The same maps [B, C, h, w], with 1 - max over the classes in channel 0."""
    classes = maps[:, 1:]
    return torch.cat([1 - classes.amax(dim=1, keepdim=True), classes], dim=1)


def keep_largest(maps: Tensor) -> Tensor:
    """At every pixel the largest class keeps its value and the others become 0; equal ones and channel 0 stay."""
    background, classes = maps[:, :1], maps[:, 1:]
    return torch.cat([background, classes * (classes == classes.amax(dim=1, keepdim=True))], dim=1)


def shrink(x: Tensor, scale: float = 0.3) -> Tensor:
    """[B, C, H, W] -> [B, C, floor(scale H), floor(scale W)], bilinear with aligned corners: 448 -> 134 for 0.3."""
    return F.interpolate(x, scale_factor=scale, mode="bilinear", align_corners=True)
