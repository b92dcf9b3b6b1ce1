"""DRS's stages: maps of the classifier on a squashed frame, and those of the refinement network at the photo's size."""

# No `from __future__ import annotations` here: the pipeline reads the annotations of these functions.

from typing import TYPE_CHECKING

import numpy as np

from common.artifacts import ScoreMap, ScoreMaps, Squashed, Strided, Weights
from common.pipeline import Count, Image, PerImage, Run, per_image

if TYPE_CHECKING:
    import torch


def localise(run: Run, weights: Weights, split: str, size: Count, sizes: tuple[int, ...]) -> PerImage[ScoreMaps]:
    """The classifier's maps of the tagged classes, in whole levels of 255 on a frame of size x size (sec. 3.3).

    size: the photo is squashed to so many pixels a side; sizes: at which the network then sees it, see
    `localisation_maps`.
    """
    import torch

    from methods.drs.suppression import localisation_maps, to_bytes

    model = _network(run, weights)

    def maps(image: Image) -> ScoreMap:
        found = localisation_maps(model, _squashed(model, image, size, run.device), image.tags, sizes)
        levels = to_bytes(found).to(torch.float32) / 255
        return ScoreMap(np.array(image.tags, np.int64), levels.cpu().numpy(), image.size, Squashed(size, size))

    return per_image(maps, split=split)


def refine(run: Run, weights: Weights, split: str, size: Count, sizes: tuple[int, ...]) -> PerImage[ScoreMaps]:
    """The refinement network's maps of the tagged classes at the photo's size (sec. 3.3).

    size, sizes: as of `localise`.
    """
    from methods.drs.suppression import refined_maps

    model = _network(run, weights)

    def maps(image: Image) -> ScoreMap:
        found = refined_maps(model, _squashed(model, image, size, run.device), image.tags, sizes, image.size)
        return ScoreMap(np.array(image.tags, np.int64), found.cpu().numpy(), image.size, Strided(1))

    return per_image(maps, split=split)


def _network(run: Run, weights: Weights) -> "torch.nn.Module":
    from common.checkpoints.networks import load_model

    return load_model(weights.file, weights.config, run.device)


def _squashed(model: "torch.nn.Module", image: Image, size: int, device: "torch.device") -> "torch.Tensor":
    """The photo as a square, normalised: float [1, 3, size, size]."""
    import torch

    from common.ops.resize import squash_image

    pixels = torch.from_numpy(squash_image(image.pixels, (size, size)).transpose(2, 0, 1).copy())
    return model.normalize(pixels[None].to(device))
