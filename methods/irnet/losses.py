"""The loss of inter-pixel relations: boundary and displacement learned from pairs of confident pixels.

Pairs (i, j) closer than the radius are of the same foreground class (P_fg), both background (P_bg) or of different
classes (N). B is the class boundary map, D the displacement field.
"""

from __future__ import annotations

import torch
from torch import Tensor

from common.ops.affinity import EPS, PairLabels, PathSet, boundary_loss, path_set


def irn_loss(edge_logit: Tensor, displacement: Tensor | None, label: Tensor, radius: int = 10) -> dict[str, Tensor]:
    """All terms of the loss and their total, every one a scalar tensor.

    edge_logit: [B, 1, h, w]; displacement: [B, 2, h, w], (dy, dx) in cells, None where that branch is left out; label:
    integer [B, h, w] on the same grid, 0 background, 255 unknown. `loss` is half of the paper's plain sum, as in the
    released code:

        loss = (L_pos + L_neg) / 2 + (L_D_fg + L_D_bg) / 2,   L_pos = (L_bg_pos + L_fg_pos) / 2.

    Sums run over the whole batch; a kind of pairs that is missing adds 0.
    """
    paths = path_set(radius)
    pairs = paths.labels(label)
    terms = boundary_loss(edge_logit, pairs, paths)
    terms["pos"] = (terms["bg_pos"] + terms["fg_pos"]) / 2
    if displacement is not None:
        terms |= displacement_loss(pair_displacement(displacement, paths), pairs, paths)
        terms["loss"] = terms["loss"] + (terms["fg_displacement"] + terms["bg_displacement"]) / 2
    return terms


def displacement_loss(delta: Tensor, pairs: PairLabels, paths: PathSet) -> dict[str, Tensor]:
    """Inside an object D(i) - D(j) is the offset of the pair, on background it is 0.

    delta: [B, 2, n, m] from `pair_displacement`, cells; L1, mean over both components.
    """
    offset = torch.as_tensor(paths.offsets, dtype=delta.dtype, device=delta.device).T[None, :, :, None]
    foreground, background = pairs.foreground[:, None], pairs.background[:, None]
    return {
        "fg_displacement": _mean_of_components(foreground, (delta - offset).abs()),
        "bg_displacement": _mean_of_components(background, delta.abs()),
    }


def pair_displacement(displacement: Tensor, paths: PathSet) -> Tensor:
    """delta_ij = D(i) - D(j) of every pair: [B, 2, h, w] -> [B, 2, n, m], source minus destination."""
    return paths.at_sources(displacement) - paths.at_destinations(displacement)


def _mean_of_components(pairs: Tensor, value: Tensor) -> Tensor:
    return (pairs * value).sum() / (2 * pairs.sum() + EPS)
