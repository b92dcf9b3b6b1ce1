"""The best snapshot of a training on a split's masks: how many papers choose the weights they report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.dist import all_reduce, get_rank, get_world_size
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS

from common.checkpoints.files import plain_state_dict
from common.data.dataset import open_dataset
from common.inference.segmentation import multi_scale_logits
from common.metrics import ConfusionMatrix


@HOOKS.register_module()
class KeepBestHook(Hook):
    """Judges the network every `interval` iterations and at the end; the first snapshot of the best mIoU is kept.

    `train_network` writes the kept weights instead of the last ones. They are part of the checkpoint: a resumed
    training keeps the same. Ranks share the images. A number measured on that split afterwards is chosen on its masks.

    Args:
        split: the images whose masks choose.
        interval: iterations from one validation to the next.
        canvas, scales, flip: see `common.inference.segmentation.multi_scale_logits`.
    """

    priority = "LOW"  # behind the log's line of the iteration, before its checkpoint

    def __init__(
        self,
        split: str,
        interval: int,
        canvas: tuple[int, int] | None = None,
        scales: Sequence[float] = (1.0,),
        flip: bool = False,
    ) -> None:
        self.split, self.interval = split, interval
        self.look = {"scales": tuple(scales), "flip": flip, "canvas": None if canvas is None else tuple(canvas)}
        self.miou, self.iteration = -1.0, 0
        self.weights: dict[str, torch.Tensor] | None = None

    def state_dict(self) -> dict[str, Any]:
        """The best so far."""
        return {"miou": self.miou, "iteration": self.iteration, "weights": self.weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state_dict`."""
        self.miou, self.iteration, self.weights = state["miou"], state["iteration"], state["weights"]

    def after_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        done = runner.iter + 1
        if done % self.interval and done != runner.max_iters:
            return
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        model.eval()
        miou = self._judge(model, open_dataset(runner.train_dataloader.dataset.data.root))
        runner.model.train()
        if miou > self.miou:
            self.miou, self.iteration, self.weights = miou, done, plain_state_dict(model)
        runner.call_hook("validated", iteration=done, metrics={"miou": miou, "best": self.miou})

    def _judge(self, model: Any, data: Any) -> float:
        matrix = ConfusionMatrix(data.num_classes, data.ignore_index)
        for image_id in data.ids(self.split)[get_rank() :: get_world_size()]:
            logits = multi_scale_logits(model, data.image(image_id), **self.look)
            matrix.add(logits.argmax(0).cpu().numpy(), data.mask(image_id))
        counts = torch.from_numpy(matrix.matrix).to(next(model.parameters()).device)
        all_reduce(counts)
        total = ConfusionMatrix(data.num_classes, data.ignore_index, counts.cpu().numpy())
        return float(total.scores(data.classes)["miou"])
