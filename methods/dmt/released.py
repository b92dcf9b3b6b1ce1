"""DMT's checkpoints, and the COCO weights that its networks start from."""

from __future__ import annotations

from torch import Tensor

from common.checkpoints.convert import TORCHVISION_STAGES, State, renamed
from common.checkpoints.formats import Config, Format

SOURCES = {"resnet101_coco_advsemiseg": "resnet101COCO-41f33a49.pth of github.com/hfslyc/AdvSemiSeg"}


def convert_dmt(state: State) -> dict[str, Tensor]:
    """DST-CBC's DeepLab v2 (torchvision's layout): `backbone.*`, `classifier.0.convs.0` .. `3`."""
    rules = [
        (rf"backbone\.{TORCHVISION_STAGES}", r"backbone.\1"),
        (r"classifier\.0\.convs\.(\d)\.(weight|bias)", r"decode_head.branches.\1.\2"),
    ]
    return renamed(state, rules)


def convert_advsemiseg(state: State) -> dict[str, Tensor]:
    """AdvSemiSeg's COCO weights, resnet101COCO-41f33a49 (Caffe's, converted): head `layer5.conv2d_list.0` .. `3`."""
    rules = [
        (TORCHVISION_STAGES, r"backbone.\1"),
        (r"layer5\.conv2d_list\.(\d)\.(weight|bias)", r"decode_head.branches.\1.\2"),
    ]
    return renamed(state, rules)


def network(state: State) -> Config:
    """DeepLab v2 on torchvision's ResNet-101 with as many branches as the file has (those of rates 18 and 24 idle)."""
    branches = sum(key.startswith("decode_head.branches.") and key.endswith(".weight") for key in state)
    classes = state["decode_head.branches.0.weight"].shape[0]
    return {
        "type": "EncoderDecoder",
        "backbone": {
            "type": "DilatedResNet",
            "depth": 101,
            "strides": (1, 2, 1, 1),
            "dilations": (1, 1, 2, 4),
            "contract_dilation": True,
        },
        "decode_head": {
            "type": "SumASPPHead",
            "in_channels": 2048,
            "num_classes": classes,
            "rates": (6, 12, 18, 24)[:branches],
            "labels": "image",
            "align_corners": True,
        },
    }


FORMATS = {
    "dmt_deeplabv2": Format((r"backbone\.conv1\.weight", r"classifier\.0\.convs\.0\.weight"), convert_dmt, network),
    "advsemiseg_coco": Format((r"conv1\.weight", r"layer5\.conv2d_list\.0\.weight"), convert_advsemiseg, network),
}
