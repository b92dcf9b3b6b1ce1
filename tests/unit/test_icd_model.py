"""ICD's network: branches, gradients, states, initial weights, and a training that is killed."""

from __future__ import annotations

import multiprocessing
import socket
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from common.artifacts import IdMaps
from common.base.config import import_types, read_config
from common.base.errors import UserError
from common.checkpoints.formats import known_formats, recognise
from common.checkpoints.networks import build_model, without_init
from common.data.dataset import open_dataset
from common.models.classes import fill_classes
from common.models.progress import TrainingProgress
from common.ops.superpixels import felzenszwalb
from common.training.param_groups import LrGroupConstructor, parameter_groups
from common.training.poly_sgd import poly_lr
from common.training.schedule import resolve_schedule
from methods.icd.discriminator import IntraClassDiscriminator
from methods.icd.hooks import lines
from methods.icd.model import CUT, DiscriminatorNetwork
from methods.icd.released import convert_icd, convert_torchvision_fov
from methods.icd.tags import alone, never_alone
from tests.unit.training_runs import kill_at, log_lines, train

CONFIGS = Path(__file__).resolve().parents[2] / "configs/icd"
LITE0 = {"type": "EfficientNetLite", "conv_head": True, "output_stride": 8, "out_indices": (4,), "frozen_bn": True}
RULES = {"type": "SegDataPreProcessor", "mean": [127.5] * 3, "std": [127.5] * 3, "size_divisor": 1}


def network(classes: int = 3, **options) -> DiscriminatorNetwork:
    init_default_scope("mmseg")
    torch.manual_seed(0)
    config = {"type": "DiscriminatorNetwork", "backbone": LITE0, "width": 8, "num_classes": classes}
    model = MODELS.build({**config, "data_preprocessor": RULES, **options})
    model.init_weights()
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return model.train()


def noise(*size: int, seed: int = 0) -> Tensor:
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed))


def samples(tags: list[list[float]], segments: bool = True) -> list[SegDataSample]:
    """With superpixels of 16 pixels a side on crops of 33."""
    found = []
    for own in tags:
        sample = SegDataSample()
        sample.set_field(torch.tensor(own), "tags")
        if segments:
            places = torch.arange(33) // 16
            sample.segments = PixelData(data=(3 * places[:, None] + places)[None])
        found.append(sample)
    return found


TAGS = [[1.0, 0, 0], [0, 1, 0], [1, 0, 1]]


def gradients(model: DiscriminatorNetwork, *terms: str) -> dict[str, Tensor]:
    """Of the backbone and the normalisation, for some terms of the loss."""
    model.zero_grad()
    torch.manual_seed(1)
    losses = model.loss(noise(3, 3, 33, 33), samples(TAGS))
    sum(losses[term] for term in terms).backward()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


# --- branches ------------------------------------------------------------------------------------------------------


def test_the_bottom_up_branch_gives_the_network_no_gradient():
    """With it and without it all gradients but that of the directions are the same."""
    model = network()
    state = {key: value.clone() for key, value in model.state_dict().items()}
    with_branch = gradients(model, "loss_cam", "loss_bottom_up", "loss_top_down")
    model.load_state_dict(state)
    without = gradients(model, "loss_cam", "loss_top_down")
    assert set(with_branch) - set(without) == {"discriminator.weight"}
    assert all(torch.equal(with_branch[name], value) for name, value in without.items())
    model.load_state_dict(state)
    assert set(gradients(model, "loss_bottom_up")) == {"discriminator.weight"}


def test_the_top_down_loss_reaches_the_backbone_through_the_normalised_features():
    found = gradients(network(), "loss_top_down")
    assert found["norm.bias"].abs().sum() > 0 and found["backbone.conv_head.weight"].abs().sum() > 0
    assert "norm.weight" not in found and not any(name.startswith("cam_branch") for name in found)


def test_the_running_means_move_before_they_are_used():
    """The first batch already is oriented by its own CAM; used before the update, zeros would leave the sign +1."""
    model = network(classes=1)
    features = noise(2, 1280, 3, 3)
    scores = model.discriminator.project(features)
    cam = -scores  # the object is on the negative side
    assert torch.equal(model.bottom_up(features, cam, torch.ones(2, 1)), -scores)
    before = model.discriminator.sides.clone()
    model.eval()
    assert torch.equal(model.bottom_up(features, -cam, torch.ones(2, 1)), -scores)
    assert torch.equal(model.discriminator.sides, before), "evaluation moves the running means"


def test_the_normalisation_follows_the_batch_and_has_no_scale():
    """The quick backbone's norms are frozen; this one is not."""
    model = network()
    assert model.norm.training and not any(m.training for m in model.backbone.modules() if isinstance(m, _BatchNorm))
    model.norm.bias.data[:] = 0.5
    with torch.no_grad():
        x = model.norm(3 * noise(4, 1280, 5, 5) + 2)
    torch.testing.assert_close(x.mean(dim=(0, 2, 3)), torch.full((1280,), 0.5), atol=1e-5, rtol=0)
    torch.testing.assert_close(x.std(dim=(0, 2, 3), unbiased=False), torch.ones(1280), atol=1e-3, rtol=0)
    assert not model.norm.weight.requires_grad and (model.norm.weight == 1).all()
    assert not model.eval().norm.training


def test_maps_at_test_are_the_top_down_logits_not_the_refined_scores():
    model = network().eval()
    x = noise(1, 3, 33, 33)
    with torch.no_grad():
        features = model.norm(model.backbone(x)[0])
        wanted = model.top_down(features)
        torch.testing.assert_close(model.responses(x), wanted)
        assert (wanted < 0).any() and (wanted > 0).any()
        cam = model.raw_cam(x)
        torch.testing.assert_close(model.logits(x), cam.mean(dim=(2, 3)))
        torch.testing.assert_close(model.cam(x), cam.relu())
        torch.testing.assert_close(model(x), wanted)
        assert wanted.shape == cam.shape == (1, 3, 5, 5)
        first = model.top_down.fc6(features).relu()
        every = torch.cat([features, first, model.top_down.fc7(first).relu()], dim=1)
        torch.testing.assert_close(model.top_down.out(every), wanted)
    assert model.top_down.out.bias is None and model.cam_branch.fc6.conv.dilation == (1, 1)
    with pytest.raises(ValueError, match="not 'loss' or 'tensor'"):
        model(x, mode="predict")


def test_a_class_that_no_image_has_alone_learns_no_discriminator_and_has_its_cam():
    model = network()
    model.told(images=3, batch=3, alone=alone([(1,), (2,), (1, 3)]))
    assert model.directed.tolist() == [True, True, False]
    model.ramp = lambda: 1.0
    found = gradients(model, "loss_top_down")["top_down.out.weight"]
    assert found[:2].abs().sum() > 0 and not found[2].any()
    model.eval()
    with torch.no_grad():
        x = noise(1, 3, 33, 33)
        responses, cam = model.responses(x), model.raw_cam(x)
    assert torch.equal(responses[:, 2], cam[:, 2]) and not torch.equal(responses[:, 0], cam[:, 0])
    assert never_alone([(1,), (2,), (1, 3), ()]) == [3] and never_alone([(1, 2)]) == [1, 2]


def test_the_warm_up_counts_images_not_batches():
    """Twice the 330 batches of an epoch would be 660: floor(2 x 10582 / 32) is 661. It follows the iteration, so that a
    resumed training does not warm up again.
    """
    model = network()
    model.told(images=10582, batch=32, alone=())
    assert model.warmup_steps == 661
    factors = []
    for iteration in (0, 330, 660, 661, 5000):
        model.progress = TrainingProgress(iteration, 6600, iteration // 330, 20)
        factors.append(model.ramp())
    assert factors == [np.exp(-10), np.exp(-10 * 331 / 661), np.exp(-10 / 661), 1.0, 1.0]
    model.progress = None
    assert model.ramp() == 1.0


def test_controls():
    plain = network(branches=False)
    assert set(plain.loss(noise(3, 3, 33, 33), samples(TAGS, False))) == {"loss_cam"}
    assert torch.equal(plain.eval().responses(noise(1, 3, 33, 33)), plain.raw_cam(noise(1, 3, 33, 33)))
    assert not any("top_down" in name or "discriminator" in name for name in plain.state_dict())
    losses = network(superpixels=False).loss(noise(3, 3, 33, 33), samples(TAGS, False))
    assert set(losses) == {"loss_cam", "loss_bottom_up", "loss_top_down"}
    unsigned = network(signs=False)
    unsigned.loss(noise(3, 3, 33, 33), samples(TAGS))
    assert not unsigned.discriminator.sides.any()
    with pytest.raises(UserError, match=r"gets none: add inputs=dict\(segments=STAGE\)"):
        network().loss(noise(3, 3, 33, 33), samples(TAGS, False))


def test_taps_of_two_sizes_are_refused():
    with pytest.raises(UserError, match="first tap has stride 2 and its last one 8"):
        network(backbone={**LITE0, "out_indices": (0, 4)})


def test_images_without_tags_and_a_batch_of_one():
    model = network()
    losses = model.loss(noise(1, 3, 33, 33), samples([[0.0, 0, 0]]))
    assert losses["loss_bottom_up"].item() == 0 and losses["loss_top_down"].item() == 0
    sum(losses.values()).backward()
    assert not model.discriminator.weight.grad.any()


# --- ranks ---------------------------------------------------------------------------------------------------------


def _update(rank: int, port: int, out: multiprocessing.Queue) -> None:
    from torch import distributed

    distributed.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    branch = IntraClassDiscriminator(3, 4)
    half = slice(2 * rank, 2 * rank + 2)
    branch.update_sides(noise(4, 3, 5, 5)[half], noise(4, 3, 5, 5, seed=1)[half], torch.tensor([*TAGS, TAGS[0]])[half])
    out.put(branch.sides.tolist())
    distributed.destroy_process_group()


def test_the_running_means_are_those_of_all_ranks():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = multiprocessing.get_context("fork")
    out = context.Queue()
    processes = [context.Process(target=_update, args=(rank, port, out)) for rank in range(2)]
    for process in processes:
        process.start()
    found = [out.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(timeout=60)
    whole = IntraClassDiscriminator(3, 4)
    whole.update_sides(noise(4, 3, 5, 5), noise(4, 3, 5, 5, seed=1), torch.tensor([*TAGS, TAGS[0]]))
    assert found[0] == found[1] and np.allclose(found[0], whole.sides.numpy(), atol=1e-7)


# --- initial weights and constants ---------------------------------------------------------------------------------


def vgg(weights: str | None = None, **options) -> DiscriminatorNetwork:
    init_default_scope("mmseg")
    init = {} if weights is None else {"init_cfg": {"type": "NamedWeights", "weights": weights}}
    config = {"type": "DiscriminatorNetwork", "backbone": {"type": "VGG16BeforePool", **init}, "num_classes": 3}
    return MODELS.build({**config, "data_preprocessor": RULES, **options})


def stored(folder: Path, name: str, fov: tuple[int, int] | None) -> None:
    """VGG16 with fc6 and fc7 of (inputs, width), or without."""
    with torch.device("meta"):
        shapes = {f"backbone.{key}": value.shape for key, value in vgg().backbone.state_dict().items()}
    state = {key: torch.full(shape, 0.001) for key, shape in shapes.items()}
    if fov is not None:
        branch, (inputs, width) = "decode_head.branches.0", fov
        state |= {f"{branch}.fc6.conv.weight": torch.full((width, inputs, 3, 3), 0.25)}
        state |= {f"{branch}.fc7.conv.weight": torch.full((width, width, 1, 1), 0.5)}
        state |= {f"{branch}.fc{n}.conv.bias": torch.full((width,), float(n)) for n in (6, 7)}
    torch.save(state, folder / f"{name}.pth")


def test_both_branches_begin_with_fc6_and_fc7_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WSSEG_WEIGHTS", str(tmp_path))
    for name, fov in (("whole", (512, 1024)), ("other", (512, 512)), ("bare", None)):
        stored(tmp_path, name, fov)
    model = vgg("whole", fov_weights=True)
    model.init_weights()
    for layer in (model.cam_branch.fc6.conv, model.top_down.fc6):
        assert (layer.weight == 0.25).all() and (layer.bias == 6).all()
    for layer in (model.cam_branch.fc7.conv, model.top_down.fc7):
        assert (layer.weight == 0.5).all() and (layer.bias == 7).all()
    assert model.top_down.fc6.weight.data_ptr() != model.cam_branch.fc6.conv.weight.data_ptr(), "copies, not shared"
    assert (model.backbone.conv5_3.weight == 0.001).all()
    for layer in (model.cam_branch.fc8, model.top_down.out):
        assert layer.weight.std().item() == pytest.approx(0.01, rel=0.1)
    assert not model.cam_branch.fc8.bias.any() and not model.discriminator.sides.any()
    assert model.discriminator.weight.std().item() == pytest.approx(0.01, rel=0.1)
    for name in ("other", "bare"):
        with pytest.raises(UserError, match=r"fc6|nothing for FovBranch"):
            vgg(name, fov_weights=True).init_weights()
    vgg("bare").init_weights()


def test_vgg16_taps_conv5_3_in_front_of_its_pool_and_behind_the_average():
    with torch.device("meta"):
        model = vgg(width=4)
        assert model.raw_cam(torch.zeros(1, 3, 321, 321)).shape == (1, 3, 41, 41)
        assert model.raw_cam(torch.zeros(1, 3, 513, 513)).shape == (1, 3, 65, 65)
        assert [tuple(tap.shape) for tap in model.backbone(torch.zeros(1, 3, 97, 97))] == [(1, 512, 13, 13)] * 2
    assert model.backbone.strides == (8, 8) and model.backbone.channels == (512, 512)


def test_torchvisions_classifier_becomes_the_small_fc6_and_fc7():
    generator = torch.Generator().manual_seed(0)
    state = {
        "features.28.weight": torch.zeros(512, 512, 3, 3),
        "classifier.0.weight": torch.randn(8, 512 * 49, generator=generator),
        "classifier.0.bias": torch.randn(8, generator=generator),
        "classifier.3.weight": torch.randn(8, 8, generator=generator),
        "classifier.3.bias": torch.randn(8, generator=generator),
        "classifier.6.weight": torch.zeros(10, 8),
    }
    found = convert_torchvision_fov(state)
    fc6, fc7 = found[f"{CUT}fc6.conv.weight"], found[f"{CUT}fc7.conv.weight"]
    assert fc6.shape == (2, 512, 3, 3) and fc7.shape == (2, 2, 1, 1)
    taps = state["classifier.0.weight"].view(8, 512, 7, 7)
    assert fc6[1, 7, 2, 1] == taps[4, 7, 6, 3] and fc7[1, 0] == state["classifier.3.weight"][4, 0]
    assert found[f"{CUT}fc7.conv.bias"].tolist() == state["classifier.3.bias"][[0, 4]].tolist()
    assert recognise(state, "file") == "torchvision_vgg16_fov"
    assert recognise({"features.28.weight": 0}, "file") == "torchvision_vgg16"


def test_released_parameters():
    state = {"arg:icd_bu_weight": torch.zeros(20, 512), "arg:conv5_3_weight": torch.zeros(512, 512, 3, 3)}
    state |= {"arg:feat_bn_gamma": torch.zeros(512), "arg:feat_bn_beta": torch.ones(512)}
    state |= {"aux:icd_accum_resign_moving_mean": torch.ones(20, 2)}
    assert recognise(state, "file") == "icd"
    found = convert_icd(state)
    assert (found["norm.weight"] == 1).all() and (found["discriminator.sides"] == 1).all()
    assert known_formats()["icd"].network(found)["num_classes"] == 20


def test_constants_that_a_small_port_gets_wrong():
    caffe, own = (read_config(CONFIGS / f"discriminator_vgg16{name}_voc12.py") for name in ("", "_torchvision"))
    rules = caffe.model.data_preprocessor
    assert rules.rgb_to_bgr and rules.mean == [104.008, 116.669, 122.675] and rules.std == [1.0] * 3
    assert not own.model.data_preprocessor.get("rgb_to_bgr") and own.model.data_preprocessor.std == [
        58.395,
        57.12,
        57.375,
    ]
    assert own.model.backbone.init_cfg.weights == "torchvision://vgg16-V1"
    for config, mean in ((caffe, rules.mean[::-1]), (own, own.model.data_preprocessor.mean)):
        steps = config.train_dataloader.dataset.pipeline
        assert [step.type for step in steps] == ["RandomScaleRounded", "RandomMirror", "MeanPadCrop", "Pack"]
        assert list(steps[2].pad) == list(mean) and steps[2].size == 321  # RGB: zeros behind the normalisation
        assert config.train_dataloader.batch_size == 32 and config.train_cfg.max_epochs == 20
        assert (config.model.variance_scale, config.model.threshold, config.model.warmup_epochs) == (10.0, 0.2, 2.0)
    import_types(caffe)
    fill_classes(caffe.model, 21)
    with torch.device("meta"):
        model = build_model({"model": without_init(caffe.model.to_dict())})
    groups = parameter_groups(model, caffe.optim_wrapper.paramwise_cfg.new)
    of = {index: {name for name, group in groups.items() if group == index} for index in range(-1, 4)}
    assert of[2] == {"cam_branch.fc8.weight", "top_down.out.weight"} and of[3] == {"cam_branch.fc8.bias"}
    assert of[-1] == {"norm.weight"} and "norm.bias" in of[1] and "discriminator.weight" in of[0]
    wrapper = {"optimizer": {"type": "SGD", "lr": 1e-3, "weight_decay": 5e-4}}
    options = caffe.optim_wrapper.paramwise_cfg.to_dict()
    rates = [(g["lr"], g["weight_decay"]) for g in LrGroupConstructor(wrapper, options).groups(model, 1e-3, 5e-4)]
    assert rates == [(1e-3, 5e-4), (1e-3, 0.0), (1e-2, 5e-4), (1e-2, 0.0)]


def test_rates_change_with_the_epoch():
    config = read_config(CONFIGS / "discriminator_vgg16_voc12.py")
    assert resolve_schedule(config, epoch_length=330) == 6600
    rule = config.optim_wrapper.optimizer
    for epoch, step in ((0, 329), (1, 330), (19, 6599)):
        rate = poly_lr(step, rule.max_step, rule.power, rule.lr, rule.epoch_length)
        assert rate == pytest.approx(1e-3 * (1 - epoch / 20) ** 0.9)


def test_what_is_said_before_a_training():
    classes = ("background", "cat", "dog", "person")
    assert lines([(1,), (2,), (1, 3)], classes, "train_aug", 32) == [
        "no image of 'train_aug' has one of these tags alone: person; they get no top-down loss and are seeded by "
        "their CAM"
    ]
    assert lines([(1,), (2,)], classes, "train_aug", 16) == []
    (line,) = lines([(1,)], classes, "train_aug", 4)
    assert line.startswith("batches of 4 images are small") and "7 to 15 points" in line


# --- trainings -----------------------------------------------------------------------------------------------------

TINY = """
_base_ = ["{base}/runtime.py"]
custom_imports = dict(imports=["methods.icd.model", "tests.unit.tiny_network"], allow_failed_imports=False)
data = dict(root="{root}")
model = dict(
    type="DiscriminatorNetwork", width=8,
    backbone=dict(type="EfficientNetLite", conv_head=True, output_stride=8, out_indices=(4,), frozen_bn=True,
                  frozen_stages=3),
    data_preprocessor=dict(type="SegDataPreProcessor", mean=[127.5] * 3, std=[127.5] * 3, size_divisor=1),
)
train_dataloader = dict(
    batch_size=4, num_workers=0,
    dataset=dict(split="train", pipeline=[
        dict(type="RandomScaleRounded", scales=(0.75, 1.0, 1.5)),
        dict(type="RandomMirror", prob=0.5),
        dict(type="MeanPadCrop", size=33, pad=(127.5, 127.5, 127.5)),
        dict(type="Pack"),
    ], inputs=dict(segments=dict(folder="{segments}", kind="IdMaps"))),
)
train_cfg = dict(type="SeekingTrainLoop", max_epochs=4)
custom_hooks = [dict(type="ImagesHook"), dict(type="KillHere")]
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="PolySGD", lr=1e-3, weight_decay=5e-4, momentum=0.9, power=0.9, refresh="epoch"),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(mults=(1, 1, 10, 10), new=("cam_branch.fc8", "top_down.out"), bias_decay=0),
)
default_hooks = dict(logger=dict(interval=1), checkpoint=dict(interval=2))
"""


@pytest.fixture
def config(tiny_voc: Path, tmp_path: Path) -> Path:
    """Four epochs of two batches, with superpixels."""
    data, made = open_dataset(tiny_voc), IdMaps(tmp_path / "segments")
    made.path.mkdir()
    for image_id in data.ids("train"):
        made.write(image_id, felzenszwalb(data.image(image_id), 75, 20))
    path = tmp_path / "icd.py"
    base = CONFIGS.parent / "_base_"
    path.write_text(TINY.format(base=base, root=tiny_voc, segments=made.path))
    return path


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["train_checkpoint 2", "after_train_iter 5", "after_train_epoch 6"])
def test_a_killed_training_ends_with_the_bytes_of_an_unbroken_one(config: Path, tmp_path: Path, moment: str):
    unbroken = train(config, tmp_path / "unbroken")
    kill_at(config, tmp_path / "killed", moment)
    assert train(config, tmp_path / "killed", "--resume") == unbroken
    assert log_lines(tmp_path / "killed") == log_lines(tmp_path / "unbroken")
    weights = torch.load(tmp_path / "unbroken/weights.pth", weights_only=True)
    assert weights["discriminator.sides"].abs().sum() > 0 and weights["directed"].tolist() == [True]


@pytest.mark.slow
def test_the_run_says_that_a_batch_is_small(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture):
    train(config, tmp_path / "out", "--cfg-options", "train_cfg.max_epochs=1")
    assert "batches of 4 images are small" in capsys.readouterr().out
