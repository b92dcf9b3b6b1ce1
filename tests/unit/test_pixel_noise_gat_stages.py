"""Pixel-noise GAT's stages on a tiny data set: what reads masks, who has seen whom, labels of each row, the recipes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS, MODELS

import tests.unit.tiny_groups  # noqa: F401  (the backbone)
from common.artifacts import IdMaps, Labels, PerImageArtifact, Scores, Weights
from common.base.config import import_types, read_config
from common.base.errors import SupervisionError, UserError
from common.checkpoints.files import save_weights
from common.checkpoints.networks import load_model
from common.data.dataset import open_dataset
from common.pipeline import Image, Run
from common.pipeline.recipe import Step, load_recipe
from methods.pixel_noise_gat import train
from methods.pixel_noise_gat.data import HalfDataset
from methods.pixel_noise_gat.features import seen
from methods.pixel_noise_gat.graphs import Graph, Graphs
from methods.pixel_noise_gat.judged import JudgedLabels
from methods.pixel_noise_gat.recipe import controls
from methods.pixel_noise_gat.rules import GATRule, SmallLoss
from methods.pixel_noise_gat.stages import (
    correct,
    eval_small_loss,
    fit_gat,
    graphs,
    judge_labels,
    own_labels,
    small_loss,
    thresholds,
    vote_labels,
)

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / "configs/pixel_noise_gat"
RECIPES = sorted(CONFIGS.glob("pixel_noise_gat_*.py"))
GRAPH = {"taps": (0,), "k": 2, "similar": 0.5, "min_fraction": 0.5}
GAT = GATRule(channels=2, heads=2, dropout=0.3, epochs=2, batch=4, lr=0.01, weight_decay=0)


class Project:
    """Few images with masks; noisy labels and superpixels of all, and three networks."""

    def __init__(self, root: Path, folder: Path) -> None:
        splits = root / "ImageSets/Segmentation"
        ids = (splits / "train.txt").read_text().split()
        (splits / "few.txt").write_text("\n".join(ids[:4]))
        (splits / "rest.txt").write_text("\n".join(ids[4:]))
        self.folder, self.data = folder, open_dataset(root)
        self.few, self.rest = ids[:4], ids[4:]
        rng = np.random.default_rng(0)
        self.noisy, self.superpixels = Labels(folder / "noisy"), IdMaps(folder / "superpixels")
        for image_id in ids:
            mask = self.data.mask(image_id)
            self.noisy.write(image_id, np.where(rng.random(mask.shape) < 0.2, 1 - mask, mask).astype(np.uint8))
            rows, columns = np.indices(mask.shape) // 4
            self.superpixels.write(image_id, (rows * (-(-mask.shape[1] // 4)) + columns).astype(np.int32))
        self.clean, self.halves = self.network("clean", 0), [self.network(f"half_{k}", 1 + k) for k in (0, 1)]

    def network(self, name: str, seed: int) -> Weights:
        init_default_scope("mmseg")
        torch.manual_seed(seed)
        head = {"type": "SumASPPHead", "in_channels": 5, "num_classes": 2, "rates": (1,), "labels": "image"}
        rules = {"type": "SegDataPreProcessor", "mean": [127.5] * 3, "std": [127.5] * 3, "size_divisor": 1}
        model = {"type": "EncoderDecoder", "backbone": {"type": "TinyTap"}, "decode_head": head}
        model |= {"data_preprocessor": rules, "test_cfg": {"mode": "whole"}}
        made = Weights(self.folder / name)
        made.path.mkdir()
        network = MODELS.build(model)
        for parameter in network.backbone.parameters():
            parameter.data /= 1e4  # its features are large
        save_weights(network, made.file)
        Config({"model": model, "custom_imports": {"imports": ["tests.unit.tiny_groups"]}}).dump(made.config)
        return made

    def run(self, name: str, masks: tuple[str, ...] = ()) -> Run:
        (self.folder / name).mkdir(exist_ok=True)
        return Run(self.data.guarded(masks), torch.device("cpu"), self.folder / name, 0)

    def make(self, kind: type[PerImageArtifact], name: str, job: Any, ids: list[str], masks: tuple = ()) -> Any:
        made, data = kind(self.folder / name), self.data.guarded(masks)
        for image_id in ids:
            made.write(image_id, job.make(Image(data, image_id)))
        return made


@pytest.fixture
def project(tiny_voc: Path, tmp_path: Path) -> Project:
    return Project(tiny_voc, tmp_path)


def detected(project: Project, rule: SmallLoss = SmallLoss(quantile=0.5)) -> tuple[JudgedLabels, Scores, Labels]:  # noqa: B008
    """Losses of the weak images' labels, thresholds, clean pixels."""
    job = judge_labels(project.run("losses"), project.noisy, project.clean)
    losses = project.make(JudgedLabels, "losses", job, project.rest)
    scores = Scores(project.run("thresholds").out)
    scores.write(thresholds(project.run("thresholds"), losses, rule))
    clean = project.make(Labels, "small_loss", small_loss(project.run("small_loss"), losses, scores), project.rest)
    return losses, scores, clean


def weak_graphs(project: Project, clean: Labels) -> Graphs:
    job = graphs(project.run("graphs"), clean, project.superpixels, project.clean, split="rest", **GRAPH)
    assert job.split == "rest"
    return project.make(Graphs, "graphs", job, project.rest)


# --- noise ---------------------------------------------------------------------------------------------------------


def test_clean_pixels_are_the_surest_of_each_class(project: Project):
    losses, scores, clean = detected(project)
    kept = total = np.zeros(2)
    for image_id in project.rest:
        value, own = losses.read(image_id), clean.read(image_id)
        assert (value.label == project.noisy.read(image_id)).all()
        assert (own[own != 255] == value.label[own != 255]).all()
        total = total + np.bincount(value.label.ravel(), minlength=2)
        kept = kept + np.bincount(own[own != 255], minlength=2)
        for c in (0, 1):
            sure = value.loss[(own == c) & (value.label == c)]
            unsure = value.loss[(own == 255) & (value.label == c)]
            assert sure.max(initial=0) < unsure.min(initial=np.inf)
    assert np.abs(kept / total - 0.5).max() < 0.02
    assert scores.number("kept") == pytest.approx(dict(zip(("background", "thing"), kept / total, strict=True)))
    assert scores.number("share") == pytest.approx(kept.sum() / total.sum())


def test_only_the_evaluation_reads_masks_of_weak_images(project: Project):
    """A clean model that knew them, or thresholds chosen by them, would be circular."""
    losses, scores, clean = detected(project)  # on data that give no mask
    with pytest.raises(SupervisionError):
        eval_small_loss(project.run("judged"), losses, scores, "rest")
    judged = eval_small_loss(project.run("judged", tuple(project.rest)), losses, scores, "rest")
    right = wrong = 0
    for image_id in project.rest:
        own, mask = clean.read(image_id), project.data.mask(image_id)
        right += ((own == mask) & (own == 1)).sum()
        wrong += ((own != mask) & (own == 1)).sum()
    assert judged["class_precision"]["thing"] == pytest.approx(right / (right + wrong))
    assert judged["class_coverage"] == pytest.approx(scores.number("kept"))
    assert judged["noisy_precision"] == pytest.approx(0.7, abs=0.15) and set(judged["curves"]) >= {"tau"}
    one = eval_small_loss(project.run("judged", tuple(project.rest)), losses, scores, "rest", ("thing",))
    assert one["precision"] == pytest.approx(judged["class_precision"]["thing"])


def test_a_plan_refuses_taus_of_another_number_of_classes(project: Project):
    thresholds.check(project.data, SmallLoss(tau=[0.7, 0.3]))
    with pytest.raises(UserError, match="3 numbers for 2 classes"):
        thresholds.check(project.data, SmallLoss(tau=[0.7, 0.3, 1]))


# --- graphs --------------------------------------------------------------------------------------------------------


def test_a_graph_has_features_edges_and_labels(project: Project):
    _, _, clean = detected(project)
    made = weak_graphs(project, clean)
    for image_id in project.rest:
        graph, segments = made.read(image_id), project.superpixels.read(image_id)
        nodes = segments.max() + 1
        assert graph.features.shape == (nodes, 5 + 3 + 2) and graph.places.shape == (nodes, 2)
        np.testing.assert_allclose(np.linalg.norm(graph.features[:, :5], axis=1), 1, atol=2e-3)
        assert graph.features[:, 5:].min() >= 0 and graph.features[:, 5:].max() <= 1
        own = clean.read(image_id)
        for node in range(nodes):
            votes = own[segments == node]
            known = votes[votes != 255]
            if 2 * len(known) < len(votes) or not len(known):
                assert graph.labels[node] == 255
            else:
                assert (known == graph.labels[node]).sum() == np.bincount(known).max()
    with pytest.raises(UserError, match="the backbone has 1 taps, 0 to 0"):
        wrong = {**GRAPH, "taps": (4,)}
        graphs(project.run("graphs"), clean, project.superpixels, project.clean, split="rest", **wrong).make(
            Image(project.data, project.rest[0])
        )


def test_a_photo_with_a_mask_is_seen_by_a_network_that_did_not_learn_from_it(project: Project):
    _, _, clean = detected(project)
    joined = {"split": "rest+few", "strong": "few", "halves": project.halves, **GRAPH}
    run = project.run("graphs", tuple(project.few))
    job = graphs(run, clean, project.superpixels, project.clean, **joined)
    made = project.make(Graphs, "graphs", job, project.rest + project.few, tuple(project.few))
    learned = [HalfDataset(str(project.data.root), "few", [], pixel_labels="few", half=half).ids for half in (0, 1)]
    assert sorted(learned[0] + learned[1]) == sorted(project.few) and not set(learned[0]) & set(learned[1])
    models = [load_model(half.file, half.config) for half in project.halves]
    for half, other in ((0, 1), (1, 0)):
        for image_id in learned[half]:
            segments, graph = project.superpixels.read(image_id), made.read(image_id)
            deep = seen(models[other], project.data.image(image_id), segments, (0,), None, 1.0, None)
            np.testing.assert_allclose(graph.features[:, :5], deep, atol=2e-3)
            mask = project.data.mask(image_id)
            assert (graph.labels[segments][mask == 1] == 1).mean() > 0.9  # its mask votes
    halves = steps(CONFIGS / "pixel_noise_gat_shapes_halves.py")
    for half in (0, 1):
        params = halves[f"half_{half}"].params
        config = read_config(params["config"], params["options"])
        import_types(config)
        where = {"root": str(project.data.root), "split": "few", "pixel_labels": "few", "pipeline": []}
        assert DATASETS.build({**config.train_dataloader.dataset, **where}).ids == learned[half]
    with pytest.raises(UserError, match="strong and halves belong together"):
        graphs(run, clean, project.superpixels, project.clean, **{**joined, "halves": None})


# --- labels --------------------------------------------------------------------------------------------------------


def test_corrected_labels(project: Project):
    _, _, clean = detected(project)
    made = weak_graphs(project, clean)
    first, second, *_ = project.rest
    graph = made.read(second)
    made.write(second, Graph(graph.features, graph.edges, 0 * graph.labels + 255, graph.places))
    gat = Weights(project.run("gat").out)
    fit_gat(project.run("gat"), made, GAT)
    assert "pixel_noise_gat.gat" in gat.config.read_text() and (gat.path / "log.jsonl").is_file()
    job = correct(project.run("corrected"), project.noisy, clean, project.superpixels, made, gat)
    label, own = job.make(Image(project.data, first)), clean.read(first)
    assert (label[own != 255] == own[own != 255]).all() and label.shape == own.shape
    segments = project.superpixels.read(first)
    assert all(len(np.unique(label[(segments == node) & (own == 255)])) <= 1 for node in range(segments.max() + 1))
    assert (job.make(Image(project.data, second)) == project.noisy.read(second)).all()  # no node has a label
    untagged = Image(project.data, first)
    type(untagged).tags, before = property(lambda self: ()), type(untagged).tags
    try:
        assert not job.make(untagged)[own == 255].any()  # a class that is no tag cannot win
    finally:
        type(untagged).tags = before


def test_labels_of_the_controls(project: Project):
    _, _, clean = detected(project)
    image = Image(project.data, project.rest[0])
    segments, own, noisy = (kind.read(image.id).copy() for kind in (project.superpixels, clean, project.noisy))
    own[segments == 0] = 255
    clean.write(image.id, own)
    voted = vote_labels(project.run("voted"), project.noisy, clean, project.superpixels).make(image)
    assert (voted[segments == 0] == noisy[segments == 0]).all() and (voted[own != 255] == own[own != 255]).all()
    for node in range(1, segments.max() + 1):
        known, rest = own[(segments == node) & (own != 255)], voted[(segments == node) & (own == 255)]
        if len(known) and len(rest):
            assert (rest == np.bincount(known).argmax()).all()
    best = own_labels(project.run("own"), project.clean, "rest").make(image)
    assert best.dtype == np.uint8 and best.shape == image.size and set(np.unique(best)) <= {0, 1}


def test_the_training_script_gives_the_stages_weights(project: Project, capsys: pytest.CaptureFixture):
    _, _, clean = detected(project)
    weak_graphs(project, clean)
    recipe = CONFIGS / "pixel_noise_gat_shapes.py"
    step = next(step for step in load_recipe(recipe).steps if step.name == "gat")
    fit_gat(project.run("gat"), Graphs(project.folder / "graphs"), **step.params)
    where = ["--work-dir", str(project.folder), "--data-root", str(project.data.root), "--device", "cpu"]
    out = project.folder / "out"
    assert train.main([str(recipe), *where, "--out", str(out)]) == 0
    assert (out / "weights.pth").read_bytes() == (project.folder / "gat/weights.pth").read_bytes()
    capsys.readouterr()
    for other, words in ((ROOT / "configs/irnet/irnet_shapes.py", "has no stage"), (recipe, "holds no graphs")):
        where[1] = str(project.folder / "nowhere")
        assert train.main([str(other), *where, "--out", str(out)]) == 2
        said = capsys.readouterr().err
        assert words in said and said.count("\n") == 1


# --- recipes -------------------------------------------------------------------------------------------------------


def steps(path: Path) -> dict[str, Step]:
    return {step.name: step for step in load_recipe(path).steps}


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_the_clean_model_never_sees_a_weak_image(path: Path):
    recipe = load_recipe(path)
    found = {step.name: step for step in recipe.steps}
    masks, weak = recipe.pixel_labels, found["noisy"].params["split"]
    for name in ("clean", "half_0", "half_1"):
        if name in found:
            assert (found[name].params["split"], found[name].params["pixel_labels"]) == (masks, masks)
            assert not found[name].inputs
    assert found["losses"].inputs == {"labels": "noisy", "weights": "clean"}
    finals = [step for step in recipe.steps if step.stage == "train" and "labels" in step.inputs]
    assert {step.params["split"] for step in finals} == ({f"{weak}+{masks}"} if "half_0" not in found else set())
    asked = {(step.params["config"], str(step.params["options"])) for step in [*finals, found["clean"]]}
    assert len(asked) == 1  # one network, as many iterations


def test_rows_differ_in_their_labels_alone():
    found, headline = (steps(CONFIGS / f"pixel_noise_gat_shapes{tail}.py") for tail in ("_controls", ""))
    labels = {name: step.inputs["labels"] for name, step in found.items() if name.startswith("net_")}
    assert labels == {
        "net_noisy": "noisy",
        "net_small_loss": "small_loss",
        "net_own": "own_crf",
        "net_voted": "voted_crf",
    }
    assert headline["deeplab"].inputs["labels"] == "pseudo"
    for name in labels:
        assert found[name].params == headline["deeplab"].params
    assert found["own_crf"].params == found["voted_crf"].params == headline["pseudo"].params
    halves = steps(CONFIGS / "pixel_noise_gat_shapes_halves.py")
    assert [halves["graphs"].inputs[f"halves.{half}"] for half in (0, 1)] == ["half_0", "half_1"]
    assert headline["graphs"].params["strong"] is None  # left out
    assert [halves[f"half_{half}"].params["options"]["train_dataloader.dataset.half"] for half in (0, 1)] == [0, 1]
    with pytest.raises(ValueError, match="'gat': there are noisy, small_loss, own, voted"):
        numbers = {"crf": {}, "confidence": 0.7, "judged": "all", "iterations": 1}
        controls(("gat",), "c.py", "few", "rest", noisy="noisy", scales=(1.0,), **numbers)


@pytest.mark.parametrize("data", ["shapes", "photos", "voc12_animals", "r50_voc12"])
def test_the_cam_is_irnets(data: str):
    """Then it is taken from its run."""
    asked = [wanted(step) for step in load_recipe(ROOT / f"configs/irnet/irnet_{data}.py").steps]
    paths = CONFIGS.glob("pixel_noise_gat_deeplab*.py" if data == "r50_voc12" else f"pixel_noise_gat_{data}*.py")
    for path in paths:
        found = steps(path)
        assert all(wanted(found[name]) in asked for name in ("cam", "make_cam")), path.name


def wanted(step: Step) -> tuple[str, dict, dict]:
    """What a stage is asked for, its config as a path without '..'."""
    params = {key: value.resolve() if isinstance(value, Path) else value for key, value in step.params.items()}
    return step.stage, params, step.inputs


def test_a_plan_loads_no_graph_library(tiny_voc: Path, tmp_path: Path, project: Project):
    splits = tiny_voc / "ImageSets/Segmentation"
    for name, ids in (("train_weak", project.rest), ("train", project.few)):
        (splits / f"{name}.txt").write_text("\n".join(ids))
    code = "import sys; from common.cli import main\ntry: main(sys.argv[1:])\nexcept SystemExit: pass\n"
    code += "assert not {'torch_geometric', 'torch'} & set(sys.modules)"
    command = ["run", "configs/pixel_noise_gat/pixel_noise_gat_photos.py", "--dry-run", "--data-root", str(tiny_voc)]
    command += ["--work-dir", str(tmp_path / "run")]
    done = subprocess.run([sys.executable, "-c", code, *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and "gat (pixel_noise_gat.fit_gat)" in done.stdout, done.stderr
