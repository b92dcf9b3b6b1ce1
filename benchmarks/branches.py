"""Strong-Weak's two branches on their own images alone, against both on all images."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from benchmarks.result import Result, seconds
from methods.strong_weak.losses import dual_loss
from methods.strong_weak.model import Branch


def branches(full: bool) -> Result:
    """Loss and gradients of half a batch with masks and half with weak labels."""
    width, size, images = (512, (41, 41), 16) if full else (64, (20, 20), 8)
    torch.manual_seed(0)
    shared, strong = torch.randn(images, width, *size), torch.arange(images) >= images // 2
    labels = torch.randint(0, 21, (images, *size))
    pair = Branch(width, 21, 1), Branch(width, 21, 1)

    def gradients(sliced: bool) -> list[torch.Tensor]:
        for branch in pair:
            branch.zero_grad()
        if sliced:
            dual_loss(pair[0](shared[strong]), pair[1](shared[~strong]), labels, strong)["total"].backward()
        else:
            masked = [labels.masked_fill(~own[:, None, None], 255) for own in (strong, ~strong)]
            terms = [F.cross_entropy(b(shared), m, ignore_index=255) for b, m in zip(pair, masked, strict=True)]
            sum(terms).backward()
        return [parameter.grad.clone() for branch in pair for parameter in branch.parameters()]

    ours, found = seconds(lambda: gradients(True))
    original, wanted = seconds(lambda: gradients(False))
    error = max(float((a - b).abs().max()) for a, b in zip(found, wanted, strict=True))
    return Result(original, ours, f"{error:.0e}", f"{images} images of {size[0]} x {size[1]} cells, {width} channels")


BENCHMARKS = {"dual_branches": branches}
