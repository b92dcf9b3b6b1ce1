"""What is stored of a photo's graph."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from common.artifacts import PerImageArtifact
from common.base.constants import IGNORE
from common.base.npz import write_npz
from common.data.dataset import DataSet


@dataclass(frozen=True)
class Graph:
    """Superpixels 0..S-1 of a photo as nodes.

    features: float32 [S, d]; edges: int64 [2, E], row 0 sources, row 1 targets, each edge in both directions;
    labels: uint8 [S], class ids, 255 unknown; places: float32 [S, 2], row and column of the centre, 0..1.
    """

    features: np.ndarray
    edges: np.ndarray
    labels: np.ndarray
    places: np.ndarray


class Graphs(PerImageArtifact):
    """`Graph`s as npz, features and places in float16: about 0.3 MB for 500 nodes of 256 features."""

    suffix, heading = ".npz", "graph"

    def encode(self, value: Graph, stream: Any) -> None:
        nodes = len(value.features)
        if len(value.labels) != nodes or value.edges.max(initial=-1) >= nodes:
            raise ValueError(f"labels or edges do not fit {nodes} nodes")
        write_npz(
            stream,
            features=np.asarray(value.features, np.float16),
            edges=np.asarray(value.edges, np.uint16 if nodes <= 65536 else np.int32),
            labels=np.asarray(value.labels, np.uint8),
            places=np.asarray(value.places, np.float16),
        )

    def decode(self, file: Path) -> Graph:
        with np.load(file, allow_pickle=False) as data:
            features, places = (data[name].astype(np.float32) for name in ("features", "places"))
            return Graph(features, data["edges"].astype(np.int64), data["labels"], places)

    def picture(self, photo: np.ndarray, value: Graph, data: DataSet) -> np.ndarray:
        """Edges thin and white; nodes in the colours of their classes, unknown ones grey."""
        height, width = photo.shape[:2]
        shown, spots = (photo // 2).copy(), np.rint(value.places[:, ::-1] * (width, height)).astype(int)
        for one, other in value.edges.T.tolist():
            if one < other:
                cv2.line(shown, spots[one].tolist(), spots[other].tolist(), (200, 200, 200), 1)
        for spot, label in zip(spots.tolist(), value.labels.tolist(), strict=True):
            colour = (128, 128, 128) if label == IGNORE else data.palette[label].tolist()
            cv2.circle(shown, spot, max(2, min(height, width) // 60), colour, -1)
        return shown
