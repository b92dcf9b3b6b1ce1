"""Weights from outside: where they come from, and the layout of the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

import methods.example.backbone  # noqa: F401  (registers it)
from common.checkpoints.convert import renamed
from common.checkpoints.formats import Format

# Plain strings: the plan and `wsseg weights list` read them without running this file. A config asks for the weights
# with backbone=dict(init_cfg=dict(type="NamedWeights", weights="example_photos")).
SOURCES = {"example_photos": "example.pth, a made-up file that nobody released"}


def convert_example(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The backbone alone: `example.0.conv` .. `example.2.norm`."""
    return renamed(
        state, [(rf"example\.{n - 1}\.(conv|norm)\.(weight|bias)", rf"backbone.\g<1>{n}.\2") for n in (1, 2, 3)]
    )


def _network(state: Mapping[str, Tensor]) -> dict[str, Any]:
    return {"backbone": {"type": "ExampleBackbone", "width": len(state["backbone.conv1.weight"])}}


FORMATS = {"example": Format((r"example\.0\.conv\.weight", r"example\.2\.norm\.bias"), convert_example, _network)}
