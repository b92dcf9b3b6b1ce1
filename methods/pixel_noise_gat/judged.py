"""Noisy labels with the loss that the clean model has on each pixel."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from common.artifacts import PerImageArtifact
from common.base.npz import write_npz
from common.data.dataset import DataSet
from common.ops.overlay import blend


@dataclass(frozen=True)
class JudgedLabel:
    """label: uint8 [h, w], class ids, 255 where there is none; loss: float32 [h, w], 0 and above, 0 without a label."""

    label: np.ndarray
    loss: np.ndarray


class JudgedLabels(PerImageArtifact):
    """`JudgedLabel`s as compressed npz, losses in float16: small and large ones keep their order, where exp(-loss) in
    equal steps would make all labels alike that the clean model finds absurd.
    """

    suffix, heading = ".npz", "loss"

    def encode(self, value: JudgedLabel, stream: Any) -> None:
        loss = np.minimum(np.abs(value.loss), np.finfo(np.float16).max).astype(np.float16)  # -0 has other bits
        write_npz(stream, label=np.asarray(value.label, np.uint8), loss=loss)

    def decode(self, file: Path) -> JudgedLabel:
        with np.load(file, allow_pickle=False) as data:
            return JudgedLabel(data["label"], data["loss"].astype(np.float32))

    def picture(self, photo: np.ndarray, value: JudgedLabel, data: DataSet) -> np.ndarray:
        """Classes in their colours, as opaque as the clean model finds them probable."""
        return blend(photo, data.palette[value.label], 0.85 * np.exp(-value.loss))
