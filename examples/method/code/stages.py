"""The method's own stages: the colours of a photo, its regions of one colour, and a second training."""

import numpy as np

from common.artifacts import Artifact, IdMaps, Weights
from common.base.config import read_config
from common.pipeline import Count, Image, NetworkConfig, PerImage, Run, every_rank, per_image
from common.stages import train
from methods.example.colours import main_colours, nearest_colour
from methods.example.palettes import Palettes


def palette(run: Run, split: str, colours: Count = 8, rounds: Count = 5) -> PerImage[Palettes]:
    """The main colours of each photo: `rounds` steps of k-means, from pixels that the photo's own numbers draw."""

    def find(image: Image) -> np.ndarray:
        return main_colours(image.pixels, colours, rounds, run.rng(image.id))

    return per_image(find, split=split)


def regions(run: Run, palettes: Palettes) -> PerImage[IdMaps]:
    """Of each pixel the number of the colour that is nearest to it."""

    def divide(image: Image) -> np.ndarray:
        return nearest_colour(image.pixels, palettes.read(image.id))

    return per_image(divide)


@every_rank
def polish(
    run: Run,
    config: NetworkConfig,
    weights: Weights,
    split: str,
    inputs: dict[str, Artifact],
    follow: dict | None = None,
    epochs: Count = 2,
) -> Weights:
    """Train on from `weights` at a tenth of the config's learning rate: the stage `train`, called with other values."""
    rate = read_config(config).optim_wrapper.optimizer.lr / 10
    options = {"train_cfg.max_epochs": epochs, "optim_wrapper.optimizer.lr": rate}
    train(run, config, split=split, init=weights, options=options, inputs=inputs, follow=follow)
