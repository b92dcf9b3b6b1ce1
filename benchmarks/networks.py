"""What a worker of one thread does with a photo, against the same networks as PyTorch runs them by itself."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import BinaryIO

import numpy as np
import torch
from torch import Tensor

from benchmarks.result import Result, seconds
from common.artifacts import ScoreMap, ScoreMaps, Strided
from common.base.config import read_config
from common.checkpoints.networks import build_model, without_init
from common.inference.cam import multi_scale_cam
from common.models.onednn import with_onednn
from common.ops.random_walk import BoundaryWalk

SIZE = (375, 500)
SCALES = (1.0, 0.5, 1.5, 2.0)


def make_cam(full: bool) -> Result:
    """IRNet's CAMs of one photo at four scales and mirrored."""
    network = _network("configs/irnet/cam_r50_voc12.py", num_classes=20)
    photo, scales = _photo(), SCALES if full else SCALES[:2]

    def maps() -> Tensor:
        return torch.cat([maps.flatten() for maps in multi_scale_cam(network, photo, scales)])

    original, expected = seconds(maps)
    with_onednn(network)
    ours, found = seconds(maps)
    note = f"ResNet-50, {SIZE[0]} x {SIZE[1]}, scales {', '.join(map(str, scales))}; oneDNN, channels last"
    return Result(original, ours, _error(found, expected), note)


def propagate(full: bool) -> Result:
    """From the CAMs of one photo to the file of its walked scores."""
    network = _network("configs/irnet/irn_r50_voc12.py")
    image = torch.from_numpy(_photo().transpose(2, 0, 1).copy())
    cams = torch.rand(2, 94, 125, generator=torch.Generator().manual_seed(0)).numpy()
    walk = BoundaryWalk(5, 10.0, 8)

    def scores(boundary: Callable[[Tensor], Tensor], write: Callable[[ScoreMap, BinaryIO], None]) -> Tensor:
        walked = walk(cams, boundary(image))
        write(ScoreMap(np.array([1, 2]), walked.numpy(), SIZE, Strided(4)), io.BytesIO())
        return walked

    def compressed(value: ScoreMap, stream: BinaryIO) -> None:
        np.savez_compressed(stream, maps=np.rint(value.maps * 65535).astype(np.uint16))

    original, expected = seconds(lambda: scores(lambda image: network.infer(image)[0], compressed))
    with_onednn(network)
    ours, found = seconds(lambda: scores(network.boundary, lambda value, out: ScoreMaps.encode(None, value, out)))
    note = "ResNet-50, canvas 512, 2 classes, 256 steps; oneDNN, no displacements, npz at level 1"
    return Result(original, ours, _error(found, expected), note)


def _network(config: str, **options: int) -> torch.nn.Module:
    torch.manual_seed(0)
    config = without_init(read_config(config).to_dict())
    config["model"].update(options)
    return build_model(config).eval()


def _photo() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)


def _error(found: Tensor, expected: Tensor) -> str:
    return f"{float((found - expected).norm() / expected.norm()):.0e} relative"


BENCHMARKS = {"make_cam": make_cam, "propagate": propagate}
