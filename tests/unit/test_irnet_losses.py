"""The inter-pixel losses against loops over pairs and paths."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from common.ops.affinity import path_set
from methods.irnet.losses import irn_loss

RADIUS = 3


def plain_loss(edge_logit: np.ndarray, field: np.ndarray, label: np.ndarray, radius: int) -> dict[str, float]:
    """The equations as they are written: one pair after the other. Arrays [B, h, w] and [B, 2, h, w]."""
    paths, eps = path_set(radius), 1e-5
    boundary = 1 / (1 + np.exp(-edge_logit))
    sums = dict.fromkeys(("bg_pos", "fg_pos", "neg", "fg_displacement", "bg_displacement"), 0.0)
    counts = dict.fromkeys(("bg", "fg", "neg"), 0)
    height, width = label.shape[1:]
    for b in range(len(label)):
        for (dy, dx), path in zip(paths.offsets.tolist(), paths.paths, strict=True):
            for y in range(height - paths.margin):
                for x in range(paths.margin, width - paths.margin):
                    here, there = label[b, y, x], label[b, y + dy, x + dx]
                    if 255 in (here, there):
                        continue
                    affinity = 1 - max(boundary[b, y + py, x + px] for py, px in path)
                    delta = field[b, :, y, x] - field[b, :, y + dy, x + dx]
                    if here != there:
                        counts["neg"] += 1
                        sums["neg"] -= math.log(1 + eps - affinity)
                        continue
                    kind = "fg" if here else "bg"
                    counts[kind] += 1
                    sums[f"{kind}_pos"] -= math.log(affinity + eps)
                    target = (dy, dx) if here else (0, 0)
                    sums[f"{kind}_displacement"] += np.abs(delta - target).sum()
    terms = {name: sums[name] / (counts[name.removesuffix("_pos")] + eps) for name in ("bg_pos", "fg_pos", "neg")}
    for kind in ("fg", "bg"):
        terms[f"{kind}_displacement"] = sums[f"{kind}_displacement"] / (2 * counts[kind] + eps)
    return terms


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    label = torch.tensor([0, 1, 2, 255])[torch.randint(4, (2, 8, 9), generator=generator)]
    label[:, :4] = label[:, :1]  # so that there are equal neighbours of every kind
    edge = torch.randn(2, 1, 8, 9, generator=generator)
    return edge, 3 * torch.randn(2, 2, 8, 9, generator=generator), label


def test_loss_is_the_sum_over_pairs(batch):
    edge, field, label = batch
    terms = irn_loss(edge, field, label, RADIUS)
    plain = plain_loss(edge[:, 0].double().numpy(), field.double().numpy(), label.numpy(), RADIUS)
    assert min(plain.values()) > 0
    for name, value in plain.items():
        assert terms[name].item() == pytest.approx(value, rel=1e-5), name
    boundary = ((plain["bg_pos"] + plain["fg_pos"]) / 2 + plain["neg"]) / 2
    total = boundary + (plain["fg_displacement"] + plain["bg_displacement"]) / 2
    assert terms["loss"].item() == pytest.approx(total, rel=1e-5)
    assert irn_loss(edge, None, label, RADIUS)["loss"].item() == pytest.approx(boundary, rel=1e-5)


def test_unknown_labels_give_no_loss_and_a_finite_gradient(batch):
    edge, field, label = batch
    edge.requires_grad_(), field.requires_grad_()
    loss = irn_loss(edge, field, torch.full_like(label, 255), RADIUS)["loss"]
    loss.backward()
    assert loss.item() == 0
    assert not edge.grad.any() and not field.grad.any()


def test_the_right_displacement_costs_nothing(batch):
    edge, _, label = batch
    label = torch.where(label == 255, 255, 3)  # one object
    y, x = torch.meshgrid(torch.arange(8.0), torch.arange(9.0), indexing="ij")
    towards_centre = torch.stack([4 - y, 4 - x])[None].expand(2, -1, -1, -1)
    right = irn_loss(edge, towards_centre, label, RADIUS)["fg_displacement"]
    assert right.item() == pytest.approx(0, abs=1e-5)
    assert irn_loss(edge, -towards_centre, label, RADIUS)["fg_displacement"].item() > 1


def test_a_wall_between_two_classes_is_cheaper_than_none():
    label = torch.zeros(1, 8, 10, dtype=torch.long)
    label[..., 5:] = 1
    field, flat = torch.zeros(1, 2, 8, 10), torch.full((1, 1, 8, 10), -6.0)
    wall = flat.clone()
    wall[..., 5] = 6
    assert irn_loss(wall, field, label, RADIUS)["neg"] < 0.01 < irn_loss(flat, field, label, RADIUS)["neg"]
