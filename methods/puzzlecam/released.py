"""The checkpoints of the released code (shjo-april/PuzzleCAM) under our names.

Their files hold every tensor of the backbone a second time, as `stage1` .. `stage5`, and those of heads as `backbone.*`
and `edge_layers.*`: these are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

import methods.puzzlecam.model  # noqa: F401  (registers PuzzleClassifier)
from common.checkpoints.convert import TORCHVISION_STAGES, Rule, renamed
from common.checkpoints.formats import Format, resnest, torchvision_resnet

State = Mapping[str, Tensor]
EDGES: list[Rule] = [(rf"fc_edge{i + 1}\.(.+)", rf"edge_head.taps.{i}.\1") for i in range(5)]
ASPP = {"conv1": "project.conv", "bn1": "project.norm"}
ASPP |= {"global_avg_pool.1": "pool.conv", "global_avg_pool.2": "pool.norm"}
ASPP |= {f"aspp{i + 1}.atrous_conv": f"branches.{i}.conv" for i in range(4)}
ASPP |= {f"aspp{i + 1}.bn": f"branches.{i}.norm" for i in range(4)}
DECODER = {"conv1": "low.conv", "bn1": "low.norm", "classifier.8": "conv_seg"}
DECODER |= {f"classifier.{i}": f"fuse.{i // 4}.{i % 4}" for i in (0, 1, 4, 5)}
HEAD: list[Rule] = [(rf"aspp\.{re.escape(old)}\.(.+)", rf"decode_head.aspp.{new}.\1") for old, new in ASPP.items()]
HEAD += [(rf"decoder\.{re.escape(old)}\.(.+)", rf"decode_head.{new}.\1") for old, new in DECODER.items()]


NAMES: list[Rule] = [
    (rf"model\.{TORCHVISION_STAGES}", r"backbone.\1"),
    (r"classifier\.weight", "head.weight"),
    *EDGES,
    (r"fc_edge6\.(.+)", r"edge_head.out.\1"),
    *HEAD,
]
"""Of all three networks: none has a name that another has with another meaning."""


def convert_puzzlecam(state: State) -> dict[str, Tensor]:
    """A file of the released code: `model.*` and its heads; the second names of its tensors are dropped."""
    return renamed(state, NAMES)


def _backbone(state: State) -> dict[str, Any]:
    """Config of the backbone that converted tensors belong to."""
    if "backbone.layer1.0.conv2.fc1.weight" in state:
        return resnest(state)["backbone"]
    return torchvision_resnet(state)["backbone"] | {"strides": (1, 2, 2, 1)}


def _classifier(state: State) -> dict[str, Any]:
    return {"type": "PuzzleClassifier", "num_classes": len(state["head.weight"]), "backbone": _backbone(state)}


def _affinitynet(state: State) -> dict[str, Any]:
    return {"type": "BoundaryNet", "backbone": _backbone(state)}


def _deeplab(state: State) -> dict[str, Any]:
    grouped = "decode_head.low.norm.running_mean" not in state
    head = {
        "type": "PlainASPPPlusHead",
        "in_channels": (256, 2048),
        "num_classes": len(state["decode_head.conv_seg.weight"]),
        "aspp_first": True,
        "dropouts": (0.5, 0.5, 0.1),
        "align_corners": True,
        "norm_cfg": {"type": "GN", "num_groups": 4} if grouped else {"type": "BN"},
    }
    return {"type": "EncoderDecoder", "backbone": _backbone(state), "decode_head": head}


FIRST = r"model\.conv1\.(0\.)?weight"
FORMATS = {
    "puzzlecam_classifier": Format((FIRST, r"classifier\.weight"), convert_puzzlecam, _classifier),
    "puzzlecam_affinitynet": Format((FIRST, r"fc_edge6\.weight"), convert_puzzlecam, _affinitynet),
    "puzzlecam_deeplab": Format((FIRST, r"decoder\.classifier\.8\.weight"), convert_puzzlecam, _deeplab),
}
