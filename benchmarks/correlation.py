"""SEAM's pixel correlation in chunks of columns, against the whole matrix; and the memory of its CAMs of a photo."""

from __future__ import annotations

import sys

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.result import Result, in_own_process, seconds, status
from common.base.memory import give_back_freed_memory
from methods.seam.correlation import EPS, correlate

PHOTO, LARGEST = (375, 500), 2.0  # pixels, and the largest scale of the CAMs


def scene(grid: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Class maps [1, 21, h, w] and features [1, 192, h, w]."""
    generator = torch.Generator().manual_seed(0)
    return torch.rand(1, 21, *grid, generator=generator), torch.randn(1, 192, *grid, generator=generator)


def whole_matrix(maps: Tensor, features: Tensor) -> Tensor:
    """The original: S [N, N], its columns divided by their sums, one product."""
    unit = features.flatten(2)
    unit = unit / (unit.norm(dim=1, keepdim=True) + EPS)
    similarity = F.relu(unit.mT @ unit)
    similarity = similarity / (similarity.sum(dim=1, keepdim=True) + EPS)
    return (maps.flatten(2) @ similarity).view_as(maps)


@torch.inference_mode()
def against_whole(full: bool) -> Result:
    """Time, error and memory, each form in a process of its own for the last."""
    grid = _grid(LARGEST if full else 1.0)
    maps, features = scene(grid)
    ours, chunked = seconds(lambda: correlate(maps, features))
    original, whole = seconds(lambda: whole_matrix(maps, features))
    added = {
        name: float(in_own_process("benchmarks.correlation", name, *map(str, grid))) for name in ("chunks", "whole")
    }
    note = f"grid {grid[0]} x {grid[1]}, 21 maps: {added['chunks']:.0f} MB for {added['whole']:.0f} MB"
    return Result(original, ours, f"{float((chunked - whole).abs().max()):.0e}", note)


def photo_memory(full: bool) -> Result:
    """The refined CAMs of one photo and its mirror image: both in one batch, or one after the other, each in a process
    of its own for its peak.
    """
    scale = LARGEST if full else 1.0
    original, _, batch = map(float, in_own_process("benchmarks.correlation", "batch", str(scale)).split())
    ours, weights, peak = map(float, in_own_process("benchmarks.correlation", "photo", str(scale)).split())
    note = (
        f"ResNet-38, 375 x 500 at scale {scale}: peak {peak:.0f} MB for {batch:.0f} MB, "
        f"{weights:.0f} MB of which are libraries and weights"
    )
    return Result(original, ours, "the same maps", note)


def _grid(scale: float) -> tuple[int, int]:
    height, width = (-(-int(side * scale) // 8) for side in PHOTO)
    return height, width


@torch.inference_mode()
def _measure_form(name: str, height: str, width: str) -> None:
    """Print the MB that a form adds at its peak."""
    give_back_freed_memory()
    maps, features = scene((int(height), int(width)))
    before = status("VmRSS")
    {"chunks": correlate, "whole": whole_matrix}[name](maps, features)
    print(status("VmHWM") - before)


@torch.inference_mode()
def _measure_photo(name: str, scale: str) -> None:
    """Print the CPU seconds of the CAMs, the MB of libraries and weights, and those at the peak."""
    from mmseg.registry import MODELS

    import methods.seam.model  # noqa: F401  (registers SEAM)
    from common.inference.cam import multi_scale_cam
    from common.ops.resize import rescale_image

    give_back_freed_memory()
    rules = {"type": "SegDataPreProcessor", "mean": [127.5] * 3, "std": [127.5] * 3}
    backbone = {"type": "ResNet38", "out_indices": (1, 2, 3)}
    model = MODELS.build({"type": "SEAM", "backbone": backbone, "num_classes": 20, "data_preprocessor": rules}).eval()
    photo = np.random.default_rng(0).integers(0, 256, (*PHOTO, 3)).astype(np.uint8)

    def batch() -> Tensor:
        x = torch.from_numpy(rescale_image(photo, float(scale))).permute(2, 0, 1)[None]
        upright, mirrored = model.cam(model.normalize(torch.cat([x, x.flip(-1)])))
        return upright + mirrored.flip(-1)

    before = status("VmRSS")
    forms = {"batch": batch, "photo": lambda: multi_scale_cam(model, photo, (float(scale),))}
    took, _ = seconds(forms[name], repeats=1)
    print(took, before, status("VmHWM"))


BENCHMARKS = {"correlation": against_whole, "seam_photo": photo_memory}

if __name__ == "__main__":
    torch.set_num_threads(1)
    (_measure_photo if len(sys.argv) == 3 else _measure_form)(*sys.argv[1:])
