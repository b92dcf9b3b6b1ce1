"""The state of a training: saved so that a resumed training ends with the bytes of an unbroken one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS
from torch import Tensor

from common.base.errors import UserError
from common.checkpoints.files import load_file, plain_state_dict, plain_tensors, save_file

CHECKPOINT = "checkpoint.pth"
FORMAT = "wsseg-training-2"
FORMATS = (FORMAT, "wsseg-training-1")  # the first knew no threads, and its log no iterations without a loss
WEIGHTS = ("state_dict", "ema_state_dict")  # EMAHook leaves the living tensors of its average


def deployed_state_dict(runner: Any) -> dict[str, Tensor]:
    """The weights a training leaves, on the CPU: the model's, or what a hook puts in their place (EMAHook: averages).

    mmengine's protocol: `before_save_checkpoint` may change the state dict of the checkpoint that is about to be saved.
    """
    state = {"state_dict": plain_state_dict(runner.model)}
    runner.call_hook("before_save_checkpoint", checkpoint=state)
    return plain_tensors(state["state_dict"])


def training_state(runner: Any, iteration: int, identity: str) -> dict[str, Any]:
    """All that a training needs to go on after `iteration` updates; `identity` names the training it belongs to."""
    state = {
        "format": FORMAT,
        "identity": identity,
        "iteration": iteration,
        "threads": list(runner.threads),
        "state_dict": plain_state_dict(runner.model),
        "optimizer": runner.optim_wrapper.state_dict(),
        "param_schedulers": [_plain_state(scheduler) for scheduler in runner.param_schedulers or []],
        "hooks": {name: hook.state_dict() for name, hook in _stateful_hooks(runner).items()},
    }
    runner.call_hook("before_save_checkpoint", checkpoint=state)
    return {key: plain_tensors(value) if key in WEIGHTS else value for key, value in state.items()}


def read_training_state(path: str | Path) -> dict[str, Any]:
    """What `training_state` made.

    Raises:
        UserError: the file is missing, truncated, or no training state of this project.
    """
    state = load_file(path)
    if not isinstance(state, Mapping) or state.get("format") not in FORMATS:
        raise UserError(f"{path} is no checkpoint of this training engine: delete it to start again.")
    return dict(state)


def restore_training(runner: Any, state: dict[str, Any]) -> None:
    """Put `training_state` into a runner whose parts are built; it goes on after `state["iteration"]`."""
    runner._resume = True  # EMAHook asks: it then puts the averages back in their place, and the weights in theirs
    runner.call_hook("after_load_checkpoint", checkpoint=state)
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    model.load_state_dict(state["state_dict"])
    runner.optim_wrapper.load_state_dict(state["optimizer"])
    for scheduler, saved in zip(runner.param_schedulers or [], state["param_schedulers"], strict=True):
        scheduler.load_state_dict(saved)
    for name, hook in _stateful_hooks(runner).items():
        if name in state["hooks"]:
            hook.load_state_dict(state["hooks"][name])
    runner.train_loop.go_on_after(state["iteration"])


def _plain_state(scheduler: Any) -> dict[str, Any]:
    """A scheduler's state without the functions that some hold (OneCycleLR): each builds its own."""
    return {key: value for key, value in scheduler.state_dict().items() if not callable(value)}


def _stateful_hooks(runner: Any) -> dict[str, Hook]:
    """The hooks with a `state_dict`, by the name of their class and, of equal ones, their number."""
    seen: Counter[str] = Counter()
    found = {}
    for hook in runner.hooks:
        if hasattr(hook, "state_dict"):
            name = type(hook).__name__
            seen[name] += 1
            found[name if seen[name] == 1 else f"{name} {seen[name]}"] = hook
    return found


@HOOKS.register_module()
class AtomicCheckpointHook(Hook):
    """Replaces `checkpoint.pth` every `interval` iterations; a kill at any instant leaves the last whole one.

    interval: None: 500, or a tenth of a training that has fewer than 5,000 iterations.

    The loop calls it when the iteration, its epoch's end and its validation are over. With gradient accumulation it
    waits for the next update, because half-summed gradients are not part of the state.
    """

    priority = "VERY_LOW"

    def __init__(self, interval: int | None = None) -> None:
        self.interval = interval
        self.due = False

    @master_only
    def train_checkpoint(self, runner: Any) -> None:
        """Save the state after `runner.iter` iterations, if one is due."""
        done = runner.iter
        interval = self.interval or max(1, min(500, runner.max_iters // 10))
        self.due = self.due or done % interval == 0
        updated = done % runner.optim_wrapper._accumulative_counts == 0 or done == runner.max_iters
        if self.due and updated:
            self.due = False
            save_file(Path(runner.work_dir) / CHECKPOINT, training_state(runner, done, runner.identity))
