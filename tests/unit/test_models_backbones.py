"""Sizes, taps, frozen parts and dilations of the backbones."""

from __future__ import annotations

import math

import pytest
import torch
import torchvision
from torch import nn

from common.checkpoints.initial import load_matching
from common.models.efficientnet import EfficientNetLite
from common.models.resnet import CaffeResNet, DilatedResNet
from common.models.resnet38 import ResNet38
from common.models.vgg import VGG16Dilated, VGG16FullyConv


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


@pytest.mark.parametrize("backbone", [VGG16Dilated, VGG16FullyConv, ResNet38])
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
    (VGG16FullyConv, {}),
    (VGG16FullyConv, {"out_indices": (2,), "fc6_dilation": 4}),
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
    with pytest.raises(ValueError, match="statistics"):
        ResNet38(statistics="none")


def test_resnet38_of_seams_deeplab_follows_the_batch_and_trains_every_convolution():
    with torch.device("meta"):
        network = ResNet38(frozen="none", statistics="batch", bn_momentum=3e-4).train()
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    assert all(norm.training and norm.momentum == 3e-4 for norm in norms)
    assert all(p.requires_grad == (p.ndim == 4) for p in network.parameters())
    assert not any(norm.training for norm in network.eval().modules())


def test_resnet38_keeps_nothing_of_its_frozen_part():
    torch.manual_seed(0)
    network = ResNet38(out_indices=(0, 1)).train()
    seen = {}
    for name in ("b2_2", "b3"):
        network.get_submodule(name).register_forward_hook(lambda _, __, y, name=name: seen.update({name: y}))
    conv3, _ = network(torch.randn(1, 3, 16, 16))
    assert seen["b2_2"].grad_fn is None and seen["b3"].grad_fn is not None and conv3.grad_fn is not None


COUNTS = {"b2": 3, "b3": 3, "b4": 6, "b5": 3}
PLAIN_BLOCKS = [stage if i == 0 else f"{stage}_{i}" for stage, count in COUNTS.items() for i in range(count)]


def test_resnet38_is_its_description():
    """The blocks spelled out, out of place, on the network's own weights."""
    torch.manual_seed(0)
    network = ResNet38().eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.weight, 0.5, 1.5)
    x = image = torch.randn(1, 3, 17, 25)
    with torch.no_grad():
        x, expected = network.conv1a(x), []
        for name in PLAIN_BLOCKS:
            block = network.get_submodule(name)
            u = block.bn_branch2a(x).relu()
            if name in ("b4", "b5"):
                expected.append(u)
            main = block.conv_branch2b1(block.bn_branch2b1(block.conv_branch2a(u)).relu())
            x = main + (x if block.conv_branch1 is None else block.conv_branch1(u))
        for block in (network.b6, network.b7):
            u = block.bn_branch2a(x).relu()
            if block is network.b6:
                expected.append(u)
            main = block.conv_branch2b1(block.bn_branch2b1(block.conv_branch2a(u)).relu())
            x = block.conv_branch1(u) + block.conv_branch2b2(block.bn_branch2b2(main).relu())
        expected.append(network.bn7(x).relu())
        for tap, wanted in zip(network(image), expected, strict=True):
            torch.testing.assert_close(tap, wanted)


def cells_reached(layer: nn.Conv2d, side: int = 49) -> set[tuple[int, int]]:
    """Offsets from the centre of a map that see a one-hot input there."""
    x = torch.zeros(1, layer.in_channels, side, side)
    x[:, :, side // 2, side // 2] = 1
    with torch.no_grad():
        seen = (layer(x) - layer(torch.zeros_like(x))).abs().sum((0, 1))
    return {(int(y) - side // 2, int(x) - side // 2) for y, x in seen.nonzero()}


def test_resnet38_dilations():
    network = ResNet38()
    expected = dict.fromkeys(("b5.conv_branch2a", "b4_5.conv_branch2b1"), 1)
    expected |= dict.fromkeys(("b5.conv_branch2b1", "b5_1.conv_branch2a", "b5_2.conv_branch2b1"), 2)
    expected |= dict.fromkeys(("b6.conv_branch2b1", "b7.conv_branch2b1"), 4)
    for name, d in expected.items():
        assert cells_reached(network.get_submodule(name)) == {(y, x) for y in (-d, 0, d) for x in (-d, 0, d)}, name


@pytest.mark.parametrize("fc6_dilation", [1, 4])
def test_fully_convolutional_vgg16(fc6_dilation: int):
    torch.manual_seed(0)
    network = VGG16FullyConv(fc6_dilation)
    for name, d in (("conv4_3", 1), ("conv5_1", 2), ("conv5_3", 2), ("fc6", fc6_dilation)):
        assert cells_reached(network.get_submodule(name)) == {(y, x) for y in (-d, 0, d) for x in (-d, 0, d)}, name
    assert network.fc7.kernel_size == (1, 1)
    frozen = {name.split(".")[0] for name, p in network.named_parameters() if not p.requires_grad}
    assert frozen == {"conv1_1", "conv1_2", "conv2_1", "conv2_2"}
    assert round((sum(p.numel() for p in network.parameters()) + 20 * 1024) / 1e6, 2) == 20.50  # with the classifier
    with torch.no_grad():
        network.train()(torch.randn(1, 3, 16, 16))
    dropped = network.drop6(torch.ones(1, 1000, 2, 2))
    assert set(dropped.sum((2, 3)).unique().tolist()) == {0.0, 8.0}  # whole channels


def test_fully_convolutional_vgg16_pools_four_times():
    network, plain = VGG16FullyConv(), VGG16Dilated(pool_strides=(2, 2, 2, 1, None), avg_pool=False)
    load_matching(plain, network.state_dict())
    x = torch.randn(1, 3, 33, 41)
    with torch.no_grad():
        conv4, conv5, fc7 = network.eval()(x)
        torch.testing.assert_close(conv5, plain(x)[0])
        torch.testing.assert_close(fc7, network.fc7(network.fc6(conv5).relu()).relu())
        pooled = nn.functional.max_pool2d(conv4, 3, 1, 1)
        for conv in plain.stage(4):
            pooled = conv(pooled).relu()
        torch.testing.assert_close(conv5, pooled)
