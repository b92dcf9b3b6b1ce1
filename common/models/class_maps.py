"""Layers that make one map for every class of a backbone's last tap."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn


def class_map_layers(
    channels: int,
    width: int,
    num_classes: int,
    activation: Callable[[int], nn.Module],
    before: nn.Module | None = None,
) -> nn.Sequential:
    """Three 3x3 convolutions of `width` channels, each with an activation, and a 1x1 with bias: conv1, act1 .. conv4.

    Args:
        channels: of the tap.
        num_classes: maps, C - 1.
        activation: makes the one for so many channels.
        before: what the tap goes through first, `act0`.
    """
    layers = nn.Sequential()
    if before is not None:
        layers.add_module("act0", before)
    for number in (1, 2, 3):
        layers.add_module(f"conv{number}", nn.Conv2d(channels, width, 3, padding=1))
        layers.add_module(f"act{number}", activation(width))
        channels = width
    layers.add_module("conv4", nn.Conv2d(width, num_classes, 1))
    return layers
