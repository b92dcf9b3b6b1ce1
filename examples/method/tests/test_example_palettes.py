"""The artefact kind, and the stages that make palettes and regions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from common.artifacts import Artifact
from common.data.dataset import open_dataset
from common.data.prepare.shapes import make_shapes
from common.pipeline import Image, Run
from methods.example.colours import main_colours, nearest_colour
from methods.example.palettes import Palettes
from methods.example.stages import palette, regions

COLOURS = np.array([[0, 0, 0], [250, 10, 10]], np.uint8)


def test_a_palette_is_read_as_it_was_written_and_follows_no_crop(tmp_path: Path) -> None:
    made = Palettes(tmp_path)
    made.write("a", COLOURS)
    np.testing.assert_array_equal(made.read("a"), COLOURS)
    (colours,) = made.maps("a").values()
    assert not colours.follow and colours.values.dtype == np.float32 and colours.values.max() <= 1
    with pytest.raises(ValueError, match="uint8"):
        made.write("b", COLOURS[0])


def test_the_kind_is_found_by_its_name() -> None:
    assert Artifact.kind(Palettes.kind_name()) is Palettes


def test_the_picture_shows_the_colours_below_the_photo(tmp_path: Path) -> None:
    shown = Palettes(tmp_path).picture(np.full((10, 4, 3), 9, np.uint8), COLOURS, None)
    np.testing.assert_array_equal(shown[-1], COLOURS[[0, 0, 1, 1]])
    assert (shown[:8] == 9).all()


def test_two_colours_are_found() -> None:
    pixels = np.repeat(COLOURS, 50, axis=0).reshape(10, 10, 3)
    found = main_colours(pixels, 2, 5, np.random.default_rng(1))
    assert sorted(found.tolist()) == COLOURS.tolist()
    assert (COLOURS[nearest_colour(pixels, COLOURS)] == pixels).all()


def test_a_photo_has_the_same_palette_in_any_order(tmp_path: Path) -> None:
    make_shapes(tmp_path / "data", train=2, val=1, size=64)
    data = open_dataset(tmp_path / "data")
    run = Run(data, "cpu", tmp_path / "palette", seed=0, stage="example.palette")
    images = [Image(data, image_id) for image_id in data.ids("train")]
    jobs = [palette(run, split="train"), palette(run, split="train")]
    first = [jobs[0].make(image) for image in images]
    again = [jobs[1].make(image) for image in reversed(images)][::-1]
    np.testing.assert_array_equal(first, again)
    made = Palettes(tmp_path / "palette")
    made.write(images[0].id, first[0])
    assert regions(run, made).make(images[0]).shape == images[0].size
