"""The checkpoints of the released code (jiwoon-ahn/irn) under our names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

import methods.irnet.model  # noqa: F401  (registers InterPixelNet)
from common.checkpoints.convert import TORCHVISION_STAGES, Rule, renamed
from common.checkpoints.formats import Format, torchvision_resnet

State = Mapping[str, Tensor]
BACKBONE = (rf"resnet50\.{TORCHVISION_STAGES}", r"backbone.\1")


def convert_cam(state: State) -> dict[str, Tensor]:
    """IRNet's and WSGCN's classifier: `resnet50.*`, `classifier.weight`; their aliases are dropped."""
    return renamed(state, [BACKBONE, (r"classifier\.weight", "head.weight")])


def convert_irn(state: State) -> dict[str, Tensor]:
    """IRNet's inter-pixel network: `resnet50.*`, `fc_edge1` .. `6`, `fc_dp1` .. `7`; its aliases are dropped."""
    head = "displacement_head"
    taps: list[Rule] = []
    for i in range(1, 6):
        taps.append((rf"fc_edge{i}\.(.+)", rf"edge_head.taps.{i - 1}.\1"))
        taps.append((rf"fc_dp{i}\.(.+)", rf"{head}.taps.{i - 1}.\1"))
    rules = [
        BACKBONE,
        *taps,
        (r"fc_edge6\.(.+)", r"edge_head.out.\1"),
        (r"fc_dp6\.(.+)", rf"{head}.coarse.\1"),
        (r"fc_dp7\.([01]\..+)", rf"{head}.fuse.\1"),
        (r"fc_dp7\.3\.(.+)", rf"{head}.out.\1"),
        (r"mean_shift\.running_mean", f"{head}.mean_shift"),
    ]
    return renamed(state, rules)


def _cam(state: State) -> dict[str, Any]:
    return {"type": "CamClassifier", "num_classes": len(state["head.weight"]), **torchvision_resnet(state)}


def _irn(state: State) -> dict[str, Any]:
    return {"type": "InterPixelNet", **torchvision_resnet(state)}


FORMATS = {
    "irnet_irn": Format((r"resnet50\.conv1\.weight", r"fc_edge6\.weight"), convert_irn, _irn),
    "irnet_cam": Format((r"resnet50\.conv1\.weight", r"classifier\.weight"), convert_cam, _cam),
}
