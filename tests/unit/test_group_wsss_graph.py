"""Group-WSSS's graph: messages against the plain form of each pair, rounds, the unit, the dropout."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from common.base.errors import UserError
from methods.group_wsss.graph import CoAttention, ConvGRUCell, GraphDropout, GroupGraph
from methods.group_wsss.losses import group_loss

TOLERANCE = 5e-5  # of states of about 4: float32 sums in another order


def states(groups: int = 2, size: int = 3, channels: int = 5, seed: int = 0) -> Tensor:
    """Float [G, K, C, 6, 7]."""
    return 2 * torch.randn(groups, size, channels, 6, 7, generator=torch.Generator().manual_seed(seed))


def group_graph(channels: int = 5, size: int = 3, rounds: int = 3, rate: float | None = None, **options) -> GroupGraph:
    """With weights that matter: those of the start are too small to tell one form from another."""
    torch.manual_seed(1)
    graph = GroupGraph(channels, size, rounds, 10, options.get("messages", "concat"), rate, 0.7)
    for parameter in graph.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    return graph.eval()


def plain_message(layer: CoAttention, node: Tensor, other: Tensor, scale: float = 1.0) -> Tensor:
    """The message of one pair as the released code makes it, [1, C, h, w]; scale: of the scores."""
    query, key = layer.query(node).flatten(2), layer.key(other).flatten(2)
    weights = (scale * query.transpose(1, 2) @ key).softmax(dim=2)
    found = (weights @ other.flatten(2).transpose(1, 2)).transpose(1, 2).view_as(other)
    return found * layer.gate(found).sigmoid()


def plain_round(graph: GroupGraph, nodes: list[Tensor]) -> list[Tensor]:
    """One synchronous round of nodes [1, C, h, w], pair by pair and node by node."""
    new = []
    for i, node in enumerate(nodes):
        if graph.fusion is None:
            received = sum(plain_message(graph.attention, node, other) for other in nodes)
        else:
            sent = [plain_message(graph.attention, node, other) for j, other in enumerate(nodes) if j != i]
            received = graph.fusion(torch.cat(sent, dim=1))
        new.append(graph.unit(received, node))
    return new


def plain_rounds(graph: GroupGraph, x: Tensor) -> Tensor:
    """All rounds of several groups [G, K, C, h, w], without dropout."""
    groups = []
    for group in x:
        nodes = [node[None] for node in group]
        for _ in range(graph.rounds):
            nodes = plain_round(graph, nodes)
        groups.append(torch.cat(nodes))
    return torch.stack(groups)


# --- messages ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "messages"), [(2, "concat"), (3, "concat"), (4, "concat"), (1, "sum"), (3, "sum")])
def test_rounds_of_several_groups_are_those_of_each_pair(size: int, messages: str):
    """Values in float32, values and gradients in float64."""
    graph, x = group_graph(size=size, messages=messages), states(size=size)
    torch.testing.assert_close(graph(x), plain_rounds(graph, x), rtol=0, atol=TOLERANCE)
    graph, x, slope = graph.double(), x.double().requires_grad_(), states(size=size, seed=9).double()
    found, wanted = graph(x), plain_rounds(graph, x)
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-12)
    ours, theirs = (torch.autograd.grad((form * slope).sum(), x)[0] for form in (found, wanted))
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)


def test_scores_are_not_divided_by_the_root_of_the_width():
    graph, x = group_graph(), states(groups=1)
    found = graph.attention(x, [0], [1])[:, 0]
    assert (found - plain_message(graph.attention, x[:, 0], x[:, 1])).abs().max() < TOLERANCE
    usual = plain_message(graph.attention, x[:, 0], x[:, 1], scale=1 / math.sqrt(10))
    assert (found - usual).abs().max() > 0.1


def test_what_is_sent_are_the_class_maps_themselves():
    """With equal scores everywhere a position receives the mean of the other's maps, times the gate: no projection."""
    graph, x = group_graph(), states(groups=1)
    torch.nn.init.zeros_(graph.attention.query.weight)
    torch.nn.init.zeros_(graph.attention.query.bias)
    torch.nn.init.zeros_(graph.attention.gate.weight)
    found = graph.attention(x, [0, 2], [1, 0])
    means = x[:, [1, 0]].mean(dim=(3, 4), keepdim=True)
    torch.testing.assert_close(found, 0.5 * means.expand_as(found))


def test_weights_of_the_others_positions_sum_to_1():
    graph = group_graph()
    torch.nn.init.zeros_(graph.attention.gate.weight)
    nodes = states(groups=1)
    nodes[:, 1] = 3.0  # equal everywhere: any weights that sum to 1 give 3
    torch.testing.assert_close(graph.attention(nodes, [0], [1]), torch.full((1, 1, 5, 6, 7), 1.5))


def test_identical_neighbours_send_identical_messages():
    graph, x = group_graph(), states()
    x[:, 2] = x[:, 1]
    first, second = graph.attention(x, [0, 0], [1, 2]).unbind(dim=1)
    torch.testing.assert_close(first, second)


def test_messages_are_fused_in_ascending_order():
    """Images 2 and 3 swapped: their updates swap; that of image 1 stays only if both halves of the fusion are equal."""
    graph, x = group_graph(), states()
    before, after = graph.update(x), graph.update(x[:, [0, 2, 1]])
    assert (before[:, 0] - after[:, 0]).abs().max() > 0.1
    half = graph.fusion.weight[:, :5].clone()
    graph.fusion.weight.data = torch.cat([half, half], dim=1)
    before, after = graph.update(x), graph.update(x[:, [0, 2, 1]])
    torch.testing.assert_close(before[:, [0, 2, 1]], after, rtol=0, atol=TOLERANCE)


def test_the_fusion_has_no_relu_and_the_papers_sum_has_the_nodes_own_message():
    graph = group_graph()
    assert (graph.fused(states()) < 0).any()
    graph = group_graph(messages="sum")
    assert graph.fusion is None and (graph.to, graph.source) == ([0, 0, 0, 1, 1, 1, 2, 2, 2], [0, 1, 2] * 3)
    x = states()
    own = plain_message(graph.attention, x[:, 0], x[:, 0])
    others = sum(plain_message(graph.attention, x[:, 0], x[:, j]) for j in (1, 2))
    torch.testing.assert_close(graph.fused(x).view_as(x)[:, 0], own + others, rtol=0, atol=TOLERANCE)


def test_all_nodes_are_updated_from_the_old_states():
    """One after the other, the third image would see the new states of the first two."""
    graph, x = group_graph(rounds=1), states(groups=1)
    nodes = [node[None] for node in x[0]]
    for i in range(3):
        nodes[i] = plain_round(graph, nodes)[i]
    assert (graph(x)[0, 2] - nodes[2][0]).abs().max() > 0.01


def test_what_no_graph_can_be_is_refused():
    with pytest.raises(UserError, match="must be 'concat' or 'sum'"):
        GroupGraph(5, 3, 3, 10, "mean", None, 0.7)
    with pytest.raises(UserError, match="take 2 or more"):
        GroupGraph(5, 1, 3, 10, "concat", None, 0.7)


def test_the_unit_keeps_its_state_where_the_update_gate_is_closed():
    cell = ConvGRUCell(4)
    torch.nn.init.zeros_(cell.update.weight)
    torch.nn.init.constant_(cell.update.bias, -100.0)
    message, state = states(1, 1, 4)[0], states(1, 1, 4, seed=5)[0]
    assert torch.equal(cell(message, state), state) and not cell(message).any()
    torch.nn.init.constant_(cell.update.bias, 100.0)  # open: the candidate, whose inputs are [message, reset state]
    torch.nn.init.zeros_(cell.reset.weight)
    torch.nn.init.constant_(cell.reset.bias, -100.0)
    torch.testing.assert_close(cell(message, state), cell.out(torch.cat([message, 0 * state], dim=1)).tanh())


def test_no_matrix_of_all_pairs_of_positions_is_kept():
    """Six pairs of 32 x 32 cells would keep 6 x 1024 x 1024 numbers for the backward pass."""
    kept = {}
    graph, x = group_graph(), torch.randn(1, 3, 5, 32, 32).requires_grad_()

    def pack(saved: Tensor) -> Tensor:
        kept[saved.untyped_storage().data_ptr()] = saved.untyped_storage().nbytes()
        return saved

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda saved: saved):
        result = graph.attention(x, graph.to, graph.source)
    assert result.requires_grad and sum(kept.values()) < 4 * 1024 * 1024


# --- dropout -------------------------------------------------------------------------------------------------------


def test_the_mask_halves_the_strongest_positions_of_each_image():
    x = torch.tensor([[1.0, 6.9, 7.1, 10.0], [100.0, 69.0, 71.0, -5.0]])[:, None, None]
    x = torch.cat([x, x], dim=1)  # equal channels: the mean is each
    found = GraphDropout(0.8, 0.7)(x, torch.tensor([True, True])) / x
    assert found[:, 0, 0].tolist() == [[1.0, 1.0, 0.5, 0.5], [0.5, 1.0, 0.5, 1.0]]


def test_a_mean_that_is_negative_everywhere_hides_nothing():
    x = -1 - torch.rand(1, 3, 4, 5)
    assert torch.equal(GraphDropout(0.8, 0.7)(x, torch.tensor([True])), x)


def test_the_importance_has_a_gradient_and_the_mask_has_none():
    layer, x = GraphDropout(0.8, 0.7), states(1, 2)[0].requires_grad_()
    weights = states(1, 2, seed=4)[0]
    mean = x.mean(dim=1, keepdim=True)
    for masked, chosen in ((False, mean.sigmoid()), (True, (mean < 0.7 * mean.amax(dim=(2, 3), keepdim=True)).float())):
        out = layer(x, torch.tensor([masked, masked]))
        torch.testing.assert_close(out, (x * chosen + x) / 2)
        (found,) = torch.autograd.grad((out * weights).sum(), x)
        (wanted,) = torch.autograd.grad(((x * chosen + x) / 2 * weights).sum(), x, retain_graph=True)
        torch.testing.assert_close(found, wanted)
        if masked:
            torch.testing.assert_close(found, weights * (chosen + 1) / 2)


def test_the_dropout_is_active_in_evaluation():
    """Switched off as usual, the maps of a network that does not train would be others than those that are stored."""
    graph, x = group_graph(rate=0.8), states()
    mask = torch.rand(2, 3, 3, generator=torch.Generator().manual_seed(0)) < 0.5
    found = graph.eval()(x, mask)
    assert torch.equal(found, graph.train()(x, mask))
    assert (found - group_graph(rate=None)(x)).abs().max() > 0.01
    torch.manual_seed(0)
    first = graph.eval()(x)
    assert not torch.equal(first, graph(x))  # it draws


def test_every_group_round_and_node_has_a_selector_of_its_own():
    graph, x = group_graph(rate=0.8), states()
    mask = torch.zeros(2, 3, 3, dtype=torch.bool)
    plain = graph(x, mask)
    for group in (0, 1):
        changed = mask.clone()
        changed[group, 2, 1] = True  # last round, second image
        differs = (graph(x, changed) != plain).flatten(2).any(dim=2)
        assert differs.nonzero().tolist() == [[group, 1]]
    changed = mask.clone()
    changed[0, 0, 1] = True  # first round: all of the group, none of the other
    assert (graph(x, changed) != plain).flatten(2).any(dim=2).tolist() == [[True] * 3, [False] * 3]


def test_the_mask_is_drawn_with_the_rate():
    torch.manual_seed(0)
    for rate in (0.8, 0.95):
        drawn = GraphDropout(rate, 0.7).draw(400, 3, 3)
        assert drawn.shape == (400, 3, 3) and float(drawn.float().mean()) == pytest.approx(rate, abs=0.02)
    takes = GraphDropout(0.8, 0.7).takes_mask(torch.tensor([0.0, 0.1, 0.19, 0.21, 0.9]))
    assert takes.tolist() == [False, False, False, True, True]


# --- loss ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("divisor", [6.0, 1.0])
def test_the_smaller_weight_is_that_of_the_logits_before_the_graph(divisor: float):
    initial, final = torch.randn(2, 3, 5), torch.randn(2, 3, 5)
    tags = (torch.rand(2, 3, 5) > 0.5).float()
    terms = []
    for group in range(2):
        for image in range(3):
            for weight, logits in ((0.4, initial), (1.0, final)):
                p, y = logits[group, image].sigmoid(), tags[group, image]
                terms.append(weight * -(y * p.log() + (1 - y) * (1 - p).log()).mean())
    torch.testing.assert_close(group_loss(initial, final, tags, 0.4, divisor), sum(terms) / 2 / divisor)
