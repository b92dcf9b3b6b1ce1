"""From CAMs to labels: rules, guards, and the whole stages on a tiny data set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import ndimage

import common.stages
from common.artifacts import CAM, CAMs, InstanceMaps, ScoreMaps, Weights
from common.base.config import read_config
from common.base.errors import UserError
from common.checkpoints.files import save_weights
from common.checkpoints.networks import build_model, load_model
from common.data.dataset import open_dataset
from common.ops.crf_params import CRFParams
from common.ops.labels import confident_labels
from common.ops.random_walk import BoundaryWalk
from common.pipeline import Image, Run
from methods.irnet import stages
from methods.irnet.instances import instance_labels
from tests.fused import semantic_labels

IRN = CRFParams(iterations=10, bilateral=(50, 5, 10), gaussian=(3, 3))
CONFIG = """
custom_imports = dict(imports=["methods.irnet.model"], allow_failed_imports=False)
model = dict(
    type="InterPixelNet",
    backbone=dict(type="DilatedResNet", depth=18, strides=(1, 2, 2, 1)),
    displacement={displacement},
    data_preprocessor=dict(type="SegDataPreProcessor", mean=[127.5] * 3, std=[127.5] * 3, size_divisor=1),
)
"""


def scene() -> tuple[np.ndarray, np.ndarray]:
    """Two flat squares on a flat ground, [48, 64], and a CAM that covers a part of each: [2, 12, 16]."""
    pixels = np.full((48, 64, 3), 60, np.uint8)
    pixels[12:36, 8:24], pixels[12:36, 40:56] = (220, 40, 40), (40, 40, 220)
    cam = np.zeros((2, 12, 16), np.float32)
    cam[0, 3:9, 2:5], cam[1, 3:9, 10:13] = 1, 1
    return pixels, cam


def test_sure_pixels():
    pixels, cam = scene()
    full = CAM(np.array([3, 7]), cam, (48, 64)).full()
    label = confident_labels(full, np.array([3, 7]), pixels, IRN)
    assert set(np.unique(label)) <= {0, 3, 7, 255}
    assert (label[20:28, 12:20] == 3).all() and (label[20:28, 44:52] == 7).all() and not label[:4].any()


def test_between_the_thresholds_is_unsure():
    pixels = np.full((24, 24, 3), 90, np.uint8)
    for score, expected in ((0.6, 2), (0.2, 255), (0.01, 0)):
        label = confident_labels(np.full((1, 24, 24), score, np.float32), np.array([2]), pixels, IRN, fg=0.3, bg=0.05)
        assert (label == expected).all()


def test_the_walk_stops_at_boundaries():
    _, cam = scene()
    edge = torch.zeros(12, 16)
    for rows, columns in ((slice(2, 10), slice(1, 7)), (slice(2, 10), slice(9, 15))):
        inside = torch.zeros(12, 16, dtype=torch.bool)
        inside[rows, columns] = True
        edge[torch.from_numpy(ndimage.binary_dilation(inside, iterations=1)) & ~inside] = 1
    label = semantic_labels(cam, np.array([3, 7]), (48, 64), edge, BoundaryWalk())
    assert (label[12:36, 8:24] == 3).mean() > 0.95 and (label[12:36, 40:56] == 7).mean() > 0.95
    assert (label[:4] == 0).all() and (label[:, 30:34] == 0).all()


def test_two_objects_of_a_class_are_two_instances():
    _, cam = scene()
    cam = cam.sum(axis=0, keepdims=True)
    grid = np.indices((12, 16)).astype(np.float32)
    field = np.where(np.arange(16) < 8, np.reshape([6, 4], (2, 1, 1)), np.reshape([6, 12], (2, 1, 1))) - grid
    edge = torch.zeros(12, 16)
    edge[:, 7:9] = 1
    found = instance_labels(
        CAM(np.array([5]), cam, (48, 64)), edge, field.astype(np.float32), BoundaryWalk(exp_times=1)
    )
    large = found.score > 0
    assert large.sum() == 2 and (found.classes == 5).all() and found.score.max() == 1
    assert found.label[24, 16] != found.label[24, 48] and found.label[24, 16] * found.label[24, 48] > 0


@pytest.mark.parametrize("keys", [(), (4, 9)])
def test_an_empty_cam_is_background(keys):
    cam = CAM(np.array(keys, np.int64), np.zeros((len(keys), 8, 10), np.float32), (31, 38))
    edge = torch.full((8, 10), 0.5)
    assert not semantic_labels(cam.maps, cam.keys, cam.size, edge, BoundaryWalk()).any()
    assert len(instance_labels(cam, edge, np.zeros((2, 8, 10), np.float32), BoundaryWalk()).score) == 0
    label = confident_labels(cam.full(), cam.keys, np.zeros((31, 38, 3), np.uint8), IRN)
    assert label.shape == (31, 38) and not label.any()


# --- the stages ---------------------------------------------------------------------------------------------------


def weights(folder: Path, displacement: str = "dict()") -> Weights:
    folder.mkdir()
    (folder / "config.py").write_text(CONFIG.format(displacement=displacement))
    torch.manual_seed(0)
    save_weights(build_model(read_config(folder / "config.py")), folder / "weights.pth")
    return Weights(folder)


def start(root: Path, out: Path) -> Run:
    out.mkdir(parents=True, exist_ok=True)
    return Run(open_dataset(root).guarded(()), torch.device("cpu"), out, 0)


def test_stages_from_cams_to_instances(tiny_voc: Path, tmp_path: Path):
    run, network = start(tiny_voc, tmp_path / "run"), weights(tmp_path / "irn")
    cams = CAMs(tmp_path / "cams")
    image = Image(run.data, run.data.ids("train")[0])
    height, width = image.size
    maps = np.random.default_rng(0).random((1, -(-height // 4), -(-width // 4))).astype(np.float32)
    cams.write(image.id, CAM(np.array([1]), maps, image.size))
    label = common.stages.cam_to_ir_label(run, cams, IRN).make(image)
    assert label.dtype == np.uint8 and label.shape == image.size and set(np.unique(label)) <= {0, 1, 255}
    walked = ScoreMaps(tmp_path / "walk")
    walked.write(image.id, common.stages.boundary_walk(run, cams, network, canvas=48).make(image))
    label = common.stages.labels(run, walked, 0.4).make(image)
    assert label.dtype == np.uint8 and label.shape == image.size and set(np.unique(label)) <= {0, 1}
    loaded = load_model(network.file, network.config)
    edge = loaded.boundary(torch.from_numpy(image.pixels).permute(2, 0, 1), 48)
    fused = semantic_labels(cams.read(image.id).maps, np.array([1]), image.size, edge, BoundaryWalk(), 0.4)
    assert (label != fused).mean() < 1e-3  # the scores are stored as 2^16 levels
    with pytest.raises(UserError, match="'walk' lack a background of their own: say a number"):
        common.stages.labels(run, walked, "own").make(image)
    found = stages.instances(run, cams, network, split="train", canvas=48)
    assert found.split == "train"
    instances = InstanceMaps(tmp_path / "instances")
    instances.write(image.id, found.make(image))
    assert instances.read(image.id).label.shape == image.size


@pytest.mark.parametrize(("batch", "used"), [(3, 6), (8, 8), (32, 8)])
def test_mean_displacement_counts_full_batches(tiny_voc: Path, tmp_path: Path, batch: int, used: int):
    """Eight images: two batches of three, one of eight, or all of them where they fill none."""
    network = weights(tmp_path / "irn")
    run = start(tiny_voc, tmp_path / "shifted")
    stages.mean_displacement(run, network, split="train", crop=32, batch=batch)
    model = load_model(network.file, network.config)
    fields = []
    for image_id in run.data.ids("train")[:used]:
        pixels = torch.from_numpy(run.data.image(image_id)[:32, :32]).permute(2, 0, 1)
        x = torch.zeros(1, 3, 32, 32)
        x[..., : pixels.shape[1], : pixels.shape[2]] = (pixels - 127.5) / 127.5
        fields.append(model(x)[1].mean(dim=(0, 2, 3)))
    shifted = load_model(run.out / "weights.pth", run.out / "config.py")
    torch.testing.assert_close(shifted.displacement_head.mean_shift, torch.stack(fields).mean(0))
    assert torch.equal(shifted.edge_head.out.weight, model.edge_head.out.weight)


def test_instances_need_the_displacement_branch(tiny_voc: Path, tmp_path: Path):
    network = weights(tmp_path / "irn", displacement="None")
    with pytest.raises(UserError, match="displacement"):
        stages.instances(start(tiny_voc, tmp_path / "run"), CAMs(tmp_path / "cams"), network)
