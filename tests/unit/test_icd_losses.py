"""ICD's losses, the discriminator and the superpixel refinement, each against its plain form; traps of small ports."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.discriminator import plain_refinement
from common.ops.superpixels import pool_by_segment
from methods.icd.discriminator import IntraClassDiscriminator
from methods.icd.losses import (
    discriminator_target,
    exponential_ramp,
    project,
    projection_variance_loss,
    relative_scores,
    tag_loss,
    topdown_loss,
)
from methods.icd.superpixels import refine_by_superpixel, superpixel_features


def noise(*size: int, seed: int = 0) -> Tensor:
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed))


TAGS = torch.tensor([[1.0, 0, 0], [0, 1, 0], [1, 0, 1], [0, 0, 0]])
"""Two images with one tag, one with two, one with none; nothing has class 2 alone."""


# --- losses --------------------------------------------------------------------------------------------------------


def test_the_tag_loss_is_a_sum_over_classes_and_a_mean_over_images():
    """As a mean over classes it would weigh a twentieth against the other two losses."""
    cam = noise(4, 3, 5, 6)
    each = F.binary_cross_entropy_with_logits(cam.mean(dim=(2, 3)), TAGS, reduction="none")
    torch.testing.assert_close(tag_loss(cam, TAGS), each.sum() / 4)
    torch.testing.assert_close(tag_loss(cam.repeat(2, 1, 1, 1), TAGS.repeat(2, 1)), tag_loss(cam, TAGS))


def test_the_variance_of_single_tag_images_alone():
    features, weight = noise(4, 7, 5, 6), noise(3, 7, seed=1)
    loss = projection_variance_loss(weight, features, TAGS, scale=10)
    total = 0.0
    for b, c in ((0, 0), (1, 1)):  # not the image with two tags
        for y, x in np.ndindex(5, 6):
            total += float(features[b, :, y, x] @ weight[c] / weight[c].norm()) ** 2
    assert float(loss) == pytest.approx(-10 / (2 * 4 * 5 * 6) * total, rel=1e-5)


def test_images_with_several_tags_leave_the_directions_alone():
    features, weight = noise(4, 7, 5, 6), noise(3, 7, seed=1).requires_grad_()
    for rows, moved in (([2], []), ([3], []), ([0, 2], [0]), ([0, 1, 2, 3], [0, 1])):
        weight.grad = None
        projection_variance_loss(weight, features[rows], TAGS[rows]).backward()
        assert (weight.grad.abs().sum(dim=1) > 0).nonzero().flatten().tolist() == moved


def test_the_variance_loss_reaches_the_directions_alone_and_keeps_their_length():
    features, weight = noise(4, 7, 5, 6).requires_grad_(), noise(3, 7, seed=1).requires_grad_()
    projection_variance_loss(weight, features, TAGS).backward()
    assert features.grad is None
    assert ((weight.grad * weight).sum(dim=1).abs() < 1e-4).all() and weight.grad.abs().max() > 0.1


def test_the_direction_becomes_the_axis_between_object_and_background():
    rng = torch.Generator().manual_seed(0)
    axis = F.normalize(torch.randn(6, generator=rng), dim=0)
    side = torch.where(torch.rand(2, 1, 8, 8, generator=rng) > 0.5, 1.0, -1.0)
    features = 2 * side * axis[None, :, None, None] + 0.3 * torch.randn(2, 6, 8, 8, generator=rng)
    weight = torch.nn.Parameter(0.01 * torch.randn(1, 6, generator=rng))
    optimizer = torch.optim.SGD([weight], lr=1e-3, momentum=0.9)
    for _ in range(100):
        optimizer.zero_grad()
        projection_variance_loss(weight, features, torch.ones(2, 1)).backward()
        optimizer.step()
    assert abs(float(F.normalize(weight.detach()[0], dim=0) @ axis)) > 0.99


def test_scores_are_divided_by_their_own_side_and_small_ones_are_not_learned():
    scores = torch.tensor([[[[4.0, 0.8, 0.7, 0.0]], [[-2.0, -0.3, -0.5, 0.1]]]])
    torch.testing.assert_close(relative_scores(scores), torch.tensor([[[[1, 0.2, 0.175, 0]], [[-1, -0.15, -0.25, 1]]]]))
    target, mask = discriminator_target(scores, 0.2)
    assert target.tolist() == [[[[1, 1, 1, 0]], [[0, 0, 0, 1]]]]
    assert mask[0, 0, 0, [0, 2, 3]].tolist() == [True, False, False]
    assert mask[0, 1, 0].tolist() == [True, False, True, True]
    target, mask = discriminator_target(torch.zeros(1, 1, 2, 2))
    assert not mask.any()


def test_the_top_down_loss_is_not_divided_by_what_is_learned():
    logits, tags = noise(4, 3, 5, 6), TAGS
    target, mask = (noise(4, 3, 5, 6, seed=1) > 0).float(), noise(4, 3, 5, 6, seed=2) > 1
    each = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    wanted = sum(float(each[b, c][mask[b, c]].sum()) for b, c in ((0, 0), (1, 1), (2, 0), (2, 2))) / (4 * 5 * 6)
    assert float(topdown_loss(logits, target, mask, tags)) == pytest.approx(wanted, rel=1e-5)


def test_the_warm_up():
    assert [exponential_ramp(t, 4) for t in range(6)] == [math.exp(-10 * (4 - t) / 4) for t in range(4)] + [1.0, 1.0]
    assert exponential_ramp(0, 0) == 1.0


# --- signs ---------------------------------------------------------------------------------------------------------


def plain_means(scores: Tensor, cam: Tensor, tags: Tensor) -> dict[int, tuple[float, float]]:
    """Class -> the CAM on both sides, a mean over the images that have the class."""
    found = {}
    for c in range(tags.shape[1]):
        sides = []
        for b in tags[:, c].nonzero().flatten().tolist():
            active = cam[b, c].clamp(min=0)
            means = [
                active[chosen].sum() / max(int(chosen.sum()), 1e-5) for chosen in (scores[b, c] > 0, scores[b, c] < 0)
            ]
            sides.append([float(mean) for mean in means])
        if sides:
            found[c] = tuple(np.mean(sides, axis=0))
    return found


def test_the_running_means_are_those_of_the_plain_form():
    branch = IntraClassDiscriminator(4, 5)
    tags = F.pad(TAGS, (0, 1))  # no image has class 4
    state = np.zeros((4, 2))
    for step in range(3):
        scores, cam = noise(4, 4, 5, 6, seed=step), noise(4, 4, 5, 6, seed=9 + step)
        scores[0, 0] = scores[0, 0].abs()  # nothing on the other side
        branch.update_sides(scores, cam, tags)
        for c, means in plain_means(scores, cam, tags).items():
            state[c] = 0.9 * state[c] + 0.1 * np.array(means)
        assert np.abs(branch.sides.numpy() - state).max() < 1e-6
    assert not branch.sides[3].any()


def test_the_sign_comes_from_the_running_means_not_from_the_batch():
    branch, tags = IntraClassDiscriminator(1, 5), torch.ones(1, 1)
    scores = torch.tensor([[[[1.0, -1.0]]]])
    for _ in range(3):
        branch.update_sides(scores, torch.tensor([[[[0.0, 2.0]]]]), tags)  # the negative side is the object
    assert branch.orient(scores).flatten().tolist() == [-1.0, 1.0]
    branch.update_sides(scores, torch.tensor([[[[2.0, 0.0]]]]), tags)  # one batch says the opposite
    assert branch.orient(scores).flatten().tolist() == [-1.0, 1.0]
    assert IntraClassDiscriminator(1, 5).orient(scores).flatten().tolist() == [1.0, -1.0]  # equal means


def test_images_with_several_tags_take_part_in_the_running_means():
    branch = IntraClassDiscriminator(3, 5)
    branch.update_sides(noise(1, 3, 4, 4), noise(1, 3, 4, 4, seed=1), torch.tensor([[1.0, 0, 1]]))
    assert (branch.sides.sum(dim=1) > 0).tolist() == [True, False, True]


def test_projection():
    features, weight = noise(2, 7, 3, 4), noise(3, 7, seed=1)
    found = project(features, weight)
    assert float(found[1, 2, 0, 3]) == pytest.approx(
        float(features[1, :, 0, 3] @ weight[2] / weight[2].norm()), rel=1e-5
    )
    torch.testing.assert_close(project(features, 5 * weight), found)


# --- superpixels ---------------------------------------------------------------------------------------------------


def segments(batch: int, height: int, width: int, count: int = 9, seed: int = 0) -> Tensor:
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, count, (batch, -(-height // 6), -(-width // 6)))
    return torch.from_numpy(blocks.repeat(6, axis=1).repeat(6, axis=2)[:, :height, :width].copy())


@pytest.mark.parametrize("large", [(9, 11), (65, 81), (17, 21), (30, 23), (9, 23)])
def test_the_refinement_is_that_of_the_plain_form(large: tuple[int, int]):
    """Pixels where aligned corners hit them, shares where they fall between; tolerance 1e-5."""
    scores, tags = noise(4, 3, 9, 11), TAGS
    found = refine_by_superpixel(scores, segments(4, *large), tags)
    wanted = plain_refinement(scores, segments(4, *large), tags)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=0)
    assert not found[TAGS == 0].any()  # absent classes
    assert ((found > 1e-6).sum(dim=1) <= 1).all() or large not in ((9, 11), (65, 81), (17, 21))


def test_one_class_at_most_is_positive_in_a_superpixel_and_values_are_constant_there():
    scores, tags = noise(2, 3, 9, 9), torch.ones(2, 3)
    large = segments(2, 65, 65)
    found, cells = refine_by_superpixel(scores, large, tags), large[:, ::8, ::8]
    for b in range(2):
        for number in cells[b].unique():
            values = found[b, :, cells[b] == number]
            assert (values == values[:, :1]).all() and (values[:, 0] > 0).sum() <= 1


def test_superpixels_with_more_negative_positions_are_background_for_all():
    scores = torch.tensor([[[[5.0, -1.0, -1.0, 2.0]]]])
    found = refine_by_superpixel(scores, torch.tensor([[[0, 0, 0, 1]]]), torch.ones(1, 1))
    assert found.flatten().tolist() == [pytest.approx(-2 / 3)] * 3 + [2.0]


def test_any_number_is_a_superpixel_of_its_own_image():
    """What lies beyond the border has -1, which is a number like any other; equal numbers of two images are two."""
    scores, tags = noise(2, 3, 4, 4), torch.ones(2, 3)
    large = torch.tensor([[0, 0, 7, -1]] * 4)[None].repeat(2, 1, 1)
    found = refine_by_superpixel(scores, large, tags)
    for b in range(2):
        torch.testing.assert_close(found[b : b + 1], refine_by_superpixel(scores[b : b + 1], large[:1], tags[:1]))
    renumbered = torch.tensor([[5, 5, 900, 2]] * 4)[None].repeat(2, 1, 1)
    torch.testing.assert_close(refine_by_superpixel(scores, renumbered, tags), found)
    assert refine_by_superpixel(scores[:, :, :1, :1], large, tags).shape == (2, 3, 1, 1)


def test_the_refinement_has_no_gradient():
    scores = noise(1, 3, 4, 4).requires_grad_()
    assert not refine_by_superpixel(scores, segments(1, 4, 4), torch.ones(1, 3)).requires_grad


@pytest.mark.parametrize(
    ("cells", "side", "size"), [(13, 97, (60, 75)), (5, 33, (33, 20)), (1, 8, (8, 3)), (4, 4, (4, 4))]
)
def test_features_of_superpixels_are_means_of_the_enlarged_map(cells: int, side: int, size: tuple[int, int]):
    maps = noise(6, cells, cells)
    numbers = np.unique(segments(1, *size)[0].numpy(), return_inverse=True)[1].reshape(size)
    large = F.interpolate(maps[None], (side, side), mode="bilinear", align_corners=True)[0].numpy()
    wanted = pool_by_segment(large[:, : size[0], : size[1]], numbers)
    assert np.abs(superpixel_features(maps.numpy(), numbers, side) - wanted).max() < 1e-5
