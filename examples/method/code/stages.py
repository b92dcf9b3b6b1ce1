"""The method's own stages: the colours of a photo, and its regions of one colour."""

import numpy as np

from common.artifacts import IdMaps
from common.pipeline import Count, Image, PerImage, Run, per_image
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
