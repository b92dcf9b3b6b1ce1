"""Networks through oneDNN: the same maps, whatever the thread count; the plain network is the oracle."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from common.base.config import read_config
from common.checkpoints.networks import build_model, without_init
from common.models.onednn import PointConv, with_onednn


@pytest.mark.parametrize("config", ["irnet/cam_lite0_shapes.py", "affinitynet/cls_lite0_shapes.py"])
def test_the_maps_of_a_classifier_are_the_same(config: str) -> None:
    torch.manual_seed(0)
    options = without_init(read_config(f"configs/{config}").to_dict())
    options["model"]["num_classes"] = 6
    plain = build_model(options).eval()
    quick = with_onednn(copy.deepcopy(plain))
    assert any(isinstance(module, PointConv) for module in quick.modules())
    x = torch.randn(1, 3, 96, 130)
    with torch.inference_mode():
        torch.testing.assert_close(quick.cam(x), plain.cam(x), rtol=1e-4, atol=1e-5)
    assert all(torch.equal(value, plain.state_dict()[name]) for name, value in quick.state_dict().items())


@pytest.mark.parametrize(
    "options", [{}, {"stride": 2}, {"groups": 2}, {"bias": False}, {"padding": 1}, {"dilation": 2}]
)
def test_a_1x1_convolution_is_the_same(options: dict) -> None:
    torch.manual_seed(0)
    plain = nn.Conv2d(8, 12, 1, **options).eval()
    quick = with_onednn(copy.deepcopy(plain))
    assert type(quick) is PointConv
    x = torch.randn(2, 8, 7, 9)
    torch.testing.assert_close(quick(x), plain(x), rtol=1e-5, atol=1e-6)


def test_other_convolutions_keep_their_class() -> None:
    class Own(nn.Conv2d):
        pass

    reflecting = nn.Conv2d(2, 2, 1, padding=1, padding_mode="reflect")
    network = with_onednn(nn.Sequential(nn.Conv2d(2, 2, 3), Own(2, 2, 1), reflecting))
    assert [type(layer) for layer in network] == [nn.Conv2d, Own, nn.Conv2d]
