"""Small pictures for the page, as data URIs: photos, what the stages made of them, and the truth."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable

import numpy as np
from PIL import Image

from common.artifacts import Artifact, PerImageArtifact
from common.base.errors import DataError, UserError
from common.data.dataset import DataSet
from common.ops.overlay import paint_labels
from common.pipeline.run_folder import RunFolder

__all__ = ["Column", "data_uri", "galleries"]

Column = tuple[str, Callable[[str], np.ndarray]]
"""Heading and image id -> uint8 RGB [h, w, 3]."""


def data_uri(pixels: np.ndarray, longest: int = 200) -> str:
    """A JPEG data URI of uint8 RGB [h, w, 3], shrunk to `longest` pixels on its longer side."""
    image = Image.fromarray(pixels)
    image.thumbnail((longest, longest), Image.Resampling.BOX)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=82)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def galleries(run: RunFolder, data: DataSet, count: int) -> list[tuple[list[str], list[Column]]]:
    """What to show: groups of stages that share images, each with `count` evenly spaced ids and its columns.

    The ids depend on the data and the recipe alone, so pages of different runs show the same pictures.
    """
    groups: list[tuple[list[PerImageArtifact], set[str]]] = []
    for name in run.stages:
        artifact = _artifact(run, name)
        if artifact is None:
            continue
        ids = set(artifact.ids())
        group = next((group for group in groups if group[1] & ids), None)
        if group is None:
            groups.append(([artifact], ids))
        else:
            group[0].append(artifact)
            group[1].intersection_update(ids)
    return [
        (_spread(sorted(ids), count), [_photo(data), *(_column(artifact, data) for artifact in made), _truth(data)])
        for made, ids in groups
        if ids
    ]


def _spread(ids: list[str], count: int) -> list[str]:
    if len(ids) <= count:
        return ids
    return [ids[index * len(ids) // count] for index in range(count)]


def _artifact(run: RunFolder, name: str) -> PerImageArtifact | None:
    """What a stage made, if it can be looked at; the code of its kind may be gone since."""
    try:
        kind = Artifact.kind(run.stages[name]["kind"])
    except UserError:
        return None
    drawn = issubclass(kind, PerImageArtifact) and kind.picture is not PerImageArtifact.picture
    return kind(run.path / name) if drawn else None


def _photo(data: DataSet) -> Column:
    return "photo", data.image


def _truth(data: DataSet) -> Column:
    def show(image_id: str) -> np.ndarray:
        photo = data.image(image_id)
        try:
            mask = data.mask(image_id)
        except DataError:  # a data set without masks of its training images is a sound one
            return np.full_like(photo, 230)
        return paint_labels(photo, mask, data.palette, data.ignore_index)

    return "truth", show


def _column(artifact: PerImageArtifact, data: DataSet) -> Column:
    def show(image_id: str) -> np.ndarray:
        photo = data.image(image_id)
        shown = artifact.picture(photo, artifact.read(image_id), data)
        return np.full_like(photo, 230) if shown is None else shown

    return f"{artifact.name} ({artifact.heading or type(artifact).__name__})", show
