"""A network of a few hundred weights with dropout, and its config, for the tests of the training engine."""

from __future__ import annotations

import time
from pathlib import Path

import torch
import torch.nn.functional as F
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.registry import HOOKS, METRICS
from mmseg.registry import MODELS
from torch import nn


@MODELS.register_module()
class TinyTagNet(BaseModel):
    """One convolution, dropout, a 1x1 head; `slow` seconds an iteration for the tests that kill it."""

    def __init__(self, num_classes: int = 1, slow: float = 0.0, dropout: float = 0.5, norm: bool = True) -> None:
        super().__init__()
        self.slow = slow
        bn = nn.BatchNorm2d(8) if norm else nn.Identity()
        self.backbone = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2), bn, nn.ReLU(), nn.Dropout(dropout))
        self.head = nn.Conv2d(8, num_classes, 1)

    def forward(self, inputs, data_samples=None, mode="tensor"):
        x = torch.stack([image.float() for image in inputs]) / 255 - 0.5
        logits = self.head(self.backbone(x).mean((2, 3), keepdim=True)).flatten(1)
        if mode != "loss":
            return logits
        if self.slow:
            time.sleep(self.slow)
        tags = torch.stack([sample.tags for sample in data_samples]).to(logits.device)
        return {"loss": F.multilabel_soft_margin_loss(logits, 1 - 0.5 * tags)}


CONFIG = """
_base_ = ["{base}/runtime.py", "{base}/schedules/irnet.py"]
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
optim_wrapper = dict(paramwise_cfg=dict(mults=(1, 1, 10, 10), new=("head",), bias_decay=1))
default_hooks = dict(logger=dict(interval=2), checkpoint=dict(interval={checkpoint}))
"""


def write_config(folder, root, *, epochs=2, workers=0, slow=0.0, checkpoint=3, extra=""):
    """A network config file for `root`."""
    base = Path(__file__).resolve().parents[2] / "configs" / "_base_"
    path = Path(folder) / "tiny.py"
    text = CONFIG.format(base=base, root=root, epochs=epochs, workers=workers, slow=slow, checkpoint=checkpoint)
    path.write_text(text + extra)
    return path


@METRICS.register_module()
class CountImages(BaseMetric):
    """The number of images that were validated."""

    def process(self, data_batch, data_samples):
        self.results += [1] * len(data_batch["inputs"])

    def compute_metrics(self, results):
        return {"images": sum(results)}


@HOOKS.register_module()
class SeeLabels(Hook):
    """Writes the shape of the first label map to the file `seen`."""

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        shape = data_batch["data_samples"][0].gt_sem_seg.data.shape
        (Path(runner.work_dir) / "seen").write_text(" ".join(map(str, shape)))
