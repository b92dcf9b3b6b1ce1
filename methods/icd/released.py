"""Files of VGG16 that ICD's network begins with, and the parameters of the released code, under our names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from common.checkpoints.convert import VGG_CONVS, convert_torchvision_vgg16, renamed
from common.checkpoints.formats import Format
from methods.icd.model import CUT

State = Mapping[str, Tensor]
KINDS = r"(weight|bias)"
RULES = [
    *((rf"({name})_{KINDS}", r"backbone.\1.\2") for name in VGG_CONVS),
    (rf"(fc[67])_{KINDS}", r"cam_branch.\1.conv.\2"),
    (rf"fc8_{KINDS}", r"cam_branch.fc8.\1"),
    (rf"(fc[67])_ft_{KINDS}", r"top_down.\1.\2"),
    (r"conv_ft_weight", "top_down.out.weight"),
    (r"feat_bn_beta", "norm.bias"),
    (r"feat_bn_moving_mean", "norm.running_mean"),
    (r"feat_bn_moving_var", "norm.running_var"),
    (r"icd_bu_weight", "discriminator.weight"),
    (r"icd_accum_resign_moving_mean", "discriminator.sides"),
]


def convert_icd(state: State) -> dict[str, Tensor]:
    """The released code's MXNet parameters; the scale of its normalisation, which is fixed at 1, is left out."""
    found = renamed({re.sub("^(arg|aux):", "", key): value for key, value in state.items()}, RULES)
    if "norm.bias" in found and hasattr(found["norm.bias"], "new_ones"):
        found["norm.weight"] = found["norm.bias"].new_ones(len(found["norm.bias"]))
    return found


def convert_torchvision_fov(state: State) -> dict[str, Tensor]:
    """torchvision's whole VGG16: its fc6 and fc7 become DeepLab's small ones, every third tap and fourth channel.

    `classifier.0` [4096, 512 x 7 x 7] keeps the taps 0, 3, 6 of both axes and every fourth output, `classifier.3` every
    fourth row and column. Their names begin with `CUT`, so that no other network takes them for trained ones.
    """
    fc6, fc7 = state["classifier.0.weight"], state["classifier.3.weight"]
    return convert_torchvision_vgg16(state) | {
        f"{CUT}fc6.conv.weight": fc6.view(-1, 512, 7, 7)[::4, :, ::3, ::3],
        f"{CUT}fc6.conv.bias": state["classifier.0.bias"][::4],
        f"{CUT}fc7.conv.weight": fc7[::4, ::4, None, None],
        f"{CUT}fc7.conv.bias": state["classifier.3.bias"][::4],
    }


def _network(state: State) -> dict[str, Any]:
    classes = len(state["discriminator.weight"])
    return {"type": "DiscriminatorNetwork", "backbone": {"type": "VGG16BeforePool"}, "num_classes": classes}


FORMATS = {
    "icd": Format((r"(arg:)?icd_bu_weight", r"(arg:)?conv5_3_weight"), convert_icd, _network),
    "torchvision_vgg16_fov": Format(
        (r"features\.28\.weight", *(rf"classifier\.{layer}\.weight" for layer in (0, 3, 6))),
        convert_torchvision_fov,
    ),
}
