"""ICD's stages on photos: merged superpixels, maps on a canvas, seeds, the CRF, and what the plan says."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from PIL import Image as PILImage

import common.models.register  # noqa: F401
import methods.icd.model  # noqa: F401
from common.artifacts import GreyMaps, IdMaps, Map, ScoreMap, Strided, Weights
from common.base.errors import UserError
from common.cli import main
from common.data.dataset import open_dataset
from common.data.prepare.shapes import make_shapes
from common.ops.crf_params import CRFParams
from common.ops.saliency_labels import SaliencyRule
from common.pipeline import Image, Run
from common.pipeline.notes import data_notes
from common.pipeline.recipe import load_recipe
from common.training.datasets import WeakDataset
from methods.icd.scores import CanvasScores, PaddedCanvas
from methods.icd.seeds import ranks, refined_seeds, relative_responses, seed_labels, seed_probabilities
from methods.icd.stages import localise, merge, refine, seeds
from methods.icd.transforms import RandomScaleRounded

CONFIGS = Path(__file__).resolve().parents[2] / "configs/icd"
RECIPES = sorted(CONFIGS.glob("icd_*.py"))
CRF = CRFParams(10, (80, 13, 10), (3, 3))
RULE = SaliencyRule(salient=3, conflict=0.0, min_salient=0.01)
MODEL = {
    "type": "DiscriminatorNetwork",
    "width": 4,
    "num_classes": 1,
    "backbone": {"type": "EfficientNetLite", "conv_head": True, "output_stride": 8, "out_indices": (4,)},
    "data_preprocessor": {"type": "SegDataPreProcessor", "mean": [127.5] * 3, "std": [127.5] * 3, "size_divisor": 1},
}


class Photo(Image):
    """Any pixels, with class 1."""

    tags = (1,)

    def __init__(self, data, pixels: np.ndarray) -> None:
        super().__init__(data, data.ids("train")[0])
        self.pixels, self.size = pixels, pixels.shape[:2]


class Untagged(Photo):
    """A photo without an object."""

    tags = ()


def run(root: Path, folder: Path) -> Run:
    return Run(open_dataset(root).guarded(()), torch.device("cpu"), folder, 0)


def weights(folder: Path, directed: bool = True) -> Weights:
    """A network with random weights as a stage leaves it."""
    init_default_scope("mmseg")
    torch.manual_seed(0)
    folder.mkdir()
    made, network = Weights(folder), MODELS.build(MODEL)
    network.directed[:] = directed
    torch.save(network.state_dict(), made.file)
    Config({"model": MODEL, "custom_imports": {"imports": ["methods.icd.model"]}}).dump(made.config)
    return made


# --- maps ----------------------------------------------------------------------------------------------------------


def test_the_grid_covers_the_canvas_from_border_to_border():
    """65 cells on 513 pixels: as cells of 8 pixels they would reach 520, and every map would be shifted."""
    frame, size = PaddedCanvas(513), (375, 500)
    assert frame.grid(size) == (65, 65) and frame.reach(size) == (513, 513)
    cells = np.random.default_rng(0).normal(size=(1, 65, 65)).astype(np.float32)
    full = ScoreMap(np.array([1]), cells, size, frame).full()
    for y, x in ((0, 0), (200, 333), (374, 499)):
        places = [(at + 0.5) * 65 / 513 - 0.5 for at in (y, x)]
        low = [min(max(int(np.floor(place)), 0), 64) for place in places]
        share = [max(place, 0) - at for place, at in zip(places, low, strict=True)]
        wanted = sum(
            float(cells[0, min(low[0] + dy, 64), min(low[1] + dx, 64)])
            * (share[0] if dy else 1 - share[0])
            * (share[1] if dx else 1 - share[1])
            for dy in (0, 1)
            for dx in (0, 1)
        )
        assert full[0, y, x] == pytest.approx(wanted, abs=1e-4)
    assert full.shape == (1, 375, 500)
    assert PaddedCanvas(257, 8, 2.0).reach((128, 128)) == (128, 128)
    assert PaddedCanvas(641, 8, 641 / 4000).reach((3000, 4000)) == (4000, 4000)


def test_maps_of_photos_of_any_shape(tiny_voc: Path, tmp_path: Path):
    here, trained = run(tiny_voc, tmp_path), weights(tmp_path / "icd")
    stored, data = CanvasScores(tmp_path / "maps"), open_dataset(tiny_voc)
    stored.path.mkdir()
    jobs = {what: localise(here, trained, "train", what, 65) for what in ("cam", "top_down")}
    rng = np.random.default_rng(0)
    for height, width in ((24, 32), (1, 1), (65, 65), (900, 1200)):
        pixels = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
        for photo in (Photo(data, pixels), Untagged(data, pixels)):
            found = {what: job.make(photo) for what, job in jobs.items()}
            for value in found.values():
                assert value.maps.shape == (len(photo.tags), 9, 9)
                assert value.full().shape == (len(photo.tags), height, width)
                stored.write(photo.id, value)
                again = stored.read(photo.id)
                assert again.frame == value.frame and np.abs(again.maps - value.maps).max(initial=0) < 1e-3
        if photo.size == (900, 1200):
            assert value.frame.scale == pytest.approx(65 / 1200)
    doubled = localise(here, trained, "train", "cam", 65, 2.0).make(
        Photo(data, rng.integers(0, 256, (24, 32, 3)).astype(np.uint8))
    )
    assert doubled.frame == PaddedCanvas(65, 8, 2.0)
    with pytest.raises(ValueError, match="not on a PaddedCanvas"):
        stored.write("x", ScoreMap(np.array([1]), np.zeros((1, 8, 8), np.float32), (8, 8), Strided(1)))


def test_a_class_without_a_discriminator_has_its_cam_in_both(tiny_voc: Path, tmp_path: Path):
    here, data = run(tiny_voc, tmp_path), open_dataset(tiny_voc)
    image = Image(data, data.ids("train")[0])
    for directed in (True, False):
        trained = weights(tmp_path / f"icd{directed}", directed)
        cam, both = (localise(here, trained, "train", what, 65).make(image).maps for what in ("cam", "top_down"))
        assert np.array_equal(cam, both) == (not directed)


def test_the_canvas_is_padded_with_zeros_behind_the_normalisation(tiny_voc: Path, tmp_path: Path):
    """A photo of the mean colour fills nothing: the padding is the same colour."""
    here, trained = run(tiny_voc, tmp_path), weights(tmp_path / "icd")
    data = open_dataset(tiny_voc)
    grey = np.full((65, 65, 3), 127, np.uint8)
    small, whole = (localise(here, trained, "train", "cam", 65).make(Photo(data, grey[:n, :n])).maps for n in (20, 65))
    assert np.abs(small - whole).max() < 0.05 * np.abs(whole).max()


# --- superpixels ---------------------------------------------------------------------------------------------------


def test_superpixels_are_merged_by_an_untrained_network(tiny_voc: Path, tmp_path: Path):
    here, data = run(tiny_voc, tmp_path), open_dataset(tiny_voc)
    made = IdMaps(tmp_path / "superpixels")
    made.path.mkdir()
    image = Image(data, data.ids("train")[0])
    rows, columns = np.indices(image.size) // 4
    segments = (rows * (columns.max() + 1) + columns).astype(np.int32)
    made.write(image.id, segments)
    job = merge(here, made, CONFIGS / "discriminator_lite0_shapes.py", 5, 65, 2.0)
    merged = job.make(image)
    assert merged.shape == image.size and np.unique(merged).tolist() == list(range(5))
    for number in range(segments.max() + 1):
        assert len(np.unique(merged[segments == number])) == 1, "a superpixel is cut"
    unchanged = merge(here, made, CONFIGS / "discriminator_lite0_shapes.py", 999, 65, 2.0).make(image)
    assert np.array_equal(unchanged, segments)


def test_superpixels_follow_the_crop_and_the_border_has_a_number_of_its_own(tiny_voc: Path, tmp_path: Path):
    data, made = open_dataset(tiny_voc), IdMaps(tmp_path / "merged")
    made.path.mkdir()
    for image_id in data.ids("train"):
        height, width = data.size(image_id)
        made.write(image_id, np.arange(height * width, dtype=np.int32).reshape(height, width) // 40)
    steps = [
        {"type": "RandomScaleRounded", "scales": (0.5, 1.0, 1.5)},
        {"type": "RandomMirror", "prob": 0.5},
        {"type": "MeanPadCrop", "size": 49, "pad": (127, 127, 127)},
        {"type": "Pack"},
    ]
    inputs = {"segments": {"folder": str(made.path), "kind": "IdMaps"}}
    sample = WeakDataset(str(tiny_voc), "train", steps, inputs=inputs)[(3, 1)]
    segments, border = sample["data_samples"].segments.data[0], (sample["inputs"] == 127).all(dim=0)
    assert segments.shape == (49, 49) and segments.dtype == torch.int64
    assert torch.equal(segments == -1, border) and border.any()
    rows, columns = (~border).any(1), (~border).any(0)
    inside = segments[rows][:, columns]
    whole = made.read(sample["data_samples"].id)
    assert set(inside.unique().tolist()) <= set(np.unique(whole).tolist())


def test_sides_are_rounded_up_at_one_half():
    results = {"img": np.zeros((333, 75, 3), np.uint8), "maps": {}, "rng": random.Random(0)}
    segments = np.arange(333 * 75, dtype=np.int32).reshape(333, 75)
    results["maps"] = {"ids": Map(segments, -1), "grey": Map(segments.astype(np.float32), 0, "bilinear")}
    scaled = RandomScaleRounded((0.5,))(results)
    assert scaled["img"].shape == (167, 38, 3)  # 166.5 and 37.5
    assert all(m.values.shape == (167, 38) for m in scaled["maps"].values())
    assert scaled["maps"]["ids"].values.dtype == np.int32


# --- seeds ---------------------------------------------------------------------------------------------------------


def plain_seeds(top: np.ndarray, cam: np.ndarray, keys: np.ndarray, saliency: np.ndarray | None) -> np.ndarray:
    """The released rule pixel by pixel."""
    active = np.maximum(cam, 0)
    scaled = (active - active.min()) / max(active.max() - active.min(), 1e-5)
    front = np.maximum(top, 0) / np.maximum(np.maximum(top, 0).max(axis=(1, 2), keepdims=True), 1e-5)
    back = np.minimum(top, 0) / np.minimum(np.minimum(top, 0).min(axis=(1, 2), keepdims=True), -1e-5)
    sparse = saliency is not None and (saliency / 255 >= 0.01).mean() < 0.01
    label = np.zeros(top.shape[1:], np.uint8)
    for y, x in np.ndindex(*label.shape):
        holds, rank = front[:, y, x] > 1e-5, scaled[:, y, x] * front[:, y, x]
        against = bool((back[:, y, x] > 1e-5).all())
        background = against
        if saliency is not None:
            background = saliency[y, x] / 255 < 0.01 and (against or not sparse)
        chosen = int(np.flatnonzero(holds)[0]) if holds.any() else 0
        if len(keys) > 1 and holds.sum() > 1:
            chosen = int(np.where(holds, rank, -1).argmax())
        open_pixel = background == bool(holds.any())
        if len(keys) > 1 and holds.any() and rank.max() - rank.min() <= 1e-5:
            open_pixel = True
        label[y, x] = 255 if open_pixel else 0 if background else keys[chosen]
    return label


@pytest.mark.parametrize("level", [None, 40, 0])
@pytest.mark.parametrize("classes", [1, 2, 3])
def test_seeds_are_those_of_the_plain_rule(classes: int, level: int | None):
    rng = np.random.default_rng(classes)
    top, cam = rng.normal(size=(2, classes, 20, 25)).astype(np.float32)
    top[:, :3] = -np.abs(top[:, :3])
    top[:, 3, :5] = 0
    cam[:, 5:8] = 0.7
    keys = np.array([3, 8, 14][:classes])
    saliency = None
    if level is not None:
        saliency = (rng.integers(0, 6, (20, 25)) + (rng.random((20, 25)) < level / 100) * 200).astype(np.uint8)
        saliency[saliency < 100] //= 2 if level else 6
    found = seed_labels(top, cam, keys, saliency, RULE)
    assert np.array_equal(found, plain_seeds(top, cam, keys, saliency))
    assert {0, 3} <= set(np.unique(found).tolist())


def test_background_is_a_sign_not_a_threshold():
    """However low a positive response is, its class holds; an arg-max with a background score would lose it."""
    top = np.array([[[1e-3, 1.0, -1e-3]]], np.float32)
    assert seed_labels(top, np.zeros_like(top), np.array([5])).tolist() == [[5, 5, 0]]
    one = np.array([[[-0.1, -2.0]], [[0.3, -1.0]]], np.float32)
    cam = np.array([[[0.2, 0.0]], [[0.1, 0.3]]], np.float32)
    assert seed_labels(one, cam, np.array([5, 7])).tolist() == [[7, 0]]


def test_the_cam_settles_conflicts_alone():
    top = np.array([[[0.2, 1.0, -1.0]], [[1.0, -0.5, -1.0]]], np.float32)
    cam = np.array([[[9.0, 0.1, 0.0]], [[0.5, 9.0, 0.0]]], np.float32)
    assert seed_labels(top, cam, np.array([5, 7])).tolist() == [[5, 5, 0]]  # 9 x 0.2 beats 0.5 x 1; one holds alone
    cam[:, 0, 0] = 0  # nothing decides
    assert seed_labels(top, cam, np.array([5, 7])).tolist() == [[255, 5, 0]]
    assert ranks(cam, relative_responses(top)).shape == top.shape


def test_photos_without_classes_are_background():
    nothing = np.zeros((0, 4, 5), np.float32)
    assert not seed_labels(nothing, nothing, np.zeros(0, np.int64)).any()


def test_the_crf_is_given_all_labels():
    labels = np.array([[0, 2, 255]], np.uint8)
    found = seed_probabilities(labels, 21, 0.5)
    assert found.shape == (21, 1, 3) and np.allclose(found.sum(axis=0), 1)
    assert np.allclose(found[:, 0, 2], 1 / 21)
    assert np.allclose(found[[0, 2], 0, [0, 1]], 0.5 / (0.5 + 20 * 0.5 / 21))
    assert np.allclose(found[1, 0, 0], (0.5 / 21) / (0.5 + 20 * 0.5 / 21))
    image = np.zeros((6, 8, 3), np.uint8)
    image[:, 4:] = 255
    labels = np.repeat([[0] * 4 + [2] * 4], 6, axis=0).astype(np.uint8)
    labels[2, 1] = 255
    refined = refined_seeds(image, labels, 3, CRF)
    assert (refined[:, :4] == 0).all() and (refined[:, 4:] == 2).all()  # nothing stays open


def test_the_stages_of_seeds(tiny_voc: Path, tmp_path: Path):
    here, data = run(tiny_voc, tmp_path), open_dataset(tiny_voc)
    image = Image(data, data.ids("train")[0])
    made = {name: CanvasScores(tmp_path / name) for name in ("top", "cam")}
    rng = np.random.default_rng(0)
    for kept in made.values():
        kept.path.mkdir()
        maps = rng.normal(size=(1, 9, 9)).astype(np.float32)
        kept.write(image.id, ScoreMap(np.array([1]), maps, image.size, PaddedCanvas(65)))
    full = [kept.read(image.id).full() for kept in made.values()]
    plain = seeds(here, made["top"], made["cam"]).make(image)
    assert np.array_equal(plain, seed_labels(*full, np.array([1])))
    saliency = GreyMaps(tmp_path / "saliency")
    saliency.path.mkdir()
    levels = rng.integers(0, 6, image.size).astype(np.uint8)
    saliency.write(image.id, levels)
    salient = seeds(here, made["top"], made["cam"], saliency, RULE).make(image)
    assert np.array_equal(salient, seed_labels(*full, np.array([1]), levels, RULE)) and (salient == 255).any()
    for given in ({"saliency": saliency}, {"rule": RULE}):
        with pytest.raises(UserError, match="go together"):
            seeds(here, made["top"], made["cam"], **given)

    class Kept:
        def read(self, image_id: str) -> np.ndarray:
            return plain

    found = refine(here, Kept(), CRF, 0.5).make(image)
    assert np.array_equal(found, refined_seeds(image.pixels, plain, 2, CRF)) and found.max() <= 1


# --- recipes and plans ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_saliency_and_the_crf_exclude_each_other(path: Path):
    steps = {step.name: step for step in load_recipe(path).steps}
    salient = "saliency" in steps
    assert salient == ("saliency" in path.stem) == (steps["pseudo"].stage != "icd.refine")
    if not salient:
        assert steps["pseudo"].params["confidence"] == 0.5
    if "discriminator" in steps:
        looks = [step.params for step in steps.values() if step.stage in ("icd.localise", "icd.merge")]
        assert len({(look["canvas"], look["scale"]) for look in looks}) == 1, "one canvas everywhere"
        assert looks[0]["canvas"] % 8 == 1


def shapes(root: Path) -> Path:
    """Twelve pictures; the class `disc` comes with others only."""
    make_shapes(root, train=8, val=4, size=64, seed=0)
    file = root / "tags.json"
    tags = json.loads(file.read_text())
    classes = open_dataset(root).classes[1:]
    for number, image_id in enumerate(tags):
        tags[image_id] = [classes[1]] if number % 2 else [classes[0], classes[1]]
    file.write_text(json.dumps(tags))
    return root


def test_the_plan_names_the_classes_that_no_image_has_alone(tmp_path: Path, capsys: pytest.CaptureFixture):
    data = shapes(tmp_path / "data")
    name = open_dataset(data).classes[1]
    command = ["run", str(CONFIGS / "icd_shapes.py"), "--data-root", str(data), "--work-dir", str(tmp_path / "work")]
    assert main([*command, "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert said.count(f"no image of 'train_aug' has one of these tags alone: {name};") == 1
    control = load_recipe(CONFIGS / "icd_shapes_cam.py", {"data.root": str(data)})
    assert data_notes(control.data_root, control.steps) == []  # it has no discriminator


@pytest.mark.parametrize("gone", ["saliency", "tags"])
def test_what_is_missing_is_said_before_the_first_stage(tmp_path: Path, capsys: pytest.CaptureFixture, gone: str):
    data = shapes(tmp_path / "data")
    if gone == "saliency":
        for file in open_dataset(data).folder("saliency").iterdir():
            file.unlink()
    else:
        (data / "tags.json").write_text("{}")
    recipe = CONFIGS / "icd_shapes_saliency.py"
    command = ["run", str(recipe), "--data-root", str(data), "--work-dir", str(tmp_path / "work")]
    assert main(command) == 2
    said = capsys.readouterr()
    assert f"lacks the {'saliency maps' if gone == 'saliency' else 'tags'} of 8 of the 8 images" in said.err
    assert said.err.count("\n") == 1 and not (tmp_path / "work/superpixels").exists()


def test_missing_weights_are_said_before_the_first_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    monkeypatch.setenv("WSSEG_WEIGHTS", str(tmp_path / "none"))
    data = shapes(tmp_path / "data")
    command = ["run", str(CONFIGS / "icd_deeplabv2_r101_voc12.py"), "--data-root", str(data), "--dry-run"]
    assert main([*command, "--work-dir", str(tmp_path / "work")]) == 2
    assert "There are no weights 'vgg16_20M'" in capsys.readouterr().err


def test_the_report_shows_signed_maps(tiny_voc: Path, tmp_path: Path):
    kept, data = CanvasScores(tmp_path / "maps"), open_dataset(tiny_voc)
    size = data.size(data.ids("train")[0])
    value = ScoreMap(np.array([1]), np.full((1, 9, 9), -1, np.float32), size, PaddedCanvas(65))
    photo = np.asarray(PILImage.new("RGB", size[::-1]))
    assert kept.picture(photo, value, data).shape == photo.shape
