"""Puzzle-CAM's training step against two separate passes, each with its own gradient, and against one pass alone."""

from __future__ import annotations

import sys
from collections.abc import Callable

import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor

from benchmarks.result import Result, in_own_process, seconds, status
from common.base.memory import give_back_freed_memory
from methods.puzzlecam.losses import reconstruction_loss
from methods.puzzlecam.model import PuzzleClassifier
from methods.puzzlecam.tiles import merge, tile

BATCH, CLASSES = 2, 20


def scene(crop: int) -> tuple[PuzzleClassifier, Tensor, list[SegDataSample]]:
    """The paper's classifier on ResNet-50, images [2, 3, crop, crop] and their tags."""
    torch.manual_seed(0)
    backbone = {"type": "DilatedResNet", "depth": 50, "strides": (1, 2, 2, 1)}
    rules = {"type": "SegDataPreProcessor", "mean": [127.5] * 3, "std": [127.5] * 3}
    config = {"type": "PuzzleClassifier", "backbone": backbone, "num_classes": CLASSES, "data_preprocessor": rules}
    samples = [SegDataSample() for _ in range(BATCH)]
    for number, sample in enumerate(samples):
        sample.set_field(torch.eye(CLASSES)[number], "tags")
    return MODELS.build(config).train(), torch.randn(BATCH, 3, crop, crop), samples


def forms(crop: int) -> dict[str, Callable[[], Tensor]]:
    """The step, two separate passes, and the image's pass alone; each leaves gradients and returns L_re or 0."""
    model, x, samples = scene(crop)
    tags = torch.stack([sample.tags for sample in samples])

    def step() -> Tensor:
        model.zero_grad()
        terms = model(x, samples, mode="loss")
        terms["loss"].backward()
        return terms["re"].detach()

    def one(images: Tensor, grid: int) -> Tensor:
        maps = merge(model.class_maps(images), grid)
        F.multilabel_soft_margin_loss(maps.mean(dim=(2, 3)), tags).backward()
        return maps.detach()

    def plain() -> Tensor:
        model.zero_grad()
        one(x, 1)
        return torch.zeros(())

    def separate() -> Tensor:
        model.zero_grad()
        return reconstruction_loss(one(x, 1), one(tile(x), 2), tags)

    return {"step": step, "separate": separate, "plain": plain}


def against_separate(full: bool) -> Result:
    """Time and memory, each form in a process of its own for the last."""
    crop = 512 if full else 256
    runs = forms(crop)
    ours, re = seconds(runs["step"])
    original, apart = seconds(runs["separate"])
    plain, _ = seconds(runs["plain"])
    memory = {name: float(in_own_process("benchmarks.puzzle", name, str(crop))) for name in runs}
    note = (
        f"ResNet-50, {BATCH} crops of {crop}: memory {memory['step'] / memory['separate']:.2f} of two separate passes; "
        f"time {ours / plain:.1f} and memory {memory['step'] / memory['plain']:.1f} of the plain classifier"
    )
    return Result(original, ours, f"{float((re - apart).abs() / apart):.0e} relative, of L_re", note)


def _measure(name: str, crop: str) -> None:
    """Print the MB that a form adds at its peak."""
    give_back_freed_memory()
    run = forms(int(crop))[name]
    before = status("VmRSS")
    run()
    print(status("VmHWM") - before)


BENCHMARKS = {"puzzle": against_separate}

if __name__ == "__main__":
    torch.set_num_threads(1)
    _measure(*sys.argv[1:])
