"""The checkpoints of the released code (jiwoon-ahn/psa) under our names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

import methods.affinitynet.model  # noqa: F401  (registers AffinityNet)
from common.checkpoints.convert import convert_resnet38, renamed
from common.checkpoints.formats import Format

State = Mapping[str, Tensor]
VGG16 = (r"((?:conv[1-5]_[1-3]|fc[67])\.(?:weight|bias))", r"backbone.\1")
CLASSIFIER = [(r"fc8\.weight", "head.weight")]
AFFINITY = [
    *((rf"f8_{i + 3}\.weight", f"reduce.{i}.weight") for i in range(3)),
    *((rf"gn8_{i + 3}\.(weight|bias)", rf"norm.{i}.\1") for i in range(3)),
    (r"f9\.weight", "fuse.weight"),
]


def convert_resnet38_cls(state: State) -> dict[str, Tensor]:
    """AffinityNet's classifier on ResNet-38: `conv1a`, `b2` .. `bn7`, `fc8`."""
    return convert_resnet38(state) | renamed(state, CLASSIFIER)


def convert_resnet38_aff(state: State) -> dict[str, Tensor]:
    """AffinityNet on ResNet-38: `conv1a`, `b2` .. `bn7`, `f8_3` .. `f8_5`, `f9`; pair indices are left out."""
    return convert_resnet38(state) | renamed(state, AFFINITY)


def convert_vgg16_cls(state: State) -> dict[str, Tensor]:
    """AffinityNet's classifier on VGG16: `conv1_1` .. `conv5_3`, `fc6`, `fc7`, `fc8`."""
    return renamed(state, [VGG16, *CLASSIFIER])


def convert_vgg16_aff(state: State) -> dict[str, Tensor]:
    """AffinityNet on VGG16: `conv1_1` .. `fc7`, `f8_3` .. `f8_5`, `gn8_3` .. `gn8_5`, `f9`."""
    return renamed(state, [VGG16, *AFFINITY])


def _classifier(state: State, **options: Any) -> dict[str, Any]:
    return {"type": "CamClassifier", "num_classes": len(state["head.weight"]), **options}


def _resnet38_cls(state: State) -> dict[str, Any]:
    return _classifier(state, backbone={"type": "ResNet38"})


def _resnet38_aff(state: State) -> dict[str, Any]:
    return {"type": "AffinityNet", "backbone": {"type": "ResNet38", "out_indices": (1, 2, 3)}}


def _vgg16_cls(state: State) -> dict[str, Any]:
    return _classifier(state, backbone={"type": "VGG16FullyConv"}, cam_power=0.5)


def _vgg16_aff(state: State) -> dict[str, Any]:
    return {"type": "AffinityNet", "backbone": {"type": "VGG16FullyConv", "fc6_dilation": 4}, "groups": (8, 16, 32)}


# A classifier has neither SEAM's further layers nor the bias of Caffe's fc8.
OTHERS = r"f8_3\.weight|fc8\.bias"
FORMATS = {
    "resnet38_aff": Format((r"conv1a\.weight", r"f8_5\.weight"), convert_resnet38_aff, _resnet38_aff),
    "vgg16_aff": Format((r"conv1_1\.weight", r"f8_5\.weight"), convert_vgg16_aff, _vgg16_aff),
    "resnet38_cls": Format((r"conv1a\.weight", r"fc8\.weight"), convert_resnet38_cls, _resnet38_cls, OTHERS),
    "vgg16_cls": Format((r"conv1_1\.weight", r"fc8\.weight"), convert_vgg16_cls, _vgg16_cls, OTHERS),
}
