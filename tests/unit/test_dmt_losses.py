"""DMT's losses against a loop over pixels, and what the rules promise."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from methods.dmt.losses import RULES, mutual_loss

N, C, H, W = 3, 5, 6, 7


def batch(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Logits, labels with holes, confidences and which image is labelled (the last one)."""
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(N, C, H, W, generator=generator)
    label = torch.randint(0, C, (N, H, W), generator=generator)
    own = logits.argmax(1)
    label = torch.where(torch.rand(N, H, W, generator=generator) < 0.5, own, label)
    label[torch.rand(N, H, W, generator=generator) < 0.2] = 255
    return logits, label, torch.rand(N, H, W, generator=generator), torch.tensor([False, False, True])


def by_pixel(rule: str, logits, label, confidence, labelled, agree=5.0, disagree=5.0, threshold=0.9) -> float:
    """The rules in words, one pixel after another, in double precision."""
    total, count = 0.0, 0
    for n, i, j in np.ndindex(N, H, W):
        p = logits[n, :, i, j].double().softmax(0)
        y, c_l = int(label[n, i, j]), float(confidence[n, i, j])
        a, c = int(p.argmax()), float(p.max())
        weight = 1.0
        if not labelled[n] and rule == "online":
            y = a if c > threshold else 255
        if y == 255:
            continue
        count += 1
        if not labelled[n] and rule in ("dynamic", "naive", "flip"):
            q = float(p[y])
            if a == y or rule == "naive":
                weight = q**agree
            elif c <= c_l:
                weight = q**disagree
            elif rule == "dynamic":
                weight = 0.0
            else:
                y, weight = a, (1 - c_l) ** disagree
        total += weight * -float(p[y].log())
    return total / count


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("seed", range(3))
def test_loss_is_the_sum_over_pixels(rule: str, seed: int):
    loss, _ = mutual_loss(*batch(seed), rule=rule)
    assert float(loss) == pytest.approx(by_pixel(rule, *batch(seed)), rel=1e-5)


def test_gammas_are_taken_where_they_belong():
    for agree, disagree in ((3.0, 1.0), (0.0, 2.0), (4.0, 0.0)):
        loss, _ = mutual_loss(*batch(), gamma_agree=agree, gamma_disagree=disagree)
        assert float(loss) == pytest.approx(by_pixel("dynamic", *batch(), agree, disagree), rel=1e-5)


def test_both_gammas_zero_is_the_plain_cross_entropy():
    logits, label, confidence, labelled = batch()
    loss, statistics = mutual_loss(logits, label, confidence, labelled, gamma_agree=0.0, gamma_disagree=0.0)
    expected = F.cross_entropy(logits, label, ignore_index=255)
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(statistics["plain_ce"], expected)
    assert float(statistics["mean_weight"]) == 1


def test_gradient_flows_through_the_cross_entropy_alone():
    logits, label, confidence, labelled = batch()
    leaf = logits.clone().requires_grad_()
    mutual_loss(leaf, label, confidence, labelled)[0].backward()
    p = logits.softmax(1)
    known = label.masked_fill(label == 255, 0)
    q = p.gather(1, known[:, None])[:, 0]
    agreed, overruled = p.argmax(1) == known, p.amax(1) > confidence
    weight = torch.where(agreed | ~overruled, q**5, 0.0)
    weight[labelled] = 1.0
    weight[label == 255] = 0.0
    expected = weight[:, None] * (p - F.one_hot(known, C).permute(0, 3, 1, 2)) / (label != 255).sum()
    torch.testing.assert_close(leaf.grad, expected, rtol=1e-4, atol=1e-8)


def test_a_tie_of_confidences_learns():
    logits = torch.tensor([2.0, 0.0]).view(1, 2, 1, 1)
    own = logits.softmax(1).amax().view(1, 1, 1)
    label, pseudo = torch.ones(1, 1, 1, dtype=torch.int64), torch.tensor([False])
    assert float(mutual_loss(logits, label, own, pseudo)[0]) > 0
    assert float(mutual_loss(logits, label, own - 1e-6, pseudo)[0]) == 0


@pytest.mark.parametrize("rule", ["dynamic", "naive", "flip", "plain"])
def test_what_the_labeller_says_where_it_has_no_label_does_not_matter(rule: str):
    logits, label, confidence, labelled = batch()
    other = torch.where(label == 255, 255.0, confidence)
    assert torch.equal(
        mutual_loss(logits, label, confidence, labelled, rule)[0], mutual_loss(logits, label, other, labelled, rule)[0]
    )


def test_nothing_labelled_is_no_loss():
    logits, label, confidence, labelled = batch()
    leaf = logits.clone().requires_grad_()
    loss, _ = mutual_loss(leaf, torch.full_like(label, 255), confidence, labelled)
    loss.backward()
    assert loss == 0 and not leaf.grad.any()


def test_counts_are_of_pseudo_labelled_pixels():
    logits, label, confidence, labelled = batch()
    _, statistics = mutual_loss(logits, label, confidence, labelled)
    own, c = logits.argmax(1)[:2], logits.softmax(1).amax(1)[:2]
    wrong = (own != label[:2]) & (label[:2] != 255)
    assert int(statistics["disagree"]) == int(wrong.sum())
    assert int(statistics["overruled"]) == int((wrong & (c > confidence[:2])).sum())


def test_wrong_pseudo_labels_weigh_less_than_right_ones():
    """Two blobs, a fifth of the labels flipped; a linear model that has learnt the blobs tells the flipped ones."""
    generator = torch.Generator().manual_seed(0)
    truth = torch.randint(0, 2, (400,), generator=generator)
    points = torch.randn(400, 2, generator=generator) + 2.5 * truth[:, None]
    flipped = torch.rand(400, generator=generator) < 0.2
    label = torch.where(flipped, 1 - truth, truth)
    torch.manual_seed(0)
    model = nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    confidence, pseudo = torch.full((400, 1, 1), 0.8), torch.zeros(400, dtype=torch.bool)
    for _ in range(100):  # phase 0: the first fifty points, whose labels are right
        optimizer.zero_grad()
        F.cross_entropy(model(points[:50]), truth[:50]).backward()
        optimizer.step()
    means = []
    for chosen in (flipped, ~flipped):
        logits = model(points[chosen])[:, :, None, None]
        _, statistics = mutual_loss(logits, label[chosen][:, None, None], confidence[chosen], pseudo[chosen])
        means.append(float(statistics["mean_weight"]))
    assert means[0] < 0.1 < 0.5 < means[1]
