"""Labels from scores and saliency: every branch of the rules of DRS, Group-WSSS and ICD on single pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as PILImage

from common.artifacts import GreyMaps, Labels, ScoreMap, ScoreMaps, Strided
from common.base.errors import UserError
from common.cli import main
from common.data.dataset import open_dataset
from common.ops.saliency_labels import SaliencyRule, saliency_labels
from common.pipeline import Image, Run
from common.stages import first_tag
from common.stages import saliency_labels as stage

DRS = {"salient": 51, "floor": 0.2, "conflict": 0.9, "conflicts": 3}
GROUP = {"salient": 32, "soft": True, "conflict": 0.9, "strong": 0.8, "min_foreground": 0.01}
ICD = {"salient": 3, "conflict": 0.0, "min_salient": 0.01}


def labelled(rule: dict[str, Any], scores: tuple, level: int, ranks: tuple | None = None, others: int = 0) -> int:
    """The label of one pixel with the scores of classes 3, 7, 9; others: salient pixels that are surely of class 3."""
    keys = np.array([3, 7, 9][: len(scores)])
    row = [np.array([value] + [float(k == 0)] * others, np.float32)[None] for k, value in enumerate(scores)]
    saliency = np.array([[level] + [255] * others], np.uint8)
    ranking = None if ranks is None else np.stack([np.full((1, 1 + others), rank, np.float32) for rank in ranks])
    return int(saliency_labels(np.stack(row), keys, saliency, SaliencyRule(**rule), ranking)[0, 0])


@pytest.mark.parametrize(
    ("scores", "level", "expected"),
    [
        ((0.3, 0.5), 51, 7),  # the arg-max
        ((0.3, 0.5), 50, 0),  # 50 is not salient yet: the background has 1
        ((1.0, 0.5), 0, 0),  # equal scores: the background
        ((1.1, 0.5), 0, 3),  # only a map above 1 beats it
        ((0.19, 0.1), 0, 0),  # below the floor, not salient
        ((0.19, 0.1), 60, 255),  # below the floor, salient: open
        ((0.2, 0.0), 60, 3),  # the floor itself counts
        ((0.95, 0.91), 60, 3),  # two scores do not conflict
        ((0.95, 0.91), 0, 255),  # the background is the third
        ((0.95, 0.91, 0.92), 60, 255),  # three classes
        ((0.95, 0.9, 0.92), 60, 3),  # 0.9 itself does not count
        ((0.95, 0.5), 0, 0),
    ],
)
def test_drs(scores: tuple, level: int, expected: int):
    assert labelled(DRS, scores, level) == expected


def test_drs_judges_maps_without_open_pixels():
    plain = {"salient": 51, "floor": 0.2, "leave_open": False}
    assert labelled(plain, (0.95, 0.91), 0) == 0 and labelled(plain, (0.1, 0.1), 60) == 0


@pytest.mark.parametrize(
    ("scores", "level", "expected"),
    [
        ((0.3, 0.6), 128, 7),  # the arg-max over a soft background of 0.498
        ((0.3, 0.4), 20, 0),  # background, neither salient nor strong
        ((0.95, 0.91), 200, 255),  # two classes above 0.9
        ((0.95, 0.1), 10, 255),  # a class and the background above 0.9
        ((0.95, 0.9), 200, 3),  # 0.9 itself does not count
        ((0.3, 0.4), 32, 255),  # background, but salient
        ((0.3, 0.4), 31, 0),
        ((0.81, 0.4), 31, 255),  # background, but a strong class
        ((0.8, 0.4), 31, 0),  # 0.8 itself is not strong
    ],
)
def test_group_wsss(scores: tuple, level: int, expected: int):
    assert labelled(GROUP, scores, level, others=3) == expected


def test_group_wsss_leaves_an_image_with_little_foreground_open():
    maps, saliency = np.zeros((1, 10, 20), np.float32), np.zeros((10, 20), np.uint8)
    maps[0, 0, :2], saliency[0, :2] = 1, 255
    assert set(np.unique(saliency_labels(maps, np.array([4]), saliency, SaliencyRule(**GROUP)))) == {0, 4}
    maps[0, 0, 1] = saliency[0, 1] = 0
    assert (saliency_labels(maps, np.array([4]), saliency, SaliencyRule(**GROUP)) == 255).all()


@pytest.mark.parametrize(
    ("scores", "level", "ranks", "expected"),
    [
        ((0.4,), 3, None, 3),  # salient, the class holds
        ((-0.4,), 2, None, 0),  # neither
        ((0.4,), 2, None, 255),  # both
        ((0.0,), 3, None, 255),  # salient, no class holds
        ((0.1, 0.9), 3, (0.6, 0.5), 3),  # the ranking decides, not the score
        ((-0.1, 0.9), 3, (0.6, 0.5), 7),  # only where several hold
        ((0.1, 0.9), 2, (0.6, 0.5), 255),
        ((0.1, 0.9), 3, (0.5, 0.5), 255),  # equal ranks
        ((0.4,), 3, (0.5,), 3),  # one class has none to be equal to
    ],
)
def test_icd(scores: tuple, level: int, ranks: tuple | None, expected: int):
    assert labelled(ICD, scores, level, ranks, others=3) == expected


def test_icd_needs_all_classes_against_it_where_hardly_anything_is_salient():
    maps = np.full((2, 10, 20), -0.5, np.float32)
    maps[0, 0, 0], maps[1, 0, 1] = 0.0, 0.7
    saliency = np.zeros((10, 20), np.uint8)
    saliency[9, 19] = 255  # 0.5 %
    label = saliency_labels(maps, np.array([3, 7]), saliency, SaliencyRule(**ICD))
    assert label[0].tolist() == [255, 7] + [0] * 18  # one does not speak against it, one holds, the others do
    saliency[9, 18] = 255  # 1 %: saliency is trusted
    label = saliency_labels(maps, np.array([3, 7]), saliency, SaliencyRule(**ICD))
    assert label[0].tolist() == [0, 255] + [0] * 18


@pytest.mark.parametrize("rule", [DRS, GROUP, ICD], ids=["drs", "group_wsss", "icd"])
def test_an_image_without_classes(rule: dict[str, Any]):
    empty, levels = np.zeros((0, 4, 5), np.float32), np.zeros((4, 5), np.uint8)
    label = saliency_labels(empty, np.zeros(0, np.int64), levels, SaliencyRule(**rule), empty)
    assert set(np.unique(label)) <= {0, 255}


def test_what_does_not_fit_is_refused():
    maps, keys = np.zeros((1, 4, 5), np.float32), np.array([1])
    with pytest.raises(ValueError, match="do not fit"):
        saliency_labels(maps, keys, np.zeros((4, 6), np.uint8), SaliencyRule(**DRS))
    with pytest.raises(ValueError, match="do not fit"):
        saliency_labels(maps, np.array([1, 2]), np.zeros((4, 5), np.uint8), SaliencyRule(**DRS))
    for value, sentence in [
        (51, "no dict of numbers"),
        ({"floor": 0.2}, "'salient' is missing"),
        ({"salient": 51, "flor": 0.2}, "there is no 'flor'.*floor"),
        ({"salient": 0}, "whole number of 1..255"),
        ({"salient": 51, "floor": 1.5}, "number of 0..1"),
        ({"salient": 51, "conflicts": 1}, "2 or more"),
        ({"salient": 51, "soft": 1}, "True or False"),
    ]:
        with pytest.raises(UserError, match=sentence):
            SaliencyRule.from_recipe(value)


def test_the_stage_and_saliency_with_tags_alone(tiny_voc: Path, tmp_path: Path):
    data = open_dataset(tiny_voc)
    run = Run(data.guarded(()), torch.device("cpu"), tmp_path, 0)
    image = Image(data, data.ids("train")[0])
    made, grey = ScoreMaps(tmp_path / "tags"), GreyMaps(tmp_path / "saliency")
    value = first_tag(run, "train").make(image)
    assert value.keys.tolist() == list(image.tags)
    made.path.mkdir(), grey.path.mkdir()
    made.write(image.id, value)
    levels = np.zeros(image.size, np.uint8)
    levels[2:5, 3:7] = 255
    grey.write(image.id, levels)
    label = stage(run, made, grey, SaliencyRule(**DRS)).make(image)
    assert (label == np.where(levels == 255, image.tags[0], 0)).all()
    ranks = ScoreMaps(tmp_path / "ranks")
    ranks.path.mkdir()
    ranks.write(image.id, ScoreMap(np.array([19, 20]), np.zeros((2, *image.size), np.float32), image.size, Strided(1)))
    with pytest.raises(UserError, match="'ranks' ranks other classes than 'tags'"):
        stage(run, made, grey, SaliencyRule(**DRS), ranks).make(image)


def test_a_recipe_stops_without_saliency_and_then_makes_labels(tiny_voc: Path, tmp_path: Path, capsys):
    recipe = tmp_path / "recipe.py"
    recipe.write_text(
        f'data = dict(root="{tiny_voc}")\nuses = ("tags", "saliency")\npipeline = [\n'
        '    dict(stage="first_tag", name="tags", split="train"),\n'
        '    dict(stage="read_maps", name="saliency", what="saliency", split="train"),\n'
        '    dict(stage="saliency_labels", name="pseudo", scores="tags", saliency="saliency",\n'
        "         rule=dict(salient=51, floor=0.2, conflict=0.9, conflicts=3)),\n]\n"
    )
    call = ["run", str(recipe), "--work-dir", str(tmp_path / "work"), "--workers", "1"]
    assert main(call) == 2
    assert "lacks the saliency maps of 8 of the 8 images of 'train'" in capsys.readouterr().err
    data = open_dataset(tiny_voc)
    data.folder("saliency").mkdir()
    for image_id in data.ids("train"):
        levels = np.full(data.size(image_id), 255, np.uint8)
        PILImage.fromarray(levels).save(data.folder("saliency") / f"{image_id}.png")
    assert main(call) == 0
    first = data.ids("train")[0]
    assert (Labels(tmp_path / "work/pseudo").read(first) == data.tags(first)[0]).all()
