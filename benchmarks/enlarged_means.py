"""Means over superpixels of a feature map enlarged to the photo, without the enlarged map."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from benchmarks.result import Result, seconds
from benchmarks.superpixels import regions
from common.ops.superpixels import pool_by_segment
from methods.pixel_noise_gat.features import upsampled_means


def plain_means(features: np.ndarray, segments: np.ndarray) -> np.ndarray:
    """`upsampled_means` with the enlarged map."""
    large = F.interpolate(torch.from_numpy(features)[None], segments.shape, mode="bilinear", align_corners=False)
    return pool_by_segment(large[0].numpy(), segments)


def means(full: bool) -> Result:
    """Features of stride 8."""
    size, channels = ((375, 500), 2048) if full else ((128, 160), 256)
    segments = regions(size, 500 if full else 150)
    grid = tuple(-(-side // 8) for side in size)
    features = np.random.default_rng(0).normal(size=(channels, *grid)).astype(np.float32)
    ours, found = seconds(lambda: upsampled_means(features, segments))
    original, wanted = seconds(lambda: plain_means(features, segments))
    large = channels * size[0] * size[1] * 4 / 2**20
    note = (
        f"{channels} channels, {len(found)} superpixels of {size[0]} x {size[1]}; the enlarged map takes {large:.0f} MB"
    )
    return Result(original, ours, f"{np.abs(found - wanted).max():.0e}", note)


BENCHMARKS = {"enlarged_means": means}
