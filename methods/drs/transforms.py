"""The padding of DRS's DeepLab v3+."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from mmseg.registry import TRANSFORMS

from common.artifacts.labels import LABEL_MAP
from common.training.transforms import Results, Transform, follow


@TRANSFORMS.register_module()
class PadAround(Transform):
    """Pads a smaller image on all four sides (DeepLabV3Plus-Pytorch): black, and `label`.

    A width w below `size` adds (1 + size - w) // 2 pixels on every side, then the height does the same.

    Args:
        size: of the crop that follows, pixels.
        label: of the padded area: 0, background, as released; 255: it is not trained. Other maps get their own `pad`.
    """

    def __init__(self, size: int, label: int = 0) -> None:
        self.size, self.label = size, label

    def __call__(self, results: Results) -> Results:
        margin = 0
        for side in reversed(results["img"].shape[:2]):
            margin += max(1 + self.size - (side + 2 * margin), 0) // 2

        def padded(values: np.ndarray, value: float) -> np.ndarray:
            return np.pad(values, [(margin, margin)] * 2 + [(0, 0)] * (values.ndim - 2), constant_values=value)

        results["img"] = padded(results["img"], 0)
        maps = results.get("maps", {})
        if LABEL_MAP in maps:
            results["maps"] = maps | {LABEL_MAP: replace(maps[LABEL_MAP], pad=self.label)}
        follow(results, lambda m: padded(m.values, m.pad))
        return results
