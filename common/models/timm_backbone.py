"""Any convolutional network of timm as a backbone: five taps where it has them, output stride 8 or 16."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import common.base.compat  # isort: skip  # noqa: F401
import timm
import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from common.base.constants import IMAGENET_MEAN, IMAGENET_STD
from common.base.errors import UserError
from common.models.backbone import Taps, batch_norm_eval, freeze
from common.models.depthwise import quick_depthwise
from common.ops.resize import padded_size, strided_size

__all__ = ["TimmBackbone", "require_timm_name", "timm_facts"]

PROBE = 128  # pixels: a multiple of every stride
ALL_TAPS = 5
MULTIPLE = 32
SAID_NO = (TypeError, ValueError, AssertionError, NotImplementedError, RuntimeError, KeyError, AttributeError)
"""What timm's networks raise for a stride or an input size that they do not have."""


class TimmFacts(NamedTuple):
    """A network's name, with the tag of its weights if there are any; mean and std of its input, RGB 0..255."""

    name: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    has_weights: bool


def require_timm_name(name: str) -> None:
    """Refuse a name that timm does not have.

    Raises:
        UserError: naming the nearest one.
    """
    if not timm.is_model(name):
        close = difflib.get_close_matches(name, ["efficientnet_lite0", *timm.list_models()], n=1, cutoff=0.4)
        hint = f"did you mean '{close[0]}'?" if close else "timm.list_models() names them all"
        raise UserError(f"There is no backbone '{name}' ({hint}).")
    tags = timm.list_pretrained(f"{name.partition('.')[0]}.*")
    if "." in name and name not in tags:
        raise UserError(f"timm has no weights '{name}': there are {', '.join(sorted(tags)) or 'none of that network'}.")


def timm_facts(name: str) -> TimmFacts:
    """What timm says of the network `name`, e.g. "resnet18" or, with certain weights, "resnet18.a1_in1k".

    Raises:
        UserError: there is none of that name.
    """
    require_timm_name(name)
    known = timm.models.get_pretrained_cfg(name)
    if known is None:
        return TimmFacts(name, IMAGENET_MEAN, IMAGENET_STD, False)
    mean, std = (tuple(round(255 * value, 3) for value in values) for values in (known.mean, known.std))
    has_weights = bool(known.has_weights)
    return TimmFacts(f"{known.architecture}.{known.tag}" if has_weights else name, mean, std, has_weights)


@MODELS.register_module()
class TimmBackbone(Taps, BaseModule):
    """A convolutional network of timm, without its classifier.

    Input: RGB, normalised by `timm_facts(name)`. Taps: the last map at each of its strides, finest first; most have
    five, at strides 2, 4, 8, 16 and 32, ConvNeXts four, from stride 4 on. Sides are rounded up: an input of another
    size than a network divides is padded with zeros, and its maps are cut.

    A network that cannot be dilated ends with its tap at the output stride; the layers behind it are left out.

    Args:
        name: as timm calls it.
        output_stride: 8 or 16; later strides become dilations.
        out_indices: taps to return; None: all.
        frozen_stages: -1 trains everything; n >= 0 cuts the gradient after the first tap at stride 2^(n + 1): 2 is
            stride 8, as for other backbones of five taps.
        frozen_bn: batch normalisation uses stored statistics in training too; its scale and shift train.

    Raises:
        UserError: timm does not have the network, or it gives no maps at the output stride, or it is a transformer.
    """

    title = "{name} (timm)"

    def __init__(
        self,
        name: str,
        output_stride: int = 16,
        out_indices: Sequence[int] | None = None,
        frozen_stages: int = -1,
        frozen_bn: bool = False,
        init_cfg: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        require_timm_name(name)
        self.net, strides = _network(name, output_stride)
        channels = self.net.feature_info.channels()
        self.first = max(0, len(strides) - ALL_TAPS)
        self.taps = tuple(range(len(strides) - self.first)) if out_indices is None else tuple(out_indices)
        self.all_strides = tuple(strides[self.first :])
        self.channels = tuple(channels[self.first + tap] for tap in self.taps)
        self.strides = tuple(self.all_strides[tap] for tap in self.taps)
        self.pads = _sizes(self.net, PROBE + 1) != [strided_size((PROBE + 1,) * 2, stride) for stride in strides]
        self.frozen_bn = frozen_bn
        self.frozen = _behind(self.net, self.first + self.tap_of(frozen_stages)) if frozen_stages >= 0 else []
        self.net.is_init = True  # mmengine would call timm's own initialisation after ours
        quick_depthwise(self)
        self._freeze_stages()

    def tap_of(self, stage: int) -> int:
        """The tap that other backbones of five taps, the first at stride 2, call `stage`; below 0: there is none."""
        return stage + 1 - int(math.log2(self.all_strides[0]))

    def _freeze_stages(self) -> None:
        freeze(self.frozen)

    def train(self, mode: bool = True) -> TimmBackbone:
        super().train(mode)
        self._freeze_stages()
        if self.frozen_bn:
            batch_norm_eval(self)
        return self

    def adopt(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Weights under timm's names, as those of this network: timm joins names with "_" where it takes features."""
        own = {_joined(key): key for key in self.net.state_dict()}
        named = {own.get(_joined(key.removeprefix("backbone."))): value for key, value in state.items()}
        return {f"backbone.net.{key}": value for key, value in named.items() if key is not None}

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """x: float [B, 3, H, W], normalised -> the taps, [B, channels[i], ceil(H / stride), ceil(W / stride)]."""
        size = x.shape[-2:]
        if self.pads:
            height, width = padded_size(size, MULTIPLE)
            x = F.pad(x, (0, width - size[1], 0, height - size[0]))
        maps = self.net(x)[self.first :]
        found = []
        for tap, stride in zip(self.taps, self.strides, strict=True):
            height, width = strided_size(size, stride)
            found.append(maps[tap][..., :height, :width])
        return tuple(found)


def _joined(key: str) -> str:
    return key.replace(".", "_")


# --- what timm builds ---------------------------------------------------------------------------------------------


def _network(name: str, output_stride: int) -> tuple[nn.Module, list[int]]:
    """The network at an output stride, and the strides of its taps.

    Raises:
        UserError: it has no maps at that stride, or is a transformer.
    """
    if output_stride not in (8, 16):
        raise UserError(f"A backbone's output stride is 8 or 16, not {output_stride}.")
    for options in ({"output_stride": output_stride}, {}):
        try:
            net = timm.create_model(name, pretrained=False, features_only=True, **options)
            _refuse_transformer(name, net)
            strides = _strides(net)
        except SAID_NO:
            continue
        if strides[-1] == output_stride:
            return net, strides
        if output_stride in strides:  # of one that is not dilated
            last = max(tap for tap, stride in enumerate(strides) if stride == output_stride)
            net = timm.create_model(name, pretrained=False, features_only=True, out_indices=tuple(range(last + 1)))
            return net, strides[: last + 1]
    raise UserError(
        f"'{name}' gives no maps at stride {output_stride} on photos of any size: a backbone is a convolutional "
        "network such as resnet50, regnety_016, mobilenetv3_large_100 or convnext_tiny."
    )


def _refuse_transformer(name: str, net: nn.Module) -> None:
    if any(hasattr(module, "num_heads") for module in net.modules()):
        raise UserError(
            f"'{name}' is a transformer: a backbone is a convolutional network such as resnet50, regnety_016, "
            "mobilenetv3_large_100 or convnext_tiny."
        )


def _sizes(net: nn.Module, side: int) -> list[tuple[int, int]] | None:
    """(height, width) of the maps of a square input; None where the network does not take it."""
    training = net.training
    try:
        with torch.no_grad():
            return [tuple(found.shape[-2:]) for found in net.eval()(torch.zeros(1, 3, side, side))]
    except SAID_NO:
        return None
    finally:
        net.train(training)


def _strides(net: nn.Module) -> list[int]:
    """Input pixels per cell of all maps.

    Raises:
        ValueError: a map does not have the size of a stride.
    """
    sizes = _sizes(net, PROBE)
    if sizes is None or any(height != width or PROBE % height for height, width in sizes):
        raise ValueError(f"maps of {sizes} cells for {PROBE} pixels")
    return [PROBE // height for height, _ in sizes]


def _behind(net: nn.Module, tap: int) -> list[nn.Module]:
    """The modules whose parameters all lie behind a map, that is, it is computed from them; none for a tap below 0."""
    if tap < 0:
        return []
    named = list(net.parameters())
    training = net.training
    with torch.enable_grad():
        found = net.eval()(torch.zeros(1, 3, PROBE, PROBE))[tap]
        gradients = torch.autograd.grad(found.sum(), named, allow_unused=True)
    net.train(training)
    used = {id(part) for part, gradient in zip(named, gradients, strict=True) if gradient is not None}
    return [
        module
        for module in net.modules()
        if (parts := [id(part) for part in module.parameters()]) and all(part in used for part in parts)
    ]
