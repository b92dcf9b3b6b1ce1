"""The checkpoints of the released code (qjadud1994/DRS) under our names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

import methods.drs.model  # noqa: F401  (registers the networks)
from common.checkpoints.convert import convert_torchvision_vgg16, renamed
from common.checkpoints.formats import Format

State = Mapping[str, Tensor]
RULES = [
    (r"extra_(conv[1-4]\.(?:weight|bias))", r"extra.\1"),
    (r"layer([1-5])_relu([1-3])\.fc\.0\.weight", r"backbone.act\1_\2.control.weight"),
    (r"extra_relu([1-3])\.fc\.0\.weight", r"extra.act\1.control.weight"),
]


def convert_drs(state: State) -> dict[str, Tensor]:
    """DRS's classifier or refinement network: `features.N`, `extra_conv1` .. `4`; the aliases `layerX_convY` go.

    Learnable suppressions are `layerX_reluY.fc.0` and `extra_reluX.fc.0`. A `module.` in front is taken off.
    """
    state = {key.removeprefix("module."): value for key, value in state.items()}
    return convert_torchvision_vgg16(state) | renamed(state, RULES)


def _network(state: State) -> dict[str, Any]:
    """The classifier. Without learned suppression the refinement network has the same tensors: they fit both."""
    ratio = None if any(key.endswith("control.weight") for key in state) else 1.0
    backbone = {"type": "SuppressedVGG16", "ratio": ratio}
    classes = len(state["extra.conv4.weight"])
    return {"type": "SuppressedClassifier", "backbone": backbone, "ratio": ratio, "num_classes": classes}


FORMATS = {
    "drs": Format((r"(module\.)?features\.28\.weight", r"(module\.)?extra_conv4\.weight"), convert_drs, _network)
}
