"""Stages in which nothing is learned."""

import time
from typing import Annotated

import numpy as np

from common.artifacts import Labels, Scores
from common.data.dataset import DataSet, open_dataset
from common.pipeline import Image, PerImage, Range, Run, evaluation, noted_by, per_image


def threshold(run: Run, split: str, level: Annotated[float, Range(0)] = 100.0, delay: float = 0.0) -> PerImage[Labels]:
    """1 where the mean of the colours lies above `level`."""

    def label(image: Image) -> np.ndarray:
        time.sleep(delay)
        return (image.pixels.mean(2) > level).astype(np.uint8)

    return per_image(label, split=split)


def invert(run: Run, labels: Labels) -> PerImage[Labels]:
    """0 for 1 and 1 for 0."""
    return per_image(lambda image: 1 - labels.read(image.id))


def batched(run: Run, split: str) -> PerImage[Labels]:
    """The same value for all images that came together: how many there were."""
    return per_image(
        lambda images: [np.full(image.size, len(images), np.uint8) for image in images], split=split, batch=4
    )


def peek(run: Run, split: str) -> PerImage[Labels]:
    """A weakly supervised stage that asks for the masks."""
    return per_image(lambda image: run.data.mask(image.id), split=split)


@evaluation
def count(run: Run, labels: Labels, split: str) -> Scores:
    """The share of ones, and the accuracy."""
    maps = {image_id: labels.read(image_id) for image_id in run.data.ids(split)}
    equal = [(label == run.data.mask(image_id)).mean() for image_id, label in maps.items()]
    return {"ones": float(np.mean([label.mean() for label in maps.values()])), "accuracy": float(np.mean(equal))}


def sneak(run: Run, split: str) -> PerImage[Labels]:
    """A weakly supervised stage that opens the data anew to get at the masks."""
    return per_image(lambda image: open_dataset(run.data.root).mask(image.id), split=split)


def _single(data: DataSet, split: str) -> list[str]:
    count = sum(len(data.tags(image_id)) == 1 for image_id in data.ids(split))
    return [f"{count} images of '{split}' have one tag"]


@noted_by(_single)
def noted(run: Run, split: str) -> PerImage[Labels]:
    """Nothing, about which the plan has something to say."""
    return per_image(lambda image: np.zeros(image.size, np.uint8), split=split)


def tagged(run: Run, split: str) -> PerImage[Labels]:
    """The sum of the tags at every pixel."""
    return per_image(lambda image: np.full(image.size, sum(image.tags), np.uint8), split=split)


@evaluation(instances=True)
def count_instances(run: Run, labels: Labels, split: str) -> Scores:
    """How many instances there are."""
    return {"instances": sum(int(run.data.instances(image_id).max()) for image_id in run.data.ids(split))}


def use(run: Run, scores: Scores) -> Scores:
    """A number taken from an evaluation."""
    return {"ones": scores.number("ones")}
