"""Controls: walks over the photo itself or over nothing, in the place of what a network has learned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from common.artifacts import CAM, CAMs
from common.data.dataset import open_dataset
from common.ops.affinity import pair_offsets
from common.ops.cam import with_background
from common.ops.gradient import gradient_size, photo_boundary
from common.ops.random_walk import BoundaryWalk, walk
from common.ops.resize import pool, resize_maps, upsample
from common.pipeline import Image, Run
from common.stages import gradient_walk
from methods.affinitynet.stages import colour_walk


def halves(height: int = 32, width: int = 48) -> np.ndarray:
    """Black on the left, white on the right."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, width // 2 :] = 255
    return pixels


class Photo:
    """The photo of a stage."""

    def __init__(self, pixels: np.ndarray) -> None:
        self.id, self.pixels, self.size = "photo", pixels, pixels.shape[:2]


def start(tiny_voc: Path, out: Path, cam: CAM) -> tuple[Run, CAMs]:
    out.mkdir()
    cams = CAMs(out / "cams")
    cams.write("photo", cam)
    return Run(open_dataset(tiny_voc).guarded(()), torch.device("cpu"), out, 0), cams


def left_cam(size: tuple[int, int], stride: int) -> CAM:
    """1 in the left quarter of the picture."""
    maps = np.zeros((1, -(-size[0] // stride), -(-size[1] // stride)), np.float32)
    maps[:, :, : maps.shape[2] // 4] = 1
    return CAM(np.array([3]), maps, size, stride)


def test_a_flat_photo_has_no_gradient_and_a_step_has_one():
    assert (gradient_size(np.full((37, 42, 3), 90, np.uint8)) == 0).all()
    for pixels in (halves(), halves().transpose(1, 0, 2)):
        size = gradient_size(pixels) if pixels.shape[1] == 48 else gradient_size(pixels).T
        np.testing.assert_allclose(size[:, 5:7], np.sqrt(3) / 2, rtol=1e-6)
        assert (np.delete(size, (5, 6), axis=1) == 0).all()


def test_the_gradient_is_numpys_inside_the_picture():
    pixels = np.random.default_rng(0).integers(0, 256, (9, 11, 3)).astype(np.uint8)
    plain = np.sqrt(sum((part**2).sum(-1) for part in np.gradient(pixels / 255, axis=(0, 1))))
    np.testing.assert_allclose(gradient_size(pixels, 1)[1:-1, 1:-1], plain[1:-1, 1:-1], rtol=1e-5)


@pytest.mark.parametrize("contrast", [0.0, 0.1, 3.0, 1e6])
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (37, 50)])
def test_boundaries_lie_between_0_and_1_for_photos_of_any_size(contrast: float, size: tuple[int, int]):
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    edge = photo_boundary(pixels, 4, contrast)
    assert edge.shape == (-(-size[0] // 4), -(-size[1] // 4)) and edge.dtype == np.float32
    assert edge.min() >= 0 and edge.max() <= 1
    assert contrast > 0 or (edge == 0).all()


def test_without_contrast_the_gradient_walk_has_no_boundaries(tiny_voc: Path, tmp_path: Path):
    pixels = np.random.default_rng(0).integers(0, 256, (32, 48, 3)).astype(np.uint8)
    cam = left_cam((32, 48), 4)
    run, cams = start(tiny_voc, tmp_path / "run", cam)
    found = gradient_walk(run, cams, contrast=0, beta=10, exp_times=3, radius=3).make(Photo(pixels))
    expected = BoundaryWalk(3, 10, 3)(cam.maps, torch.zeros(8, 12)).numpy()
    np.testing.assert_array_equal(found.maps, expected)
    assert found.keys.tolist() == [3] and found.size == (32, 48) and found.frame.stride == 4
    assert found.maps[0, 4, 6] > 0 and found.maps[0, 4].argmax() < 3


def test_a_strong_edge_stops_the_gradient_walk(tiny_voc: Path, tmp_path: Path):
    run, cams = start(tiny_voc, tmp_path / "run", left_cam((32, 48), 4))
    stopped = gradient_walk(run, cams, contrast=50, exp_times=6).make(Photo(halves())).maps[0]
    blurred = gradient_walk(run, cams, contrast=0, exp_times=6).make(Photo(halves())).maps[0]
    assert stopped[:, 7:].max() < 1e-6 and stopped[:, :5].min() > 0.4
    assert blurred[:, 7:].min() > 0.1


def colours(run: Run, cams: CAMs, pixels: np.ndarray, contrast: float, logt: int) -> np.ndarray:
    options = {"alpha": 1.0, "beta": 8.0, "logt": logt, "radius": 3, "border": "complete"}
    return colour_walk(run, cams, contrast, **options).make(Photo(pixels)).maps


def test_without_contrast_the_colour_walk_joins_all_cells_alike(tiny_voc: Path, tmp_path: Path):
    pixels = np.random.default_rng(0).integers(0, 256, (32, 48, 3)).astype(np.uint8)
    cam = left_cam((32, 48), 1)
    run, cams = start(tiny_voc, tmp_path / "run", cam)
    planes = pool(with_background(torch.from_numpy(cam.full()), 1), 8)
    inside = torch.zeros(len(pair_offsets(3)), 4, 6)
    for plane, (dy, dx) in zip(inside, pair_offsets(3), strict=True):
        plane[: 4 - dy, max(-dx, 0) : 6 - max(dx, 0)] = 1
    expected = walk(planes, inside, pair_offsets(3), 4)
    np.testing.assert_allclose(colours(run, cams, pixels, 0, 2), expected.numpy(), atol=1e-6)


def test_a_strong_edge_stops_the_colour_walk(tiny_voc: Path, tmp_path: Path):
    run, cams = start(tiny_voc, tmp_path / "run", left_cam((32, 48), 1))
    stopped, blurred = (colours(run, cams, halves(), contrast, 5) for contrast in (10, 0))
    assert stopped[1, :, 3:].max() < 1e-6 and stopped[1, :, :3].min() > 0.4
    assert blurred[1, :, 3:].min() > 0.1


@pytest.mark.parametrize("keys", [[], [2]], ids=["no tag", "one tag"])
def test_a_photo_of_one_pixel_walks(tiny_voc: Path, tmp_path: Path, keys: list[int]):
    pixels = np.full((1, 1, 3), 200, np.uint8)
    cam = CAM(np.array(keys, np.int64), np.ones((len(keys), 1, 1), np.float32), (1, 1), 4)
    run, cams = start(tiny_voc, tmp_path / "run", cam)
    assert gradient_walk(run, cams, contrast=5).make(Photo(pixels)).maps.tolist() == cam.maps.tolist()
    assert colours(run, cams, pixels, 5, 2).shape == (len(keys) + 1, 1, 1)


def test_the_stages_run_on_photos_of_a_data_set(tiny_voc: Path, tmp_path: Path):
    data = open_dataset(tiny_voc)
    image = Image(data, data.ids("train")[0])
    run, cams = start(tiny_voc, tmp_path / "run", left_cam(image.size, 4))
    cams.write(image.id, cams.read("photo"))
    walked = gradient_walk(run, cams, contrast=2, exp_times=2).make(image)
    assert walked.full().shape == (1, *image.size)
    assert upsample(torch.from_numpy(walked.maps), image.size).shape == (1, *image.size)
    assert resize_maps(torch.from_numpy(walked.maps), image.size).max() <= 1
