"""WSGCN's stages: partial labels, what fits leave of a photo, labels with and without a CRF, the recipes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope

import tests.unit.tiny_groups  # noqa: F401  (the backbone)
from benchmarks.scene import RULE
from common.artifacts import CAM, CAMs, Labels, Weights
from common.base.config import read_config
from common.base.errors import UserError
from common.data.dataset import open_dataset
from common.models.boundary import BoundaryNet
from common.ops.crf import crf_posterior
from common.ops.crf_params import CRFParams
from common.pipeline import Image, Run
from common.pipeline.recipe import Step, load_recipe
from methods.wsgcn import train
from methods.wsgcn.decode import pixel_log_prob, refined_scores
from methods.wsgcn.fit import Fits
from methods.wsgcn.partial import PartialRule, partial_label, sure_cells, unvoted_label
from methods.wsgcn.scores import NodeScore, NodeScores
from methods.wsgcn.stages import complete, decode, graph_error, partial_labels

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / "configs/wsgcn"
SURE = {"alphas": (4, 32), "confidence": 0.8, "share": 0.3, "floor": 0.1, "background": 0.8}
PARTIAL = PartialRule(**SURE)
ROW = read_config(CONFIGS / "wsgcn_deeplabv2_r101_imagenet_voc12.py")
CELLS, FITTED = (CRFParams.from_recipe(numbers) for numbers in (ROW.crf_cells, ROW.crf_fitted))
GRAPH = {"beta": 10.0, "exp_times": 6, "radius": 5, "canvas": 32}
GRAPH |= {"window": 2, "colour": 12.0, "place": 20.0, "dense": 4000, "modes": 64}
FEW = {**vars(RULE), "steps": 4}


# --- partial labels ------------------------------------------------------------------------------------------------


def test_the_share_is_the_top_of_each_class_not_a_threshold():
    """0.3 keeps 3 of 10 cells, whatever their scores; and one below each count, because equal to the limit is not
    above it.
    """
    scores = np.zeros((2, 2, 10), np.float32)
    scores[1, 0] = np.linspace(0.2, 0.29, 10)
    scores[1, 1] = 0.05  # below the floor
    sure = sure_cells(scores, np.array([0, 1]), 0.3, 0.1, 0.8)
    assert sure[0].tolist() == [False] * 8 + [True] * 2 and not sure[1].any()


def test_a_class_without_a_cell_above_the_floor_has_no_sure_one():
    """The released code ends with an IndexError there."""
    scores = np.full((2, 3, 3), 0.05, np.float32)
    scores[1] = 0.06
    assert not sure_cells(scores, np.array([0, 1]), 0.3, 0.1, 0.8).any()
    one = np.zeros((2, 1, 3), np.float32)
    one[1, 0, 0] = 0.9
    assert not sure_cells(one, np.array([0, 1]), 0.3, 0.1, 0.8).any()  # the only cell is the limit itself


def test_sure_background_needs_its_own_score_and_a_class_its_presence():
    scores = np.array([[[0.9, 0.75, 0.0, 0.0]], [[0.1, 0.2, 0.5, 0.9]]], np.float32)
    assert sure_cells(scores, np.array([0, 1]), 0.5, 0.1, 0.8)[0].tolist() == [True, False, False, False]
    assert sure_cells(scores, np.array([0]), 0.9, 0.1, 0.8)[0].tolist() == [True, False, False, False]


def test_labels_need_both_alphas_the_confidence_and_the_vote():
    cam = np.array([[[0.02, 0.2, 0.85, 0.9, 0.95, 1.0]]], np.float32)
    image = np.zeros((1, 6, 3), np.uint8)
    label, scores = unvoted_label(cam, np.array([7]), image, None, PARTIAL)
    # 0.02: background of 32 is 0.52, not sure; 0.2: background wins at 4 (0.41), loses at 32: open; the rest: class
    assert label[0].tolist() == [255, 255, 255, 255, 255, 7]
    assert scores.shape == (2, 1, 6) and scores[0, 0, 1] == pytest.approx(0.8**32)
    kept = partial_label(cam, np.array([7]), image, None, PARTIAL._replace(share=0.9))
    assert kept[0].tolist() == [255, 255, 7, 7, 7, 7]
    assert partial_label(cam, np.array([7]), image, None, PARTIAL._replace(share=0.9, confidence=0.93))[0].tolist() == [
        *[255] * 4,
        7,
        7,
    ]


def test_a_photo_without_tags_is_background():
    cam, image = np.zeros((0, 4, 5), np.float32), np.zeros((4, 5, 3), np.uint8)
    for crf in (None, CELLS):
        assert (partial_label(cam, np.array([], np.int64), image, crf, PARTIAL) == 0).all()


# --- scores and labels ---------------------------------------------------------------------------------------------


def score(classes: int = 6, seed: int = 0, size: tuple[int, int] = (13, 18)) -> NodeScore:
    maps = torch.randn(2, classes, 4, 5, generator=torch.Generator().manual_seed(seed)).log_softmax(dim=1).numpy()
    return NodeScore(np.arange(classes), {"gcn": maps[0], "spread": maps[1]}, size, 1e-5)


def test_cells_are_enlarged_with_aligned_corners():
    value = score()
    full = pixel_log_prob(value.of("gcn"), value.size)
    for row, column in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        np.testing.assert_allclose(full[:, row, column], value.of("gcn")[:, row, column], rtol=1e-5)
    unaligned = torch.nn.functional.interpolate(torch.from_numpy(value.of("gcn"))[None], value.size, mode="bilinear")
    assert (unaligned[0].numpy().argmax(axis=0) != full.argmax(axis=0)).any()


def test_labels_without_a_crf_are_of_any_class(tmp_path: Path, tiny_voc: Path):
    """A toy port restricts them to the tags; only the CRF's are."""
    scores, image = NodeScores(tmp_path), Image(open_dataset(tiny_voc), "2007_000000")
    value = score(size=image.size)
    maps = {"gcn": torch.randn(6, 8, 5, generator=torch.Generator().manual_seed(0)).log_softmax(dim=0).numpy()}
    value = NodeScore(value.keys, maps, image.size, 0.0)
    scores.write(image.id, value)
    run = Run(image.data, "cpu", tmp_path, 0)
    free = decode(run, scores, "gcn").make(image)
    assert free.shape == image.size and set(np.unique(free)) == set(range(6))
    wanted = pixel_log_prob(maps["gcn"], image.size).argmax(axis=0)
    assert (free == wanted).all()
    refined = decode(run, scores, "gcn", FITTED).make(image)
    assert set(np.unique(refined)) <= {0, 1}
    with pytest.raises(UserError, match=r"no fit 'gnc': there are gcn"):
        decode(run, scores, "gnc").make(image)


def test_the_final_crf_sees_a_second_softmax():
    value, crf = score(), FITTED
    full = pixel_log_prob(value.of("gcn")[:3], value.size)
    image = np.random.default_rng(0).integers(0, 256, (*value.size, 3), dtype=np.uint8)
    flat = np.exp(np.exp(full)) / np.exp(np.exp(full)).sum(axis=0)
    np.testing.assert_allclose(refined_scores(full, image, crf), crf_posterior(image, flat, crf), atol=1e-4)
    assert np.abs(refined_scores(full, image, crf) - crf_posterior(image, np.exp(full), crf)).max() > 0.01


def test_what_is_kept_changes_no_label_and_files_give_it_back(tmp_path: Path):
    value = score(9)
    value.log_prob["gcn"][4:] -= 50
    value.log_prob["spread"][5:] -= 50
    kept = value.kept((8,))
    assert kept.keys.tolist() == [0, 1, 2, 3, 4, 8]
    for fit in ("gcn", "spread"):
        assert (kept.label(fit) == value.label(fit)).all()
    scores = NodeScores(tmp_path)
    scores.write("a", kept)
    back = scores.read("a")
    assert back.keys.tolist() == kept.keys.tolist() and (back.size, back.error) == (kept.size, kept.error)
    assert all((back.log_prob[fit] == kept.log_prob[fit]).all() for fit in kept.log_prob)
    photo = np.zeros((*value.size, 3), np.uint8)
    assert scores.picture(photo, back, open_like()).shape == photo.shape
    scores.write("b", NodeScore(kept.keys, kept.log_prob, kept.size, 0.0))
    numbers = graph_error(Run(None, "cpu", tmp_path, 0), scores)
    assert numbers == {"largest_ppm": 10, "mean_ppm": 10, "estimated": 1, "images": 2, "photos_ppm": {"a": 10.0}}


def open_like() -> object:
    """As much of a data set as a picture needs."""
    return type("Data", (), {"palette": np.zeros((256, 3), np.uint8)})()


# --- from photo to scores ------------------------------------------------------------------------------------------


@pytest.fixture
def irnet(tiny_voc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Run, CAMs, Weights]:
    """A run with CAMs of the masks and a boundary network that was not trained."""
    data = open_dataset(tiny_voc)
    cams = CAMs(tmp_path / "make_cam")
    cams.path.mkdir()
    for image_id in data.ids("train"):
        height, width = data.size(image_id)
        maps = np.full((1, -(-height // 4), -(-width // 4)), 0.01, np.float32)
        maps[0, 1:4, 1:4] = [[0.8, 0.9, 0.85], [0.9, 1.0, 0.95], [0.82, 0.9, 0.83]]
        cams.write(image_id, CAM(np.array([1]), maps, (height, width)))
    init_default_scope("mmseg")
    torch.manual_seed(0)
    rules = {"type": "SegDataPreProcessor", "mean": [127.5] * 3, "std": [127.5] * 3, "size_divisor": 1}
    network = BoundaryNet({"type": "TinyTap"}, edge={"width": 8, "groups": 4}, data_preprocessor=rules).eval()
    monkeypatch.setattr("methods.wsgcn.photo.load_model", lambda *arguments: network)
    run = Run(data.guarded(()), torch.device("cpu"), tmp_path, 0, stage="wsgcn.complete")
    return run, cams, Weights(tmp_path / "irn")


def write_partial(run: Run, cams: CAMs, folder: Path) -> Labels:
    labels = Labels(folder)
    labels.path.mkdir()
    job = partial_labels(run, cams, **SURE, crf=None)
    for image_id in cams.ids():
        labels.write(image_id, job.make(Image(run.data, image_id)))
    return labels


def test_every_photo_has_a_network_of_its_own(irnet: tuple[Run, CAMs, Weights], tmp_path: Path):
    """Whatever was fitted before, and in which order: the same scores; other photos draw other numbers."""
    run, cams, weights = irnet
    labels = write_partial(run, cams, tmp_path / "partial")
    first, last = (Image(run.data, run.data.ids("train")[k]) for k in (0, -1))
    value = labels.read(first.id)
    assert value.shape == first.size and {0, 1, 255} >= set(np.unique(value)) > {255}
    fits = Fits.from_recipe({"gcn": FEW, "spread": None, "colour": {**FEW, "features": "colour"}, "again": FEW})
    jobs = [complete(run, labels, weights, fits, **GRAPH) for _ in range(2)]
    jobs[0].make(last)
    one, other = jobs[0].make(first), jobs[1].make(first)
    for name in fits.rules:
        assert (one.of(name) == other.of(name)).all() and one.of(name).shape == (2, 8, 5)
        np.testing.assert_allclose(np.exp(one.of(name)).sum(axis=0), 1, atol=1e-5)
    assert (one.of("gcn") == one.of("again")).all()  # controls differ by their rule alone
    assert (one.of("gcn") != one.of("colour")).any() and one.error == 0
    second = Image(run.data, run.data.ids("train")[3])  # of the size of the first
    assert (jobs[0].make(second).of("gcn") != one.of("gcn")).any()
    large = complete(run, labels, weights, fits, **{**GRAPH, "dense": 0}).make(first)
    assert 0 < large.error < 1e-4
    np.testing.assert_allclose(large.of("spread"), one.of("spread"), atol=1e-3)


def test_a_network_without_boundaries_and_alphas_in_the_wrong_order_are_refused(
    irnet: tuple[Run, CAMs, Weights], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    run, cams, weights = irnet
    with pytest.raises(UserError, match="the first, of the strong background, must not exceed"):
        partial_labels(run, cams, **{**SURE, "alphas": (32, 4)}, crf=None)
    monkeypatch.setattr("methods.wsgcn.photo.load_model", lambda *arguments: torch.nn.Identity())
    with pytest.raises(UserError, match="'irn' finds no boundaries"):
        complete(run, Labels(tmp_path), weights, Fits.from_recipe({"gcn": FEW}), **GRAPH)


def test_given_photos_are_fitted_as_the_stage_does(
    irnet: tuple[Run, CAMs, Weights], tmp_path: Path, capsys: pytest.CaptureFixture
):
    run, cams, weights = irnet
    labels = write_partial(run, cams, tmp_path / "partial")
    recipe = load_recipe(CONFIGS / "wsgcn_shapes.py")
    step = next(step for step in recipe.steps if step.function is complete)
    image_id = run.data.ids("train")[1]
    given = [image_id, "--work-dir", str(tmp_path), "--data-root", str(run.data.root), "--out", str(tmp_path / "out")]
    assert train.main([str(CONFIGS / "wsgcn_shapes.py"), *given, "--device", "cpu"]) == 0
    said = capsys.readouterr().out
    assert "step 0: loss" in said and "step 200: loss" in said and f"{image_id}.png" in said
    wanted = complete(run, labels, weights, **step.params).make(Image(run.data, image_id)).label("gcn")
    assert (Labels(tmp_path / "out").read(image_id) == wanted).all()
    assert train.main([str(ROOT / "configs/irnet/irnet_shapes.py"), *given]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert train.main([str(CONFIGS / "wsgcn_shapes.py"), "nobody", *given[1:]]) == 2
    assert "nobody" in capsys.readouterr().err


# --- recipes -------------------------------------------------------------------------------------------------------


def test_constants_that_a_toy_port_gets_wrong():
    for name in ("imagenet", "coco"):
        steps = {step.name: step for step in load_recipe(CONFIGS / f"wsgcn_deeplabv2_r101_{name}_voc12.py").steps}
        rule = steps["nodes"].params["fits"].rules["gcn"]
        assert vars(rule) == NUMBERS
        assert {key: steps["nodes"].params[key] for key in WALK} == WALK
        assert {key: steps["partial"].params[key] for key in SURE} == SURE
        assert steps["pseudo"].params["crf"].bilateral == (50, 5, 3) and steps["complete"].params["crf"] is None
    config = read_config(CONFIGS / "deeplabv2_r101_imagenet_voc12.py")
    assert (config.train_cfg.max_iters, config.optim_wrapper.optimizer.max_step) == (35750, 90000)
    assert config.optim_wrapper.paramwise_cfg.mults == (1, 1, 1, 2)


NUMBERS = {"steps": 250, "width": 16, "dropout": 0.3, "lr": 0.01, "weight_decay": 5e-4, "entropy": 10}
NUMBERS |= {"laplacian": 0.01, "features": "edges"}
WALK = {"beta": 10.0, "exp_times": 8, "radius": 5, "canvas": 512, "window": 2, "colour": 12.0, "place": 20.0}


def test_the_first_blocks_of_its_deeplab_are_not_dilated():
    from mmseg.registry import MODELS

    init_default_scope("mmseg")
    backbone = read_config(CONFIGS / "deeplabv2_r101_imagenet_voc12.py").model.backbone.to_dict()
    with torch.device("meta"):
        network = MODELS.build({**backbone, "init_cfg": None})
    dilations = [[block.conv2.dilation[0] for block in list(layer)[:3]] for layer in (network.layer3, network.layer4)]
    assert dilations == [[1, 2, 2], [1, 4, 4]]
    assert network.layer3[0].conv2.stride == network.layer4[0].conv2.stride == (1, 1)


@pytest.mark.parametrize("data", ["shapes", "photos", "voc12_animals", "r50_voc12"])
def test_what_irnet_makes_is_asked_for_as_irnets_own_recipe_does(data: str):
    """Then its finished stages are taken: the CAM and boundary networks are not trained again."""
    irnet = load_recipe(ROOT / f"configs/irnet/irnet_{data}.py")
    asked = [wanted(step) for step in irnet.steps]
    for path in CONFIGS.glob("wsgcn_deeplabv2*.py" if data == "r50_voc12" else f"wsgcn_{data}*.py"):
        steps = {step.name: step for step in load_recipe(path).steps}
        for name in ("cam", "make_cam", "ir_label", "irn", *(["walk"] if "walk" in steps else [])):
            assert wanted(steps[name]) in asked, f"{path.name}: {name}"


def wanted(step: Step) -> tuple[str, dict, dict]:
    """What a stage is asked for, its config as a path without '..'."""
    params = {key: value.resolve() if isinstance(value, Path) else value for key, value in step.params.items()}
    return step.stage, params, step.inputs


@pytest.mark.parametrize("command", [["list"], ["run", "configs/wsgcn/wsgcn_shapes_controls.py", "--dry-run"]])
def test_lists_and_plans_load_no_graph_library(command: list[str], tiny_voc: Path, tmp_path: Path):
    where = ["--data-root", str(tiny_voc), "--work-dir", str(tmp_path / "run")] if command[0] == "run" else []
    code = "import sys; from common.cli import main\ntry: main(sys.argv[1:])\nexcept SystemExit: pass\n"
    code += "assert not {'torch_geometric', 'torch'} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, *command, *where], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "wsgcn" in done.stdout
