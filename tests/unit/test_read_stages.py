"""What comes from outside enters by a stage: saliency, region numbers, labels; and random numbers of an image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from common.artifacts import GreyMaps, IdMaps, Labels
from common.base.errors import DataError
from common.base.files import read_json, write_json
from common.cli import main
from common.data.dataset import open_dataset, write_mask
from common.data.regions import read_regions
from common.pipeline import Run
from common.pipeline.run_folder import read_run

RECIPE = """
data = dict(root="{root}")
pipeline = [{entry}]
"""
MAPS = 'dict(stage="read_maps", name="read", what="saliency", split="train")'
IDS = 'dict(stage="read_ids", name="read", folder="{folder}", split="train")'


LABELS = 'dict(stage="read_labels", name="read", folder="{folder}", split="train"{said})'


def run(tmp_path: Path, root: Path, entry: str, *more: str) -> int:
    recipe = tmp_path / "recipe.py"
    recipe.write_text(RECIPE.format(root=root, entry=entry))
    return main(["run", str(recipe), "--work-dir", str(tmp_path / "work"), "--workers", "1", *more])


def test_saliency_of_the_data_set(tiny_voc: Path, tmp_path: Path, capsys):
    data = open_dataset(tiny_voc)
    assert run(tmp_path, tiny_voc, MAPS) == 2
    assert "lacks the saliency maps of 8 of the 8 images of 'train'" in capsys.readouterr().err
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
    assert f"lacks the regions of 1 of the 8 images of 'train' ({ids[0]})" in capsys.readouterr().err
    np.save(folder / f"{ids[0]}.npy", np.zeros((3, 4), np.int64))
    assert run(tmp_path, tiny_voc, entry) == 2
    assert f"the map of regions of {ids[0]} is 3 x 4" in capsys.readouterr().err
    np.save(folder / f"{ids[0]}.npy", np.ones(data.size(ids[0]), np.int64))
    assert run(tmp_path, tiny_voc, entry) == 0
    height, width = data.size(ids[1])
    assert IdMaps(tmp_path / "work/read").read(ids[1]).max() == height * width - 1


def write_labels(folder: Path, root: Path, ids: list[str], value: int = 1) -> None:
    for image_id in ids:
        write_mask(folder / f"{image_id}.png", np.full(open_dataset(root).size(image_id), value, np.uint8))


def test_labels_of_a_folder_say_what_they_owe(tiny_voc: Path, tmp_path: Path, capsys):
    folder, ids = tmp_path / "labels", open_dataset(tiny_voc).ids("train")
    write_labels(folder, tiny_voc, ids[1:])
    for said, error in (
        ("", "nothing says what its labels were made from: add it to the stage, supervision='tags'"),
        (', supervision="tags+luck"', "'luck' is none of tags, saliency, proposals, masks"),
        (', supervision="tags"', f"lacks the labels of 1 of the 8 images of 'train' ({ids[0]})"),
    ):
        assert run(tmp_path, tiny_voc, LABELS.format(folder=folder, said=said)) == 2
        assert error in capsys.readouterr().err and not (tmp_path / "work").exists()
    write_labels(folder, tiny_voc, ids[:1], value=255)
    assert run(tmp_path, tiny_voc, LABELS.format(folder=folder, said=', supervision="tags+saliency"')) == 0
    made, read = Labels(tmp_path / "work/read"), read_run(tmp_path / "work")
    assert (made.read(ids[0]) == 255).all() and (made.read(ids[1]) == 1).all()
    assert read.uses == ("tags", "saliency") and read.marks["read"] is None
    assert run(tmp_path, tiny_voc, LABELS.format(folder=folder, said=', supervision="masks"')) == 0
    assert "made with masks" in read_run(tmp_path / "work").marks["read"]
    write_labels(folder, tiny_voc, ids[:1], value=99)
    assert run(tmp_path, tiny_voc, LABELS.format(folder=folder, said=', supervision="tags"'), "--force") == 2
    assert f"{ids[0]}.png holds the value 99, which is no class" in capsys.readouterr().err


def test_labels_of_a_run_bring_its_marks(tiny_voc: Path, tmp_path: Path, capsys):
    folder, ids = tmp_path / "labels", open_dataset(tiny_voc).ids("train")
    write_labels(folder, tiny_voc, ids)
    assert run(tmp_path, tiny_voc, LABELS.format(folder=folder, said=', supervision="masks"')) == 0
    first = tmp_path / "first"
    (tmp_path / "work").rename(first)
    capsys.readouterr()
    again = LABELS.format(folder=first / "read", said=', supervision="tags"')
    assert run(tmp_path, tiny_voc, again) == 2
    assert "which says what its labels were made from: leave 'supervision' out" in capsys.readouterr().err
    assert run(tmp_path, tiny_voc, LABELS.format(folder=first / "read", said="")) == 0
    assert "made with masks" in read_run(tmp_path / "work").marks["read"]

    for key, value, mark in (
        ("supervision", "train", "recipe learned from the masks of 'train'"),
        ("data", None, None),
    ):
        record = read_json(first / "run.json")
        record[key] = value or {**record["data"], "name": "other"}
        write_json(first / "run.json", record)
        code = run(tmp_path, tiny_voc, LABELS.format(folder=first / "read", said=""), "--force")
        if mark:
            assert code == 0 and read_run(tmp_path / "work").marks["read"] == mark
        else:
            assert code == 2 and "was made on 'other', this recipe runs on 'tiny'" in capsys.readouterr().err
    (first / "read/stage.json").rename(first / "read/started.json")
    assert run(tmp_path, tiny_voc, LABELS.format(folder=first / "read", said=""), "--force") == 2
    assert "is not finished: run its recipe to its end first" in capsys.readouterr().err


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
