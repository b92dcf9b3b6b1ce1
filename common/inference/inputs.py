"""What a network receives with a photo at test, at the scale and mirror image that it looks at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from common.artifacts import Artifact, Map, named_maps
from common.ops.crop import mirror, pad_bottom_right
from common.ops.resize import resize_label, resize_values

Maps = Mapping[str, Map]


def image_inputs(inputs: Mapping[str, Artifact], image_id: str, size: tuple[int, int]) -> dict[str, Map]:
    """The maps of one image of several artefacts, as `named_maps`, those that follow it at its size (h, w)."""
    return {name: unsquashed(m, size) for name, m in named_maps(inputs, image_id).items()}


def network_inputs(
    images: Sequence[Maps], size: tuple[int, int], mirrored: bool, device: torch.device
) -> dict[str, Tensor]:
    """The maps of a batch of images as keyword arguments of the network, by name.

    What follows the image comes as [B, c, *size], whole numbers as int64 and others as float32; what does not, as it
    is, [B, ...].
    """
    names = images[0].keys() if images else ()
    return {name: torch.stack([_tensor(maps[name], size, mirrored) for maps in images]).to(device) for name in names}


def padded(maps: Maps, canvas: tuple[int, int]) -> dict[str, Map]:
    """The maps of a photo that is padded at the bottom and right to `canvas` (h, w)."""
    return {
        name: replace(m, values=pad_bottom_right(m.values, canvas, m.pad)) if m.follow else m
        for name, m in maps.items()
    }


def resize_map(m: Map, size: tuple[int, int]) -> np.ndarray:
    """The values of a map at another size (h, w), by its own rule: PIL's nearest, or bilinear."""
    return resize_label(m.values, size) if m.resize == "nearest" else resize_values(m.values, size)


def unsquashed(m: Map, size: tuple[int, int]) -> Map:
    """A map at the size (h, w) of its image, if it lies on a squashed grid; any other as it is."""
    return replace(m, values=resize_map(m, size), squashed=False) if m.squashed and m.follow else m


def _tensor(m: Map, size: tuple[int, int], mirrored: bool) -> Tensor:
    if not m.follow:
        return torch.from_numpy(m.packed())
    values = m.values if m.values.shape[:2] == size else resize_map(m, size)
    return torch.from_numpy(replace(m, values=mirror(values) if mirrored else values).packed())
