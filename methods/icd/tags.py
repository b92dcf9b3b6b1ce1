"""Classes that no image has alone: nothing tells their objects from their background, so they have no discriminator."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Tags = Iterable[Sequence[int]]
"""The class ids of each image, 1..C-1."""


def alone(tags: Tags) -> set[int]:
    """The classes that are the only one of some image."""
    return {image[0] for image in tags if len(image) == 1}


def never_alone(tags: Tags) -> list[int]:
    """The classes that images have, but none alone; sorted."""
    images = [tuple(image) for image in tags]
    return sorted({tag for image in images for tag in image} - alone(images))


def said_of(found: Sequence[int], classes: Sequence[str], split: str) -> str:
    """The sentence about such classes, "" where there are none."""
    if not found:
        return ""
    names = ", ".join(classes[tag] for tag in found)
    return (
        f"no image of '{split}' has one of these tags alone: {names}; they get no top-down loss and are seeded by "
        "their CAM"
    )
