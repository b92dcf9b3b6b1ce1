"""Half of a training set, so that the other half can be seen by a network that did not learn from it."""

from __future__ import annotations

from typing import Any

import common.base.compat  # isort: skip
from mmseg.registry import DATASETS

import common.models.register  # noqa: F401  (what the configs name besides)
from common.training.datasets import WeakDataset


@DATASETS.register_module()
class HalfDataset(WeakDataset):
    """Every second image of a split's list.

    Args:
        half: 0 or 1, the first image taken.
        kwargs: of `WeakDataset`.
    """

    def __init__(self, *args: Any, half: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ids = self.ids[half::2]
