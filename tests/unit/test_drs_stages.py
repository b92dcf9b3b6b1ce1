"""DRS's stages on photos: maps on the squashed frame, the refinement's samples, the padding of DeepLab v3+."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

from common.artifacts import Map, ScoreMap, ScoreMaps, Squashed, Strided, Weights
from common.data.dataset import open_dataset
from common.pipeline import Image, Run
from common.training.datasets import WeakDataset
from methods.drs.stages import localise, refine
from methods.drs.transforms import PadAround

PREPROCESSOR = {"type": "SegDataPreProcessor", "mean": [127.5] * 3, "std": [127.5] * 3, "size_divisor": 1}


def weights(folder: Path, kind: str) -> Weights:
    """A network with random weights as a stage leaves it."""
    init_default_scope("mmseg")
    torch.manual_seed(0)
    model = {
        "type": kind,
        "backbone": {"type": "EfficientNetLite", "conv_head": True},
        "width": 8,
        "num_classes": 1,
        "data_preprocessor": PREPROCESSOR,
    }
    folder.mkdir()
    made = Weights(folder)
    network = MODELS.build(model)
    torch.nn.init.constant_(network.extra.conv4.bias, 0.1)
    torch.save(network.state_dict(), made.file)
    Config({"model": model, "custom_imports": {"imports": ["methods.drs.model"]}}).dump(made.config)
    return made


class Untagged(Image):
    """A photo without an object."""

    tags = ()


def test_both_stages_on_photos_of_any_shape(tiny_voc: Path, tmp_path: Path):
    data = open_dataset(tiny_voc)
    run = Run(data.guarded(()), torch.device("cpu"), tmp_path, 0)
    classifier, refinement = (weights(tmp_path / kind, kind) for kind in ("SuppressedClassifier", "RefinementNetwork"))
    first = localise(run, classifier, "train", 64, (48, 64))
    second = refine(run, refinement, "train", 64, (48, 64))
    stored = ScoreMaps(tmp_path / "maps")
    stored.path.mkdir()
    for image_id in data.ids("train")[:2]:  # 32 x 20 and 24 x 32
        image = Image(data, image_id)
        value = first.make(image)
        assert value.keys.tolist() == [1] and value.frame == Squashed(64, 64) and value.maps.shape == (1, 64, 64)
        levels = 255 * value.maps
        assert np.abs(levels - levels.round()).max() < 1e-4 and 0 < levels.max() <= 254
        stored.write(image_id, value)
        assert (np.rint(255 * stored.read(image_id).maps) == np.rint(levels)).all()
        refined = second.make(image)
        assert refined.frame == Strided(1) and refined.maps.shape == (1, *image.size) and refined.maps.min() >= 0
    nothing = Untagged(data, data.ids("train")[0])
    assert first.make(nothing).maps.shape == (0, 64, 64) and second.make(nothing).maps.shape == (0, *nothing.size)


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_maps_follow_the_image_through_the_refinements_transforms(tiny_voc: Path, tmp_path: Path, mirrored: bool):
    """Loaded as they are, beside a mirrored image, they would teach the other side."""
    made, value = ScoreMaps(tmp_path / "maps"), np.zeros((1, 32, 32), np.float32)
    value[:, :, :8] = np.linspace(0.2, 0.8, 8) * 255 // 1 / 255
    data = open_dataset(tiny_voc)
    made.path.mkdir()
    for image_id in data.ids("train"):
        made.write(image_id, ScoreMap(np.array([1]), value, data.size(image_id), Squashed(32, 32)))
    steps = [
        {"type": "Squash", "height": 32, "width": 32},
        {"type": "RandomColorJitter"},
        {"type": "RandomMirror", "prob": float(mirrored)},
        {"type": "Pack"},
    ]
    inputs = {"maps": {"folder": str(made.path), "kind": "ScoreMaps"}}
    sample = WeakDataset(str(tiny_voc), "train", steps, inputs=inputs)[0]["data_samples"]
    found = np.rint(255 * sample.maps.data.numpy())
    wanted = np.rint(255 * value)
    assert (found == (wanted[:, :, ::-1] if mirrored else wanted)).all() and sample.tags.tolist() == [1.0]


@pytest.mark.parametrize(("size", "padded"), [((20, 30), (20, 30)), ((20, 10), (30, 20)), ((10, 13), (20, 23))])
def test_padding_on_all_four_sides_counts_as_background(size: tuple[int, int], padded: tuple[int, int]):
    """A width of 10 adds (1 + 20 - 10) // 2 = 5 to every side; the height only what is then still lacking."""
    results = {
        "img": np.full((*size, 3), 9, np.uint8),
        "maps": {"gt_sem_seg": Map(np.full(size, 3, np.uint8), 255), "other": Map(np.ones(size, np.float32), 0.5)},
        "rng": random.Random(0),
    }
    margin = (padded[0] - size[0]) // 2
    results = PadAround(20)(results)
    assert results["img"].shape == (*padded, 3)
    for values, inside, outside in (
        (results["img"], 9, 0),
        (results["maps"]["gt_sem_seg"].values, 3, 0),
        (results["maps"]["other"].values, 1, 0.5),
    ):
        middle = np.zeros(values.shape[:2], bool)
        middle[margin : padded[0] - margin, margin : padded[1] - margin] = True
        assert (values[middle] == inside).all() and (values[~middle] == outside).all()
