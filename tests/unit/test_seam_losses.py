"""SEAM's losses against loops over images, channels and pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from methods.seam.losses import (
    adaptive_min_pooling_loss,
    cross_loss,
    keep_largest,
    max_norm,
    replace_background,
    seam_losses,
    shrink,
)


@pytest.fixture
def views() -> tuple[list[torch.Tensor], torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    maps = [torch.randn(2, 4, side, side, generator=generator) for side in (20, 20, 6, 6)]
    return maps, torch.tensor([[1.0, 0, 1], [0, 1, 0]])


def plain_max_norm(maps: np.ndarray) -> np.ndarray:
    out = np.zeros_like(maps)
    for index in np.ndindex(maps.shape[:2]):
        m = np.maximum(maps[index], 0)
        out[index] = np.maximum(m - m.min() - 1e-5, 0) / (m.max() - m.min() + 1e-5)
    return out


def plain_target(maps: np.ndarray) -> np.ndarray:
    out = np.zeros_like(maps)
    for b, y, x in np.ndindex(maps.shape[0], *maps.shape[2:]):
        values = maps[b, 1:, y, x]
        out[b, 0, y, x] = 1 - values.max()
        for c, value in enumerate(values):
            if value == values.max():
                out[b, c + 1, y, x] = value
    return out


def hardest(a: np.ndarray, b: np.ndarray) -> float:
    differences = np.abs(a - b).reshape(len(a), -1)
    count = int(differences.shape[1] * 0.2)
    return float(np.mean([np.sort(row)[-count:] for row in differences]))


def plain_losses(maps: list[torch.Tensor], tags: torch.Tensor) -> dict[str, float]:
    """The equations, in the order of the released code."""
    present = np.concatenate([np.ones((2, 1)), tags.numpy()], axis=1)[..., None, None]
    terms = {}
    for view, (cam, refined) in enumerate((maps[:2], maps[2:]), 1):
        logits = cam.double().numpy().mean((2, 3))[:, 1:]
        probability = 1 / (1 + np.exp(-logits))
        terms[f"cls{view}"] = -np.where(tags.numpy() > 0, np.log(probability), np.log(1 - probability)).mean()
        lowest = np.sort((refined.double().numpy() * present)[:, 1:].max(1).reshape(2, -1))
        terms[f"min{view}"] = np.maximum(lowest[:, : lowest.shape[1] // 4], 0).mean()
    large = [shrink(torch.from_numpy(plain_max_norm(m.double().numpy()))).numpy() * present for m in maps[:2]]
    small = [plain_max_norm(m.double().numpy()) * present for m in maps[2:]]
    terms["er"] = np.abs(large[0] - small[0])[:, 1:].mean()
    terms["ecr1"] = hardest(plain_target(small[0]), large[1])
    terms["ecr2"] = hardest(plain_target(large[0]), small[1])
    terms["loss"] = (terms["cls1"] + terms["cls2"] + terms["min1"] + terms["min2"]) / 2
    terms["loss"] += terms["er"] + terms["ecr1"] + terms["ecr2"]
    return terms


def test_losses_are_the_equations(views):
    maps, tags = views
    terms, plain = seam_losses(*maps, tags), plain_losses(maps, tags)
    assert min(plain.values()) > 0
    for name, value in plain.items():
        assert terms[name].item() == pytest.approx(value, rel=1e-5), name


def test_the_term_of_the_released_code_alone_can_be_left_out(views):
    maps, tags = views
    terms = seam_losses(*maps, tags, min_weight=0)
    paper = terms["cls"] + terms["er"] + terms["ecr"]
    torch.testing.assert_close(terms["loss"], paper)
    torch.testing.assert_close(seam_losses(*maps, tags)["loss"], paper + terms["min"])


def test_views_that_agree_have_no_equivariance_loss(views):
    maps, tags = views
    terms = seam_losses(maps[0], maps[1], maps[0], maps[1], tags, scale=1.0)
    assert terms["er"] == 0
    assert terms["ecr1"] == terms["ecr2"] > 0


def test_raw_maps_are_targets_only(views):
    """The gradient of ECR reaches the refined maps alone, that of ER and classification the raw ones alone."""
    maps, tags = views
    leaves = [m.clone().requires_grad_() for m in maps]
    terms = seam_losses(*leaves, tags)
    for name, reached in {"ecr": (1, 3), "min": (1, 3), "er": (0, 2), "cls": (0, 2)}.items():
        gradients = torch.autograd.grad(terms[name], leaves, retain_graph=True, allow_unused=True)
        assert tuple(i for i, g in enumerate(gradients) if g is not None and g.any()) == reached, name
    terms["loss"].backward()
    assert not leaves[0].grad[:, 0].any() and not leaves[2].grad[:, 0].any()  # the raw background learns nothing


def test_max_norm_has_its_range_and_knows_constants():
    maps = torch.randn(2, 3, 7, 5) * 4
    out = max_norm(maps)
    assert out.min() == 0 and 0.99 < out.max() < 1
    assert not max_norm(torch.full((1, 2, 3, 3), 4.0)).any() and not max_norm(-maps.abs()).any()
    torch.testing.assert_close(max_norm(maps[0]), out[0])
    torch.testing.assert_close(out.double().numpy(), plain_max_norm(maps.double().numpy()), rtol=1e-4, atol=1e-6)


def test_max_norm_is_differentiated_through_its_extremes():
    maps = torch.rand(1, 1, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) + 0.5
    assert torch.autograd.gradcheck(max_norm, maps.requires_grad_(), eps=1e-7, atol=1e-5)


def test_shares_are_rounded_down():
    """The second view of 448 has 134 pixels a side; of its 21 maps 75 415 values count, of 3 x 3 pixels 2."""
    small = shrink(torch.zeros(1, 1, 448, 448)).shape[-1]
    assert small == 134 and int(21 * small**2 * 0.2) == 75415
    refined = torch.zeros(1, 21, small, small)
    refined.view(-1)[:75415] = 1  # as many as count: their mean is 1 whatever the others are
    cam = torch.zeros(1, 21, small, small)
    assert cross_loss(cam, refined + replace_background(cam)).item() == 1
    x = torch.tensor([5.0, 1, 2, 9, 9, 9, 9, 9, 9]).view(1, 1, 3, 3)
    assert adaptive_min_pooling_loss(x).item() == 1.5


def test_the_lowest_foreground_of_each_image_counts_and_only_above_0():
    x = torch.stack([torch.full((2, 4, 4), -1.0), torch.full((2, 4, 4), 3.0)])
    x[1, 0] = 4  # the maximum over the channels
    assert adaptive_min_pooling_loss(x).item() == pytest.approx(2)


def test_the_largest_class_is_kept_as_it_is():
    x = torch.tensor([0.3, 0.7, 0.7, 0.1]).view(1, 4, 1, 1)
    assert keep_largest(x).flatten().tolist() == pytest.approx([0.3, 0.7, 0.7, 0.0])
    assert replace_background(x).flatten().tolist() == pytest.approx([0.3, 0.7, 0.7, 0.1])
    assert x.flatten().tolist() == pytest.approx([0.3, 0.7, 0.7, 0.1])
