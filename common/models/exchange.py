"""Another backbone for a network config: the options that put it there, with all that follows from it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import common.base.compat  # isort: skip
from mmseg.registry import MODELS

import common.models.register  # noqa: F401
from common.base.config import import_types
from common.base.constants import IMAGENET_MEAN
from common.base.errors import UserError
from common.models.backbone import Taps
from common.models.boundary import BoundaryNet
from common.models.classifier import CamClassifier
from common.models.efficientnet import EfficientNetLite
from common.models.timm_backbone import ALL_TAPS, TimmBackbone, timm_facts

__all__ = ["LITE0", "Choice", "choose", "exchange"]

Config = Mapping[str, Any]

LITE0 = "efficientnet_lite0"
LADDER = ("EfficientNetLite", "DilatedResNet", "CaffeResNet", "DilatedResNeSt", "TimmBackbone")
"""Backbones whose taps 1, 2, 3, 4 are the last maps at strides 4, 8, 16, 32 (or what these became)."""
PAD_DEFAULTS = {"RandomCropContainer": IMAGENET_MEAN}


@dataclasses.dataclass(frozen=True)
class Choice:
    """A backbone by name, and its initial weights (as `NamedWeights` names them; None: random).

    mean, std: of its input, RGB 0..255; hub: timm's name of its weights, None: timm has none.
    """

    name: str
    weights: str | None
    mean: tuple[float, ...]
    std: tuple[float, ...]
    hub: str | None = None

    def config(self, output_stride: int, frozen_stages: int, frozen_bn: bool) -> dict[str, Any]:
        """The backbone's config. One that starts from random weights is trained as a whole."""
        kind, name = ("EfficientNetLite", "lite0") if self.name == LITE0 else ("TimmBackbone", self.name)
        found = {"type": kind, "name": name, "output_stride": output_stride}
        if self.weights is None:
            return found
        init = {"type": "NamedWeights", "weights": self.weights}
        return {**found, "frozen_stages": frozen_stages, "frozen_bn": frozen_bn, "init_cfg": init}


def choose(name: str, weights: str | None = None) -> Choice:
    """The backbone `name` of timm, or EfficientNet-Lite0 as the recipes of this project have it.

    Raises:
        UserError: timm has none of that name.
    """
    timm_name = f"tf_{LITE0}" if name == LITE0 else name
    facts = timm_facts(timm_name)
    mean, std = ((127.5,) * 3,) * 2 if name == LITE0 else (facts.mean, facts.std)
    return Choice(name, weights, mean, std, f"timm://{facts.name}" if facts.has_weights else None)


def exchange(network: Config, choice: Choice, where: str) -> dict[str, Any]:
    """Options (dotted key -> value) that give a network config another backbone.

    They set the backbone at the old one's output stride, with the old `frozen_stages` and `frozen_bn`; mean and std;
    what crops are padded with, where that is the mean; the taps that heads take, and their channels. A head that begins
    with named weights begins without them: they belong to the old backbone.

    Args:
        network: its config, as a plain dict.
        where: the config's name, for errors.

    Raises:
        UserError: the network has no backbone of its own, or needs taps that the new one does not have.
    """
    model = network.get("model") or {}
    old = model.get("backbone")
    if not isinstance(old, Mapping):
        raise UserError(f"{where}: the network has no 'model.backbone' that could be exchanged.")
    new = choice.config(_output_stride(old), *_frozen(old))
    taps = _taps(network, old, new, choice.name, where)
    options: dict[str, Any] = {"model.backbone": {"_delete_": True, **new}}
    for key, value in (*_heads(model, old, taps, choice.name, where), *_input(network, choice)):
        options[key] = value
    return options


def _output_stride(old: Config) -> int:
    if "output_stride" in old:
        return int(old["output_stride"])
    if "strides" in old:
        return 4 * math.prod(old["strides"])
    return 16 if old.get("type") in LADDER and old.get("type") != "CaffeResNet" else 8


def _frozen(old: Config) -> tuple[int, bool]:
    """`frozen_stages` and `frozen_bn`; CaffeResNet's norms are always frozen."""
    stages = old.get("frozen_stages", -1)
    return (stages if isinstance(stages, int) else -1), bool(old.get("frozen_bn", old.get("type") == "CaffeResNet"))


# --- taps ---------------------------------------------------------------------------------------------------------


def _taps(network: Config, old: Config, new: dict[str, Any], name: str, where: str) -> Taps:
    """Build the new backbone, with the old one's selection of taps, which is written into its config `new`."""
    backbone = _built(new)
    kind = _kind(network)
    count = len(backbone.strides)
    if issubclass(kind, BoundaryNet) and count != ALL_TAPS:
        raise UserError(
            f"{where}: a boundary network needs a backbone with five taps, at strides 2, 4, 8, 16 and 32, and "
            f"'{name}' has {count}: ResNets, RegNets, EfficientNets and MobileNets have five."
        )
    wanted = old.get("out_indices")
    last_alone = issubclass(kind, CamClassifier) or "decode_head" in network["model"]
    if old.get("type") not in LADDER and not (last_alone and wanted is None):
        raise UserError(
            f"{where}: this network takes maps of {old.get('type')} that no other backbone has: take the method's "
            "recipe with EfficientNet-Lite0."
        )
    if wanted is None or tuple(wanted) == tuple(range(ALL_TAPS)):
        return backbone
    new["out_indices"] = tuple(_ladder(backbone.strides, index, name, where) for index in wanted)
    return _built(new)


def _built(config: Config) -> Taps:
    """A backbone of random weights, to ask for its taps."""
    kinds = {"EfficientNetLite": EfficientNetLite, "TimmBackbone": TimmBackbone}
    options = {key: value for key, value in config.items() if key not in ("type", "init_cfg", "frozen_stages")}
    return kinds[config["type"]](**options)


def _kind(network: Config) -> type:
    """The class of the network, as far as this project has it; of one of mmseg's, `object`."""
    import_types(network)
    name = str(network["model"].get("type"))
    return MODELS.module_dict.get(name.rpartition(".")[2], object)


def _ladder(strides: Sequence[int], index: int, name: str, where: str) -> int:
    """The tap of the new backbone that is number `index` where five begin at stride 2."""
    tap = index + 1 - int(math.log2(strides[0]))
    if index < 1 or not 0 <= tap < len(strides):
        raise UserError(
            f"{where}: the network needs {ALL_TAPS} taps, '{name}' has {len(strides)}, at strides {strides}."
        )
    return tap


# --- what follows from it -----------------------------------------------------------------------------------------


def _heads(model: Config, old: Config, taps: Taps, name: str, where: str) -> Iterator[tuple[str, Any]]:
    """Which taps the heads of a segmentor take, and their channels."""
    last = len(old.get("out_indices") or range(ALL_TAPS)) - 1
    for key in ("decode_head", "auxiliary_head"):
        head = model.get(key)
        if not head:
            continue
        if not isinstance(head, Mapping):
            raise UserError(f"{where}: 'model.{key}' is a list of heads: they cannot take another backbone yet.")
        told = head.get("in_index", (1, 4) if isinstance(head["in_channels"], list | tuple) else -1)
        indices = [
            _tap(taps, index, last, name, where) for index in (told if isinstance(told, list | tuple) else [told])
        ]
        channels = [taps.channels[index] for index in indices]
        single = not isinstance(told, list | tuple)
        yield f"model.{key}.in_channels", channels[0] if single else tuple(channels)
        if (head.get("init_cfg") or {}).get("type") == "NamedWeights":
            yield f"model.{key}.init_cfg", None
        if "in_index" in head or not single:
            yield f"model.{key}.in_index", indices[0] if single else tuple(indices)


def _tap(taps: Taps, index: int, last: int, name: str, where: str) -> int:
    """The tap of the new backbone for a head's: the last one, or the finest features, at stride 4."""
    if index in (-1, last):
        return len(taps.strides) - 1
    if index == 1 and 4 in taps.strides:
        return max(tap for tap, stride in enumerate(taps.strides) if stride == 4)
    raise UserError(f"{where}: a head takes tap {index}, and '{name}' has taps at strides {taps.strides}.")


def _input(network: Config, choice: Choice) -> Iterator[tuple[str, Any]]:
    """Mean and std, and the colour of what is padded where that was the mean."""
    rules = network["model"].get("data_preprocessor")
    mean, std = list(choice.mean), list(choice.std)
    if not rules:
        yield "model.data_preprocessor", {"type": "SegDataPreProcessor", "mean": mean, "std": std, "size_divisor": 1}
        return
    yield "model.data_preprocessor.mean", mean
    yield "model.data_preprocessor.std", std
    for key in ("rgb_to_bgr", "bgr_to_rgb"):
        if rules.get(key):
            yield f"model.data_preprocessor.{key}", False
    before = list(rules.get("mean") or [])
    before = before[::-1] if rules.get("rgb_to_bgr") else before
    transforms = network.get("train_dataloader", {}).get("dataset", {}).get("pipeline", [])
    for number, transform in enumerate(transforms):
        pad = transform.get("pad", PAD_DEFAULTS.get(transform.get("type")))
        if pad is not None and _same(pad, before):
            yield f"train_dataloader.dataset.pipeline.{number}.pad", mean


def _same(pad: Sequence[float], mean: Sequence[float]) -> bool:
    return len(pad) == len(mean) and all(abs(a - b) < 0.01 for a, b in zip(pad, mean, strict=True))
