"""What the plan says of photos that phones make: what they cost, and the command that writes a smaller copy."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from common.cli import main
from common.data.dataset import write_description
from common.data.ids import write_ids
from common.pipeline import photo_cost
from common.pipeline.photo_cost import SCALES, estimate, large_photos
from common.pipeline.recipe import load_recipe

ROOT = Path(__file__).resolve().parents[2]
RECIPE = ROOT / "configs/irnet/irnet_shapes.py"


def photos(root: Path, sizes: list[tuple[int, int]]) -> Path:
    """A data set of tags alone; sizes: (width, height)."""
    (root / "JPEGImages").mkdir(parents=True)
    ids = [f"im_{number:03d}" for number in range(len(sizes))]
    for image_id, size in zip(ids, sizes, strict=True):
        Image.new("RGB", size).save(root / f"JPEGImages/{image_id}.jpg")
    (root / "tags.json").write_text(json.dumps({image_id: ["car"] for image_id in ids}))
    for split in ("train", "train_aug", "val"):
        write_ids(root / f"ImageSets/Segmentation/{split}.txt", ids)
    write_description(root, "mine", ["background", "car"], "given")
    return root


def lines(data: Path, **scales: object) -> list[str]:
    recipe = load_recipe(RECIPE, {"data.root": str(data), **scales})
    return large_photos(recipe.data_root, recipe.steps)


def test_the_estimate_goes_through_what_was_measured():
    assert np.allclose(estimate(4000 * 3000, SCALES), (115, 12.9), rtol=0.01)
    assert np.allclose(estimate(2000 * 1500, SCALES), (24, 4.0), rtol=0.01)
    assert np.allclose(estimate(4 * 1000 * 750, [scale / 2 for scale in SCALES]), estimate(1000 * 750, SCALES))
    alone = estimate(2000 * 1500, (2.0,))
    assert alone[0] < 24 and alone[1] == pytest.approx(4.0)


def test_the_line(tmp_path: Path) -> None:
    data = photos(tmp_path / "my photos", [(4000, 3000), (640, 480), (900, 1200)])
    (line,) = lines(data, **{"pipeline.make_cam.scales": SCALES})
    assert line == (
        "photos of up to 4000 x 3000 px (2 of 'train_aug' are above 1000 px): about 115 s and 12.9 GB each in "
        f"'make_cam', at 4 scales on EfficientNet-Lite0 and a CPU (an estimate); `wsseg data scale '{data}' "
        "--longer-side 640 --out DIR` writes a smaller copy"
    )


def test_small_photos_and_broken_ones_say_nothing(tmp_path: Path) -> None:
    data = photos(tmp_path / "data", [(1000, 1000), (64, 64)])
    assert lines(data) == []
    (data / "JPEGImages/im_000.jpg").write_bytes(b"no picture")
    assert lines(data) == []
    (data / "ImageSets/Segmentation/train_aug.txt").unlink()
    assert lines(data) == []


def test_headers_of_the_first_photos_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = photos(tmp_path / "data", [(1200, 64), (64, 64), (2000, 64)])
    monkeypatch.setattr(photo_cost, "LOOKED_AT", 2)
    (line,) = lines(data)
    assert "up to 1200 x 64 px (1 of the first 2 of 'train_aug'" in line


def test_a_large_data_set_costs_no_time(tmp_path: Path) -> None:
    data = photos(tmp_path / "data", [(1200, 900)])
    write_ids(data / "ImageSets/Segmentation/train_aug.txt", ["im_000"] * 12000)
    begun = time.monotonic()
    assert len(lines(data)) == 1
    assert time.monotonic() - begun < 2


def test_dry_run_says_it_before_the_stages(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    data = photos(tmp_path / "data", [(1200, 900)] * 2)
    command = ["run", str(RECIPE), "--data-root", str(data), "--work-dir", str(tmp_path / "work"), "--dry-run"]
    assert main(command) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("photos of up to 1200 x 900 px") and said[1].startswith("[1] run ")
    assert main([*command, "--until", "cam"]) == 0  # no class maps are inferred
    assert "photos of up to" not in capsys.readouterr().out


def test_a_run_says_it_of_what_is_not_finished(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("common.pipeline.run.run_recipe", lambda recipe, settings: print("[1/14]"))
    data, work = photos(tmp_path / "data", [(1200, 900)]), tmp_path / "work"
    command = ["run", str(RECIPE), "--data-root", str(data), "--work-dir", str(work)]
    assert main(command) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("photos of up to 1200 x 900 px") and said[1:] == ["[1/14]"]
    (work / "make_cam").mkdir(parents=True)
    (work / "make_cam/stage.json").write_text("{}")
    assert main(command) == 0
    assert capsys.readouterr().out == "[1/14]\n"
    assert main([*command, "--force"]) == 0
    assert capsys.readouterr().out.startswith("photos of up to")
    assert main([*command, "--force", "--until", "cam"]) == 0
    assert capsys.readouterr().out == "[1/14]\n"
