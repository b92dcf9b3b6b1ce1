"""A round of Group-WSSS's graph on several groups at once against the plain form, pair by pair as released."""

from __future__ import annotations

import sys
from collections.abc import Callable

import torch
from torch import Tensor

from benchmarks.result import Result, in_own_process, seconds, status
from common.base.memory import give_back_freed_memory
from methods.group_wsss.graph import GroupGraph

CHANNELS, GROUP = 20, 3


def scene(groups: int, cells: int) -> tuple[GroupGraph, Tensor]:
    """The paper's graph without dropout, and nodes [groups, 3, 20, cells, cells]."""
    torch.manual_seed(0)
    graph = GroupGraph(CHANNELS, GROUP, 1, 10, "concat", None, 0.7)
    for parameter in graph.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return graph, torch.randn(groups, GROUP, CHANNELS, cells, cells).requires_grad_()


def plain(graph: GroupGraph, states: Tensor) -> Tensor:
    """One group after the other; for each directed pair two projections, a softmax and a gate; for each node a fusion
    and a unit.
    """
    layer, groups = graph.attention, []
    for group in states:
        new = []
        for i in range(GROUP):
            sent = []
            for j in (j for j in range(GROUP) if j != i):
                node, other = group[i : i + 1], group[j : j + 1]
                scores = layer.query(node).flatten(2).transpose(1, 2) @ layer.key(other).flatten(2)
                found = (scores.softmax(dim=2) @ other.flatten(2).transpose(1, 2)).transpose(1, 2).view_as(other)
                sent.append(found * layer.gate(found).sigmoid())
            new.append(graph.unit(graph.fusion(torch.cat(sent, dim=1)), group[i : i + 1]))
        groups.append(torch.cat(new))
    return torch.stack(groups)


def forms(groups: int, cells: int) -> dict[str, Callable[[], Tensor]]:
    """Both forms, forward and backward; each returns the new states."""
    graph, states = scene(groups, cells)

    def run(form: Callable[[Tensor], Tensor]) -> Tensor:
        states.grad = None
        new = form(states)
        new.pow(2).sum().backward()
        return new.detach()

    return {"ours": lambda: run(graph.update), "plain": lambda: run(lambda nodes: plain(graph, nodes))}


def against_pairs(full: bool) -> Result:
    """Time, and memory of each form in a process of its own."""
    groups, cells = (8, 32) if full else (4, 20)
    runs = forms(groups, cells)
    ours, mine = seconds(runs["ours"])
    original, theirs = seconds(runs["plain"])
    memory = {name: float(in_own_process("benchmarks.groups", name, str(groups), str(cells))) for name in runs}
    note = (
        f"{groups} groups of {GROUP}, {cells} x {cells} cells, forward and backward: memory "
        f"{memory['ours'] / memory['plain']:.2f} of the plain form"
    )
    return Result(original, ours, f"{float((mine - theirs).abs().max()):.0e} of {float(theirs.abs().max()):.1f}", note)


def _measure(name: str, groups: str, cells: str) -> None:
    """Print the MB that a form adds at its peak."""
    give_back_freed_memory()
    run = forms(int(groups), int(cells))[name]
    before = status("VmRSS")
    run()
    print(status("VmHWM") - before)


BENCHMARKS = {"groups": against_pairs}

if __name__ == "__main__":
    torch.set_num_threads(1)
    _measure(*sys.argv[1:])
