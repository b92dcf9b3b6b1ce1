"""Class maps of a classifier over scales and mirror images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from common.inference.inputs import Maps, network_inputs
from common.ops.resize import rescale_image


class CamModel(Protocol):
    """A classifier that gives class maps."""

    def normalize(self, images: Tensor) -> Tensor:
        """RGB in 0..255, [B, 3, H, W] -> network input."""

    def cam(self, x: Tensor, **inputs: Tensor) -> Tensor:
        """Network input -> class maps [B, C-1, h', w'], channel k = class id k + 1."""


def multi_scale_cam(model: CamModel, image: np.ndarray, scales: Sequence[float], flip: bool = True) -> list[Tensor]:
    """Class maps [C-1, h_s, w_s] of one image (uint8 RGB [h, w, 3]) per scale, with those of its mirror image added."""
    return [maps[0] for maps in multi_scale_cams(model, [image], scales, flip)]


@torch.inference_mode()
def multi_scale_cams(
    model: CamModel,
    images: Sequence[np.ndarray],
    scales: Sequence[float],
    flip: bool = True,
    inputs: Sequence[Maps] = (),
) -> list[Tensor]:
    """The same for a batch of images of equal size: [B, C-1, h_s, w_s] per scale, on the model's device.

    Each scale resizes the uint8 images by PIL's bicubic filter to round-half-even(side x scale); 1 leaves them
    untouched. The mirror images follow the images, which halves the memory of one batch of both. inputs: for each image
    what else the network receives, as keyword arguments of `cam` (see `common.inference.inputs`).
    """
    device = _device(model)
    maps = []
    for scale in scales:
        batch = np.stack([rescale_image(image, scale) for image in images])
        x = model.normalize(torch.from_numpy(batch).to(device).permute(0, 3, 1, 2).float())
        size = batch.shape[1:3]
        total = model.cam(x, **network_inputs(inputs, size, False, device))
        if flip:
            total = total + model.cam(x.flip(-1), **network_inputs(inputs, size, True, device)).flip(-1)
        maps.append(total)
    return maps


def _device(model: CamModel) -> torch.device:
    parameter = next(iter(model.parameters()), None) if isinstance(model, torch.nn.Module) else None
    return parameter.device if parameter is not None else torch.device("cpu")
