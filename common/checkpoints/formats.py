"""Which released checkpoint is which, and the network its tensors belong to.

The layouts that several papers share are here; a method's own are `FORMATS` of its module `released`, where it has any.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import pkgutil
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

import common.models.register  # noqa: F401
from common.base.errors import UserError
from common.checkpoints import convert

State = Mapping[str, Tensor]
Config = dict[str, Any]


@dataclass(frozen=True)
class Format:
    """A kind of checkpoint.

    signature: patterns that mark it, each of which must match some key as a whole; convert: its names -> ours; network:
    config of the network that the converted tensors belong to, None where that is unknown; absent: a pattern that no
    key may match.
    """

    signature: tuple[str, ...]
    convert: Callable[[State], dict[str, Tensor]]
    network: Callable[[State], Config] | None = None
    absent: str | None = None

    @property
    def about(self) -> str:
        """The first line of the converter's description."""
        return (self.convert.__doc__ or "").strip().splitlines()[0]

    def fits(self, keys: Iterable[str]) -> bool:
        """Whether every pattern of the signature matches one of the keys, and `absent` none."""
        keys = list(keys)

        def found(pattern: str) -> bool:
            return any(re.fullmatch(pattern, key) for key in keys)

        return all(map(found, self.signature)) and not (self.absent and found(self.absent))


def _depth(state: State) -> int:
    return 101 if "backbone.layer3.22.conv1.weight" in state else 50


def _segmentor(backbone: Config, head: Config | None, state: State, last: str) -> Config:
    """A segmentor, or the backbone alone (as the only part of a classifier) where the file has no head."""
    if head is None or not any(key.startswith("decode_head.") for key in state):
        return {"backbone": backbone}
    classes = state[last].shape[0] if last in state else 21
    return {"type": "EncoderDecoder", "backbone": backbone, "decode_head": {**head, "num_classes": classes}}


def torchvision_resnet(state: State) -> Config:
    return {"backbone": {"type": "DilatedResNet", "depth": _depth(state)}}


def resnest(state: State) -> Config:
    """Config for the converted tensors of a ResNeSt; its depth shows in the blocks of stage 3."""
    ends = {269: 47, 200: 35, 101: 22}  # the last block of stage 3
    depth = next((depth for depth, end in ends.items() if f"backbone.layer3.{end}.conv1.weight" in state), 50)
    return {"backbone": {"type": "DilatedResNeSt", "depth": depth}}


def _caffe_resnet(state: State) -> Config:
    backbone = {"type": "CaffeResNet", "depth": _depth(state)}
    if "decode_head.conv_seg.weight" in state:
        return _segmentor(backbone, fully_convolutional(2048), state, "decode_head.conv_seg.weight")
    head = {"type": "SumASPPHead", "in_channels": 2048}
    return _segmentor(backbone, head, state, "decode_head.branches.0.weight")


def fully_convolutional(in_channels: int) -> Config:
    """mmseg's FCNHead as one 1x1 classifier (the layout of DeepLab v1's ResNet-101 and its COCO file)."""
    return {
        "type": "FCNHead",
        "in_channels": in_channels,
        "channels": in_channels,
        "in_index": -1,
        "num_convs": 0,
        "kernel_size": 1,
        "concat_input": False,
        "dropout_ratio": 0,
        "loss_decode": {"type": "CrossEntropyLoss", "avg_non_ignore": True},
    }


def _vgg16(state: State) -> Config:
    branches = sum(key.endswith("fc6.conv.weight") for key in state)
    head = {"type": "SumASPPHead", "in_channels": 512, "hidden": 1024, "rates": (6, 12, 18, 24)[:branches] or (12,)}
    return _segmentor({"type": "VGG16Dilated"}, head, state, "decode_head.branches.0.fc8.weight")


def _resnet38(state: State) -> Config:
    head = {"type": "LargeFOVHead", "in_channels": 4096, "hidden": 512, "norm_cfg": {"type": "BN"}}
    return _segmentor({"type": "ResNet38"}, head, state, "decode_head.branches.0.fc8.weight")


def _vainf(state: State) -> Config:
    backbone = {"type": "DilatedResNet", "depth": _depth(state)}
    if any(key.startswith("decode_head.low.") for key in state):
        head = {"type": "PlainASPPPlusHead", "in_channels": (256, 2048)}
    else:
        head = {"type": "PlainASPPHead", "in_channels": 2048}
    return _segmentor(backbone, head, state, "decode_head.conv_seg.weight")


def _lite0(state: State) -> Config:
    return {"backbone": {"type": "EfficientNetLite", "conv_head": True}}


FORMATS: dict[str, Format] = {
    "wsseg": Format((r"(decode_head|head)\..+",), convert.convert_own),
    "vainf_v3plus": Format((r"classifier\.aspp\.convs\.0\.0\.weight",), convert.convert_vainf_v3plus, _vainf),
    "vainf_v3": Format((r"classifier\.classifier\.0\.convs\.0\.0\.weight",), convert.convert_vainf_v3, _vainf),
    "caffe_resnet": Format(
        (r"(base\.)?layer2\.block1\.reduce\.conv\.weight",), convert.convert_caffe_resnet, _caffe_resnet
    ),
    "largefov_vgg16": Format((r"features\.32\.weight",), convert.convert_largefov_vgg16, _vgg16),
    "torchvision_vgg16": Format((r"features\.28\.weight",), convert.convert_torchvision_vgg16, _vgg16),
    "caffe_vgg16": Format((r"conv1_1\.weight",), convert.convert_caffe_vgg16, _vgg16),
    "resnet38": Format((r"(backbone\.)?conv1a\.weight",), convert.convert_resnet38, _resnet38),
    "mxnet_resnet38": Format((r"arg:conv1a_weight", r"arg:bn7_gamma"), convert.convert_mxnet_resnet38, _resnet38),
    "resnest": Format((r"layer1\.0\.conv2\.fc1\.weight",), convert.convert_torchvision_resnet, resnest),
    "torchvision_resnet": Format(
        (r"layer1\.0\.conv1\.weight",), convert.convert_torchvision_resnet, torchvision_resnet
    ),
    "efficientnet_lite0": Format((r"_conv_stem\.weight",), convert.convert_efficientnet_lite0, _lite0),
}


@functools.cache
def known_formats() -> dict[str, Format]:
    """Every format by name: those of the methods, which are the more particular ones, then the shared ones."""
    found: dict[str, Format] = {}
    for folder in pkgutil.iter_modules(importlib.import_module("methods").__path__, "methods."):
        if importlib.util.find_spec(f"{folder.name}.released") is not None:
            found |= getattr(importlib.import_module(f"{folder.name}.released"), "FORMATS", {})
    return found | FORMATS


def recognise(keys: Iterable[str], file: str) -> str:
    """The name of the first of `known_formats` that fits the keys.

    Raises:
        UserError: none does; `file` is named in the message.
    """
    keys = list(keys)
    for name, form in known_formats().items():
        if form.fits(keys):
            return name
    raise UserError(
        f"{file} has none of the known layouts ({', '.join(known_formats())}); "
        f"its first tensors are {', '.join(keys[:3])}."
    )


def network_shapes(config: Config) -> dict[str, torch.Size]:
    """Name -> shape of the tensors of the network `config`, or of `config["backbone"]` alone; nothing is allocated."""
    from mmengine.registry import init_default_scope
    from mmseg.registry import MODELS

    init_default_scope("mmseg")
    with torch.device("meta"):
        if "type" in config:
            return {key: value.shape for key, value in MODELS.build(config).state_dict().items()}
        backbone = MODELS.build(config["backbone"])
    return {f"backbone.{key}": value.shape for key, value in backbone.state_dict().items()}
