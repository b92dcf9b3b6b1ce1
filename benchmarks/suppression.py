"""DRS's suppression against a plain ReLU: time, memory, and the broadcast minimum against the released expansion."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks.result import Result, seconds
from methods.drs.model import Suppression
from methods.drs.suppression import suppress

CHANNELS, CELLS, FULL = 64, 160, 320  # conv1 of VGG16 on photos of 320 pixels


def feature_map(full: bool) -> Tensor:
    """float [1, 64, h, h]."""
    side = FULL if full else CELLS
    return torch.randn(1, CHANNELS, side, side, generator=torch.Generator().manual_seed(0)).requires_grad_()


def step(form, x: Tensor) -> Tensor:
    """Forward and backward; returns the gradient of the input."""
    (found,) = torch.autograd.grad(form(x).sum(), x)
    return found


def kept(form, x: Tensor) -> float:
    """MB of what the forward pass keeps for the backward pass, storages counted once."""
    storages: dict[int, int] = {}

    def pack(saved: Tensor) -> Tensor:
        storage = saved.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
        return saved

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda saved: saved):
        result = form(x)
    del result
    return sum(storages.values()) / 2**20


def expanded(x: Tensor) -> Tensor:
    """The released form: maximum and share as whole maps."""
    active = x.relu()
    top = torch.nn.functional.adaptive_max_pool2d(active, 1).expand_as(active).contiguous()
    share = torch.full_like(active, 0.55)
    return torch.minimum(active, top * share)


def broadcast(full: bool) -> Result:
    """The broadcast minimum against whole maps of maximum and share."""
    x = feature_map(full)
    ours, mine = seconds(lambda: step(Suppression(CHANNELS, 0.55), x))
    original, theirs = seconds(lambda: step(expanded, x))
    memory = kept(Suppression(CHANNELS, 0.55), x), kept(expanded, x)
    note = f"64 channels, {x.shape[-1]} x {x.shape[-1]}: keeps {memory[0]:.0f} MB for {memory[1]:.0f} MB"
    return Result(original, ours, f"{float((mine - theirs).abs().max()):.0e}", note)


def against_relu(full: bool) -> Result:
    """A plain ReLU is the original here, so a ratio below 1 is what suppression costs."""
    x, layer = feature_map(full), Suppression(CHANNELS, None)
    ours, _ = seconds(lambda: step(layer, x))
    fixed, _ = seconds(lambda: step(lambda x: suppress(x.relu(), 0.55), x))
    original, _ = seconds(lambda: step(torch.relu, x))
    memory = kept(layer, x), kept(torch.relu, x)
    times = f"learnable takes {ours / original:.0f} times a ReLU's time, fixed {fixed / original:.0f} times"
    note = f"{times}; keeps {memory[0]:.0f} MB for {memory[1]:.0f} MB"
    return Result(original, ours, "another function", note)


BENCHMARKS = {"suppression": broadcast, "suppression_relu": against_relu}
