"""SGD with polynomial decay, stepped by the optimiser itself as in the psa / IRNet family."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, Literal

from mmengine.registry import OPTIMIZERS
from torch.optim import SGD


def poly_lr(step: int, max_step: int, power: float, base: float, refresh: float = 1, floor: float = 0.0) -> float:
    """Learning rate of update `step` (from 0): max(floor, base (1 - t / max_step)^power).

    t is `step` rounded down to a multiple of `refresh` and at most `max_step`. The variants of the released codes:
    `refresh=10` (DeepLab v2), `floor=1e-6` (VainF), `max_step = iterations + 1` (SEAM's segmentation code).
    """
    passed = math.floor(step / refresh + 1e-9)  # a refresh that is no whole number is rounded
    t = min(passed * refresh, max_step)
    return max(floor, base * (1 - t / max_step) ** power)


@OPTIMIZERS.register_module()
class PolySGD(SGD):
    """SGD whose learning rates follow `poly_lr`; after `max_step` updates the last ones stay.

    `power` is the exponent of the schedule and `momentum` the momentum. The authors' class calls its exponent momentum
    and gives SGD the weight decay as its momentum, so the released numbers were made with momentum =
    weight decay: 1e-4 (IRNet) or 5e-4 (psa, SEAM).

    Args:
        params: parameters or groups; `lr` and `weight_decay` of a group come before these.
        max_step: number of updates; configs leave it out and `resolve_schedule` fills it in.
        refresh, floor: see `poly_lr`; "epoch" refreshes the rate at the first update of each epoch.
        epoch_length: updates in an epoch, a fraction where gradients are accumulated over its end; needed for "epoch",
            configs leave it out and `resolve_schedule` fills it in.

    Raises:
        ValueError: `max_step` or `refresh` is not positive, or the epoch's length is missing.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float,
        max_step: int,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        power: float = 0.9,
        refresh: int | Literal["epoch"] = 1,
        floor: float = 0.0,
        nesterov: bool = False,
        epoch_length: float | None = None,
    ) -> None:
        if refresh == "epoch":
            if epoch_length is None:
                raise ValueError('refresh="epoch" needs epoch_length')
            refresh = epoch_length
        if max_step < 1 or refresh <= 0:
            raise ValueError(f"max_step ({max_step}) and refresh ({refresh}) must be positive")
        super().__init__(params, lr, momentum=momentum, weight_decay=weight_decay, nesterov=nesterov)
        self.max_step, self.power, self.refresh, self.floor = max_step, power, refresh, floor
        for group in self.param_groups:
            group["base_lr"] = group["lr"]
            group["updates"] = 0

    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """One update. The count and the base rates live in the groups, so `state_dict` carries them."""
        for group in self.param_groups:
            if group["updates"] < self.max_step:
                group["lr"] = poly_lr(
                    group["updates"], self.max_step, self.power, group["base_lr"], self.refresh, self.floor
                )
            group["updates"] += 1
        return super().step(closure)
