"""Inference of segmentation networks over scales and mirror images (test protocol of the DeepLab papers)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F

from common.inference.inputs import Maps, network_inputs, padded
from common.models.preprocess import normalize
from common.ops.crop import pad_bottom_right
from common.ops.resize import rescale_image, scale_cubic

Resize = Literal["pil", "cv2"]


def _batch(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None]


def _pil_input(model: Any, pixels: np.ndarray, scale: float) -> torch.Tensor:
    return normalize(model, _batch(rescale_image(pixels, scale)))


def _cv2_input(model: Any, pixels: np.ndarray, scale: float) -> torch.Tensor:
    image = normalize(model, _batch(pixels))[0].numpy().transpose(1, 2, 0)
    return _batch(scale_cubic(np.ascontiguousarray(image), scale))


RESIZE = {"pil": _pil_input, "cv2": _cv2_input}


@torch.no_grad()
def multi_scale_logits(
    model: Any,
    pixels: np.ndarray,
    scales: Sequence[float],
    flip: bool,
    canvas: tuple[int, int] | None = None,
    resize: Resize = "pil",
    inputs: Maps | None = None,
) -> torch.Tensor:
    """Mean over scales (and mirror images) of the logits at image size, float32 [C, h, w].

    pixels: uint8 RGB [h, w, 3]. Logits are resized bilinearly with the corner rule of the model's head. canvas:
    (height, width) to which a smaller photo is padded with black at the bottom and right before all this; the logits of
    the padding are cut off again. resize: "pil", bicubic filter on uint8; "cv2", cubic on the normalised image (SEAM's
    segmentation code). inputs: what else the network receives, as keyword arguments (see `common.inference.inputs`).
    """
    height, width = pixels.shape[:2]
    if canvas is not None:
        photo, maps = pad_bottom_right(pixels, canvas, 0), padded(inputs or {}, canvas)
        return multi_scale_logits(model, photo, scales, flip, resize=resize, inputs=maps)[:, :height, :width]
    device = next(model.parameters()).device
    total = None
    for scale in scales:
        x = RESIZE[resize](model, pixels, scale).to(device)
        logits = _logits(model, x, (height, width), inputs, False)
        if flip:
            logits = (logits + _logits(model, x.flip(3), (height, width), inputs, True).flip(2)) / 2
        total = logits if total is None else total + logits
    if total is None:
        raise ValueError("no scales")
    return total / len(scales)


def _logits(model: Any, x: torch.Tensor, size: tuple[int, int], inputs: Maps | None, mirrored: bool) -> torch.Tensor:
    given = network_inputs([inputs] if inputs else [], tuple(x.shape[-2:]), mirrored, x.device)
    logits = model(x, mode="tensor", **given)
    return F.interpolate(logits, size=size, mode="bilinear", align_corners=model.align_corners)[0]
