"""A tiny data set and the toy method, for the tests of the pipeline."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from common.data.dataset import voc_palette, write_description

TOY = Path(__file__).parent / "toy"
COUNT = 12


@pytest.fixture
def toy_method(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes `toy.x` a stage, in this process and in those it starts."""
    import methods

    monkeypatch.setattr(methods, "__path__", [*methods.__path__, str(TOY / "methods_toy")])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TOY), str(TOY.parents[2])]))


@pytest.fixture
def tiny_voc(tmp_path: Path) -> Path:
    """Twelve images of two sizes with one class, in VOC layout."""
    root = tmp_path / "tiny"
    rng = np.random.default_rng(0)
    ids = [f"2007_{number:06d}" for number in range(COUNT)]
    for folder in ("JPEGImages", "SegmentationClassAug", "ImageSets/Segmentation"):
        (root / folder).mkdir(parents=True)
    for number, image_id in enumerate(ids):
        height, width = (24, 32) if number % 3 else (32, 20)
        mask = np.zeros((height, width), np.uint8)
        mask[4:16, 4:16] = 1
        pixels = rng.integers(0, 90, (height, width, 3), dtype=np.uint8) + 140 * mask[..., None]
        Image.fromarray(pixels).save(root / "JPEGImages" / f"{image_id}.jpg", quality=95)
        picture = Image.fromarray(mask, mode="P")
        picture.putpalette(voc_palette().tobytes())
        picture.save(root / "SegmentationClassAug" / f"{image_id}.png")
    for split, members in (("train", ids[:8]), ("train_aug", ids[:8]), ("val", ids[8:])):
        (root / "ImageSets/Segmentation" / f"{split}.txt").write_text("".join(f"{member}\n" for member in members))
    (root / "tags.json").write_text(json.dumps({image_id: ["thing"] for image_id in ids}))
    write_description(root, "tiny", ("background", "thing"), "given")
    return root
