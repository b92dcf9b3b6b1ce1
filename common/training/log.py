"""What a training tells: `log.jsonl` for programs, one progress line for people."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import master_only
from mmengine.hooks import Hook, LoggerHook, RuntimeInfoHook
from mmengine.registry import HOOKS

from common.base.errors import UserError
from common.base.files import atomic_path
from common.base.progress import Progress

LOG = "log.jsonl"


def trim_log(path: Path, iteration: int) -> None:
    """Drop the lines after `iteration`, and a half-written last line; 0 removes the file."""
    if iteration == 0:
        path.unlink(missing_ok=True)
    if not path.exists():
        return
    kept = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True):
        try:
            if json.loads(line)["iter"] <= iteration and line.endswith("\n"):
                kept.append(line)
        except (json.JSONDecodeError, KeyError, TypeError):
            continue
    with atomic_path(path) as temporary:
        temporary.write_text("".join(kept), encoding="utf-8")


@HOOKS.register_module()
class QuietInfoHook(RuntimeInfoHook):
    """mmengine's, without the config as text: nothing reads it here, and a long path in it takes seconds to format."""

    def before_run(self, runner: Any) -> None:
        runner.message_hub.update_info_dict({"seed": runner.seed, "experiment_name": runner.experiment_name})
        self.last_loop_stage = None


@HOOKS.register_module()
class JsonLogHook(Hook):
    """Every `interval` iterations a line {"iter", loss terms (means since the last line), "lr", "seconds"}.

    interval: None: 50, or a fiftieth of a training that has fewer than 2,500 iterations.

    "lr" lists the learning rates of the optimiser's groups, "seconds" counts the training so far, over resumed parts
    too. A validation adds a line {"iter", "val": metrics}. The means are part of the checkpoint, so a resumed training
    writes the same numbers. The visualizer of the config receives them too, with the rate of the first group, unless
    mmengine's LoggerHook is there to do so; a backend may get those after the last checkpoint twice.

    A line says, once, that the loss was exactly 0 over a whole interval.

    Raises:
        UserError: a loss is no longer finite.
    """

    priority = "BELOW_NORMAL"

    def __init__(self, interval: int | None = None) -> None:
        self.given = interval
        self.sums: dict[str, float] = {}
        self.count = self.zeros = 0
        self.collapsed = False
        self.seconds = 0.0
        self.progress: Progress | None = None

    def state_dict(self) -> dict[str, Any]:
        """Sums of the current interval, seconds so far, iterations since the loss became 0, and if that was told."""
        counts = {"count": self.count, "zeros": self.zeros, "collapsed": self.collapsed}
        return {"sums": dict(self.sums), "seconds": self._elapsed(), **counts}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state_dict`; one of an older version counts no zeros."""
        self.sums, self.count, self.seconds = dict(state["sums"]), state["count"], state["seconds"]
        self.zeros, self.collapsed = state.get("zeros", 0), state.get("collapsed", False)

    def _elapsed(self) -> float:
        return self.seconds + time.monotonic() - self.started

    def before_train(self, runner: Any) -> None:
        self.interval = self.given or max(1, min(50, runner.max_iters // 50))
        self.started = time.monotonic()
        self.path = Path(runner.work_dir) / LOG
        self.draws = not any(isinstance(hook, LoggerHook) for hook in runner.hooks)
        self._open(runner)

    @master_only
    def _open(self, runner: Any) -> None:
        trim_log(self.path, runner.iter)
        self.progress = Progress(runner.max_iters, runner.label, done=runner.iter, unit="it")

    def after_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        terms = _numbers(outputs)
        for key, value in terms.items():
            self.sums[key] = self.sums.get(key, 0.0) + value
            if not math.isfinite(value) and key.startswith("loss"):
                raise UserError(
                    f"{runner.label}: {key} is {value} at iteration {runner.iter + 1}; "
                    "lower the learning rate, or look for empty or broken labels."
                )
        self.count += 1
        self.zeros = self.zeros + 1 if terms.get("loss") == 0.0 else 0
        if self.progress is not None:
            self.progress.step(1, note=f"loss {terms.get('loss', float('nan')):.4f}")
        done = runner.iter + 1
        if done % self.interval == 0 or done == runner.max_iters:
            rates = [float(f"{lr:.8g}") for lr in runner.optim_wrapper.get_lr()["lr"]]
            means = {key: float(f"{total / self.count:.8g}") for key, total in self.sums.items()}
            self._line({"iter": done, **means, "lr": rates, "seconds": round(self._elapsed(), 1)})
            self._draw(runner, {**means, "lr": rates[0]}, done)
            self._tell_collapse(runner, done)
            self.sums, self.count = {}, 0

    def _draw(self, runner: Any, numbers: dict[str, float], step: int) -> None:
        if self.draws and numbers:
            runner.visualizer.add_scalars(numbers, step=step)

    def _tell_collapse(self, runner: Any, done: int) -> None:
        if self.collapsed or self.zeros < min(self.interval, done):
            return
        self.collapsed = True
        runner.say(
            f"{runner.label}: the loss is exactly 0 since iteration {done - self.zeros + 1}: the labels teach nothing "
            "(all open, or none of the classes that the loss asks for)"
        )

    def after_val_epoch(self, runner: Any, metrics: dict[str, float] | None = None) -> None:
        numbers = _numbers(metrics)
        self._line({"iter": runner.iter, "val": numbers})
        self._draw(runner, numbers, runner.iter)
        said = ", ".join(f"{key} {value:g}" for key, value in numbers.items())
        runner.say(f"{runner.label}: validation at {runner.iter}: {said}")

    @master_only
    def _line(self, record: dict[str, Any]) -> None:
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")

    def after_train(self, runner: Any) -> None:
        if self.progress is not None:
            self.progress.close()
        if self.draws:
            runner.visualizer.close()


def _numbers(values: dict[str, Any] | None) -> dict[str, float]:
    """The entries that are one number."""
    detached = {k: v.detach() if isinstance(v, torch.Tensor) else v for k, v in (values or {}).items()}
    return {
        key: float(value)
        for key, value in detached.items()
        if isinstance(value, int | float) or (isinstance(value, torch.Tensor) and value.numel() == 1)
    }
