"""Inference of segmentation networks over scales and mirror images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image


def normalized(model: Any, pixels: np.ndarray) -> torch.Tensor:
    """The network's input for one uint8 RGB image [h, w, 3]: float32 [1, 3, h, w] on the model's device.

    Channel order, mean and standard deviation are those of the model's `data_preprocessor`.
    """
    preprocessor = model.data_preprocessor
    x = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None].to(preprocessor.mean.device).float()
    if preprocessor.channel_conversion:
        x = x.flip(1)
    return (x - preprocessor.mean) / preprocessor.std


@torch.no_grad()
def multi_scale_logits(model: Any, pixels: np.ndarray, scales: Sequence[float], flip: bool) -> torch.Tensor:
    """Mean over scales (and mirror images) of the logits at image size, float32 [C, h, w].

    pixels: uint8 RGB [h, w, 3]. Images are resized by PIL's bicubic filter on uint8, logits bilinearly with the
    corner rule of the model's head.
    """
    height, width = pixels.shape[:2]
    total = None
    for scale in scales:
        size = (round(width * scale), round(height * scale))
        resized = pixels if scale == 1 else np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))
        x = normalized(model, resized)
        logits = _logits(model, x, (height, width))
        if flip:
            logits = (logits + _logits(model, x.flip(3), (height, width)).flip(2)) / 2
        total = logits if total is None else total + logits
    if total is None:
        raise ValueError("no scales")
    return total / len(scales)


def _logits(model: Any, x: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    logits = model(x, mode="tensor")
    return F.interpolate(logits, size=size, mode="bilinear", align_corners=model.align_corners)[0]
