"""One confusion matrix per photo: what is kept comes back, and sums to the matrix of the whole evaluation."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from common.artifacts import CAM, CAMs, ConfidentLabel, ConfidentLabels, Labels, Scores
from common.base.errors import DataError, UserError
from common.base.files import read_json
from common.cli import main
from common.data.dataset import DataSet, open_dataset
from common.data.prepare.shapes import make_shapes
from common.metrics import BestThreshold, ConfusionMatrix, PhotoMatrices
from common.metrics.paired import difference
from common.pipeline import Run
from common.pipeline.plan import Settings, make_plan
from common.pipeline.recipe import load_recipe
from common.stages import eval_cam, eval_labels
from methods.dmt.stages import eval_confident

RECIPE = """# Labels, judged.
method = "toy"
data = dict(root={root!r})
pipeline = [
    dict(stage="toy.threshold", name="label", split="train"),
    dict(stage="eval_labels", name="score", labels="label", split="train"),
]
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> DataSet:
    root = tmp_path_factory.mktemp("photos")
    make_shapes(root, train=6, val=2, size=64)
    return open_dataset(root)


def shifted(data: DataSet, image_id: str, by: int = 5) -> np.ndarray:
    mask = data.mask(image_id)
    return np.roll(np.where(mask == 255, 0, mask), by, 1)


def run(data: DataSet, folder: Path) -> Run:
    folder.mkdir()
    return Run(data, "cpu", folder, 0)


def check(folder: Path, data: DataSet, numbers: dict) -> PhotoMatrices:
    """The photos are the split's, and sum to what the numbers say."""
    photos = PhotoMatrices.read(folder)
    assert photos.ids == data.ids("train")
    assert photos.total().miou() == pytest.approx(numbers["miou"])
    iou = dict(zip(data.classes, photos.total().iou(), strict=True))
    assert {name: pytest.approx(value) for name, value in iou.items() if value == value} == {
        name: value for name, value in numbers["iou"].items() if value is not None
    }
    return photos


def test_label_maps(data, tmp_path):
    made = Labels(tmp_path / "labels")
    for image_id in data.ids("train"):
        label = shifted(data, image_id)
        label[:4] = 255
        made.write(image_id, label)
    numbers = eval_labels(run(data, tmp_path / "eval"), made, "train")
    photos = check(tmp_path / "eval", data, numbers)
    for image_id in photos.ids:
        alone = ConfusionMatrix(data.num_classes)
        alone.add(made.read(image_id), data.mask(image_id))
        assert np.array_equal(photos.matrix(image_id).matrix, alone.matrix)


@pytest.mark.parametrize("thresholds", ["best", 0.3, (0.2, 0.4, 0.6)], ids=str)
def test_maps_at_the_chosen_threshold(data, tmp_path, thresholds):
    made = CAMs(tmp_path / "cams")
    rng = np.random.default_rng(0)
    for image_id in data.ids("train"):
        tags, mask = np.array(data.tags(image_id)), data.mask(image_id)
        grid = mask[::4, ::4]
        maps = [0.5 * (grid == tag) + 0.5 * rng.random(grid.shape) for tag in tags]
        made.write(image_id, CAM(tags, np.array(maps, np.float32), mask.shape))
    numbers = eval_cam(run(data, tmp_path / "eval"), made, "train", thresholds)
    photos = check(tmp_path / "eval", data, numbers)
    for image_id in photos.ids:
        value, alone = made.read(image_id), BestThreshold(data.num_classes, [numbers["threshold"]])
        alone.add(value.full(), value.keys, data.mask(image_id))
        assert np.array_equal(photos.matrix(image_id).matrix, alone.matrices()[0])


def test_labels_with_a_confidence(data, tmp_path):
    made = ConfidentLabels(tmp_path / "labels")
    for image_id in data.ids("train"):
        label = shifted(data, image_id).astype(np.uint8)
        confidence = np.linspace(0, 1, label.size, dtype=np.float32).reshape(label.shape)
        made.write(image_id, ConfidentLabel(label, confidence))
    Scores(tmp_path / "least").write({"thresholds": [0.5] * data.num_classes})
    numbers = eval_confident(run(data, tmp_path / "eval"), made, "train", Scores(tmp_path / "least"))
    photos = check(tmp_path / "eval", data, numbers)
    assert photos.total().matrix.sum() < sum((data.mask(image_id) != 255).sum() for image_id in photos.ids)


def test_the_file_is_small_plain_and_always_the_same(tmp_path):
    photos = PhotoMatrices(21)
    for name in ("b", "a_longer_name", "empty", "c"):
        matrix = np.zeros((21, 21), np.int64)
        if name != "empty":
            matrix[20, 3], matrix[0, 0] = len(name), 100_000
        photos.add(name, matrix)
    for folder in ("one", "two"):
        photos.write(tmp_path / folder)
    file = tmp_path / "one/photos.npz"
    assert file.read_bytes() == (tmp_path / "two/photos.npz").read_bytes() and file.stat().st_size < 2000
    with np.load(file, allow_pickle=False) as arrays:
        assert arrays["ids"].dtype.kind == "U" and arrays["count"].tolist() == [100_000, 1, 100_000, 13, 100_000, 1]
    read = PhotoMatrices.read(tmp_path / "one")
    assert read.ids == photos.ids and np.array_equal(read.stacked(), photos.stacked())
    assert read.matrix("empty").matrix.sum() == 0 and np.array_equal(read.stacked(["c"])[0], photos.matrix("c").matrix)


def test_no_photo_and_no_file(tmp_path):
    PhotoMatrices(3).write(tmp_path)
    assert PhotoMatrices.read(tmp_path).ids == [] and PhotoMatrices.read(tmp_path).total().matrix.sum() == 0
    (tmp_path / "photos.npz").write_bytes(b"PK\x03\x04no")
    with pytest.raises(DataError, match=r"photos\.npz is broken"):
        PhotoMatrices.read(tmp_path)
    with pytest.raises(DataError, match="run the evaluation 'absent' again"):
        PhotoMatrices.read(tmp_path / "absent")


@pytest.mark.usefixtures("toy_method")
def test_it_is_part_of_what_the_evaluation_made(tmp_path, tiny_voc):
    recipe, work = tmp_path / "recipe.py", tmp_path / "work"
    recipe.write_text(RECIPE.format(root=str(tiny_voc)))
    arguments = ["run", str(recipe), "--work-dir", str(work), "--device", "cpu", "--workers", "1"]
    assert main(arguments) == 0
    assert sorted(read_json(work / "score/files.json")) == ["photos.npz", "scores.json"]
    settings = Settings(work, device="cpu", workers=1)
    assert make_plan(load_recipe(recipe), settings)[1].reason == "fresh"
    (work / "score/photos.npz").unlink()
    assert "photos.npz" in make_plan(load_recipe(recipe), settings)[1].reason
    assert main(arguments) == 0
    assert PhotoMatrices.read(work / "score").ids == open_dataset(tiny_voc).ids("train")
    (work / "score/stage.json").rename(work / "score/started.json")  # stopped before it was finished
    assert main(arguments) == 0 and json.loads((work / "score/files.json").read_text()).keys() >= {"photos.npz"}


def results(photos: int, gain: float, noise: float = 0.2, classes: int = 3) -> list[PhotoMatrices]:
    """Two results on photos of differing difficulty; the second has `gain` more of the pixels right."""
    rng, made = np.random.default_rng(1), [PhotoMatrices(classes), PhotoMatrices(classes)]
    for number in range(photos):
        share, truth = 0.6 + noise * rng.uniform(-1, 1), rng.integers(classes)
        for result, right in zip(made, (share, share + gain), strict=True):
            matrix = np.zeros((classes, classes), np.int64)
            matrix[truth, truth] = round(10_000 * right)
            matrix[truth, (truth + 1) % classes] = 10_000 - matrix[truth, truth]
            result.add(str(number), matrix)
    return made


def test_a_small_difference_is_told_from_chance_by_the_same_photos():
    first, second = results(60, 0.02)
    found = difference(first, second)
    assert found.miou == pytest.approx(second.total().miou() - first.total().miou())
    assert 0 < found.low < found.miou < found.high and (found.better, found.worse) == (60, 0)
    assert found.high - found.low < 0.01  # the two means alone differ by more from draw to draw
    assert difference(first, second) == found
    back = difference(second, first)
    assert back.miou == -found.miou and (back.better, back.worse) == (0, 60)
    same = difference(first, first)
    assert (same.miou, same.low, same.high, same.better, same.worse) == (0, 0, 0, 0, 0)
    assert difference(first, second, subset=[1]).miou != found.miou


def test_other_photos_or_classes_are_not_compared():
    first, _ = results(5, 0.1)
    for other in (results(6, 0.1)[0], results(5, 0.1, classes=4)[0]):
        with pytest.raises(UserError, match="other photos or other classes"):
            difference(first, other)


@pytest.mark.usefixtures("toy_method")
def test_two_runs_side_by_side(tmp_path, tiny_voc, capsys):
    recipe = tmp_path / "recipe.py"
    recipe.write_text(RECIPE.format(root=str(tiny_voc)))
    for name, level in (("bad", 60.0), ("good", 100.0)):
        options = ["--device", "cpu", "--workers", "1", "--cfg-options", f"pipeline.label.level={level}"]
        assert main(["run", str(recipe), "--work-dir", str(tmp_path / name), *options]) == 0
    means = [read_json(tmp_path / name / "score/scores.json")["miou"] for name in ("bad", "good")]
    capsys.readouterr()
    assert main(["compare", str(tmp_path / "bad"), str(tmp_path / "good")]) == 0
    head, line = capsys.readouterr().out.splitlines()
    assert head.startswith(f"mIoU of {tmp_path / 'good'} minus that of {tmp_path / 'bad'}")
    assert (
        line.startswith(f"score             {100 * (means[1] - means[0]):+.1f} [+") and "8 of 8 photos better" in line
    )
    assert main(["compare", str(tmp_path / "bad")]) == 2
    assert "no run (it writes the tables) or two" in capsys.readouterr().err
    (tmp_path / "bad/score/photos.npz").unlink()
    assert main(["compare", str(tmp_path / "bad"), str(tmp_path / "good")]) == 2
    assert "share no evaluation with photos.npz" in capsys.readouterr().err
