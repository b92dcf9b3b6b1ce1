"""The state of a training: saved so that a resumed training ends with the bytes of an unbroken one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS

from common.base.errors import UserError
from common.checkpoints.files import load_file, plain_state_dict, save_file

CHECKPOINT = "checkpoint.pth"
FORMAT = "wsseg-training-1"


def training_state(runner: Any, iteration: int, identity: str) -> dict[str, Any]:
    """All that a training needs to go on after `iteration` updates; `identity` names the training it belongs to."""
    state = {
        "format": FORMAT,
        "identity": identity,
        "iteration": iteration,
        "state_dict": plain_state_dict(runner.model),
        "optimizer": runner.optim_wrapper.state_dict(),
        "param_schedulers": [scheduler.state_dict() for scheduler in runner.param_schedulers or []],
        "hooks": {type(h).__name__: h.state_dict() for h in runner.hooks if hasattr(h, "state_dict")},
    }
    runner.call_hook("before_save_checkpoint", checkpoint=state)
    return state


def read_training_state(path: str | Path) -> dict[str, Any]:
    """What `training_state` made.

    Raises:
        UserError: the file is missing, truncated, or no training state of this project.
    """
    state = load_file(path)
    if not isinstance(state, Mapping) or state.get("format") != FORMAT:
        raise UserError(f"{path} is no checkpoint of this training engine: delete it to start anew.")
    return dict(state)


def restore_training(runner: Any, state: dict[str, Any]) -> None:
    """Put `training_state` into a runner whose parts are built; it goes on after `state["iteration"]`."""
    runner.call_hook("after_load_checkpoint", checkpoint=state)
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    model.load_state_dict(state["state_dict"])
    runner.optim_wrapper.load_state_dict(state["optimizer"])
    for scheduler, saved in zip(runner.param_schedulers or [], state["param_schedulers"], strict=True):
        scheduler.load_state_dict(saved)
    for hook in runner.hooks:
        if type(hook).__name__ in state["hooks"]:
            hook.load_state_dict(state["hooks"][type(hook).__name__])
    runner.train_loop._iter = state["iteration"]


@HOOKS.register_module()
class AtomicCheckpointHook(Hook):
    """Replaces `checkpoint.pth` every `interval` iterations; a kill at any instant leaves the last whole one.

    With gradient accumulation it waits for the next update, because half-summed gradients are not part of the state.
    """

    priority = "VERY_LOW"

    def __init__(self, interval: int = 500) -> None:
        self.interval = interval
        self.due = False

    @master_only
    def after_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        done = runner.iter + 1
        self.due = self.due or done % self.interval == 0
        if self.due and done % runner.optim_wrapper._accumulative_counts == 0:
            self.due = False
            save_file(Path(runner.work_dir) / CHECKPOINT, training_state(runner, done, runner.identity))
