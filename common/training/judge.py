"""The mIoU of a network in training on masks: of its labels, or of a classifier's CAM."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.dist import all_reduce, broadcast, get_rank, get_world_size
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS
from mmengine.runner import BaseLoop
from torch import nn

from common.base.errors import UserError
from common.inference.cam import multi_scale_cams
from common.inference.segmentation import multi_scale_logits
from common.metrics import BestThreshold, ConfusionMatrix
from common.ops.cam import merge_cams

Scores = dict[str, float]


def segmentation_scores(model: Any, data: Any, ids: Sequence[str], **look: Any) -> Scores:
    """{"miou": 0..1} of the labels, the arg-max of `multi_scale_logits`; `look` holds its parameters."""
    matrix = ConfusionMatrix(data.num_classes, data.ignore_index)
    for image_id in _own(ids):
        logits = multi_scale_logits(model, data.image(image_id), **look)
        matrix.add(logits.argmax(0).cpu().numpy(), data.mask(image_id))
    total = ConfusionMatrix(data.num_classes, data.ignore_index, _sum(matrix.matrix, model))
    return {"miou": total.miou()}


def cam_scores(model: Any, data: Any, ids: Sequence[str], **look: Any) -> Scores:
    """{"miou": 0..1, "threshold"} of the tagged classes' CAM at the best constant background score of 0, 0.01 .. 1.

    `look` holds `scales` and `flip` of `multi_scale_cams` and `normalisation` of `merge_cams`. The CAM is merged at the
    image's size; the stages `infer_cam` and `eval_cam` may go through a coarser grid.
    """
    if not hasattr(model, "cam"):
        raise UserError(f'by="cam" needs a classifier with class maps, which {type(model).__name__} lacks.')
    normalisation = look.pop("normalisation")
    curve = BestThreshold(data.num_classes, None, data.ignore_index)
    for image_id in _own(ids):
        image, keys = data.image(image_id), np.array(data.tags(image_id), np.int64)
        maps = [scale[0] for scale in multi_scale_cams(model, [image], **look)]
        curve.add(merge_cams(maps, image.shape[:2], keys, normalisation=normalisation), keys, data.mask(image_id))
    curve.histogram = _sum(curve.histogram, model)
    threshold, matrix = curve.best()
    return {"miou": matrix.miou(), "threshold": threshold}


SCORES: Mapping[str, Callable[..., Scores]] = {"segmentation": segmentation_scores, "cam": cam_scores}


def _own(ids: Sequence[str]) -> Iterator[str]:
    """The images of this rank."""
    yield from ids[get_rank() :: get_world_size()]


def _sum(counts: np.ndarray, model: nn.Module) -> np.ndarray:
    """The counts of all ranks."""
    total = torch.from_numpy(counts).to(next(model.parameters()).device)
    all_reduce(total)
    return total.cpu().numpy()


class Validation(BaseLoop):
    """One validation of the model in training, as mmengine's hooks know it.

    They are called around it: EMAHook puts its averages into the model, the loggers receive the numbers.
    """

    def __init__(self, runner: Any, ids: Sequence[str], judge: Callable[[nn.Module], Scores]) -> None:
        super().__init__(runner, ids)
        self.judge = judge

    def run(self) -> Scores:
        """The numbers of `judge` on the model; ranks share the images."""
        runner, usual = self.runner, self.runner._val_loop
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        runner._val_loop = self  # LoggerHook asks it for the number of images
        runner.call_hook("before_val")
        runner.call_hook("before_val_epoch")
        model.eval()
        scores = self.judge(model)
        runner.call_hook("after_val_epoch", metrics=scores)
        runner.call_hook("after_val")
        runner._val_loop = usual
        runner.model.train()
        return scores


@HOOKS.register_module()
class ShareBuffersHook(Hook):
    """All ranks validate with the running means of the first, which are those that are saved."""

    priority = "VERY_LOW"  # behind EMAHook, which may exchange the buffers

    def before_val_epoch(self, runner: Any) -> None:
        for buffer in runner.model.buffers():
            broadcast(buffer, src=0)
