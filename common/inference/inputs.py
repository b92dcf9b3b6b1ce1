"""What a network receives with a photo at test, at the scale and mirror image that it looks at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from common.artifacts import Map
from common.ops.crop import pad_bottom_right
from common.ops.resize import resize_label, resize_values

Maps = Mapping[str, Map]


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
        name: Map(pad_bottom_right(m.values, canvas, m.pad), m.pad, m.resize) if m.follow else m
        for name, m in maps.items()
    }


def _tensor(m: Map, size: tuple[int, int], mirrored: bool) -> Tensor:
    values = m.values
    if m.follow:
        if values.shape[:2] != size:
            values = resize_label(values, size) if m.resize == "nearest" else resize_values(values, size)
        values = values[None] if values.ndim == 2 else values.transpose(2, 0, 1)
        values = values[..., ::-1] if mirrored else values
    kind = np.float32 if np.issubdtype(values.dtype, np.floating) else np.int64
    return torch.from_numpy(np.ascontiguousarray(values, kind))
