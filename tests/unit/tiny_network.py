"""A network of a few hundred weights with dropout, and its config, for the tests of the training engine."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from mmengine.dist import get_rank
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.registry import HOOKS, METRICS
from mmseg.registry import MODELS
from torch import nn


@MODELS.register_module()
class TinyTagNet(BaseModel):
    """One convolution, dropout, a 1x1 head; `slow` seconds an iteration for the tests that kill it.

    The loss is multiplied by `fade`^iteration where that is not 1, and by `factor`.
    """

    progress = None

    def __init__(
        self,
        num_classes: int = 1,
        slow: float = 0.0,
        dropout: float = 0.5,
        norm: bool = True,
        fade: float = 1.0,
        factor: float = 1.0,
    ) -> None:
        super().__init__()
        self.slow, self.fade, self.factor = slow, fade, factor
        bn = nn.BatchNorm2d(8) if norm else nn.Identity()
        self.backbone = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2), bn, nn.ReLU(), nn.Dropout(dropout))
        self.head = nn.Conv2d(8, num_classes, 1)

    def forward(self, inputs, data_samples=None, mode="tensor"):
        x = self.normalize(torch.stack([image.float() for image in inputs]))
        logits = self.head(self.backbone(x).mean((2, 3), keepdim=True)).flatten(1)
        if mode != "loss":
            return logits
        if self.slow:
            time.sleep(self.slow)
        tags = torch.stack([sample.tags for sample in data_samples]).to(logits.device)
        factor = self.factor if self.fade == 1 else self.factor * self.fade**self.progress.iteration
        return {"loss": factor * F.multilabel_soft_margin_loss(logits, 1 - 0.5 * tags)}

    def normalize(self, images):
        return images / 255 - 0.5

    def cam(self, x):
        return F.relu(self.head(self.backbone(x)))


CONFIG = """
_base_ = ["{base}/runtime.py", "tiny_schedule.py"]
custom_imports = dict(imports=["tests.unit.tiny_network"])
data = dict(root="{root}")
model = dict(type="TinyTagNet", slow={slow})
train_cfg = dict(max_epochs={epochs})
train_dataloader = dict(
    batch_size=2,
    num_workers={workers},
    dataset=dict(
        split="train",
        pipeline=[
            dict(type="ResizeLong", low=16, high=40),
            dict(type="RandomMirror"),
            dict(type="RandomCropContainer", size=24),
            dict(type="Pack"),
        ],
    ),
)
default_hooks = dict(logger=dict(interval=2), checkpoint=dict(interval={checkpoint}))
"""
SCHEDULE = """
train_cfg = dict(type="SeekingTrainLoop")
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="PolySGD", lr=0.1, weight_decay=1e-4, momentum=1e-4, power=0.9),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(mults=(1, 1, 10, 10), new=("head",), bias_decay=1),
)
"""
"""A file of its own: what a test adds to the config changes it, or replaces it by `_delete_`."""


def write_config(folder, root, *, epochs=2, workers=0, slow=0.0, checkpoint=3, extra=""):
    """A network config file for `root`."""
    base = Path(__file__).resolve().parents[2] / "configs" / "_base_"
    path = Path(folder) / "tiny.py"
    path.with_name("tiny_schedule.py").write_text(SCHEDULE)
    text = CONFIG.format(base=base, root=root, epochs=epochs, workers=workers, slow=slow, checkpoint=checkpoint)
    path.write_text(text + extra)
    return path


def see(runner, line):
    """Add a line to the file `seen`."""
    with open(Path(runner.work_dir) / "seen", "a") as file:
        file.write(line + "\n")


@HOOKS.register_module()
class SeeEpochs(Hook):
    """Writes iteration and epoch of every epoch's start and end, and of every checkpoint, to the file `seen`."""

    priority = "LOWEST"

    def before_train_epoch(self, runner):
        see(runner, f"before {runner.iter} {runner.epoch}")

    def after_train_epoch(self, runner):
        see(runner, f"after {runner.iter} {runner.epoch}")

    def before_save_checkpoint(self, runner, checkpoint):
        see(runner, f"save {runner.iter} {runner.epoch}")


@METRICS.register_module()
class CountImages(BaseMetric):
    """The number of images that were validated."""

    def process(self, data_batch, data_samples):
        self.results += [1] * len(data_batch["inputs"])

    def compute_metrics(self, results):
        return {"images": sum(results)}


@HOOKS.register_module()
class KillHere(Hook):
    """SIGKILLs the first rank behind the stage and iteration in the variable KILL_AT, e.g. "after_train_epoch 8"."""

    priority = "LOWEST"

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.stop("after_train_iter", runner.iter + 1)

    def after_train_epoch(self, runner):
        self.stop("after_train_epoch", runner.iter)

    def train_validation(self, runner):
        self.stop("train_validation", runner.iter)

    def train_checkpoint(self, runner):
        self.stop("train_checkpoint", runner.iter)

    def stop(self, stage, done):
        if os.environ.get("KILL_AT") == f"{stage} {done}" and get_rank() == 0:
            os.kill(os.getpid(), signal.SIGKILL)


@HOOKS.register_module()
class SeeLabels(Hook):
    """Writes the shape of the first label map to the file `seen`."""

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        shape = data_batch["data_samples"][0].gt_sem_seg.data.shape
        (Path(runner.work_dir) / "seen").write_text(" ".join(map(str, shape)))
