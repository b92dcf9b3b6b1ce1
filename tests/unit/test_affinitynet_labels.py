"""From CAMs to labels: the merging rule, the walk on padded and enlarged grids, and the stages on a tiny data set."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch

import common.stages
from common.artifacts import CAM, CAMs, Map, ScoreMaps, Weights
from common.base.config import read_config
from common.base.errors import UserError
from common.checkpoints.files import save_weights
from common.checkpoints.networks import build_model, load_model
from common.data.dataset import open_dataset
from common.ops.cam import with_background
from common.ops.crf import crf_posterior
from common.ops.crf_params import CRFParams
from common.ops.random_walk import transition_matrix
from common.pipeline import Image, Run
from common.training.datasets import WeakDataset
from methods.affinitynet import stages
from methods.affinitynet.labels import MergeScores, Walk, merge_scores, score_volume, walked_scores
from methods.affinitynet.scores import ScoreVolumes

PSA = CRFParams(iterations=10, bilateral=(80, 13, 10), gaussian=(3, 3))
CONFIG = """
custom_imports = dict(imports=["methods.affinitynet.labels"], allow_failed_imports=False)
model = dict(
    type="AffinityNet",
    backbone=dict(type="EfficientNetLite", name="lite0", output_stride=8, out_indices=(2, 3, 4)),
    data_preprocessor=dict(type="SegDataPreProcessor", mean=[127.5] * 3, std=[127.5] * 3, size_divisor=1),
)
"""


def scores(*columns: tuple[float, ...]) -> torch.Tensor:
    """[K + 1, 1, n] from the scores of each cell."""
    return torch.tensor(columns).T[:, None]


def scene() -> tuple[np.ndarray, CAM]:
    """Two flat squares on a flat ground, [48, 60], and a CAM that is strong in a part of each, weak in the rest."""
    pixels = np.full((48, 60, 3), 60, np.uint8)
    pixels[12:36, 8:24], pixels[12:36, 40:56] = (220, 40, 40), (40, 40, 220)
    maps = np.zeros((2, 48, 60), np.float32)
    maps[0, 12:36, 8:24], maps[1, 12:36, 40:56] = 0.2, 0.2
    maps[0, 14:34, 10:18], maps[1, 14:34, 42:50] = 0.9, 0.9
    return pixels, CAM(np.array([3, 14]), maps, (48, 60), stride=1)


def test_confident_labels_follow_the_rule() -> None:
    """Cells: class 2 in both; background in both; class against the strong, none against the weak background; the
    strong background covers it, the weak does not; class 1 for one, 2 for the other; padding.
    """
    low = scores((0.1, 0, 0.9), (0.9, 0.1, 0), (0.2, 0.8, 0), (0.8, 0.2, 0), (0.1, 0.8, 0.1), (0, 0, 0))
    high = scores((0.1, 0, 0.9), (0.9, 0.1, 0), (0.6, 0.4, 0), (0.1, 0.9, 0), (0.1, 0.1, 0.8), (0, 0, 0))
    assert merge_scores(low, high).tolist() == [[2, 0, 0, 255, 1, 255]]


def test_scores_are_averaged_over_cells_before_they_are_merged() -> None:
    """Five of eight columns of the first cell are class 1; the right half of the second is padding."""
    low = np.zeros((8, 16, 2), np.float32)
    low[:, :5, 1], low[:, 5:12, 0] = 1, 1
    results = MergeScores(8)({"maps": {"low": Map(low), "high": Map(low.copy())}, "rng": random.Random(0)})
    assert list(results["maps"]) == ["gt_sem_seg"]
    label = results["maps"]["gt_sem_seg"].values
    assert label.tolist() == [[1, 0]] and label.dtype == np.uint8


def test_score_volumes_are_the_crf_of_each_alpha() -> None:
    pixels, cam = scene()
    volume = score_volume(cam, pixels, 4, 32, PSA)
    maps = cam.full()
    for found, alpha in ((volume.low, 4), (volume.high, 32)):
        plain = np.concatenate([(1 - maps.max(axis=0, keepdims=True)) ** alpha, maps])
        np.testing.assert_allclose(found, crf_posterior(pixels, plain, PSA), atol=1e-5)
    assert volume.keys.tolist() == [3, 14] and volume.low[0].mean() > volume.high[0].mean()


def test_walk_is_the_dense_power() -> None:
    walk = Walk(beta=3, logt=4, radius=3)
    features = torch.randn(5, 8, 10, generator=torch.Generator().manual_seed(0))
    start = torch.rand(3, 8, 10, generator=torch.Generator().manual_seed(1))
    affinity = walk.affinity(features)
    offsets = [(dy, dx) for dy in range(3) for dx in range(-2, 3) if 0 < dy * dy + dx * dx < 9 and (dy or dx > 0)]
    matrix = transition_matrix((affinity.double() ** 3), sorted(offsets))
    expected = start.double().flatten(1) @ torch.linalg.matrix_power(matrix, 16)
    torch.testing.assert_close(walk(start, affinity).flatten(1).double(), expected, rtol=1e-5, atol=1e-6)


def test_isolated_corners_keep_their_value() -> None:
    """No pair of the released border reaches the first radius - 1 cells of the first row."""
    walk = Walk(beta=1, logt=3)
    start = torch.rand(2, 9, 12, generator=torch.Generator().manual_seed(0))
    walked = walk(start, walk.affinity(torch.zeros(3, 9, 12)))
    still = (walked == start).all(dim=0)
    expected = torch.zeros(9, 12, dtype=torch.bool)
    for y, x in ((0, 0), (0, 1), (0, 2), (0, 3), (7, 0), (8, 0), (8, 1)):
        expected[y, x] = True
    for y, x in ((7, 11), (8, 10), (8, 11)):
        expected[y, x] = True
    assert torch.equal(still, expected)
    complete = Walk(beta=1, logt=3, border="complete")
    assert not (complete(start, complete.affinity(torch.zeros(3, 9, 12))) == start).all(dim=0).any()


def test_small_grids_get_a_smaller_radius() -> None:
    assert Walk().fitted(47, 63).radius == 5 and Walk().fitted(7, 9).radius == 3
    assert Walk(border="complete").fitted(3, 3).radius == 5


class Constant(torch.nn.Module):
    """A network whose features are the pooled picture: affinities are exp(-|difference of colours|)."""

    stride = 8

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))
        self.inputs: list[torch.Tensor] = []

    def normalize(self, images: torch.Tensor) -> torch.Tensor:
        return (images.float() - 100) / 10

    def features(self, x: torch.Tensor) -> torch.Tensor:
        self.inputs.append(x)
        return torch.nn.functional.avg_pool2d(x, 8)


@pytest.mark.parametrize(("scale", "size"), [(1.0, (48, 64)), (1.5, (72, 96)), (2.0, (96, 120))])
def test_the_photo_is_enlarged_and_padded_with_the_mean_colour(scale: float, size: tuple[int, int]) -> None:
    pixels, cam = scene()
    network = Constant()
    found = walked_scores(network, pixels, cam, Walk(logt=2, border="complete"), scale).full()
    assert found.shape == (3, 48, 60) and network.inputs[0].shape[-2:] == size
    assert (network.inputs[0][..., round(60 * scale) :] == 0).all()


def test_the_walk_fills_regions_of_one_colour() -> None:
    pixels, cam = scene()
    walk = Walk(alpha=4, beta=4, logt=5, border="complete")
    truth = np.zeros((48, 60), np.int64)
    truth[12:36, 8:24], truth[12:36, 40:56] = 1, 2
    before = with_background(torch.from_numpy(cam.full()), walk.alpha).argmax(dim=0).numpy()
    after = walked_scores(Constant(), pixels, cam, walk, scale=2.0).full().argmax(0)
    assert (before == truth).mean() < 0.85 and (after == truth).mean() > 0.93


def test_without_tags_all_is_background() -> None:
    pixels, _ = scene()
    empty = CAM(np.zeros(0, np.int64), np.zeros((0, 48, 60), np.float32), (48, 60), stride=1)
    assert (walked_scores(Constant(), pixels, empty, Walk(logt=1, border="complete"), 1.5).full().argmax(0) == 0).all()
    volume = score_volume(empty, pixels, 4, 32, PSA)
    assert (merge_scores(torch.from_numpy(volume.low), torch.from_numpy(volume.high)) == 0).all()


# --- the stages ---------------------------------------------------------------------------------------------------


def start(root: Path, out: Path) -> tuple[Run, Image, CAMs]:
    out.mkdir(parents=True)
    run = Run(open_dataset(root).guarded(()), torch.device("cpu"), out, 0)
    cams = CAMs(out / "cams")
    rng = np.random.default_rng(0)
    for image_id in run.data.ids("train"):
        size = Image(run.data, image_id).size
        cams.write(image_id, CAM(np.array([1]), rng.random((1, *size)).astype(np.float32), size, 1))
    return run, Image(run.data, run.data.ids("train")[0]), cams


def weights(folder: Path) -> Weights:
    folder.mkdir()
    (folder / "config.py").write_text(CONFIG)
    torch.manual_seed(0)
    save_weights(build_model(read_config(folder / "config.py")), folder / "weights.pth")
    return Weights(folder)


def test_stages_from_cams_to_a_training_item(tiny_voc: Path, tmp_path: Path) -> None:
    run, _, cams = start(tiny_voc, tmp_path / "run")
    volumes, make = ScoreVolumes(tmp_path / "scores"), stages.score_volumes(run, cams, PSA).make
    for image_id in run.data.ids("train"):
        volumes.write(image_id, make(Image(run.data, image_id)))
    pipeline = [
        {"type": "RandomCropContainer", "size": 24, "pad": (0, 0, 0)},
        {"type": "RandomMirror"},
        {"type": "MergeScores"},
        {"type": "Pack"},
    ]
    dataset = WeakDataset(str(tiny_voc), "train", pipeline, str(volumes.path), label_kind="ScoreVolumes")
    item = dataset[0]
    assert item["inputs"].shape == (3, 24, 24)
    assert item["data_samples"].gt_sem_seg.data.shape == (1, 3, 3)
    assert set(item["data_samples"].gt_sem_seg.data.unique().tolist()) <= {0, 1, 255}


@pytest.mark.parametrize("options", [{}, {"crf": PSA}, {"border": "complete", "scale": 2.0}], ids=str)
def test_walk_and_labels_are_the_fused_formulation(tiny_voc: Path, tmp_path: Path, options: dict) -> None:
    """The scores are stored as 2^16 levels: at most one pixel of 1000 may change."""
    run, image, cams = start(tiny_voc, tmp_path / "run")
    network, walk = weights(tmp_path / "aff"), {key: value for key, value in options.items() if key != "crf"}
    crf = options.get("crf")
    walked = ScoreMaps(tmp_path / "walk")
    walked.write(image.id, stages.random_walk(run, cams, network, alpha=1, logt=2, **walk).make(image))
    label = common.stages.labels(run, walked, "own", crf).make(image)
    assert label.shape == image.size and label.dtype == np.uint8 and set(np.unique(label)) <= {0, 1}
    loaded, constants = load_model(network.file, network.config), Walk(1, 8, 2, border=walk.get("border", "released"))
    fused = walked_scores(loaded, image.pixels, cams.read(image.id), constants, walk.get("scale", 1.0)).full()
    fused = fused if crf is None else crf_posterior(image.pixels, fused, crf)
    assert (label != fused.argmax(axis=0)).mean() < 1e-3
    with pytest.raises(UserError, match="'walk' carry a background of their own: say background=\"own\""):
        common.stages.labels(run, walked, 0.25).make(image)
