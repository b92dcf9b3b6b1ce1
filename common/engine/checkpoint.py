"""Checkpoints: whole or not there, free of code, and equal bytes for equal training."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS

from common import compat  # noqa: F401
from common.errors import UserError
from common.files import atomic_path

CHECKPOINT = "checkpoint.pth"
FORMAT = "wsseg-training-1"


def save_file(path: str | Path, value: Any) -> None:
    """`torch.save`, atomically. Written through a stream: the archive then does not carry the file's name."""
    with atomic_path(path) as temporary, open(temporary, "wb") as stream:
        torch.save(value, stream)


def load_file(path: str | Path) -> Any:
    """`torch.load` onto the CPU, without running code of the file.

    Raises:
        UserError: the file is missing, truncated, or of a foreign kind.
    """
    path = Path(path)
    try:
        with path.open("rb") as stream:
            return torch.load(stream, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist: train the network first, or correct the path.") from error
    except pickle.UnpicklingError as error:
        raise UserError(
            f"{path} is no checkpoint, or holds more than tensors and plain values: use a file of a trained network."
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} is truncated or no PyTorch file: delete it and make it again.") from error


def load_state_dict_file(path: str | Path) -> dict[str, torch.Tensor]:
    """A state dict, name -> tensor on the CPU; also from a file that keeps it under `state_dict` or `model`.

    Raises:
        UserError: the file is missing, truncated, foreign, or holds something else.
    """
    value = load_file(path)
    for key in ("state_dict", "model"):
        if isinstance(value, Mapping) and isinstance(value.get(key), Mapping):
            value = value[key]
    if not isinstance(value, Mapping) or not value or not all(isinstance(v, torch.Tensor) for v in value.values()):
        raise UserError(f"{path} holds no state dict (names and tensors): use the weights.pth of a trained network.")
    return dict(value)


def plain_state_dict(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Name -> contiguous CPU tensor with its own storage."""
    if is_model_wrapper(model):
        model = model.module
    return {key: value.detach().cpu().clone().contiguous() for key, value in model.state_dict().items()}


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
