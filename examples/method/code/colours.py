"""The colours of a photo: arrays in, arrays out."""

from __future__ import annotations

import numpy as np

SAMPLE = 2000  # pixels that the colours are found with


def main_colours(pixels: np.ndarray, count: int, rounds: int, rng: np.random.Generator) -> np.ndarray:
    """k-means over some pixels, a few of which are the start: uint8 [h, w, 3] -> uint8 [count, 3].

    A colour that no pixel is nearest to stays where it was. rng: draws the pixels.
    """
    flat = pixels.reshape(-1, 3)
    sample = flat[rng.choice(len(flat), min(SAMPLE, len(flat)), replace=False)]
    colours = sample[:count].astype(np.float32)
    for _ in range(rounds):
        own = nearest_colour(sample, colours)
        for number in np.unique(own):
            colours[number] = sample[own == number].mean(axis=0)
    return colours.round().astype(np.uint8)


def nearest_colour(pixels: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Which of colours [K, 3] is nearest to each pixel, squared Euclidean: [..., 3] -> int32 [...]."""
    differences = pixels[..., None, :].astype(np.float32) - colours.astype(np.float32)
    return (differences**2).sum(axis=-1).argmin(axis=-1).astype(np.int32)
