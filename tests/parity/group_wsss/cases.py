"""Group-WSSS: golden files of the authors' code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import methods.group_wsss.model  # noqa: F401  (registers the network)
from common.checkpoints.convert import convert_torchvision_vgg16, renamed
from common.ops.saliency_labels import SaliencyRule, saliency_labels
from common.training.param_groups import parameter_groups
from methods.group_wsss.graph import CoAttention, ConvGRUCell, GraphDropout, GroupGraph
from methods.group_wsss.losses import group_loss
from methods.group_wsss.store import MapStore, to_levels
from tests.parity.compare import close, equal, shapes
from tests.parity.networks import RGB, blank, filled, images, loaded

Golden = dict[str, np.ndarray]
RULE = SaliencyRule(salient=32, soft=True, conflict=0.9, strong=0.8, min_foreground=0.01)
VGG16 = {
    "type": "VGG16Dilated",
    "pool_kernel": (2, 2, 2, 3, None),
    "pool_strides": (2, 2, 2, 1, None),
    "avg_pool": False,
}
UNUSED = "extra_linear_e.weight"
PARTS = {
    "gate": "attention.gate",
    "proja": "attention.query",
    "projb": "attention.key",
    "conv_fusion": "fusion",
    "ConvGRU.reset_gate": "unit.reset",
    "ConvGRU.update_gate": "unit.update",
    "ConvGRU.out_gate": "unit.out",
}
"""The authors' names -> ours, below the graph."""
GRADIENTS = {
    "grad_extra_gate": "graph.attention.gate.weight",
    "grad_proja": "graph.attention.query.weight",
    "grad_gru_out": "graph.unit.out.weight",
    "grad_fusion_bias": "graph.fusion.bias",
    "grad_conv1": "backbone.conv1_1.weight",
}


def convert(state: Mapping[str, Any]) -> dict[str, Any]:
    """The authors' network under our names, without the parameter that nothing uses."""
    kinds = r"\.(weight|bias)"
    rules = [(rf"extra_convs\.{2 * i}{kinds}", rf"extra.conv{i + 1}.\1") for i in range(4)]
    rules += [(rf"extra_{theirs}{kinds}", rf"graph.{ours}.\1") for theirs, ours in PARTS.items()]
    return convert_torchvision_vgg16(state) | renamed(state, rules)


def weights_of(golden: Golden, layer: str) -> dict[str, Tensor]:
    """`weight` and, if there is one, `bias` of a layer of the file."""
    kinds = [kind for kind in ("weight", "bias") if f"{layer}_{kind}" in golden]
    return {kind: torch.from_numpy(golden[f"{layer}_{kind}"]) for kind in kinds}


def fill(module: nn.Module, golden: Golden, names: Mapping[str, str]) -> nn.Module:
    """Load the file's layers; names: theirs -> ours."""
    state = {
        f"{ours}.{kind}": value for theirs, ours in names.items() for kind, value in weights_of(golden, theirs).items()
    }
    module.load_state_dict(state)
    return module


def attention(golden: Golden) -> None:
    """One message with its gate, and its gradients."""
    names = {"proja": "query", "projb": "key", "gate": "gate"}
    layer = fill(CoAttention(golden["node"].shape[1], len(golden["proja_bias"])), golden, names)
    states = torch.from_numpy(np.stack([golden["node"], golden["neighbour"]], axis=1)).requires_grad_()
    message = layer(states, [0], [1])[:, 0]
    close(message, golden["message"], 1e-4, what="message")
    message.pow(2).sum().backward()
    close(states.grad[:, 0], golden["grad_node"], 1e-4, what="gradient of the node")
    close(states.grad[:, 1], golden["grad_neighbour"], 1e-4, what="gradient of the neighbour")


def conv_gru(golden: Golden) -> None:
    """The recurrent unit, from a state and from none."""
    names = {"reset_gate": "reset", "update_gate": "update", "out_gate": "out"}
    cell = fill(ConvGRUCell(golden["state"].shape[1]), golden, names)
    message, state = torch.from_numpy(golden["input"]), torch.from_numpy(golden["state"])
    close(cell(message, state), golden["new_state"], 1e-5, what="new state")
    close(cell(message), golden["new_state_from_none"], 1e-5, what="new state from none")


def one_round(golden: Golden) -> None:
    """A round of three nodes without the dropout."""
    nodes = torch.from_numpy(golden["nodes"])
    graph = GroupGraph(nodes.shape[1], len(nodes), 1, len(golden["proja_bias"]), "concat", None, 0.7)
    fill(graph, golden, {theirs.replace(".", "_"): ours for theirs, ours in PARTS.items()})
    close(graph.update(nodes[None])[0], golden["updated"], 1e-4, what="updated nodes")


def graph_dropout(golden: Golden) -> None:
    """Both branches with their gradients, and which draw takes which."""
    layer = GraphDropout(round(float(golden["drop_rate"]), 6), round(float(golden["drop_threshold"]), 6))
    for branch, masked in (("importance", False), ("drop", True)):
        assert bool(layer.takes_mask(torch.tensor(float(golden[f"draw_{branch}"])))) == masked
        x = torch.from_numpy(golden["input"]).requires_grad_()
        out = layer(x, torch.full((len(x),), masked))
        close(out, golden[f"out_{branch}"], 1e-5, what=branch)
        out.pow(2).sum().backward()
        close(x.grad, golden[f"grad_{branch}"], 1e-5, what=f"gradient of {branch}")


def network(golden: Golden) -> None:
    """Maps, the first round and the last dropout, logits, loss, gradients and learning-rate groups of a group.

    float64: in float32 a gradient through the maxima of the pools is off by 1e-3.
    """
    named = shapes(golden)
    config = {"type": "GroupNetwork", "backbone": VGG16, "num_classes": golden["label"].shape[1]}
    model = loaded(blank(config, RGB), convert(filled(named, golden))).requires_grad_().double()
    groups = dict(zip(golden["keys"].tolist(), golden["lr_group"].tolist(), strict=True))
    assert parameter_groups(model, ("extra", "graph")) == convert(groups)
    x = model.normalize(images(golden["image_size"], *golden["image_seeds"])).double().requires_grad_()
    use_mask = torch.from_numpy(golden["use_drop_mask"]) > 0
    draws = torch.from_numpy(golden["uniform_draws"]).view(use_mask.shape)
    equal(model.graph.dropout.takes_mask(draws), use_mask, "masks that are taken")
    seen: list[Tensor] = []
    model.graph.dropout.register_forward_hook(lambda _, __, out: seen.append(out))
    initial = model.extra(model.backbone(x)[-1])[None]
    final = model.graph(initial, use_mask[None])
    close(initial[0], golden["initial_map"], 0, 1e-4, what="maps before the graph")
    sent = model.graph.attention(initial, model.graph.to, model.graph.source)[0, :, None]
    close(sent, golden["messages_round0"], 0, 1e-4, what="messages")
    close(model.graph.update(initial)[0], golden["gru_round0"], 0, 1e-4, what="first round")
    close(seen[0], golden["gdl_round0"], 0, 1e-4, what="first dropout")
    close(seen[2], golden["gdl_round2"], 0, 1e-4, what="last dropout")
    close(final[:, 0], golden["final_map_first"], 0, 1e-4, what="first map behind the graph")
    logits = [maps.mean(dim=(3, 4)) for maps in (initial, final)]
    close(logits[0][0], golden["logits_initial"], 0, 1e-4, what="logits before the graph")
    close(logits[1][0], golden["logits_final"], 0, 1e-4, what="logits behind the graph")
    loss = group_loss(*logits, torch.from_numpy(golden["label"])[None], 0.4, 6.0)
    close(loss, golden["loss"], 0, 1e-4, what="loss")
    loss.backward()
    check_gradients(model, x, golden)


def check_gradients(model: nn.Module, x: Tensor, golden: Golden) -> None:
    """The norms of all gradients, and those that the file holds."""
    norms = dict(zip(golden["grad_names"].tolist(), golden["grad_norms"].tolist(), strict=True))
    assert norms.pop(UNUSED, -1) == -1
    norms.pop("extra_projb.bias")  # 0 but for rounding: a constant shift of all scores changes no softmax
    grads = {name: parameter.grad for name, parameter in model.named_parameters()}
    ours = convert({key: key for key in norms})
    assert len(ours) == len(norms) == len(grads) - 1
    found = np.array([float(grads[name].double().norm()) for name in ours])
    close(found / [norms[key] for key in ours.values()], np.ones(len(found)), 1e-3, what="relative gradient norms")
    for key, name in GRADIENTS.items():
        close(grads[name], golden[key], 1e-3, what=key)
    close(x.grad[:1, :, ::8, ::8], golden["grad_image_first"], 1e-3, what="gradient of the first image")


def accumulate(golden: Golden) -> None:
    """The stored maps after every epoch."""
    maps = (torch.from_numpy(golden["initial_map"]) + torch.from_numpy(golden["final_map"])) / 2
    scores, epochs = torch.from_numpy(golden["prob"]), int(golden["total_epochs"])
    store = MapStore(maps.shape[1], tuple(maps.shape[2:]), 0.1)
    for epoch, found in enumerate(maps):
        store.update(torch.arange(len(found)), to_levels(found.clamp(min=0)), scores[epoch], epoch, epochs)
        close(store.levels.int(), golden["stored"][epoch].astype(int), 0, 1, what=f"maps after epoch {epoch}")


def label(golden: Golden) -> None:
    """Labels of maps in bytes, each divided by its own range."""
    levels = golden["attention"].astype(np.float32)
    lowest, highest = levels.min(axis=(1, 2), keepdims=True), levels.max(axis=(1, 2), keepdims=True)
    maps = (levels - lowest) / (highest - lowest + 1e-8)
    equal(saliency_labels(maps, golden["class_id"] + 1, golden["saliency"], RULE), golden["label"], "labels")


CASES = {
    "accumulate": accumulate,
    "attention": attention,
    "conv_gru": conv_gru,
    "graph_dropout": graph_dropout,
    "label": label,
    "network": network,
    "round": one_round,
}
