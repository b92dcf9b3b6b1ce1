"""Group-WSSS's maps: the rule of their accumulation, the network that fills the store, the stages, the labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from PIL import Image as PILImage
from torch import Tensor

import tests.unit.tiny_groups  # noqa: F401  (the backbone)
from common.artifacts import GreyMaps, ScoreMaps, Squashed, Weights
from common.base.config import read_config
from common.base.errors import UserError
from common.cli import main
from common.data.dataset import open_dataset
from common.models.progress import TrainingProgress
from common.ops.saliency_labels import SaliencyRule
from common.pipeline import Image, Run
from common.stages import eval_cam, saliency_labels
from methods.group_wsss.maps import MinedMap, MinedMaps
from methods.group_wsss.model import GroupNetwork
from methods.group_wsss.stages import mine, mined_maps
from methods.group_wsss.store import MapStore, to_levels
from tests.unit.tiny_groups import two_classes, write_config

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / "configs/group_wsss"
RULES = {"type": "SegDataPreProcessor", "mean": [127.5] * 3, "std": [127.5] * 3, "size_divisor": 1}


# --- the rule ------------------------------------------------------------------------------------------------------


def test_levels_are_those_of_the_maps_own_maximum():
    maps = torch.tensor([[[0.0, 0.5, 1.0, 2.0]], [[0.0, 0.0, 0.0, 0.0]], [[0.0, 1e-6, 2e-6, 4e-6]]])
    levels = to_levels(maps)
    assert levels.dtype == torch.uint8
    assert levels[:2, 0].tolist() == [[0, 64, 128, 255], [0, 0, 0, 0]]  # 63.75 and 127.5 rounded, half to even
    assert levels[2, 0, 3] in (254, 255)


def stored(steps: list[tuple[int, list[list[float]], list[float]]], epochs: int) -> MapStore:
    """A store of two maps of 1 x 2 cells after steps of (epoch, maps, scores)."""
    store = MapStore(2, (1, 2), 0.1)
    for epoch, maps, scores in steps:
        levels = to_levels(torch.tensor(maps)[:, None])
        store.update(torch.arange(len(maps)), levels, torch.tensor(scores), epoch, epochs)
    return store


@pytest.mark.parametrize(
    ("epoch", "score", "there", "found"),
    [
        (0, 0.9, False, False),  # the first epoch counts nothing
        (1, 0.9, False, True),
        (1, 0.1, False, True),  # 0.1 itself counts
        (1, 0.09, False, False),
        (2, 0.05, True, False),
        (3, 0.05, False, True),  # last epoch, no map yet: whatever the score
        (3, 0.05, True, False),  # last epoch, there is one: the score decides
        (3, 0.9, True, True),
    ],
)
def test_which_maps_count(epoch: int, score: float, there: bool, found: bool):
    """A table of epochs 0 to 3: an earlier map [1, 0] may be there, a later one [0, 1] counts or not."""
    store = MapStore(1, (1, 2), 0.1)
    if there:
        store.update(torch.tensor([0]), torch.tensor([[[255, 0]]], dtype=torch.uint8), torch.tensor([0.9]), 1, 4)
    store.update(torch.tensor([0]), torch.tensor([[[0, 255]]], dtype=torch.uint8), torch.tensor([score]), epoch, 4)
    assert store.levels.flatten().tolist() == [255 * there, 255 * found]
    assert store.written.tolist() == [int(there or found)]


def test_a_map_without_a_positive_place_is_a_map():
    """A file of zeros is a file: in the last epoch it is not replaced whatever the score."""
    store = stored([(1, [[0.0, 0.0], [1.0, 0.0]], [0.9, 0.9]), (2, [[1.0, 0.0], [0.0, 1.0]], [0.05, 0.05])], 3)
    assert store.levels[:, 0].tolist() == [[0, 0], [255, 0]]


def test_maps_are_normalised_before_the_maximum_not_after():
    """A strong and a weak epoch: normalised once at the end, the weak one would leave nearly nothing."""
    store = stored([(1, [[10.0, 1.0]], [0.9]), (2, [[0.05, 0.1]], [0.9])], 4)
    assert store.levels[0, 0].tolist() == [255, 255]
    late = to_levels(torch.maximum(torch.tensor([[10.0, 1.0]]), torch.tensor([[0.05, 0.1]])))
    assert late.tolist() == [[255, 26]]


def test_maps_only_grow():
    generator, store, before = torch.Generator().manual_seed(0), MapStore(3, (4, 4), 0.1), torch.zeros(3, 4, 4)
    for epoch in range(6):
        maps, scores = torch.rand(3, 4, 4, generator=generator), torch.rand(3, generator=generator) / 4
        store.update(torch.arange(3), to_levels(maps), scores, epoch, 6)
        assert (store.levels.float() >= before).all()
        before = store.levels.float()
    assert store.written.all()


# --- the network ---------------------------------------------------------------------------------------------------


def network(classes: int = 2, pairs: int | None = 9, **options: Any) -> GroupNetwork:
    init_default_scope("mmseg")
    torch.manual_seed(0)
    config = {"type": "GroupNetwork", "backbone": {"type": "TinyTap"}, "width": 6, "num_classes": classes}
    grid = None if pairs is None else (6, 8)
    model = MODELS.build({**config, "pairs": pairs, "grid": grid, "data_preprocessor": RULES, **options})
    for name, parameter in model.named_parameters():
        torch.nn.init.normal_(parameter, std=1e-5 if name.startswith("backbone") else 0.3)
    return model.train()


def samples(tags: list[list[float]], rows: list[int], size: int = 3, pairs: int = 9) -> list[SegDataSample]:
    """Groups whose images have the tags of their anchor."""
    found = []
    for own, row in zip(tags, rows, strict=True):
        for place in range(size):
            sample = SegDataSample(metainfo={"place": place, "row": row, "pairs": pairs})
            sample.set_field(torch.tensor(own), "tags")
            found.append(sample)
    return found


def inputs(count: int = 6) -> Tensor:
    return torch.randn(count, 3, 24, 32, generator=torch.Generator().manual_seed(1))


def test_the_anchors_maps_before_and_behind_the_graph_are_stored():
    model, x = network(), inputs()
    model.progress = TrainingProgress(3, 8, 1, 4)
    given = samples([[0.0, 1.0], [1.0, 1.0]], [2, 6])
    torch.manual_seed(5)
    loss = model(x, given, mode="loss")["loss"]
    torch.manual_seed(5)
    initial, final = model.group_maps(x)
    maps, scores = ((initial + final) / 2)[:, 0].clamp(min=0), final[:, 0].mean(dim=(2, 3)).sigmoid()
    levels, wanted = to_levels(maps.detach()), torch.zeros(9, 6, 8, dtype=torch.uint8)
    for row, group, channel in ((2, 0, 1), (6, 1, 0), (7, 1, 1)):
        if scores[group, channel] >= 0.1:
            wanted[row] = levels[group, channel]
    assert wanted.any() and torch.equal(model.store.levels, wanted)
    tags = torch.stack([sample.tags for sample in given])
    first, last = (m.mean(dim=(3, 4)).flatten(0, 1) for m in (initial, final))
    terms = [F.multilabel_soft_margin_loss(logits, tags) for logits in (first, last)]
    torch.testing.assert_close(loss, 3 * (0.4 * terms[0] + terms[1]) / 6)


def test_maps_before_the_graph_are_the_control():
    model, x = network(stored="initial"), inputs(3)
    model.progress = TrainingProgress(7, 8, 3, 4)  # the last epoch: the score does not matter
    model.loss(x, samples([[1.0, 1.0]], [0]))
    wanted = to_levels(model.class_maps(x)[0].detach().clamp(min=0))
    assert torch.equal(model.store.levels[:2], wanted) and not model.store.written[2:].any()


def test_the_network_stores_nothing_outside_the_engine_and_in_the_first_epoch():
    model = network()
    model.loss(inputs(3), samples([[1.0, 0.0]], [0]))
    model.progress = TrainingProgress(1, 8, 0, 4)
    model.loss(inputs(3), samples([[1.0, 0.0]], [0]))
    assert not model.store.written.any() and not model.store.levels.any()


def test_every_rank_has_the_maxima_of_all(monkeypatch: pytest.MonkeyPatch):
    """Both ranks' maps of one step, as `all_gather` hands them to each."""
    sent: tuple[list[Tensor], list[Tensor]] = ([], [])

    def stored_by(rank: int) -> MapStore:
        torch.manual_seed(rank)
        model = network()
        model.progress = TrainingProgress(7, 8, 3, 4)
        model.loss(inputs(6)[3 * rank :][:3], samples([[1.0, float(rank)]], [4 * rank]))
        return model.store

    for rank in (0, 1):  # what each sends
        monkeypatch.setattr("methods.group_wsss.model.all_gather", lambda v, rank=rank: sent[rank].append(v) or [v])
        stored_by(rank)
    stores = []
    for rank in (0, 1):  # what each does with that of both
        heard = iter(zip(*sent, strict=True))
        monkeypatch.setattr("methods.group_wsss.model.all_gather", lambda v, heard=heard: list(next(heard)))
        stores.append(stored_by(rank))
    assert torch.equal(stores[0].levels, stores[1].levels)
    assert stores[0].written.tolist() == stores[1].written.tolist() == [1, 0, 0, 0, 1, 1, 0, 0, 0]


def test_what_does_not_fit_is_said_in_a_sentence():
    progress = TrainingProgress(7, 8, 3, 4)
    for model, sentence in (
        (network(pairs=None), r"no room for 9 maps of 6 x 8 cells: .* model.pairs=9 model.grid=6,8"),
        (network(pairs=4), "no room for 9 maps"),
        (network(group_size=2), "model.group_size is 2, that of train_dataloader.dataset another"),
    ):
        model.progress = progress
        with pytest.raises(UserError, match=sentence):
            model.loss(inputs(), samples([[1.0, 0.0]] * 2, [0, 1]))
    with pytest.raises(UserError, match="must be 'both' or 'initial'"):
        network(stored="final")
    with pytest.raises(ValueError, match="not 'loss' or 'tensor'"):
        network()(inputs(1), mode="predict")


def test_the_network_of_the_paper():
    """Three extra convolutions, 20 class maps, a projection to 10, and no parameter that nothing uses."""
    config = read_config(CONFIGS / "groups_vgg16_voc12.py")
    model_config = {**config.model.to_dict(), "num_classes": 20}
    model_config["backbone"]["init_cfg"] = None
    init_default_scope("mmseg")
    with torch.device("meta"):
        model = MODELS.build(model_config)
        assert model.class_maps(torch.zeros(1, 3, 256, 256)).shape == (1, 20, 32, 32)
    names = [name for name, _ in model.extra.named_children()]
    assert names == ["conv1", "act1", "conv2", "act2", "conv3", "act3", "conv4"]
    shapes = {name: tuple(p.shape) for name, p in model.graph.named_parameters() if name.endswith("weight")}
    assert shapes == {
        "attention.query.weight": (10, 20, 1, 1),
        "attention.key.weight": (10, 20, 1, 1),
        "attention.gate.weight": (1, 20, 1, 1),
        "fusion.weight": (20, 40, 3, 3),
        **{f"unit.{gate}.weight": (20, 40, 1, 1) for gate in ("reset", "update", "out")},
    }
    small = network(classes=6)
    assert small.graph.attention.query.weight.shape == (10, 6, 1, 1)  # the projection stays 10 wide
    sample = samples([[1.0] + [0.0] * 5], [0])
    small.loss(inputs(3), sample)["loss"].backward()
    assert all(parameter.grad is not None for parameter in small.parameters())


def test_new_weights_start_small_and_biases_as_pytorch_draws_them():
    init_default_scope("mmseg")
    config = {"type": "GroupNetwork", "backbone": {"type": "TinyTap"}, "width": 64, "num_classes": 20}
    torch.manual_seed(0)
    model = MODELS.build({**config, "data_preprocessor": RULES})
    for conv in (model.extra.conv2, model.graph.fusion, model.graph.unit.out):
        assert conv.weight.std().item() == pytest.approx(0.01, rel=0.1) and conv.bias.abs().max() > 0.02


def test_constants_that_a_toy_port_gets_wrong():
    config = read_config(CONFIGS / "groups_vgg16_voc12.py")
    assert config.param_scheduler[0].milestones == [5, 10]  # counted from 0, one epoch later than DRS's
    assert config.train_cfg.max_epochs == 15 and config.train_dataloader.batch_size == 1
    optimizer = config.optim_wrapper.optimizer
    assert (optimizer.lr, optimizer.momentum, optimizer.nesterov, optimizer.weight_decay) == (1e-3, 0.9, True, 5e-4)
    groups = config.optim_wrapper.paramwise_cfg
    assert (groups.mults, groups.new, groups.bias_decay) == ((1, 2, 10, 20), ("extra", "graph"), 1)
    steps = config.train_dataloader.dataset.pipeline
    assert [step.type for step in steps] == ["Squash", "RandomColorJitter", "Pack"]  # no mirror, no crop
    assert (config.model.drop_rate, config.model.drop_threshold, config.model.divisor) == (0.8, 0.7, 6.0)
    december = read_config(CONFIGS / "group_wsss_2020_deeplabv2_r101_voc12.py").pipeline[0].options
    assert december == {"model.drop_rate": 0.95, "model.drop_threshold": 0.9, "model.divisor": 1.0}


# --- the stages ----------------------------------------------------------------------------------------------------


@pytest.fixture
def trained(tiny_voc: Path, tmp_path: Path) -> tuple[Run, Weights]:
    """A training of three epochs by the stage, on images of two classes and one without a tag."""
    config = write_config(tmp_path, two_classes(tiny_voc), epochs=3, room=False)
    out = tmp_path / "cam"
    out.mkdir()
    run = Run(open_dataset(tiny_voc).guarded(()), torch.device("cpu"), out, 0)
    mine(run, config, "train")
    return run, Weights(out)


@pytest.mark.slow
def test_the_training_says_how_many_maps_and_how_large(trained: tuple[Run, Weights]):
    _, weights = trained
    assert Config.fromfile(str(weights.config)).model.grid == (6, 8)
    state = torch.load(weights.file, weights_only=True)
    assert state["store.levels"].shape == (9, 6, 8) and state["store.written"].all()  # the last epoch leaves none out


@pytest.mark.slow
def test_maps_come_from_the_store_not_from_the_network(trained: tuple[Run, Weights], tmp_path: Path):
    """What a network at the end of its training would say of a photo is another map; other weights change nothing."""
    run, weights = trained
    state = torch.load(weights.file, weights_only=True)
    job, row = mined_maps(run, weights, "train"), 0
    made = MinedMaps(tmp_path / "made")
    made.path.mkdir()
    for image_id in run.data.ids("train"):
        image = Image(run.data, image_id)
        value = job.make(image)
        assert value.keys.tolist() == list(image.tags) and value.frame == Squashed(6, 8)
        wanted = state["store.levels"][row : row + len(image.tags)].numpy()
        assert (np.rint(255 * value.maps) == wanted).all()
        made.write(image_id, value)
        assert (np.rint(255 * made.read(image_id).maps) == wanted).all()  # the file holds whole levels exactly
        assert made.read(image_id).full().shape == (len(image.tags), *image.size)
        row += len(image.tags)
    before = {image_id: made.read(image_id).maps for image_id in made.ids()}
    torch.save({k: v if k.startswith("store.") else torch.zeros_like(v) for k, v in state.items()}, weights.file)
    job = mined_maps(run, weights, "train")
    assert all((job.make(Image(run.data, key)).maps == maps).all() for key, maps in before.items())


@pytest.mark.slow
def test_lists_and_weights_that_do_not_fit(trained: tuple[Run, Weights], tiny_voc: Path, tmp_path: Path):
    run, weights = trained
    with pytest.raises(UserError, match="learned from 'train' with 9 tags, 'val' has 4: name the list"):
        mined_maps(run, weights, "val")
    state = torch.load(weights.file, weights_only=True)
    torch.save({**state, "store.written": torch.zeros(9, dtype=torch.uint8)}, weights.file)
    with pytest.raises(UserError, match="count from the second epoch on, so train two"):
        mined_maps(run, weights, "train")
    torch.save({k: v for k, v in state.items() if not k.startswith("store.")}, weights.file)
    with pytest.raises(UserError, match="has accumulated no maps: name a stage"):
        mined_maps(run, weights, "train")
    text = (tmp_path / "groups.py").read_text()
    crop = tmp_path / "crop.py"
    crop.write_text(text.replace('dict(type="Squash", height=24, width=32), ', ""))
    with pytest.raises(UserError, match="must begin with Squash"):
        mine(run, crop, "train")
    tags = tiny_voc / "tags.json"
    tags.write_text(json.dumps({key: [] for key in json.loads(tags.read_text())}))
    bare = Run(open_dataset(tiny_voc), torch.device("cpu"), tmp_path, 0)
    with pytest.raises(UserError, match="No image of 'train' has a tag"):
        mine(bare, tmp_path / "groups.py", "train")


@pytest.mark.parametrize("size", [(1, 1), (37, 50), (3000, 4000)])
def test_maps_grow_as_bytes_and_are_divided_by_their_range(size: tuple[int, int]):
    """As floats, or divided before they grow, pixels near the thresholds 0.8 and 0.9 would be others."""
    levels = np.random.default_rng(0).integers(60, 256, (2, 8, 8), dtype=np.uint8)
    levels[1] = 0
    full = MinedMap(np.array([1, 2]), levels.astype(np.float32) / 255, size, Squashed(8, 8)).full()
    assert full.shape == (2, *size) and full.dtype == np.float32 and not full[1].any()
    large = cv2.resize(levels[0], size[::-1], interpolation=cv2.INTER_LINEAR).astype(np.float32)
    wanted = (large - large.min()) / (large.max() - large.min() + 1e-8)
    np.testing.assert_array_equal(full[0], wanted)
    if size == (37, 50):
        assert full[0].min() == 0 and full[0].max() == 1
        plain = large / 255
        assert ((full[0] > 0.9) != (plain > 0.9)).any()


def test_an_image_without_an_object_has_no_map_and_an_open_label(tmp_path: Path):
    value = MinedMap(np.zeros(0, np.int64), np.zeros((0, 8, 8), np.float32), (20, 30), Squashed(8, 8))
    assert value.full().shape == (0, 20, 30)


def test_the_shared_stages_read_mined_maps(tiny_voc: Path, tmp_path: Path):
    """Labels of soft saliency by the released rule; a judge without saliency."""
    run = Run(open_dataset(tiny_voc), torch.device("cpu"), tmp_path / "out", 0)
    run.out.mkdir()
    made, grey = MinedMaps(tmp_path / "maps"), GreyMaps(tmp_path / "grey")
    assert isinstance(made, ScoreMaps)
    for folder in (made.path, grey.path):
        folder.mkdir()
    for image_id in run.data.ids("train"):
        size = run.data.size(image_id)
        maps = np.zeros((1, 4, 4), np.float32)
        maps[0, :2, :2] = 1
        made.write(image_id, MinedMap(np.array([1]), maps, size, Squashed(4, 4)))
        level = np.zeros(size, np.uint8)
        level[: size[0] // 4, : size[1] // 4] = 250
        level[-1, -1] = 40  # hardly salient, and the background wins: open
        grey.write(image_id, level)
    rule = SaliencyRule(salient=32, soft=True, conflict=0.9, conflicts=2, strong=0.8, min_foreground=0.01)
    image = Image(run.data, run.data.ids("train")[1])
    label = saliency_labels(run, made, grey, rule).make(image)
    assert label[0, 0] == 1 and label[-1, -1] == 255 and label[-1, 0] == 0
    assert 0 < eval_cam(run, made, "train")["miou"] < 1


def test_data_without_saliency_is_refused_in_the_plan(tiny_voc: Path, capsys: pytest.CaptureFixture):
    recipe = str(CONFIGS / "group_wsss_photos.py")
    where = ["--data-root", str(tiny_voc), "--work-dir", str(tiny_voc / "run")]
    assert main(["run", recipe, *where, "--dry-run"]) == 2
    said = capsys.readouterr().err
    assert "lacks the saliency maps of 8 of the 8 images of 'train_aug'" in said and said.count("\n") == 1
    (tiny_voc / "Saliency").mkdir()
    data = open_dataset(tiny_voc)
    for image_id in data.ids("train_aug"):
        PILImage.fromarray(np.zeros(data.size(image_id), np.uint8)).save(tiny_voc / "Saliency" / f"{image_id}.png")
    assert main(["run", recipe, *where, "--dry-run"]) == 0
