"""Labels straight from a walk, as the authors' codes make them: the oracle of the walk whose scores are stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from torch import Tensor

from common.artifacts import ScoreMap, ScoreMaps
from common.ops.labels import walked_scores
from common.ops.random_walk import BoundaryWalk


def semantic_labels(
    maps: np.ndarray, keys: np.ndarray, size: tuple[int, int], edge: Tensor, walk: BoundaryWalk, bg: float = 0.25
) -> np.ndarray:
    """Class ids uint8 [h, w]: a CAM walks, then arg-max over its classes and the background score `bg`.

    maps: float32 [K, h4, w4] of the class ids `keys` [K]; size: (h, w); edge: class boundary probability [h4, w4].
    """
    _, index = walked_scores(walk(maps, edge), size, bg)
    return np.append(0, keys)[index].astype(np.uint8)


def stored(value: ScoreMap, folder: Path) -> ScoreMaps:
    """The score maps of the image "a", as a stage leaves them."""
    scores = ScoreMaps(folder)
    folder.mkdir(exist_ok=True)
    scores.write("a", value)
    return scores
