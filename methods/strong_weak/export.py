"""Parts of a trained network: the segmentor that is tested, and the trunk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from common.base.errors import UserError
from common.checkpoints.convert import renamed

WEAK = "decode_head.weak."
BRANCHES = ("decode_head.branch.", WEAK)


def segmentor(config: Mapping[str, Any], state: Mapping[str, Tensor]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """mmseg's EncoderDecoder with an FCNHead that gives the logits of `branch`, and its weights; `weak` is dropped.

    Neck and branch are a chain of 3x3 convolutions in front of a 1x1: just such a head. config, state: of a network
    with one of the heads of `methods.strong_weak.model`, as a training leaves them.
    """
    model = dict(config["model"])
    head = model["decode_head"]
    neck, layers = (_count(state, prefix) for prefix in ("decode_head.neck.", "decode_head.branch.convs."))
    model["decode_head"] = {
        "type": "FCNHead",
        "in_channels": head["in_channels"],
        "channels": state["decode_head.branch.classifier.weight"].shape[1],
        "num_classes": head["num_classes"],
        "num_convs": neck + layers,
        "concat_input": False,
        "dropout_ratio": 0,
        "align_corners": head.get("align_corners", False),
        "loss_decode": {"type": "CrossEntropyLoss", "avg_non_ignore": True},
    }
    rules = [(r"(backbone\..+)", r"\1"), (r"decode_head\.neck\.(\d+\.conv\..+)", r"decode_head.convs.\1")]
    rules += [
        (rf"decode_head\.branch\.convs\.{i}\.(conv\..+)", rf"decode_head.convs.{neck + i}.\1") for i in range(layers)
    ]
    rules += [(r"decode_head\.branch\.classifier\.(.+)", r"decode_head.conv_seg.\1")]
    return model, renamed({key: value for key, value in state.items() if not key.startswith(WEAK)}, rules)


def trunk(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of backbone and neck."""
    return {key: value for key, value in state.items() if not key.startswith(BRANCHES)}


def check_head(config: Mapping[str, Any], name: str) -> None:
    """Refuse another network.

    Raises:
        UserError: naming the stage.
    """
    kind = (config["model"].get("decode_head") or {}).get("type")
    if kind not in ("DualBranchHead", "BalancedHead", "OneBranchHead"):
        raise UserError(f"'{name}' has a {kind}, no head of Strong-Weak: name the stage that trained one.")


def _count(state: Mapping[str, Tensor], prefix: str) -> int:
    return sum(key.startswith(prefix) and key.endswith(".conv.weight") for key in state)
