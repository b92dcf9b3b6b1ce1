"""What cases of networks share: made-up weights under the authors' names, made-up images, training quantities."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.optim import MultiStepLR
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

import common.models.register  # noqa: F401
from common.base.constants import CAFFE_MEAN, IMAGENET_MEAN, IMAGENET_STD
from common.training.param_groups import LrGroupConstructor, parameter_groups
from tests.parity.compare import close, equal
from tests.parity.fill import fill_state_dict, image

Golden = dict[str, np.ndarray]
Convert = Callable[[Mapping[str, Any]], dict[str, Any]]
RGB = {"type": "SegDataPreProcessor", "mean": IMAGENET_MEAN, "std": IMAGENET_STD}
BGR = {"type": "SegDataPreProcessor", "mean": CAFFE_MEAN[::-1], "std": (1.0, 1.0, 1.0), "rgb_to_bgr": True}


def filled(named: Mapping[str, Sequence[int]], golden: Golden) -> dict[str, Tensor]:
    """The file's weights, by the authors' names."""
    state = fill_state_dict(named, float(golden.get("weight_gain", 1.0)))
    return {key: torch.from_numpy(np.asarray(value)) for key, value in state.items()}


def images(size: Sequence[int] | np.ndarray, *seeds: int) -> Tensor:
    """uint8 [B, 3, h, w]."""
    height, width = map(int, size)
    return torch.stack([torch.from_numpy(image(height, width, int(seed))).permute(2, 0, 1) for seed in seeds])


def blank(config: Mapping[str, Any], preprocessor: Mapping[str, Any]) -> nn.Module:
    """The network of `config` without memory for its tensors: the initialisation of 100 M weights takes seconds."""
    init_default_scope("mmseg")
    rules = MODELS.build(dict(preprocessor))
    with torch.device("meta"):
        return MODELS.build({**config, "data_preprocessor": rules})


def loaded(model: nn.Module, state: Mapping[str, Tensor]) -> nn.Module:
    """A `blank` network with all its tensors taken from `state`."""
    model.load_state_dict(dict(state), strict=True, assign=True)
    return model.eval()


def authors_shapes(model: nn.Module, names: Mapping[str, str]) -> dict[str, tuple[int, ...]]:
    """For files without `keys`: the network's tensors under the authors' names; names: our prefixes -> theirs."""
    state = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    return {theirs + key.removeprefix(ours): shape for key, shape in state.items() for ours, theirs in names.items()
            if key.startswith(ours)}  # fmt: skip


def tagged(tags: np.ndarray) -> SegDataSample:
    """A training sample with tags alone."""
    sample = SegDataSample()
    sample.set_field(torch.from_numpy(tags), "tags")
    return sample


def without_dropout(model: nn.Module) -> nn.Module:
    """In training mode, every dropout with probability 0."""
    for module in model.modules():
        if isinstance(module, nn.Dropout2d):
            module.p = 0.0
    return model.train()


def check_training(model: nn.Module, golden: Golden, convert: Convert, new: Sequence[str]) -> None:
    """Learning-rate groups, what trains, which norms are fixed, and the gradients left by `backward`, as far as the
    file holds them. Groups of the authors list frozen parameters too, ours leave them out.
    """
    listed = dict(entry.split(":")[::-1] for entry in golden["group_param"].tolist())
    trainable = set(golden["trainable"].tolist())
    ours = parameter_groups(model, new)
    expected = {name: int(group) if name in trainable else -1 for name, group in listed.items()}
    assert {authors: ours.pop(name) for name, authors in convert({key: key for key in listed}).items()} == expected
    assert set(ours.values()) <= {-1}, "parameters that train here and are in none of the authors' groups"
    if "bn_eval" in golden:
        names = convert({f"{name}.weight": name for name in golden["bn_eval"].tolist()})
        fixed = {f"{name}.weight" for name, m in model.named_modules() if isinstance(m, _BatchNorm) and not m.training}
        assert fixed == set(names), "other norms are in evaluation mode"
    if "grad_names" in golden:
        named = dict(model.named_parameters())
        ours_of = {
            authors: name for name, authors in convert({key: key for key in golden["grad_names"].tolist()}).items()
        }
        found = np.array([float(named[ours_of[key]].grad.double().norm()) for key in golden["grad_names"].tolist()])
        equal(sum(p.grad is not None for p in named.values()), len(found), "number of gradients")
        close(found / golden["grad_norms"], np.ones(len(found)), 1e-3, what="relative gradient norms")


def rates_by_epoch(
    optimizer: dict[str, Any], mults: Sequence[float], milestones: Sequence[int], epochs: int
) -> np.ndarray:
    """float64 [epochs, 4]: the rates of weights, biases, new weights and new biases, a tenth from each milestone on."""
    model = nn.ModuleDict({name: nn.Linear(1, 1) for name in ("backbone", "head")})
    wrapper = LrGroupConstructor({"optimizer": optimizer}, {"mults": tuple(mults), "new": ("head",)})(model)
    schedule = MultiStepLR(wrapper, milestones=list(milestones), gamma=0.1, by_epoch=True)
    rates = []
    for _ in range(epochs):
        rates.append([group["lr"] for group in wrapper.optimizer.param_groups])
        wrapper.step()
        schedule.step()
    return np.array(rates)
