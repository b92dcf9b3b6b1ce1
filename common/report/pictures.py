"""Small pictures for the page: photos, CAMs, label maps and instances over a grey photo, as data URIs."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from PIL import Image

from common.artifacts import (
    CAM,
    CAMs,
    ConfidentLabel,
    ConfidentLabels,
    InstanceMaps,
    Instances,
    Labels,
    PerImageArtifact,
)
from common.base.errors import DataError
from common.data.dataset import DataSet, voc_palette
from common.report.runs import RunFolder

__all__ = ["Column", "cam_overlay", "confidence_overlay", "data_uri", "galleries", "instance_overlay", "label_overlay"]

KINDS: dict[str, type[PerImageArtifact]] = {
    kind.__name__: kind for kind in (CAMs, Labels, ConfidentLabels, InstanceMaps)
}
"""Artefacts that can be looked at, by the `kind` of stage.json."""

KIND_NAMES = {"CAMs": "CAM", "Labels": "labels", "ConfidentLabels": "confidence", "InstanceMaps": "instances"}

Column = tuple[str, Callable[[str], np.ndarray]]
"""Heading and image id -> uint8 RGB [h, w, 3]."""


def data_uri(pixels: np.ndarray, longest: int = 200) -> str:
    """A JPEG data URI of uint8 RGB [h, w, 3], shrunk to `longest` pixels on its longer side."""
    image = Image.fromarray(pixels)
    image.thumbnail((longest, longest), Image.Resampling.BOX)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=82)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def cam_overlay(photo: np.ndarray, cam: CAM, palette: np.ndarray) -> np.ndarray:
    """Each pixel in the colour of its strongest class, as opaque as the CAM is high; uint8 [h, w, 3]."""
    maps = _full(cam)
    if not len(maps):
        return _blend(photo, np.zeros_like(photo), np.zeros(photo.shape[:2]))
    colours = palette[cam.keys[maps.argmax(0)]]
    return _blend(photo, colours, 0.9 * np.clip(maps.max(0), 0, 1))


def _full(cam: CAM) -> np.ndarray:
    """`CAM.full` for the eye: equal up to rounding, and it spares a report the start of torch."""
    rows, columns = (side * cam.stride for side in cam.maps.shape[1:])
    enlarged = [cv2.resize(plane, (columns, rows), interpolation=cv2.INTER_LINEAR) for plane in cam.maps]
    return np.array(enlarged, np.float32).reshape(-1, rows, columns)[:, : cam.size[0], : cam.size[1]]


def label_overlay(photo: np.ndarray, labels: np.ndarray, palette: np.ndarray, ignore_index: int = 255) -> np.ndarray:
    """Classes in their colours over the grey photo, ignored pixels white; uint8 [h, w, 3]."""
    colours = palette[labels]
    colours[labels == ignore_index] = 255
    return _blend(photo, colours, np.where(labels == 0, 0.0, 0.7))


def confidence_overlay(photo: np.ndarray, value: ConfidentLabel, palette: np.ndarray) -> np.ndarray:
    """Classes in their colours, as opaque as they are sure, the background black where it is sure; uint8 [h, w, 3]."""
    return _blend(photo, palette[value.label], 0.85 * value.confidence**2)


def instance_overlay(photo: np.ndarray, instances: Instances) -> np.ndarray:
    """Instances in different colours, as opaque as their score is high (at least 0.3); uint8 [h, w, 3]."""
    score = np.concatenate([[0.0], 0.3 + 0.5 * np.clip(instances.score, 0, 1)])
    colours = voc_palette()[np.where(instances.label > 0, (instances.label - 1) % 254 + 1, 0)]
    return _blend(photo, colours, score[instances.label])


def galleries(run: RunFolder, data: DataSet, count: int) -> list[tuple[list[str], list[Column]]]:
    """What to show: groups of stages that share images, each with `count` evenly spaced ids and its columns.

    The ids depend on the data and the recipe alone, so pages of different runs show the same pictures.
    """
    groups: list[tuple[list[str], set[str]]] = []
    for name, stage in run.stages.items():
        if stage["kind"] not in KINDS:
            continue
        ids = set(_artifact(run, name).ids())
        group = next((group for group in groups if group[1] & ids), None)
        if group is None:
            groups.append(([name], ids))
        else:
            group[0].append(name)
            group[1].intersection_update(ids)
    return [
        (_spread(sorted(ids), count), [_photo(data), *(_column(run, data, name) for name in names), _truth(data)])
        for names, ids in groups
        if ids
    ]


def _spread(ids: list[str], count: int) -> list[str]:
    if len(ids) <= count:
        return ids
    return [ids[index * len(ids) // count] for index in range(count)]


def _artifact(run: RunFolder, name: str) -> PerImageArtifact:
    return KINDS[run.stages[name]["kind"]](run.path / name)


def _photo(data: DataSet) -> Column:
    return "photo", data.image


def _truth(data: DataSet) -> Column:
    def show(image_id: str) -> np.ndarray:
        photo = data.image(image_id)
        try:
            mask = data.mask(image_id)
        except DataError:  # a data set without masks of its training images is a sound one
            return np.full_like(photo, 230)
        return label_overlay(photo, mask, data.palette, data.ignore_index)

    return "truth", show


def _column(run: RunFolder, data: DataSet, name: str) -> Column:
    artifact = _artifact(run, name)

    def show(image_id: str) -> np.ndarray:
        photo, value = data.image(image_id), artifact.read(image_id)
        return _overlay(photo, value, data)

    return f"{name} ({KIND_NAMES[run.stages[name]['kind']]})", show


def _overlay(photo: np.ndarray, value: Any, data: DataSet) -> np.ndarray:
    if isinstance(value, CAM):
        return cam_overlay(photo, value, data.palette)
    if isinstance(value, ConfidentLabel):
        return confidence_overlay(photo, value, data.palette)
    if isinstance(value, Instances):
        return instance_overlay(photo, value)
    return label_overlay(photo, value, data.palette, data.ignore_index)


def _blend(photo: np.ndarray, colours: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """colours over the grey photo; alpha float [h, w], 0..1."""
    grey = photo.mean(2, keepdims=True)
    return (grey * (1 - alpha[..., None]) + colours * alpha[..., None]).round().astype(np.uint8)
