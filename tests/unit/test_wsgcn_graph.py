"""WSGCN's graph: dense and factored, its layers against torch-geometric's own, the features of the cells."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from torch import Tensor
from torch_geometric.nn import GCNConv

import tests.unit.tiny_groups  # noqa: F401  (the backbone)
from benchmarks.scene import RULE, WALK, scene
from common.base.errors import DataError
from common.models.boundary import BoundaryNet
from common.ops.affinity import path_set, stencil_affinity
from common.ops.random_walk import transition_matrix
from methods.wsgcn import factor
from methods.wsgcn.factor import FactoredAdjacency, factored_adjacency
from methods.wsgcn.fit import fit
from methods.wsgcn.graph import (
    adjacency_of,
    dense_adjacency,
    edges_and_features,
    mean_colours,
    spread_labels,
    walk_matrix,
)
from methods.wsgcn.laplacian import grid_laplacian
from methods.wsgcn.layers import Propagation, PropagationGCN


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def exact(edge: Tensor, exp_times: int) -> tuple[Tensor, Tensor]:
    """T^t and A in float64, entry by entry as the paper says."""
    walk = transition_matrix(stencil_affinity(edge.double(), *WALK), path_set(5).points)
    walk = torch.linalg.matrix_power(walk, 2**exp_times)
    both = torch.maximum(walk, walk.T) + torch.eye(len(walk), dtype=torch.float64)
    return walk, both / both.sum(dim=1, keepdim=True)


# --- dense ---------------------------------------------------------------------------------------------------------


def test_columns_of_the_walk_and_rows_of_the_graph_sum_to_one():
    edge = scene(12, 15).edge
    walk, adjacency = exact(edge, 5)
    ours = walk_matrix(edge, *WALK, 5)
    torch.testing.assert_close(ours.double(), walk, atol=1e-5, rtol=0)
    torch.testing.assert_close(dense_adjacency(ours).double(), adjacency, atol=1e-5, rtol=0)
    torch.testing.assert_close(ours.sum(dim=0), torch.ones(180))
    torch.testing.assert_close(dense_adjacency(ours).sum(dim=1), torch.ones(180))


def test_a_graph_is_neither_symmetric_nor_the_mean_of_both_directions():
    """Toy ports: D^-1/2 A D^-1/2, rows and columns exchanged, the mean in the place of the maximum."""
    walk, adjacency = exact(scene(12, 15).edge, 5)
    ours = dense_adjacency(walk.clone())
    loops = torch.maximum(walk, walk.T) + torch.eye(180, dtype=torch.float64)
    root = loops.sum(dim=1).rsqrt()
    mean = (walk + walk.T) / 2 + torch.eye(180, dtype=torch.float64)
    torch.testing.assert_close(ours, adjacency)
    for toy in (root[:, None] * loops * root, adjacency.T, mean / mean.sum(dim=1, keepdim=True)):
        assert (ours - toy).abs().max() > 1e-3


def test_one_cell_is_a_graph():
    assert dense_adjacency(walk_matrix(torch.zeros(1, 1), *WALK, 8)).tolist() == [[1.0]]


# --- factored ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("exp_times", [1, 6, 8])
def test_with_all_modes_the_factor_is_the_dense_form(exp_times: int):
    made, generator = scene(18, 23), torch.Generator().manual_seed(1)
    _, adjacency = exact(made.edge, exp_times)
    factored = factored_adjacency(made.edge, *WALK, exp_times, modes=414, generator=seeded())
    x = torch.randn(414, 7, generator=generator)
    torch.testing.assert_close((factored @ x).double(), adjacency @ x.double(), atol=2e-5, rtol=0)
    assert factored.error < 2e-5


def test_the_gradient_is_that_of_the_dense_form():
    edge = scene(17, 19).edge
    x, g = (torch.randn(323, 5, generator=seeded(s)).requires_grad_() for s in (1, 2))
    for adjacency in (
        factored_adjacency(edge, *WALK, 7, modes=323, generator=seeded()),
        dense_adjacency(walk_matrix(edge, *WALK, 7)),
    ):
        found = torch.autograd.grad((adjacency @ x * g).sum(), x)[0]
        wanted = exact(edge, 7)[1].T @ g.double()
        torch.testing.assert_close(found.double(), wanted, atol=5e-5, rtol=0)


def test_few_modes_lose_little_and_the_estimate_says_how_much():
    edge = scene(36, 48).edge
    _, adjacency = exact(edge, 8)
    x, errors = torch.randn(1728, 16, generator=seeded(5)), []
    for modes in (16, 64, 192):
        factored = factored_adjacency(edge, *WALK, 8, modes=modes, generator=seeded())
        wanted = adjacency @ x.double()
        errors.append((float(((factored @ x).double() - wanted).norm() / wanted.norm()), factored.error))
        assert factored.b.shape[2] < 1728 // factor.SHARE + modes + 1
    assert errors[0][1] > errors[2][1] and errors[2][1] < 2e-4 and errors[2][0] < 2e-4
    assert all(true < 3 * estimate + 2e-6 for true, estimate in errors)


@pytest.mark.parametrize("level", [0.0, 0.7, 1.0])
def test_maps_that_are_all_open_or_all_boundary_never_take_a_matrix_of_all_pairs(level: float):
    """No boundary: few modes count. All boundary: every cell stands on the diagonal. In between a share is held."""
    edge = torch.full((30, 30), level)
    factored = factored_adjacency(edge, *WALK, 8, modes=200, generator=seeded())
    assert factored.b.shape[2] <= 900 // factor.SHARE + 200
    x = torch.randn(900, 3, generator=seeded(1))
    assert (factored @ x).isfinite().all()
    if level in (0.0, 1.0):
        torch.testing.assert_close((factored @ x).double(), exact(edge, 8)[1] @ x.double(), atol=2e-5, rtol=0)
        assert factored.error < 1e-5


def test_the_size_decides_which_form_it_is(monkeypatch: pytest.MonkeyPatch):
    edge = scene(10, 12).edge
    dense, none = adjacency_of(edge, *WALK, 6, dense=120, modes=60, generator=seeded())
    assert isinstance(dense, Tensor) and none == 0
    factored, error = adjacency_of(edge, *WALK, 6, dense=119, modes=60, generator=seeded())
    assert isinstance(factored, FactoredAdjacency) and error == factored.error > 0
    monkeypatch.setattr(factor, "ROOM", 1000)
    with pytest.raises(DataError, match=r"graph of 120 cells takes .* scale the photo down"):
        adjacency_of(edge, *WALK, 6, dense=0, modes=60, generator=seeded())


def test_the_same_seed_gives_the_same_factor_and_the_global_generator_is_left_alone():
    edge, before = scene(20, 20).edge, torch.random.get_rng_state()
    one, other = (factored_adjacency(edge, *WALK, 6, modes=40, generator=seeded(3)) for _ in range(2))
    assert torch.equal(one.b, other.b) and one.error == other.error
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.slow
def test_labels_of_both_forms_agree_at_2700_cells():
    """250 steps with dropout; the same draws, so that only the graph's form differs."""
    made, labels = scene(45, 60), []
    smooth = grid_laplacian(made.image, 2, 12, 20)
    for dense in (4000, 0):
        adjacency, error = adjacency_of(made.edge, *WALK, 8, dense=dense, modes=384, generator=seeded())
        assert error < 2e-4
        generator = seeded(1)
        model = PropagationGCN(160, 16, 21, 0.3, generator)
        args = (model, adjacency @ made.features, adjacency, made.labels, smooth, RULE, generator)
        labels.append(fit(*args).argmax(dim=1))
    assert (labels[0] == labels[1]).float().mean() >= 0.998


# --- layers --------------------------------------------------------------------------------------------------------


def layers(channels: int, width: int) -> tuple[Propagation, GCNConv]:
    """Ours and the library's, of the same weights."""
    ours = Propagation(channels, width)
    ours.draw(seeded())
    theirs = GCNConv(channels, width, normalize=False, add_self_loops=False)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


@pytest.mark.parametrize(("channels", "width"), [(160, 16), (16, 21)])
def test_a_layer_is_torch_geometrics_with_edges_from_j_to_i(channels: int, width: int):
    made = scene(6, 7)
    adjacency = dense_adjacency(walk_matrix(made.edge, *WALK, 5))
    x = torch.randn(42, channels, generator=seeded(4))
    ours, theirs = layers(channels, width)
    target, source = adjacency.nonzero(as_tuple=True)  # A_ij: from j to i
    wanted = theirs(x, torch.stack([source, target]), adjacency[target, source])
    factored = factored_adjacency(made.edge, *WALK, 5, modes=42, generator=seeded())
    for found in (ours(x, adjacency), ours(x, factored), ours.weighted(adjacency @ x)):
        torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
    turned = theirs(x, torch.stack([target, source]), adjacency[target, source])
    assert (turned - wanted).abs().max() > 1e-3


def test_initial_values_are_pygcns_and_draw_from_no_global_generator():
    """Uniform within 1 / sqrt(outputs), biases too; glorot and zeros are the library's own."""
    before = torch.random.get_rng_state()
    model = PropagationGCN(160, 16, 21, 0.3, seeded(7))
    assert torch.equal(torch.random.get_rng_state(), before)
    for layer, outputs in ((model.first, 16), (model.second, 21)):
        for parameter in (layer.lin.weight, layer.bias):
            assert 0.7 * outputs**-0.5 < parameter.abs().max() <= outputs**-0.5
    assert sum(p.numel() for p in model.parameters()) == 2933
    again = PropagationGCN(160, 16, 21, 0.3, seeded(7))
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True))


def test_dropout_hides_a_share_of_the_hidden_values_and_enlarges_the_others():
    model = PropagationGCN(8, 4000, 3, 0.3, seeded())
    with torch.no_grad():
        model.first.bias.fill_(1)
        model.first.lin.weight.zero_()
    hidden = []
    model.second.forward = lambda x, adjacency: hidden.append(x) or x[:, :3]
    for generator in (seeded(1), None):
        model(torch.zeros(5, 8), torch.eye(5), generator)
    assert hidden[0].unique().tolist() == pytest.approx([0, 1 / 0.7])
    assert (hidden[0] == 0).float().mean() == pytest.approx(0.3, abs=0.01)
    assert (hidden[1] == 1).all()


# --- features, controls --------------------------------------------------------------------------------------------


def test_features_are_those_whose_sum_is_the_boundarys_logit():
    """Weighted by the last layer, without its bias; the mean with the mirror image; the boundary is `boundary`."""
    init_default_scope("mmseg")
    torch.manual_seed(0)
    rules = {"type": "SegDataPreProcessor", "mean": [127.5] * 3, "std": [127.5] * 3, "size_divisor": 1}
    network = BoundaryNet({"type": "TinyTap"}, edge={"width": 12, "groups": 4}, data_preprocessor=rules).eval()
    torch.nn.init.normal_(network.edge_head.out.weight)
    image = torch.randint(0, 256, (3, 21, 30), generator=seeded(1)).float()
    edge, features = edges_and_features(network, image, canvas=32)
    assert edge.shape == (6, 8) and features.shape == (48, 12) and not features.requires_grad
    torch.testing.assert_close(edge, network.boundary(image, 32))
    logit = features.sum(dim=1).view(6, 8) + network.edge_head.out.bias
    torch.testing.assert_close(logit.sigmoid(), edge)


def test_mean_colours_are_those_of_the_cells():
    image = np.random.default_rng(0).integers(0, 256, (9, 8, 3), dtype=np.uint8)
    found = mean_colours(image).reshape(3, 2, 3)
    np.testing.assert_allclose(found[0, 1], image[:4, 4:].reshape(-1, 3).mean(axis=0) / 255, rtol=1e-5)
    np.testing.assert_allclose(found[2, 0], image[8:, :4].reshape(-1, 3).mean(axis=0) / 255, rtol=1e-5)


def test_labels_that_the_walk_spreads_are_shares_of_what_a_row_reaches():
    adjacency = torch.tensor([[0.5, 0.3, 0.2, 0.0], [0.0, 0.4, 0.6, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    found = spread_labels(adjacency, torch.tensor([2, 0, 2, 255]), 3).exp()
    torch.testing.assert_close(found[0], torch.tensor([0.3, 0.0, 0.7]), atol=1e-6, rtol=0)
    torch.testing.assert_close(found[3], torch.full((3,), 1 / 3))
