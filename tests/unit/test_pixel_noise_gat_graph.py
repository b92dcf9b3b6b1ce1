"""Pixel-noise GAT's parts: small losses, graphs, the graph network, each against its plain form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from common.base.errors import UserError
from common.data.dataset import open_dataset
from common.ops.superpixels import region_adjacency
from common.pipeline import Run
from methods.pixel_noise_gat.edges import both_ways, similarity_edges
from methods.pixel_noise_gat.features import projected, upsampled_means
from methods.pixel_noise_gat.graphs import Graph, Graphs
from methods.pixel_noise_gat.judged import JudgedLabel, JudgedLabels
from methods.pixel_noise_gat.noise import keep_clean, label_losses, node_labels, node_votes
from methods.pixel_noise_gat.rules import GATRule, SmallLoss
from methods.pixel_noise_gat.selection import (
    class_levels,
    clean_label,
    kept,
    largest_losses,
    level_values,
    precision_and_coverage,
    sweep,
)

GAT = {"channels": 4, "heads": 2, "dropout": 0.0, "epochs": 30, "batch": 3, "lr": 0.02, "weight_decay": 5e-4}


def blocks(size: tuple[int, int] = (12, 16), side: int = 4) -> np.ndarray:
    rows, columns = np.indices(size) // side
    return (rows * -(-size[1] // side) + columns).astype(np.int32)


# --- small losses --------------------------------------------------------------------------------------------------


def test_small_losses_lie_below_tau_and_open_pixels_have_none():
    logits = torch.tensor([[[0.0, 1.0, 2.0, 0.0]], [[0.0, 0.0, 0.0, 3.0]]])
    noisy = np.array([[0, 0, 1, 255]], np.uint8)
    losses = label_losses(logits, noisy)
    wanted = -logits.log_softmax(0).numpy()[[0, 0, 1], 0, [0, 1, 2]]
    np.testing.assert_allclose(losses[0, :3], wanted, rtol=1e-5)
    assert losses[0, 3] == 0  # and yet no clean pixel
    largest = largest_losses(SmallLoss(tau=float(losses[0, 0])), np.zeros((2, 1)))
    assert clean_label(JudgedLabel(noisy, losses), largest).tolist() == [[255, 0, 255, 255]]  # equal to tau: not below


def test_quantiles_are_taken_of_each_class():
    """One tau for all keeps background alone where the clean model is unsure of objects."""
    label = np.array([[0] * 10 + [1] * 10 + [255]], np.uint8)
    loss = np.concatenate([np.linspace(0.01, 0.1, 10), np.linspace(9, 18, 10), [0.0]])[None].astype(np.float16)
    judged = JudgedLabel(label, loss.astype(np.float32))
    levels = class_levels(label, judged.loss, 3)
    assert levels.sum(axis=1).tolist() == [10, 10, 0]
    for rule, shares in ((SmallLoss(quantile=0.3), [3, 3]), (SmallLoss(quantile=0.3, background=0.5), [5, 3])):
        largest = largest_losses(rule, levels)
        clean = clean_label(judged, largest)
        assert [(clean == k).sum() for k in (0, 1)] == shares == kept(levels, largest)[:2].tolist()
        assert largest[2] == -1 and clean[0, 10] == 1 and clean[0, 19] == 255  # the smallest of them
    tau = largest_losses(SmallLoss(tau=0.7), levels)
    assert kept(levels, tau).tolist() == [10, 0, 0]
    each = largest_losses(SmallLoss(tau=[0.7, 17.5, 1.0]), levels)
    assert each[0] == tau[0] and kept(levels, each)[1] == 9
    assert kept(levels, largest_losses(SmallLoss(quantile=1.0), levels)).tolist() == [10, 10, 0]


def test_stored_losses_keep_their_order(tmp_path: Path, tiny_voc: Path):
    """Probabilities of 1e-6 and 1e-9 would both be 0 in steps of 1/65535, and a quantile would keep all of a class."""
    judged, data = JudgedLabels(tmp_path), open_dataset(tiny_voc)
    loss = np.array([[-0.0, 3e-5, 0.7, 13.8, 20.7, 1e6]], np.float32)
    judged.write("a", JudgedLabel(np.array([[0, 1, 1, 1, 255, 1]], np.uint8), loss))
    back = judged.read("a")
    assert (np.diff(back.loss) > 0).all() and np.isfinite(back.loss).all()
    np.testing.assert_allclose(back.loss[0, :5], loss[0, :5], rtol=1e-2)
    assert class_levels(back.label, back.loss, 2)[0, 0] == 1  # torch's cross entropy gives -0, too
    assert (level_values()[:-1] < level_values()[1:]).all() and level_values()[0] == 0
    assert (
        class_levels(back.label, back.loss, 2)[1].nonzero()[0].tolist()
        == back.loss[0, [1, 2, 3, 5]].astype(np.float16).view(np.uint16).tolist()
    )
    assert judged.picture(np.zeros((1, 6, 3), np.uint8), back, data).shape == (1, 6, 3)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "one of tau and quantile is needed"),
        ({"tau": 0.7, "quantile": 0.5}, "one of tau and quantile is needed"),
        ({"quantile": 1.2}, "quantile=1.2 must be above 0 and at most 1"),
        ({"tau": 0}, "tau=0 must be above 0"),
        ({"tau": [0.7, "x"]}, "must be above 0"),
        ({"tau": [0.7, 1.0], "background": 0.5}, "background has its tau in the list already"),
        ({"quantil": 0.5}, "there is no 'quantil' .did you mean 'quantile'"),
        (0.7, "is no dict of numbers"),
    ],
)
def test_a_rule_that_makes_no_sense_is_a_sentence(given: object, words: str):
    with pytest.raises(UserError, match=words):
        SmallLoss.from_recipe(given)


def test_taus_of_another_number_of_classes_and_other_gat_numbers_are_refused():
    with pytest.raises(UserError, match="tau holds 2 numbers for 7 classes"):
        SmallLoss(tau=[0.7, 1.0]).of_classes(7)
    for key, value, words in (("heads", 0, "whole number"), ("dropout", 1.0, "below 1"), ("lr", -1, "from 0 on")):
        with pytest.raises(UserError, match=words):
            GATRule.from_recipe({**GAT, key: value})
    with pytest.raises(UserError, match="'lr' is missing"):
        GATRule.from_recipe({key: value for key, value in GAT.items() if key != "lr"})


def test_precision_and_coverage_of_clean_pixels():
    label = np.array([[0, 0, 0, 0, 1, 1]], np.uint8)
    loss = np.array([[0.1, 0.2, 0.3, 0.9, 0.4, 0.5]], np.float32)
    truth = np.array([[0, 0, 1, 1, 0, 1]], np.uint8)
    total = class_levels(label, loss, 3)
    right = class_levels(np.where(truth == label, label, 255).astype(np.uint8), loss, 3)
    precision, coverage = precision_and_coverage(right, total, np.array([0.35, 0.45, 9.0]))
    assert precision[:2] == pytest.approx([2 / 3, 0]) and coverage[:2] == pytest.approx([3 / 4, 1 / 2])
    assert np.isnan(precision[2])
    curves = sweep(right, total, [0])
    shares = dict(curves["share kept of each class"]["precision"])
    assert shares[0.5] == 1 and shares[1.0] == 0.5 and dict(curves["tau"]["coverage"])[0.7] == 0.75


# --- graphs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("grid", [(3, 4), (5, 7), (1, 1), (12, 16)])
def test_means_of_an_enlarged_map_need_no_enlarged_map(grid: tuple[int, int]):
    """Plain form: torch enlarges, then means; also with more superpixels than cells."""
    rng = np.random.default_rng(0)
    features, segments = rng.normal(size=(6, *grid)).astype(np.float32), blocks(side=2)
    large = F.interpolate(torch.from_numpy(features)[None], (12, 16), mode="bilinear", align_corners=False)[0].numpy()
    wanted = np.stack([large[:, segments == number].mean(axis=1) for number in range(segments.max() + 1)])
    found = upsampled_means(features, segments)
    assert found.dtype == np.float32 and len(found) == 48
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    if grid == (3, 4):
        assert len(np.unique(found.round(4), axis=0)) == 48  # each has features of its own


def test_every_edge_is_there_in_both_directions():
    """Attention gathers at the target: with one direction half of the nodes hear nothing."""
    features = np.random.default_rng(0).normal(size=(12, 5))
    joined = np.concatenate([region_adjacency(blocks()), similarity_edges(features, 3, 0.2)], axis=1)
    edges = {tuple(edge) for edge in both_ways(joined, 12).T.tolist()}
    assert edges and all((other, one) in edges and one != other for one, other in edges)
    assert {tuple(edge) for edge in region_adjacency(blocks()).T.tolist()} <= edges


def test_similar_nodes_are_the_nearest_ones_from_a_threshold_on():
    features = np.array([[1, 0], [1, 0.1], [1, 0.2], [0, 1], [-1, 0]], float)
    assert similarity_edges(features, 1, 0.9).T.tolist() == [[0, 1], [1, 0], [1, 2], [2, 1]]
    assert similarity_edges(features, 1, 0.99999).shape == (2, 0)
    assert similarity_edges(features[:1], 5, 0.0).shape == (2, 0)


def test_few_random_directions_keep_similarities():
    generator = torch.Generator().manual_seed(0)
    features = torch.rand(600, 3, 4, generator=generator)
    small = projected(features, 256)
    assert small.shape == (256, 3, 4) and torch.equal(small, projected(features, 256))
    one, other = (F.normalize(each.flatten(1), dim=0) for each in (features, small))
    assert (one.T @ one - other.T @ other).abs().max() < 0.2


def test_votes_of_clean_pixels_label_a_node():
    segments = np.array([[0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]])
    clean = np.array([[1, 1, 2, 255, 2, 1, 255, 255, 1, 255, 255, 255]], np.uint8)
    votes = node_votes(clean, segments, 3)
    assert votes.tolist() == [[0, 2, 1], [0, 1, 1], [0, 1, 0]]  # 255 votes for nobody
    assert node_labels(votes, segments, 0.5).tolist() == [1, 1, 255]  # a tie: the first; a quarter is too few
    assert node_labels(votes, segments, 0.25).tolist() == [1, 1, 1]
    assert node_labels(node_votes(np.full((1, 12), 255, np.uint8), segments, 3), segments, 0.0).tolist() == [255] * 3
    assert keep_clean(np.full((1, 12), 7), clean)[0, :4].tolist() == [1, 1, 2, 7]


def test_a_stored_graph_is_small_and_comes_back(tmp_path: Path, tiny_voc: Path):
    rng, graphs, data = np.random.default_rng(0), Graphs(tmp_path), open_dataset(tiny_voc)
    segments = blocks((240, 320), 15)  # 352 superpixels
    features = rng.normal(size=(352, 365)).astype(np.float32)
    edges = both_ways(np.concatenate([region_adjacency(segments), similarity_edges(features, 5, 0.0)], axis=1), 352)
    value = Graph(features, edges, rng.integers(0, 2, 352).astype(np.uint8), rng.random((352, 2)))
    value.labels[0] = 255
    graphs.write("a", value)
    back = graphs.read("a")
    assert graphs.file("a").stat().st_size < 0.5e6
    assert (back.edges == value.edges).all() and back.edges.dtype == np.int64 and (back.labels == value.labels).all()
    np.testing.assert_allclose(back.features, value.features, rtol=1e-3, atol=1e-3)
    photo = np.full((240, 320, 3), 90, np.uint8)
    shown = graphs.picture(photo, back, data)
    assert shown.shape == photo.shape and (shown == data.palette[1]).all(axis=2).any() and (photo == 90).all()
    with pytest.raises(ValueError, match="do not fit 352 nodes"):
        graphs.write("b", Graph(features, edges + 1, value.labels, value.places))


# --- the graph network ---------------------------------------------------------------------------------------------


def picture(seed: int, classes: int = 3, size: int = 6) -> tuple[Graph, np.ndarray, np.ndarray]:
    """A grid of nodes in blocks of a class, features that tell it with noise; the truth and 30 % wrong labels."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, (2, 2)).repeat(size // 2, axis=0).repeat(size // 2, axis=1).ravel()
    noisy = np.where(rng.random(len(truth)) < 0.3, rng.integers(0, classes, len(truth)), truth)
    features = np.eye(classes)[truth] + rng.normal(0, 0.4, (len(truth), classes))
    edges = region_adjacency(np.arange(size * size).reshape(size, size))
    clean = rng.random(len(truth)) < np.where(noisy == truth, 0.6, 0.1)  # small losses find most wrong labels
    labels = np.where(clean, noisy, 255).astype(np.uint8)
    return Graph(features.astype(np.float32), edges, labels, rng.random((len(truth), 2))), truth, noisy


@pytest.fixture
def made(tmp_path: Path, tiny_voc: Path) -> tuple[Run, Graphs]:
    """Eight graphs of two classes, and one without a labelled node."""
    graphs = Graphs(tmp_path / "graphs")
    graphs.path.mkdir()
    for seed in range(9):
        graph, _, _ = picture(seed, classes=2)
        graphs.write(
            f"g{seed}", graph if seed else Graph(graph.features, graph.edges, 0 * graph.labels + 255, graph.places)
        )
    (tmp_path / "gat").mkdir()
    return Run(open_dataset(tiny_voc), torch.device("cpu"), tmp_path / "gat", 0), graphs


def test_the_network_corrects_labels(made: tuple[Run, Graphs]):
    """On labels of which 30 % are wrong; the same seed gives the same weights, whatever was drawn before."""
    from methods.pixel_noise_gat.fit import fit
    from methods.pixel_noise_gat.gat import batched, best_classes

    run, graphs = made
    rule = GATRule.from_recipe(GAT)
    model = fit(run, graphs, rule)
    torch.rand(3)
    again = fit(run, graphs, rule)
    assert all(torch.equal(one, other) for one, other in zip(model.parameters(), again.parameters(), strict=True))
    assert len((run.out / "log.jsonl").read_text().splitlines()) == 30
    right = {"noisy": 0, "corrected": 0}
    for seed in range(20, 40):
        graph, truth, noisy = picture(seed, classes=2)
        with torch.no_grad():
            logits = model(*batched([graph], torch.device("cpu"))[:2])
        assert set(best_classes(logits, (0,)).tolist()) == {0}  # a class that the photo lacks never wins
        right["noisy"] += (noisy == truth).mean() / 20
        right["corrected"] += (best_classes(logits, (0, 1)) == truth).mean() / 20
    assert right["noisy"] < 0.9 < right["corrected"]


def test_graphs_of_a_batch_do_not_hear_each_other(made: tuple[Run, Graphs]):
    from methods.pixel_noise_gat.gat import CorrectionGAT, batched

    torch.manual_seed(0)
    model = CorrectionGAT(2, 2, 4, 2, dropout=0.6).eval()
    alone = [made[1].read(f"g{seed}") for seed in (1, 2)]
    with torch.no_grad():
        features, edges, labels = batched(alone, torch.device("cpu"))
        together = model(features, edges)
        torch.testing.assert_close(together[:36], model(*batched(alone[:1], torch.device("cpu"))[:2]))
        order = torch.randperm(72, generator=torch.Generator().manual_seed(0))
        place = order.argsort()
        torch.testing.assert_close(model(features[order], place[edges]), together[order])  # names of nodes
        twice = model(features, torch.cat([edges, edges[:, :1]], dim=1))
        assert not torch.allclose(twice, together)  # an edge counts as often as it is there
        reached = features.clone().requires_grad_()
    model(reached, edges)[:36].sum().backward()
    assert reached.grad[:36].any() and not reached.grad[36:].any() and labels.shape == (72,)


def test_nodes_without_a_label_anywhere_are_refused(made: tuple[Run, Graphs]):
    from methods.pixel_noise_gat.fit import fit

    run, graphs = made
    for seed in range(1, 9):
        graphs.file(f"g{seed}").unlink()
    with pytest.raises(UserError, match="No node of 'graphs' has a label"):
        fit(run, graphs, GATRule.from_recipe(GAT))
