"""Validation on a split's masks while a network trains, and the snapshot that is best there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from torch import nn

from common.base.errors import UserError
from common.checkpoints.files import plain_state_dict
from common.data.dataset import DataSet, open_dataset, open_for_judging
from common.ops.cam import Normalisation
from common.training.judge import SCORES, Scores, Validation


@HOOKS.register_module()
class ValidateHook(Hook):
    """Judges the network every `interval` iterations and at the end; a line of `log.jsonl` says the numbers.

    With mmengine's EMAHook the averaged weights are judged. Ranks share the images.

    Args:
        split: the images whose masks judge.
        interval: iterations from one validation to the next.
        by: "segmentation", the labels of a segmentation network; "cam", a classifier's CAM at its best threshold.
        canvas: for "segmentation", see `common.inference.segmentation.multi_scale_logits`.
        scales, flip: of the images that the network looks at.
        normalisation: for "cam", see `common.ops.cam.merge_cams`.

    Raises:
        UserError: `by` is unknown, a parameter is not for it, or `interval` is not positive.
    """

    def __init__(
        self,
        split: str,
        interval: int,
        canvas: tuple[int, int] | None = None,
        scales: Sequence[float] = (1.0,),
        flip: bool = False,
        by: Literal["segmentation", "cam"] = "segmentation",
        normalisation: Normalisation | None = None,
    ) -> None:
        name = type(self).__name__
        if by not in SCORES:
            raise UserError(f"{name}: by={by!r} is unknown; known are {', '.join(SCORES)}.")
        if interval < 1:
            raise UserError(f"{name}: interval must be a positive number of iterations, not {interval}.")
        if (canvas, normalisation)[by == "segmentation"] is not None:
            key, other = ("normalisation", "cam") if by == "segmentation" else ("canvas", "segmentation")
            raise UserError(f'{name}: {key} is for by="{other}": leave it out.')
        self.split, self.interval, self.by = split, interval, by
        self.look: dict[str, Any] = {"scales": tuple(scales), "flip": flip}
        if by == "segmentation":
            self.look["canvas"] = None if canvas is None else tuple(canvas)
        else:
            self.look["normalisation"] = normalisation or "class_max"

    def train_validation(self, runner: Any) -> None:
        """Judge after `runner.iter` iterations, if it is time."""
        if runner.iter % self.interval and runner.iter != runner.max_iters:
            return
        data = self._open(_root(runner.cfg))
        ids = data.ids(self.split)

        def judge(model: nn.Module) -> Scores:
            scores = self._judge(model, data, ids)
            if math.isnan(scores["miou"]):
                raise UserError(f"{type(self).__name__}: no mask of the split '{self.split}' has a pixel to judge by.")
            return self._noted(scores, model, runner.iter)

        Validation(runner, ids, judge).run()

    def _open(self, root: str) -> DataSet:
        """The data set, with masks: this hook reports and changes nothing of the training."""
        return open_for_judging(root)

    def _judge(self, model: nn.Module, data: DataSet, ids: Sequence[str]) -> Scores:
        return SCORES[self.by](model, data, ids, **self.look)

    def _noted(self, scores: Scores, model: nn.Module, iteration: int) -> Scores:
        """What is logged of the numbers of a validation."""
        return scores


@HOOKS.register_module()
class KeepBestHook(ValidateHook):
    """A `ValidateHook` that keeps the first snapshot of the best mIoU.

    `train_network` writes the kept weights instead of the last ones. They are part of the checkpoint: a resumed
    training keeps the same. A number measured on that split afterwards is chosen on its masks.
    """

    miou, iteration = -1.0, 0
    weights: dict[str, torch.Tensor] | None = None

    def state_dict(self) -> dict[str, Any]:
        """The best so far."""
        return {"miou": self.miou, "iteration": self.iteration, "weights": self.weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state_dict`."""
        self.miou, self.iteration, self.weights = state["miou"], state["iteration"], state["weights"]

    def _open(self, root: str) -> DataSet:
        """The data set, with the masks that the stage may learn from: this hook chooses by them."""
        return open_dataset(root)

    def _noted(self, scores: Scores, model: nn.Module, iteration: int) -> Scores:
        if scores["miou"] > self.miou:
            self.miou, self.iteration, self.weights = scores["miou"], iteration, plain_state_dict(model)
        return {**scores, "best": self.miou}


def _root(cfg: Any) -> str:
    """The data set that a network config trains on.

    Raises:
        UserError: it names none.
    """
    root = cfg.train_dataloader.dataset.get("root") or cfg.get("data", {}).get("root")
    if not root:
        raise UserError("A validation on masks needs the data set: say --cfg-options data.root=FOLDER.")
    return root
