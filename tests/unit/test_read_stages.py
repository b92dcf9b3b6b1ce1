"""What comes from outside enters by a stage: saliency, region numbers; and random numbers of an image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from common.artifacts import GreyMaps, IdMaps
from common.base.errors import DataError
from common.cli import main
from common.data.dataset import open_dataset
from common.data.regions import read_regions
from common.pipeline import Run

RECIPE = """
data = dict(root="{root}")
pipeline = [{entry}]
"""
MAPS = 'dict(stage="read_maps", name="read", what="saliency", split="train")'
IDS = 'dict(stage="read_ids", name="read", folder="{folder}", split="train")'


def run(tmp_path: Path, root: Path, entry: str) -> int:
    recipe = tmp_path / "recipe.py"
    recipe.write_text(RECIPE.format(root=root, entry=entry))
    return main(["run", str(recipe), "--work-dir", str(tmp_path / "work"), "--workers", "1"])


def test_saliency_of_the_data_set(tiny_voc: Path, tmp_path: Path, capsys):
    data = open_dataset(tiny_voc)
    assert run(tmp_path, tiny_voc, MAPS) == 2
    assert "lacks 8 of the 8 saliency of 'train'" in capsys.readouterr().err
    data.folder("saliency").mkdir()
    for number, image_id in enumerate(data.ids("train")):
        levels = np.full(data.size(image_id), 20 * number, np.uint8)
        Image.fromarray(levels).save(data.folder("saliency") / f"{image_id}.png")
    assert run(tmp_path, tiny_voc, MAPS) == 0
    made, second = GreyMaps(tmp_path / "work/read"), data.ids("train")[1]
    assert (made.read(second) == 20).all()
    (followed,) = made.maps(second).values()
    assert followed.values == pytest.approx(np.full(data.size(second), 20 / 255)) and followed.resize == "bilinear"
    shown = made.picture(data.image(second), made.read(second), data)
    assert shown.shape == data.image(second).shape


def test_regions_of_a_folder(tiny_voc: Path, tmp_path: Path, capsys):
    data, folder = open_dataset(tiny_voc), tmp_path / "regions"
    entry = IDS.format(folder=folder)
    assert run(tmp_path, tiny_voc, entry) == 2
    assert f"{folder} does not exist: correct 'folder' of stage 'read'" in capsys.readouterr().err
    folder.mkdir()
    ids = data.ids("train")
    for image_id in ids[1:]:
        np.save(folder / f"{image_id}.npy", np.arange(np.prod(data.size(image_id))).reshape(data.size(image_id)))
    assert run(tmp_path, tiny_voc, entry) == 2
    assert f"lacks 1 of the 8 images of 'train', the first is {ids[0]}" in capsys.readouterr().err
    np.save(folder / f"{ids[0]}.npy", np.zeros((3, 4), np.int64))
    assert run(tmp_path, tiny_voc, entry) == 2
    assert f"the map of regions of {ids[0]} is 3 x 4" in capsys.readouterr().err
    np.save(folder / f"{ids[0]}.npy", np.ones(data.size(ids[0]), np.int64))
    assert run(tmp_path, tiny_voc, entry) == 0
    height, width = data.size(ids[1])
    assert IdMaps(tmp_path / "work/read").read(ids[1]).max() == height * width - 1


def test_forms_of_region_files(tmp_path: Path):
    numbers = np.array([[0, 1], [300, 70000]])
    Image.fromarray(numbers.clip(0, 65535).astype(np.uint16)).save(tmp_path / "sixteen.png")
    np.savez(tmp_path / "one.npz", anything=numbers)
    assert read_regions(tmp_path / "sixteen.png").tolist() == [[0, 1], [300, 65535]]
    assert read_regions(tmp_path / "one.npz").tolist() == numbers.tolist()
    np.savez(tmp_path / "two.npz", a=numbers, b=numbers)
    Image.fromarray(np.zeros((2, 2, 3), np.uint8)).save(tmp_path / "colour.png")
    np.save(tmp_path / "objects.npy", np.array([{}], object), allow_pickle=True)
    np.save(tmp_path / "below.npy", -numbers)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG")
    for name, message in (
        ("two.npz", "2 arrays"),
        ("colour.png", "a RGB picture"),
        ("objects.npy", "allow_pickle"),
        ("below.npy", "whole numbers"),
        ("broken.png", "cannot be read"),
    ):
        with pytest.raises(DataError, match=message):
            read_regions(tmp_path / name)


def test_random_numbers_of_an_image_depend_on_seed_stage_and_image(tiny_voc: Path, tmp_path: Path):
    def draw(seed: int = 0, stage: str = "m.seeds", image_id: str = "a") -> float:
        return Run(open_dataset(tiny_voc), "cpu", tmp_path, seed, stage=stage).rng(image_id).random()

    assert draw() == draw()
    assert len({draw(), draw(seed=1), draw(stage="m.other"), draw(image_id="b")}) == 4
