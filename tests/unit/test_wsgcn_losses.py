"""WSGCN's loss, its Laplacian against the dense form, and the fit of a photo."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.scene import RULE, WALK, scene
from common.base.errors import UserError
from methods.wsgcn.fit import FitRule, Fits, fit
from methods.wsgcn.graph import dense_adjacency, walk_matrix
from methods.wsgcn.laplacian import grid_laplacian, smoothness, window_offsets
from methods.wsgcn.layers import PropagationGCN
from methods.wsgcn.losses import propagation_loss

NUMBERS = vars(RULE)


def dense_laplacian(image: np.ndarray, radius: int, colour: float, place: float) -> Tensor:
    """D - W in float64, pair by pair as the released code loops."""
    height, width = image.shape[:2]
    cells = list(itertools.product(range(height), range(width)))
    rgb, matrix = image / 255, torch.zeros(len(cells), len(cells), dtype=torch.float64)
    for (i, (y, x)), (j, (v, u)) in itertools.product(enumerate(cells), enumerate(cells)):
        if i != j and max(abs(y - v), abs(x - u)) <= radius:
            colours, places = ((rgb[y, x] - rgb[v, u]) ** 2).sum(), (y - v) ** 2 + (x - u) ** 2
            matrix[i, j] = -np.exp(-colours / colour - places / place)
    return matrix - torch.diag(matrix.sum(dim=1))


def log_probabilities(cells: int, classes: int = 21, seed: int = 0) -> Tensor:
    return (3 * torch.randn(cells, classes, generator=torch.Generator().manual_seed(seed))).log_softmax(dim=1)


# --- Laplacian -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "radius"), [((7, 9), 2), ((1, 6), 2), ((2, 2), 2), ((1, 1), 2), ((6, 5), 3)])
def test_shifted_differences_are_the_dense_laplacian(size: tuple[int, int], radius: int):
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    matrix, made = dense_laplacian(image, radius, 12, 20), grid_laplacian(image, radius, 12, 20)
    cells = size[0] * size[1]
    torch.testing.assert_close((made @ torch.eye(cells)).double(), matrix, atol=1e-6, rtol=1e-6)
    z = log_probabilities(cells).requires_grad_()
    value = smoothness(z, made)
    value.backward()
    plain = z.detach().double().requires_grad_()
    wanted = torch.trace(plain.T @ matrix @ plain) / cells
    wanted.backward()
    torch.testing.assert_close(value.double(), wanted, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(z.grad.double(), plain.grad, rtol=1e-4, atol=1e-6)


def test_the_window_is_a_square_and_holds_each_pair_once():
    offsets = window_offsets(2)
    assert len(offsets) == 12 and (2, 2) in offsets and (2, -2) in offsets
    both = {*offsets, *((-dy, -dx) for dy, dx in offsets)}
    assert both == set(itertools.product(range(-2, 3), repeat=2)) - {(0, 0)}


def test_a_constant_is_smooth_and_nothing_is_smoother():
    made = scene(9, 11)
    laplacian = grid_laplacian(made.image, 2, 12, 20)
    assert smoothness(torch.full((99, 21), -3.0), laplacian).abs() < 1e-6
    assert smoothness(log_probabilities(99), laplacian) > 0


# --- terms ---------------------------------------------------------------------------------------------------------


def test_the_terms_as_the_paper_writes_them():
    made = scene(8, 9, known=0.3)
    laplacian, z = grid_laplacian(made.image, 2, 12, 20), log_probabilities(72)
    terms = propagation_loss(z, made.labels, laplacian, entropy=10, smooth=0.01)
    fg, bg = (made.labels > 0) & (made.labels < 255), made.labels == 0
    nll = -z.gather(1, made.labels.clamp(max=20)[:, None])[:, 0]
    p, is_open = z.exp(), made.labels == 255
    wanted = {
        "fg": nll[fg].mean(),
        "bg": nll[bg].mean(),
        "entropy": (-p * z)[is_open].mean(),  # over cells and classes, of open cells alone
        "laplacian": torch.trace(z.T @ (laplacian @ z)) / 72,
    }
    for name, value in wanted.items():
        torch.testing.assert_close(terms[name], value, rtol=1e-5, atol=1e-7)
    total = wanted["fg"] + wanted["bg"] + 10 * wanted["entropy"] + 0.01 * wanted["laplacian"]
    torch.testing.assert_close(terms["loss"], total, rtol=1e-5, atol=1e-7)


def test_one_foreground_cell_weighs_as_much_as_all_background_cells():
    """A toy port takes one mean over all labelled cells."""
    z = log_probabilities(50)
    labels = torch.zeros(50, dtype=torch.int64)
    labels[7] = 4
    terms = propagation_loss(z, labels, None, entropy=10, smooth=0)
    torch.testing.assert_close(terms["fg"], -z[7, 4])
    pooled = F.nll_loss(z, labels)
    assert (terms["fg"] + terms["bg"] - pooled).abs() > 0.5


def test_smoothness_is_that_of_log_probabilities():
    """The paper speaks of predictions; a toy port smooths probabilities."""
    made = scene(8, 9)
    laplacian, z = grid_laplacian(made.image, 2, 12, 20), log_probabilities(72)
    term = propagation_loss(z, made.labels, laplacian, 10, 0.01)["laplacian"]
    assert term == smoothness(z, laplacian) and term > 10 * smoothness(z.exp(), laplacian)


@pytest.mark.parametrize("only", [0, 5, 255])
def test_empty_groups_count_nothing_and_make_no_nan(only: int):
    logits = torch.randn(20, 21, generator=torch.Generator().manual_seed(1)).requires_grad_()
    labels = torch.full((20,), only)
    laplacian = grid_laplacian(np.zeros((4, 5, 3), np.uint8), 2, 12, 20)
    terms = propagation_loss(logits.log_softmax(dim=1), labels, laplacian, 10, 0.01)
    terms["loss"].backward()
    assert logits.grad.isfinite().all() and logits.grad.abs().max() > 0
    empty = {0: ("fg", "entropy"), 5: ("bg", "entropy"), 255: ("fg", "bg")}[only]
    assert [name for name in ("fg", "bg", "entropy") if terms[name] == 0] == sorted(empty, key=("fg bg entropy").find)


# --- fit -----------------------------------------------------------------------------------------------------------


def fitted(rule: FitRule, seed: int = 1, labels: Tensor | None = None) -> Tensor:
    made = scene(20, 24, known=0.05)
    adjacency = dense_adjacency(walk_matrix(made.edge, *WALK, 6))
    generator = torch.Generator().manual_seed(seed)
    model = PropagationGCN(160, rule.width, 21, rule.dropout, generator)
    given, smooth = made.labels if labels is None else labels, grid_laplacian(made.image, 2, 12, 20)
    return fit(model, adjacency @ made.features, adjacency, given, smooth, rule, generator)


def test_five_percent_of_labels_complete_two_regions():
    """Halves of a photo, a sharp boundary between them, features that say little."""
    generator, truth = torch.Generator().manual_seed(0), torch.zeros(24, 30, dtype=torch.int64)
    truth[:, 15:] = 5
    edge = torch.full((24, 30), 0.02)
    edge[:, 15] = 0.98
    labels = torch.where(torch.rand(720, generator=generator) < 0.05, truth.flatten(), 255)
    features = 0.05 * torch.randn(720, 160, generator=generator) + 0.02 * (truth.flatten() > 0)[:, None]
    adjacency = dense_adjacency(walk_matrix(edge, *WALK, 6))
    smooth = grid_laplacian(np.full((24, 30, 3), 128, np.uint8), 2, 12, 20)
    model = PropagationGCN(160, 16, 21, 0.3, generator)
    found = fit(model, adjacency @ features, adjacency, labels, smooth, RULE, generator).argmax(dim=1)
    assert (found == truth.flatten()).float().mean() > 0.95


def test_the_same_seed_gives_the_same_bytes_another_seed_others():
    rule, before = FitRule.from_recipe({**NUMBERS, "steps": 5}), torch.random.get_rng_state()
    assert torch.equal(fitted(rule), fitted(rule)) and not torch.equal(fitted(rule), fitted(rule, seed=2))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_photo_without_sure_cells_stays_finite():
    rule = FitRule.from_recipe({**NUMBERS, "steps": 10})
    for only in (0, 3, 255):
        assert fitted(rule, labels=torch.full((480,), only)).isfinite().all()


def test_a_training_that_diverges_is_no_result():
    with pytest.raises(FloatingPointError, match="diverged"):
        fitted(FitRule.from_recipe({**NUMBERS, "steps": 3, "lr": 1e30}))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"steps": 0}, "steps=0 must be a whole number"),
        ({"dropout": 1.0}, "dropout=1.0 must be below 1"),
        ({"entropy": -1}, "entropy=-1 must be a number, 0 or more"),
        ({"features": "colours"}, "must be one of edges, colour"),
        ({"laplace": 1}, "there is no 'laplace' .did you mean 'laplacian'"),
    ],
)
def test_a_bad_rule_is_said_in_a_sentence(changes: dict, sentence: str):
    with pytest.raises(UserError, match=sentence):
        Fits.from_recipe({"gcn": {**NUMBERS, **changes}})


def test_a_fit_needs_its_numbers_and_a_name():
    with pytest.raises(UserError, match="gcn: 'steps' is missing"):
        Fits.from_recipe({"gcn": {}})
    for value in ({}, 3):
        with pytest.raises(UserError, match="names no fit"):
            Fits.from_recipe(value)
    fits = Fits.from_recipe({"gcn": NUMBERS, "spread": None, "colour": {**NUMBERS, "features": "colour"}})
    assert fits.rules["spread"] is None and fits.features == {"edges", "colour"}
