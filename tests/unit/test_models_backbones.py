"""Sizes, taps, frozen parts and dilations of the backbones."""

from __future__ import annotations

import math

import pytest
import torch
import torchvision
from torch import nn

from common.models.efficientnet import EfficientNetLite
from common.models.resnet import CaffeResNet, DilatedResNet
from common.models.resnet38 import ResNet38
from common.models.vgg import VGG16Dilated


def last_side(backbone: type, side: int, **options) -> int:
    """Side of the last tap for a square input; nothing is computed."""
    with torch.device("meta"):
        return backbone(**options).eval()(torch.empty(1, 3, side, side))[-1].shape[-1]


@pytest.mark.parametrize(("side", "cells"), [(321, 41), (240, 31), (160, 21), (513, 65), (375, 48)])
def test_caffe_resnet_rounds_up(side: int, cells: int):
    assert last_side(CaffeResNet, side, depth=50) == cells


def test_without_ceil_mode_a_cell_is_lost():
    v2 = {"depth": 50, "strides": (1, 2, 1, 1), "dilations": (1, 1, 2, 4)}
    assert [last_side(DilatedResNet, side, **v2) for side in (375, 240, 160)] == [47, 30, 20]


@pytest.mark.parametrize("backbone", [VGG16Dilated, ResNet38])
def test_stride_8_of_321_is_41(backbone: type):
    assert last_side(backbone, 321) == 41


@pytest.mark.parametrize("side", [1, 97, 281, 334, 375, 500])
def test_irnet_classifier_has_one_cell_per_16_pixels(side: int):
    assert last_side(DilatedResNet, side, strides=(1, 2, 2, 1)) == (side - 1) // 16 + 1


BACKBONES = [
    (DilatedResNet, {"strides": (1, 2, 2, 1)}),
    (DilatedResNet, {"depth": 18, "out_indices": (1, 4)}),
    (CaffeResNet, {"depth": 50}),
    (VGG16Dilated, {"out_indices": (0, 1, 2, 3, 4)}),
    (VGG16Dilated, {"pool_kernel": 2, "pool_strides": (2, 2, 2, None, None), "avg_pool": False}),
    (ResNet38, {}),
    (EfficientNetLite, {"output_stride": 16}),
    (EfficientNetLite, {"output_stride": 8, "conv_head": True, "out_indices": (2, 4)}),
    (EfficientNetLite, {"output_stride": 32, "name": "lite1"}),
]


@pytest.mark.parametrize(("backbone", "options"), BACKBONES)
def test_taps_are_as_announced(backbone: type, options: dict):
    with torch.device("meta"):
        network = backbone(**options)
        taps = network(torch.empty(1, 3, 65, 97))
    assert tuple(tap.shape[1] for tap in taps) == network.channels
    rounded = math.floor if options.get("pool_kernel") == 2 else math.ceil
    assert [tuple(tap.shape[2:]) for tap in taps] == [(rounded(65 / s), rounded(97 / s)) for s in network.strides]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({}, {}),
        (
            {"strides": (1, 2, 2, 1), "dilations": (1, 1, 1, 2), "contract_dilation": True},
            {"replace_stride_with_dilation": (False, False, True)},
        ),
        (
            {"strides": (1, 2, 1, 1), "dilations": (1, 1, 2, 4), "contract_dilation": True},
            {"replace_stride_with_dilation": (False, True, True)},
        ),
    ],
)
def test_resnet_is_torchvisions(ours: dict, theirs: dict):
    torch.manual_seed(0)
    reference = torchvision.models.resnet50(weights=None, **theirs).eval()
    network = DilatedResNet(50, **ours).eval()
    state = {key: value for key, value in reference.state_dict().items() if not key.startswith("fc.")}
    network.load_state_dict(state, strict=True)
    x = torch.randn(1, 3, 33, 33)
    with torch.no_grad():
        expected = reference.layer1(reference.maxpool(reference.relu(reference.bn1(reference.conv1(x)))))
        expected = reference.layer4(reference.layer3(reference.layer2(expected)))
        torch.testing.assert_close(network(x)[-1], expected)


FROZEN = [
    (DilatedResNet, {"depth": 18, "frozen_stages": 2, "frozen_bn": True}, ("conv1", "bn1", "layer1", "layer2")),
    (EfficientNetLite, {"frozen_stages": 1, "frozen_bn": True}, ("conv_stem", "bn1", "blocks.0", "blocks.1")),
]


@pytest.mark.parametrize(("backbone", "options", "frozen"), FROZEN)
def test_training_leaves_frozen_parts_and_statistics(backbone: type, options: dict, frozen: tuple[str, ...]):
    torch.manual_seed(0)
    network = backbone(**options).train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, weight_decay=0.1)
    network(torch.randn(2, 3, 48, 48))[-1].square().mean().backward()
    optimizer.step()
    changed = {key for key, value in network.state_dict().items() if not torch.equal(value, before[key])}
    parameters = {name for name, _ in network.named_parameters()}
    assert changed == {name for name in parameters if not name.startswith(tuple(f"{part}." for part in frozen))}
    norms = [name for name, module in network.named_modules() if isinstance(module, nn.BatchNorm2d)]
    assert any(f"{name}.weight" in changed for name in norms)


def test_statistics_move_where_they_are_not_frozen():
    network = EfficientNetLite().train()
    before = network.bn1.running_mean.clone()
    network(torch.randn(2, 3, 32, 32))
    assert not torch.equal(network.bn1.running_mean, before)


def test_caffe_resnet_trains_convolutions_only():
    network = CaffeResNet(50)
    assert all(p.requires_grad == (p.ndim == 4) for p in network.parameters())
    assert not any(m.training for m in network.train().modules() if isinstance(m, nn.BatchNorm2d))


def test_caffe_resnet_dilations_and_strides():
    network = CaffeResNet(50)
    for stage, (stride, dilation) in enumerate(zip((1, 2, 1, 1), (1, 1, 2, 4), strict=True), 1):
        for index, block in enumerate(getattr(network, f"layer{stage}")):
            assert block.conv2.dilation == (dilation, dilation)
            assert (block.conv1.stride, block.conv2.stride) == ((stride, stride) if index == 0 else (1, 1), (1, 1))


def test_vgg_average_pool_counts_padding():
    with_pool, without = VGG16Dilated(), VGG16Dilated(avg_pool=False)
    without.load_state_dict(with_pool.state_dict())
    x = torch.randn(1, 3, 33, 33)
    with torch.no_grad():
        pooled, plain = with_pool(x)[0], without(x)[0]
    torch.testing.assert_close(pooled[..., 0, 0], plain[..., :2, :2].sum((-2, -1)) / 9)


def test_resnet38_freezes_norms_but_drops_channels():
    network = ResNet38(out_indices=(3,), frozen="stem")
    network.train()
    assert network.b6.dropout.training and not network.b6.bn_branch2a.training
    trained = {name for name, p in network.named_parameters() if p.requires_grad}
    assert "conv1a.weight" not in trained and "b2.conv_branch2a.weight" in trained and "bn7.weight" not in trained
    assert not any(p.requires_grad for p in ResNet38().b2_2.parameters())
    with pytest.raises(ValueError, match="frozen"):
        ResNet38(frozen="b9")
