"""AffinityNet's network: layers, groups, what trains, both borders; and that it learns to tell regions apart."""

from __future__ import annotations

import pytest
import torch
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

import common.training  # noqa: F401  (registers PolySGD)
from common.ops.affinity import PairSet
from common.training.param_groups import LrGroupConstructor, parameter_groups
from methods.affinitynet.affinity import feature_affinity, pair_affinity
from methods.affinitynet.model import AffinityNet

PREPROCESSOR = {"type": "SegDataPreProcessor", "mean": [127.5] * 3, "std": [127.5] * 3, "size_divisor": 1}
LITE = {"type": "EfficientNetLite", "name": "lite0", "output_stride": 8, "out_indices": (2, 3, 4), "frozen_bn": True}


def build(backbone: dict | None = None, **options) -> AffinityNet:
    torch.manual_seed(0)
    config = {"type": "AffinityNet", "backbone": LITE | (backbone or {}), "data_preprocessor": PREPROCESSOR}
    return MODELS.build(config | options)


def labelled(*labels: torch.Tensor) -> list[SegDataSample]:
    return [SegDataSample(gt_sem_seg=PixelData(data=label[None])) for label in labels]


def halves(size: int) -> torch.Tensor:
    label = torch.zeros(size, size, dtype=torch.long)
    label[:, size // 2 :] = 1
    return label


@pytest.mark.parametrize("size", [(96, 96), (75, 49), (33, 97)])
def test_features_lie_on_the_grid_of_the_taps(size: tuple[int, int]) -> None:
    features = build().eval().features(torch.randn(2, 3, *size))
    assert features.shape == (2, 448, *(-(-side // 8) for side in size))
    assert features.min() >= -1  # ELU


def test_layers_have_the_sizes_and_scales_of_the_released_code() -> None:
    model = build()
    assert [tuple(conv.weight.shape[:2]) for conv in model.reduce] == [(64, 40), (128, 112), (256, 320)]
    for conv in model.reduce:
        assert conv.bias is None
        assert float(conv.weight.detach().std()) == pytest.approx((2 / conv.in_channels) ** 0.5, rel=0.05)
    bound = 4 * (6 / 896) ** 0.5  # Xavier, gain 4
    assert bound * 0.99 < float(model.fuse.weight.detach().abs().max()) <= bound and model.fuse.bias is None


@pytest.mark.parametrize(
    ("backbone", "groups", "millions"),
    [
        ({"type": "ResNet38", "out_indices": (1, 2, 3)}, None, 106.48),
        ({"type": "VGG16FullyConv", "fc6_dilation": 4}, (8, 16, 32), 21.05),
    ],
    ids=["resnet38", "vgg16"],
)
def test_networks_of_the_paper(backbone: dict, groups: tuple | None, millions: float) -> None:
    with torch.device("meta"):
        model = MODELS.build({"type": "AffinityNet", "backbone": backbone, "groups": groups})
    assert sum(p.numel() for p in model.parameters()) / 1e6 == pytest.approx(millions, abs=0.005)
    assert (model.stride, [conv.in_channels for conv in model.reduce][-1]) == (8, 4096 if groups is None else 1024)


def test_taps_need_one_stride() -> None:
    with pytest.raises(ValueError, match="strides"):
        build({"output_stride": 16})


def test_new_are_the_four_convolutions_and_not_their_norms() -> None:
    model = build(groups=(8, 16, 32))
    groups = parameter_groups(model, new=("reduce", "fuse"))
    head = {name: group for name, group in groups.items() if not name.startswith("backbone.")}
    assert {name for name, group in head.items() if group == 2} == {
        *(f"reduce.{i}.weight" for i in range(3)),
        "fuse.weight",
    }
    assert {name: group for name, group in head.items() if group != 2} == {
        f"norm.{i}.{kind}": number for i in range(3) for number, kind in enumerate(("weight", "bias"))
    }


@pytest.mark.parametrize("border", ["released", "complete"])
def test_the_loss_is_that_of_the_pairs_of_its_border(border: str) -> None:
    """Cross entropy over a loop of pairs; an ignored corner is in none."""
    model = build(radius=3, border=border).eval()
    features = torch.randn(1, 4, 7, 9, generator=torch.Generator().manual_seed(0))
    label = torch.zeros(7, 9, dtype=torch.long)
    label[:, 5:], label[0, 0] = 2, 255
    stencil = feature_affinity(features[0], 3, border)
    kinds: dict[str, list[float]] = {"bg_pos": [], "fg_pos": [], "neg": []}
    for k, (dy, dx) in enumerate(PairSet(3).points):
        for y in range(7 - dy):
            for x in range(max(-dx, 0), min(9, 9 - dx)):
                a, b, affinity = int(label[y, x]), int(label[y + dy, x + dx]), float(stencil[k, y, x])
                if affinity and 255 not in (a, b):
                    kinds["neg" if a != b else "fg_pos" if a else "bg_pos"].append(1 - affinity if a != b else affinity)
    terms = model.loss(features, label[None])
    for name, values in kinds.items():
        assert float(terms[name]) == pytest.approx(float(-torch.tensor(values).log().mean()), rel=1e-3)


def test_labels_of_another_grid_are_refused() -> None:
    model = build()
    with pytest.raises(ValueError, match="multiples of 8"):
        model(torch.randn(1, 3, 64, 64), labelled(halves(64)), mode="loss")
    with pytest.raises(ValueError, match="mode"):
        model(torch.randn(1, 3, 64, 64), mode="predict")


def test_frozen_parts_stay_and_the_rest_learns() -> None:
    model = build({"frozen_stages": 2}, border="complete").train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    wrapper = LrGroupConstructor(
        {"optimizer": {"type": "PolySGD", "lr": 0.01, "max_step": 10, "weight_decay": 5e-4}},
        {"new": ("reduce", "fuse")},
    )(model)
    terms = model(torch.randn(2, 3, 64, 64), labelled(halves(8), halves(8)), mode="loss")
    assert set(terms) == {"loss", "bg_pos", "fg_pos", "neg"}
    wrapper.update_params(terms["loss"])
    changed = {key for key, value in model.state_dict().items() if not torch.equal(value, before[key])}
    assert changed == {name for name, p in model.named_parameters() if p.requires_grad}
    assert not any("running" in key for key in changed) and "fuse.weight" in changed


@pytest.mark.slow
def test_it_learns_to_tell_two_regions_apart() -> None:
    """A picture of two colours, the heads alone trained: pairs inside a region become alike, those across do not."""
    model = build({"frozen_stages": 4}, radius=3, border="complete").train()
    picture, label, pairs = torch.full((1, 3, 64, 64), -0.5), halves(8), PairSet(3)
    picture[:, 0, :, 32:] = 0.8
    optimizer = torch.optim.Adam([*model.reduce.parameters(), *model.fuse.parameters()], lr=3e-3)
    for _ in range(15):
        optimizer.zero_grad()
        model(picture, labelled(label), mode="loss")["loss"].backward()
        optimizer.step()
    kinds, affinity = pairs.labels(label), pair_affinity(model.features(picture), pairs)[0].detach()
    assert affinity[kinds.background | kinds.foreground].mean() > 0.7 and affinity[kinds.negative].mean() < 0.1
