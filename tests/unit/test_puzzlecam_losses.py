"""Puzzle-CAM's tiles, losses and ramp against loops over images, classes and cells, and what ports get wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from common.base.errors import UserError
from common.models.progress import progress_at
from methods.puzzlecam.losses import entropy, make_cam, puzzle_loss, ramp, reconstruction_loss
from methods.puzzlecam.tiles import fitted, merge, tile

TAGS = torch.tensor([[1.0, 0, 1, 0, 0], [0, 1, 0, 0, 0], [0, 0, 0, 0, 0]])


@pytest.fixture
def maps() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return tuple(torch.randn(3, 5, 4, 6, generator=generator, dtype=torch.float64) for _ in range(2))


# Tiles


@pytest.mark.parametrize("grid", [1, 2, 3])
def test_tiles_go_row_by_row_and_all_images_first(grid: int):
    x = torch.randn(2, 3, 6 * grid, 4 * grid)
    tiles = tile(x, grid)
    expected = [x[b, :, 6 * r : 6 * r + 6, 4 * c : 4 * c + 4] for r in range(grid) for c in range(grid) for b in (0, 1)]
    assert torch.equal(tiles, torch.stack(expected))
    assert torch.equal(merge(tiles, grid), x)


def test_what_does_not_divide_is_refused():
    x = torch.zeros(1, 3, 8, 9)
    with pytest.raises(
        UserError, match=r"8 x 9 does not divide into 2 x 2 tiles: choose sides that are multiples of 2"
    ):
        tile(x, 2)
    with pytest.raises(UserError, match="grid is 0"):
        tile(x, 0)
    for count, grid in ((6, 2), (4, 0)):
        with pytest.raises(UserError, match=f"{count} tiles do not make"):
            merge(torch.zeros(count, 3, 2, 2), grid)


def test_sides_are_cut_to_whole_cells():
    x = torch.randn(1, 3, 97, 70)
    assert torch.equal(fitted(x, 2, 16), x[..., :96, :64])
    assert torch.equal(fitted(x[..., :96, :64], 2, 16), x[..., :96, :64])
    with pytest.raises(UserError, match=r"97 x 70 pixels is too small for 3 x 3 tiles .* at least 96"):
        fitted(x, 3, 32)


# Losses


def plain_reconstruction(full: np.ndarray, merged: np.ndarray, distance: str, reduction: str) -> float:
    tags, per_image, total = TAGS.numpy(), [], 0.0
    batch, classes, height, width = full.shape
    for b in range(batch):
        present = []
        for c in range(classes):
            apart = np.abs(full[b, c] - merged[b, c]) ** (1 if distance == "l1" else 2)
            counts = reduction == "none" or tags[b, c]
            total += apart.sum() * counts
            if tags[b, c]:
                present.append(apart.mean())
        per_image.append(np.mean(present) if present else 0.0)
    return float(np.mean(per_image)) if reduction == "selection" else total / (batch * classes * height * width)


@pytest.mark.parametrize("distance", ["l1", "l2"])
@pytest.mark.parametrize("reduction", ["masking", "selection", "none"])
def test_reconstruction_is_the_loop(maps, distance: str, reduction: str):
    found = float(reconstruction_loss(*maps, TAGS, distance, reduction))
    assert found == pytest.approx(plain_reconstruction(*(m.numpy() for m in maps), distance, reduction))


def test_the_maps_are_raw(maps):
    """A port that normalises them first has a loss without a scale; one behind a ReLU does not see what is below 0."""
    full, merged = maps
    re = reconstruction_loss(full, merged, TAGS)
    assert float(reconstruction_loss(3 * full, 3 * merged, TAGS)) == pytest.approx(3 * float(re))
    below = -full.abs(), -merged.abs()
    assert float(reconstruction_loss(*below, TAGS)) > 0
    cams = [make_cam(m) for m in maps]
    assert float(reconstruction_loss(*cams, TAGS)) != pytest.approx(float(re), rel=0.1)
    at_cams = puzzle_loss(*maps, TAGS, 2.0, level="cam")
    assert float(at_cams["re"]) == pytest.approx(float(reconstruction_loss(*cams, TAGS)))
    assert float(at_cams["p_cls"]) == pytest.approx(float(soft_margin(cams[1])))
    assert torch.equal(at_cams["cls"], puzzle_loss(*maps, TAGS, 2.0)["cls"])


def test_absent_classes_count_as_zeros_in_the_mean(maps):
    full, merged = maps
    padded = [torch.cat([m, torch.full_like(m, 1e3 * i)], dim=1) for i, m in enumerate(maps)]
    tags = torch.cat([TAGS, torch.zeros_like(TAGS)], dim=1)
    assert float(reconstruction_loss(*padded, tags)) == pytest.approx(
        float(reconstruction_loss(full, merged, TAGS)) / 2
    )


def test_the_total_has_all_terms_and_both_maps_learn(maps):
    full, merged = (m.clone().requires_grad_() for m in maps)
    terms = puzzle_loss(full, merged, TAGS, 2.5)
    value = {name: term.item() for name, term in terms.items()}
    assert value["loss"] == pytest.approx(value["cls"] + value["p_cls"] + 2.5 * value["re"])
    assert value["cls"] == pytest.approx(soft_margin(full).item())
    assert value["p_cls"] == pytest.approx(soft_margin(merged).item())
    (terms["loss"] - terms["cls"] - terms["p_cls"]).backward()
    weight = 2.5 * TAGS[:, :, None, None] / full.numel()
    sign = torch.sign(full - merged).detach()
    torch.testing.assert_close(full.grad, weight * sign)
    torch.testing.assert_close(merged.grad, -weight * sign)


def test_tiles_are_classified_together(maps):
    """A tile does not carry the image's tags: the mean over tiles is classified, not each tile."""
    merged = maps[1]
    together = puzzle_loss(*maps, TAGS, 0.0)["p_cls"]
    one_by_one = F.multilabel_soft_margin_loss(tile(merged, 2).mean((2, 3)), TAGS.repeat(4, 1))
    assert float(together) == pytest.approx(float(soft_margin(merged)))
    assert float(together) != pytest.approx(float(one_by_one), rel=1e-3)


def test_terms_can_be_left_out(maps):
    terms = puzzle_loss(*maps, TAGS, 2.0, p_cls=False)
    assert set(terms) == {"loss", "cls", "re"}
    assert float(terms["loss"]) == pytest.approx(float(terms["cls"] + 2 * terms["re"]))
    equal = puzzle_loss(maps[0], maps[0], TAGS, 2.0)
    assert float(equal["re"]) == 0 and torch.equal(equal["cls"], equal["p_cls"])


def test_entropy_is_the_loop_and_least_where_tiles_are_certain():
    logits = torch.tensor([[0.0, 2.0], [-3.0, 1.0], [5.0, 0.5]], dtype=torch.float64)
    plain = 0.0
    for row in logits.tolist():
        for value in row:
            score = 1 / (1 + math.exp(-value))
            plain -= score * math.log(score + 1e-5) / len(logits)
    assert float(entropy(logits)) == pytest.approx(plain)
    assert float(entropy(torch.tensor([[-20.0, 20.0]]))) == pytest.approx(0, abs=2e-5)
    maps = torch.randn(1, 2, 4, 4), torch.randn(1, 2, 4, 4)
    with_entropy = puzzle_loss(*maps, torch.ones(1, 2), 1.0, tile_logits=logits)
    assert float(with_entropy["entropy"]) == pytest.approx(plain)
    without = puzzle_loss(*maps, torch.ones(1, 2), 1.0)["loss"]
    assert float(with_entropy["loss"] - without) == pytest.approx(plain, rel=1e-4)


def test_a_batch_without_tags_or_classes_is_finite():
    maps = torch.randn(1, 3, 2, 2), torch.randn(1, 3, 2, 2)
    for reduction in ("masking", "selection"):
        assert float(reconstruction_loss(*maps, torch.zeros(1, 3), "l1", reduction)) == 0
    flat = torch.zeros(1, 2, 2, 2, requires_grad=True)
    make_cam(flat).sum().backward()
    assert torch.isfinite(flat.grad).all()


# The weight


def test_alpha_rises_over_half_of_the_training_and_stays():
    values = [ramp(progress_at(t, 20, 5), 4.0, 0.5) for t in range(20)]
    assert values[0] == 0 and values[5] == 2 and values[10:] == [4.0] * 10
    assert values[:11] == sorted(values[:11]) and len(set(values[:11])) == 11
    assert ramp(progress_at(0, 20, 5), 4.0, 0.0) == 4.0
    assert ramp(None, 4.0, 0.5) == 4.0


def soft_margin(maps: torch.Tensor) -> torch.Tensor:
    logits = maps.mean(dim=(2, 3))
    return F.binary_cross_entropy_with_logits(logits, TAGS.to(maps))
