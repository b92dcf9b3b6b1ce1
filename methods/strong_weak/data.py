"""A training set in which the images with masks come several times."""

from __future__ import annotations

import random
from typing import Any

import common.base.compat  # isort: skip  # noqa: F401
from mmseg.registry import DATASETS

from common.training.datasets import WeakDataset


@DATASETS.register_module()
class StrongRepeated(WeakDataset):
    """A `WeakDataset` with `times` as many entries for each image with a mask: the paper's oversampling.

    Every entry has random numbers of its own for its augmentation.

    Args:
        times: 1 or more.
        kwargs: of `WeakDataset`.
    """

    def __init__(self, *args: Any, times: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.once = len(self.ids)
        self.ids = [*self.ids, *([image_id for image_id in self.ids if image_id in self.masked] * (times - 1))]

    def load(self, index: int, epoch: int = 0) -> dict[str, Any]:
        """The results dict before the pipeline."""
        results = super().load(index, epoch)
        if index >= self.once:
            results["rng"] = random.Random(f"{self.seed}/{epoch}/{self.ids[index]}/{index}")
        return results
