"""DeepLab's heads, its three scales, its losses, and the configs that put them together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine import Config
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from PIL import Image

from common.checkpoints.networks import build_model, without_init
from common.models.classes import fill_classes
from common.models.deeplab import LargeFOVHead, PlainASPPHead, PlainASPPPlusHead, SumASPPHead
from common.models.msc import multi_scale_outputs
from common.ops.losses import pixel_cross_entropy, self_labels
from common.ops.resize import nearest_index, resize_labels
from common.training.param_groups import parameter_groups

CONFIGS = Path(__file__).parents[2] / "configs"
DEEPLABS = sorted(CONFIGS.glob("*/deeplab*.py"))


def voc_network(file: Path) -> dict:
    """The network config for VOC's 21 classes, without initial weights."""
    config = without_init(Config.fromfile(file).to_dict())
    fill_classes(config["model"], 21)
    return config


def samples(labels: torch.Tensor) -> list[SegDataSample]:
    return [SegDataSample(gt_sem_seg=PixelData(data=label[None])) for label in labels]


def reach(layer: torch.nn.Module, channels: int, side: int = 49) -> set[tuple[int, int]]:
    """Offsets from the centre that see a one-hot input there (the layer's bias taken off)."""
    x = torch.zeros(1, channels, side, side)
    x[:, :, side // 2, side // 2] = 1
    with torch.no_grad():
        response = (layer(x) - layer(torch.zeros_like(x))).abs().sum((0, 1))
    return {(int(y) - side // 2, int(x) - side // 2) for y, x in response.nonzero()}


def ring(dilation: int) -> set[tuple[int, int]]:
    return {(y, x) for y in (-dilation, 0, dilation) for x in (-dilation, 0, dilation)}


@pytest.mark.parametrize("rates", [(6, 12, 18, 24), (3, 5)])
def test_each_branch_reaches_its_dilation(rates: tuple[int, ...]):
    head = SumASPPHead(4, 3, rates=rates)
    for branch, rate in zip(head.branches, rates, strict=True):
        assert reach(branch, 4) == ring(rate)
    vgg = SumASPPHead(4, 3, rates=rates, hidden=5)
    for branch, rate in zip(vgg.branches, rates, strict=True):
        assert reach(branch.fc6.conv, 4) == ring(rate)
        assert branch.fc7.conv.kernel_size == branch.fc8.kernel_size == (1, 1)


def test_large_fov_and_v3_dilations():
    assert reach(LargeFOVHead(4, 3).branches[0].fc6.conv, 4) == ring(12)
    for head in (PlainASPPHead(4, 3, channels=8), PlainASPPPlusHead((4, 4), 3, channels=8)):
        reached = [reach(branch.conv, 4) for branch in head.aspp.branches]
        assert reached == [{(0, 0)}, ring(6), ring(12), ring(18)]


def test_head_is_the_sum_of_its_branches():
    head = SumASPPHead(8, 5)
    taps = [torch.randn(1, 2, 20, 20), torch.randn(1, 8, 11, 13)]
    expected = sum(
        F.conv2d(taps[1], branch.weight, branch.bias, padding=rate, dilation=rate)
        for branch, rate in zip(head.branches, (6, 12, 18, 24), strict=True)
    )
    torch.testing.assert_close(head(taps), expected)


def test_last_layers_start_small_and_without_bias():
    torch.manual_seed(0)
    for head in (SumASPPHead(256, 21), SumASPPHead(16, 21, hidden=512), LargeFOVHead(16, 21)):
        head.init_weights()
        for layer in head.last_layers():
            assert layer.bias.abs().max() == 0
            assert 0.008 < layer.weight.std() < 0.012


@pytest.mark.parametrize(
    "sizes",
    [(321, 41), (321, 21), (321, 31), (324, 22), (97, 13), (5, 17), *((n, n // 8 + 1) for n in range(300, 340))],
)
def test_labels_shrink_as_pil_does(sizes: tuple[int, int]):
    inputs, outputs = sizes
    label = torch.randint(0, 256, (inputs, inputs + 3), dtype=torch.uint8)
    picture = Image.fromarray(label.numpy()).resize((outputs + 1, outputs), Image.Resampling.NEAREST)
    assert np.array_equal(resize_labels(label, (outputs, outputs + 1)), np.asarray(picture))
    assert nearest_index(321, 41)[:3].tolist() == [3, 11, 19]


def test_cross_entropy_is_torchs_where_something_is_labelled():
    logits, labels = torch.randn(2, 5, 7, 9), torch.randint(0, 5, (2, 7, 9))
    labels[0, :4] = 255
    expected = F.cross_entropy(logits, labels, ignore_index=255)
    torch.testing.assert_close(pixel_cross_entropy(logits, labels), expected)
    assert pixel_cross_entropy(logits, torch.full_like(labels, 255)) == 0

    head = SumASPPHead(4, 5, labels="logits")
    torch.testing.assert_close(head.loss_by_feat(logits, samples(labels))["loss_ce"], expected)
    nothing = head.loss_by_feat(logits, samples(torch.full_like(labels, 255)))
    assert nothing["loss_ce"] == 0 and nothing["acc_seg"] == 0


def test_loss_at_image_size_or_at_the_logits():
    logits, labels = torch.randn(1, 5, 6, 6), torch.randint(0, 5, (1, 41, 41))
    for aligned in (True, False):
        image = SumASPPHead(4, 5, labels="image", align_corners=aligned).loss_by_feat(logits, samples(labels))
        enlarged = F.interpolate(logits, size=(41, 41), mode="bilinear", align_corners=aligned)
        torch.testing.assert_close(image["loss_ce"], F.cross_entropy(enlarged, labels))
    small = SumASPPHead(4, 5, labels="logits").loss_by_feat(logits, samples(labels))
    torch.testing.assert_close(small["loss_ce"], F.cross_entropy(logits, resize_labels(labels, (6, 6))))
    with pytest.raises(ValueError, match="labels"):
        SumASPPHead(4, 5, labels="none")


def test_self_labels_are_a_product():
    logits = torch.tensor([-1.0, -2.0, 3.0]).view(1, 3, 1, 1)
    assert self_labels(logits, torch.tensor([[1.0, 1.0, 0.0]])).item() == 2  # 0 beats the tagged negatives
    assert self_labels(logits, torch.tensor([[1.0, 1.0, 1.0]])).item() == 2
    assert self_labels(-logits, torch.tensor([[1.0, 1.0, 0.0]])).item() == 1


def tiny_msc() -> torch.nn.Module:
    torch.manual_seed(0)
    backbone = {"type": "DilatedResNet", "depth": 18, "strides": (1, 2, 1, 1), "ceil_mode": True, "frozen_bn": True}
    head = {"type": "SumASPPHead", "in_channels": 512, "num_classes": 4}
    rules = {"type": "SegDataPreProcessor", "mean": [127.5] * 3, "std": [127.5] * 3, "size_divisor": 1}
    model = {"type": "MultiScaleMaxSegmentor", "backbone": backbone, "decode_head": head, "data_preprocessor": rules}
    return build_model({"model": {**model, "test_cfg": {"mode": "whole"}}})


def test_msc_test_output_is_the_maximum_of_the_training_outputs():
    model = tiny_msc()
    x = torch.randn(1, 3, 81, 65)
    with torch.no_grad():
        full, half, three_quarters, largest = model.train().outputs(x)
        assert [tuple(y.shape[2:]) for y in (full, half, three_quarters)] == [(11, 9), (6, 5), (8, 7)]
        enlarged = [F.interpolate(y, size=(11, 9), mode="bilinear") for y in (half, three_quarters)]
        torch.testing.assert_close(largest, torch.maximum(full, torch.maximum(*enlarged)))
        model.eval()
        torch.testing.assert_close(model(x, mode="tensor"), largest)
        predicted = model.predict(x)[0].seg_logits.data
        torch.testing.assert_close(predicted, F.interpolate(largest, size=(81, 65), mode="bilinear")[0])


def test_msc_loss_adds_up_four_cross_entropies():
    model = tiny_msc().train()
    x, labels = torch.randn(1, 3, 65, 65), torch.randint(0, 4, (1, 65, 65))
    losses = model.loss(x, samples(labels))
    total, _ = model.parse_losses(losses)
    expected = [F.cross_entropy(y, resize_labels(labels, y.shape[2:])) for y in model.outputs(x)]
    torch.testing.assert_close(total, sum(expected))
    assert sorted(key for key in losses if "loss" in key) == [f"loss_ce_{n}" for n in ("0.5", "0.75", "1", "max")]


def test_msc_sizes_are_rounded_down():
    sizes: list[int] = []
    x = torch.zeros(1, 3, 321, 321)
    multi_scale_outputs(lambda scaled: sizes.append(scaled.shape[-1]) or scaled[..., ::8, ::8], x, (0.5, 0.75))
    assert sizes == [321, 160, 240]


@pytest.mark.parametrize("file", DEEPLABS, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_config_builds_and_maps_an_image_to_logits(file: Path):
    config = voc_network(file)
    assert config["model"]["decode_head"]["loss_decode"]["avg_non_ignore"] is True
    with torch.device("meta"):
        model = build_model(config).eval()
        logits = model(torch.empty(1, 3, 97, 129), mode="tensor")
    assert logits.shape[1] == 21
    stride = 16 if "lite0" in file.stem else 4 if "v3plus" in file.stem else 8
    assert logits.shape[2:] == (96 // stride + 1, 128 // stride + 1)


GROUPS = {
    "affinitynet/deeplabv1_vgg16_voc12": {2: 1, 3: 1},
    "_base_/deeplabv2_vgg16_aspp": {2: 4, 3: 4},
    "_base_/deeplabv2_resnet101_msc": {1: 0, 2: 4, 3: 4},
    "irnet/deeplabv2_r50_voc12": {1: 0, 2: 4, 3: 4},
}


@pytest.mark.parametrize("name", GROUPS)
def test_learning_rate_groups_of_the_schedules(name: str):
    options = Config.fromfile(CONFIGS / f"{name}.py").optim_wrapper.paramwise_cfg
    with torch.device("meta"):
        model = build_model(voc_network(CONFIGS / f"{name}.py"))
    groups = list(parameter_groups(model, options["new"]).values())
    assert {group: groups.count(group) for group in GROUPS[name]} == GROUPS[name]
    assert groups.count(0) >= 15


@pytest.mark.slow
def test_one_image_is_learnt():
    torch.manual_seed(0)
    config = without_init(Config.fromfile(CONFIGS / "deeplab/deeplabv2_lite0_voc12_animals.py").to_dict())
    config["model"]["decode_head"]["num_classes"] = 3
    model = build_model(config).train()
    model.decode_head.init_weights()
    labels = torch.zeros(1, 48, 48, dtype=torch.long)
    labels[:, :24, 16:], labels[:, 24:, :24] = 1, 2
    x = F.one_hot(labels, 3).permute(0, 3, 1, 2).float() + 0.1 * torch.randn(1, 3, 48, 48)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for _ in range(40):
        losses = model.loss(x, samples(labels))
        optimizer.zero_grad()
        model.parse_losses(losses)[0].backward()
        optimizer.step()
    assert losses["decode.acc_seg"] > 95
