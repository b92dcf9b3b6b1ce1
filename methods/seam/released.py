"""The checkpoint of the released code (YudeWang/SEAM) under our names; its affinity network is AffinityNet's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

import methods.seam.model  # noqa: F401  (registers SEAM)
from common.checkpoints.convert import convert_resnet38, renamed
from common.checkpoints.formats import Format

HEAD = [
    (r"fc8\.weight", "head.weight"),
    (r"f8_3\.weight", "pcm.reduce.0.weight"),
    (r"f8_4\.weight", "pcm.reduce.1.weight"),
    (r"f9\.weight", "pcm.embed.weight"),
]


def convert_seam(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """SEAM's network on ResNet-38: `conv1a`, `b2` .. `bn7`, `fc8`, `f8_3`, `f8_4`, `f9`."""
    return convert_resnet38(state) | renamed(state, HEAD)


def _network(state: Mapping[str, Tensor]) -> dict[str, Any]:
    backbone = {"type": "ResNet38", "out_indices": (1, 2, 3)}
    return {"type": "SEAM", "backbone": backbone, "num_classes": len(state["head.weight"]) - 1}


FORMATS = {"seam": Format((r"fc8\.weight", r"f8_3\.weight", r"f9\.weight"), convert_seam, _network)}
