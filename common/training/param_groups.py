"""Learning rates by kind of parameter: weights, biases, and those of new modules (x1, x2, x10, x20)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS, OPTIM_WRAPPERS, OPTIMIZERS
from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from common.base.errors import UserError

NORMS = (_NormBase, nn.GroupNorm, nn.LayerNorm)
EXCLUDED = -1


def group_index(name: str, is_norm: bool, new: Sequence[str], norm: str = "train") -> int:
    """Group of the parameter `name`: 0 weight, 1 bias, 2 weight of a new module, 3 its bias, -1 not optimised.

    Args:
        name: as in `named_parameters`.
        is_norm: it belongs to a normalisation layer.
        new: module paths, each covers the module and all below it.
        norm: "train" (as any weight or bias) or "skip" (in no group).
    """
    if is_norm and norm == "skip":
        return EXCLUDED
    is_new = any(name.startswith(f"{path}.") or name == path for path in new)
    return 2 * is_new + (name.rpartition(".")[2] == "bias")


def parameter_groups(model: nn.Module, new: Sequence[str], norm: str = "train") -> dict[str, int]:
    """Name -> `group_index` for every parameter of `model`; those without a gradient are excluded (-1).

    Raises:
        UserError: `norm` is unknown, or a path of `new` names no parameter.
    """
    if norm not in ("train", "skip"):
        raise UserError(f'paramwise_cfg.norm must be "train" or "skip", not {norm!r}.')
    norms = {id(p) for m in model.modules() if isinstance(m, NORMS) for p in m.parameters(recurse=False)}
    named = dict(model.named_parameters())
    for path in new:
        if not any(name == path or name.startswith(f"{path}.") for name in named):
            children = ", ".join(name for name, _ in model.named_children())
            raise UserError(f"paramwise_cfg.new names '{path}', which the network lacks; it has {children}.")
    return {
        name: group_index(name, id(p) in norms, new, norm) if p.requires_grad else EXCLUDED for name, p in named.items()
    }


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class LrGroupConstructor:
    """Builds the optimiser with up to four groups; `paramwise_cfg` holds:

    mults: learning rate multipliers of weights, biases, new weights, new biases, default (1, 2, 10, 20);
    new: paths of the new modules, default (); bias_decay: multiplier of the weight decay of biases, default 0;
    norm: "train" or "skip", see `group_index`. Frozen parameters are in no group.
    """

    def __init__(self, optim_wrapper_cfg: dict, paramwise_cfg: dict | None = None) -> None:
        self.wrapper_cfg = optim_wrapper_cfg
        options = {"mults": (1, 2, 10, 20), "new": (), "bias_decay": 0.0, "norm": "train"}
        unknown = set(paramwise_cfg or {}) - set(options)
        if unknown:
            raise UserError(f"paramwise_cfg: unknown key '{min(unknown)}'; known are {', '.join(options)}.")
        self.options: dict[str, Any] = options | dict(paramwise_cfg or {})
        if len(self.options["mults"]) != 4:
            raise UserError("paramwise_cfg.mults needs four numbers: weights, biases, new weights, new biases.")

    def groups(self, model: nn.Module, lr: float, weight_decay: float) -> list[dict[str, Any]]:
        """The groups that are not empty, in the order of `group_index`."""
        index = parameter_groups(model, self.options["new"], self.options["norm"])
        named = dict(model.named_parameters())
        decays = (1.0, self.options["bias_decay"]) * 2
        return [
            {"params": params, "lr": lr * mult, "weight_decay": weight_decay * decay}
            for group, (mult, decay) in enumerate(zip(self.options["mults"], decays, strict=True))
            if (params := [named[name] for name, i in index.items() if i == group])
        ]

    def __call__(self, model: nn.Module) -> OptimWrapper:
        if hasattr(model, "module"):
            model = model.module
        cfg = dict(self.wrapper_cfg)
        optimizer = dict(cfg.pop("optimizer"))
        optimizer["params"] = self.groups(model, optimizer["lr"], optimizer.get("weight_decay", 0.0))
        if not optimizer["params"]:
            raise UserError("Every parameter of the network is frozen: there is nothing to train.")
        cfg.setdefault("type", "OptimWrapper")
        return OPTIM_WRAPPERS.build(cfg, default_args={"optimizer": OPTIMIZERS.build(optimizer)})
