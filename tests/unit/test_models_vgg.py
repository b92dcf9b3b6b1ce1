"""VGG16's pools and activations, and torchvision's weights in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn

import common.checkpoints.initial  # noqa: F401  (registers NamedWeights)
from common.base.errors import UserError
from common.models.vgg import CONVS, VGG16Dilated, VGG16FullyConv

NAMES = [f"conv{stage}_{i}" for stage, count in enumerate(CONVS, 1) for i in range(1, count + 1)]
TORCHVISION = {"pool_kernel": 2, "pool_strides": (2,) * 5, "dilation5": 1, "avg_pool": False}
STRIDE_8 = {"pool_kernel": (2, 2, 2, 3, None), "pool_strides": (2, 2, 2, 1, None), "avg_pool": False}
Pool = Callable[[Tensor], Tensor]


def halved(x: Tensor) -> Tensor:
    return F.max_pool2d(x, kernel_size=2, stride=2)


def rounded_up(x: Tensor) -> Tensor:
    return F.max_pool2d(x, kernel_size=3, stride=2, padding=1)


def same_size(x: Tensor) -> Tensor:
    return F.max_pool2d(x, kernel_size=3, stride=1, padding=1)


def none(x: Tensor) -> Tensor:
    return x


def averaged(x: Tensor) -> Tensor:
    return F.avg_pool2d(same_size(x), kernel_size=3, stride=1, padding=1)


@pytest.fixture(scope="module")
def reference() -> nn.Module:
    torch.manual_seed(0)
    return torchvision.models.vgg16(weights=None).eval()


def filled(network: VGG16Dilated, reference: nn.Module) -> VGG16Dilated:
    """The reference's convolutions, in their order."""
    convolutions = [layer for layer in reference.features if isinstance(layer, nn.Conv2d)]
    for name, layer in zip(NAMES, convolutions, strict=True):
        network.get_submodule(name).load_state_dict(layer.state_dict())
    return network.eval()


def spelled_out(reference: nn.Module, x: Tensor, pools: list[Pool], dilation5: int) -> list[Tensor]:
    """The pooled stages of torchvision's convolutions with other pools, and another dilation of the last three."""
    convolutions = iter(layer for layer in reference.features if isinstance(layer, nn.Conv2d))
    found = []
    for stage, (count, pool) in enumerate(zip(CONVS, pools, strict=True)):
        d = dilation5 if stage == 4 else 1
        for _ in range(count):
            layer = next(convolutions)
            x = F.conv2d(x, layer.weight, layer.bias, padding=d, dilation=d).relu()
        x = pool(x)
        found.append(x)
    return found


@pytest.mark.parametrize(
    ("options", "pools", "sides"),
    [
        (STRIDE_8, [halved, halved, halved, same_size, none], [33, 16, 8, 8, 8]),
        ({}, [rounded_up, rounded_up, rounded_up, same_size, averaged], [34, 17, 9, 9, 9]),
        (
            {"pool_kernel": [3, 2, 3, 2, 3], "pool_strides": [2, 2, None, 2, 1], "avg_pool": False},
            [rounded_up, halved, none, halved, same_size],
            [34, 17, 17, 8, 8],
        ),
    ],
    ids=["kernels of 2 and 3", "kernel 3 everywhere", "a pool left out in the middle"],
)
def test_each_pool_has_its_own_kernel_and_stride(reference: nn.Module, options: dict, pools: list, sides: list):
    network = filled(VGG16Dilated(out_indices=range(5), **options), reference)
    x = torch.randn(1, 3, 67, 40, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        taps, expected = network(x), spelled_out(reference, x, pools, dilation5=2)
    for tap, wanted in zip(taps, expected, strict=True):
        torch.testing.assert_close(tap, wanted)
    assert [tap.shape[2] for tap in taps] == sides
    assert [tap.shape[1] for tap in taps] == list(network.channels)


def test_strides_skip_a_stage_without_a_pool():
    with torch.device("meta"):
        network = VGG16Dilated(out_indices=range(5), pool_kernel=2, pool_strides=(2, None, 2, None, 2))
    assert network.strides == (2, 2, 4, 4, 8)


def test_with_torchvisions_pools_it_is_torchvisions_network(reference: nn.Module):
    network = filled(VGG16Dilated(**TORCHVISION), reference)
    x = torch.randn(1, 3, 70, 45, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        torch.testing.assert_close(network(x)[0], reference.features(x))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"pool_kernel": (2, 2, 2, 3)}, "pool_kernel needs five entries.*not 4"),
        ({"pool_strides": (2, 2, 2, 1, 1, 1)}, "pool_strides needs five entries.*not 6"),
    ],
)
def test_a_wrong_number_of_entries_is_refused(options: dict, words: str):
    with pytest.raises(UserError, match=words):
        VGG16Dilated(**options)


class Scaled(nn.Module):
    """A factor per channel, then ReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.linspace(0.5, 1.5, channels))

    def forward(self, x: Tensor) -> Tensor:
        return (x * self.factor[:, None, None]).relu()


class ScaledVGG16(VGG16Dilated):
    """Notes what it is asked for."""

    def __init__(self, **options) -> None:
        self.asked: list[tuple[str, int]] = []
        super().__init__(**options)

    def activation(self, name: str, channels: int) -> nn.Module:
        self.asked.append((name, channels))
        return Scaled(channels)


def test_another_activation_is_asked_for_once_per_convolution():
    with torch.device("meta"):
        network = ScaledVGG16()
    widths = [network.get_submodule(name).out_channels for name in NAMES]
    assert network.asked == list(zip(NAMES, widths, strict=True))
    own = {key for key in network.state_dict() if not key.startswith("conv")}
    assert own == {f"{name.replace('conv', 'act')}.factor" for name in NAMES}


def test_another_activation_follows_every_convolution_and_learns(reference: nn.Module):
    network = filled(ScaledVGG16(**STRIDE_8), reference)
    x = expected = torch.randn(1, 3, 33, 33, generator=torch.Generator().manual_seed(3))
    for stage, (count, pool) in enumerate(zip(CONVS, [halved, halved, halved, same_size, none], strict=True), 1):
        for i in range(1, count + 1):
            factor = network.get_parameter(f"act{stage}_{i}.factor")
            expected = (network.get_submodule(f"conv{stage}_{i}")(expected) * factor[:, None, None]).relu()
        expected = pool(expected)
    output = network(x)[0]
    torch.testing.assert_close(output, expected)
    output.sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


@pytest.fixture
def torchvisions_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reference: nn.Module) -> list[str]:
    """The download of torchvision's weights gives the reference's; returns the addresses asked for."""
    monkeypatch.setenv("WSSEG_WEIGHTS", str(tmp_path))
    addresses: list[str] = []

    def download(url: str, **_: object) -> dict[str, Tensor]:
        addresses.append(url)
        return dict(reference.state_dict())

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", download)
    return addresses


@pytest.mark.parametrize("backbone", [VGG16Dilated, ScaledVGG16])
def test_torchvisions_weights_fill_the_convolutions(torchvisions_file: list, reference: nn.Module, backbone: type):
    network = backbone(**STRIDE_8, init_cfg={"type": "NamedWeights", "weights": "torchvision://vgg16-V1"})
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.startswith("act"):
                parameter.fill_(0.25)
    network.init_weights()
    assert [Path(url).name for url in torchvisions_file] == ["vgg16-397923af.pth"]
    convolutions = [layer for layer in reference.features if isinstance(layer, nn.Conv2d)]
    for name, layer in zip(NAMES, convolutions, strict=True):
        assert torch.equal(network.get_submodule(name).weight, layer.weight), name
        assert torch.equal(network.get_submodule(name).bias, layer.bias), name
    assert all((p == 0.25).all() for name, p in network.named_parameters() if name.startswith("act"))


def test_torchvisions_file_does_not_fill_fc6_and_fc7(torchvisions_file: list):
    network = VGG16FullyConv(init_cfg={"type": "NamedWeights", "weights": "torchvision://vgg16-V1"})
    with pytest.raises(UserError, match=r"4 tensors of VGG16FullyConv without a value \(the first is fc6"):
        network.init_weights()
