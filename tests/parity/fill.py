"""Deterministic weights, so that a network can be compared without shipping its checkpoint.

`fill_state_dict(shapes)` gives every entry of a state dict a value that depends on its
name and shape alone. A golden output was made by loading the result into the authors'
network under the authors' own key names; a port loads the same dict through its
checkpoint converter and must give the same output.

The factor one half below keeps deep residual sums finite, but a plain network loses the
image on the way: each layer halves the signal while the biases stay, so that two different
images give nearly the same output (1e-5 apart or less in a VGG-16 fed with normalised
images). A golden file made with such weights can miss an error in the input or in an early
layer: average instead of maximum pooling stayed within the tolerance. Files of networks that
suffer from this hold a number `weight_gain`; pass it on: every entry with two or more
dimensions (convolutions, linear layers) is multiplied by it, biases and normalisation layers
are not. A file without `weight_gain` was made with 1.0. The gain does not help where a
dilation is larger than the feature map: its outer taps see padding only.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import numpy as np


def fill_tensor(key: str, shape: tuple[int, ...], weight_gain: float = 1.0) -> np.ndarray:
    """Return the float32 value of the entry `key` (int64 zero for `num_batches_tracked`).

    `weight_gain` multiplies entries with two or more dimensions, in float32, after rounding.
    """
    if key.endswith("num_batches_tracked"):
        return np.zeros(shape, dtype=np.int64)
    rng = np.random.RandomState(zlib.crc32(key.encode()) & 0xFFFFFFFF)
    noise = rng.standard_normal(shape)
    if key.endswith("running_var"):
        value = 1.0 + 0.1 * np.abs(noise)
    elif key.endswith("running_mean") or key.endswith("bias"):
        value = 0.1 * noise
    elif len(shape) <= 1:  # the scale of a normalisation layer
        value = 1.0 + 0.1 * noise
    else:  # He initialisation, halved so that deep residual sums stay finite
        fan_in = int(np.prod(shape[1:]))
        value = noise * np.sqrt(2.0 / fan_in) * 0.5
    value = np.asarray(value, dtype=np.float32)
    return value * np.float32(weight_gain) if value.ndim >= 2 else value


def fill_state_dict(shapes: Mapping[str, tuple[int, ...]], weight_gain: float = 1.0) -> dict[str, np.ndarray]:
    """Fill every key of a state dict, given each key's shape and the file's `weight_gain`."""
    return {key: fill_tensor(key, tuple(shape), weight_gain) for key, shape in shapes.items()}


def image(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A smooth uint8 RGB test image (H, W, 3): random low-frequency colour plus noise."""
    rng = np.random.RandomState(seed)
    yy, xx = np.mgrid[0:height, 0:width]
    out = np.zeros((height, width, 3))
    for channel in range(3):
        for _ in range(6):
            fy, fx = rng.uniform(0.5, 4.0, 2)
            phase = rng.uniform(0, 2 * np.pi)
            out[..., channel] += np.sin(2 * np.pi * (fy * yy / height + fx * xx / width) + phase)
    out += 0.2 * rng.standard_normal(out.shape)
    out -= out.min()
    out /= out.max()
    return (out * 255).astype(np.uint8)
