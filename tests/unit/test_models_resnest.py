"""ResNeSt: taps, the two modules in which it is not timm's, frozen parts, names, and weights by name."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest
import timm
import torch
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from torch import Tensor, nn

from common.base.errors import UserError
from common.checkpoints.formats import FORMATS, network_shapes, recognise
from common.checkpoints.importing import import_weights
from common.checkpoints.initial import resolve_init
from common.checkpoints.names import missing_weights
from common.models.exchange import choose, exchange
from common.models.onednn import with_onednn
from common.models.resnest import TIMM_NAMES, DilatedResNeSt
from common.report.backbones import backbone_name

TENSORS = {50: 474, 101: 933, 200: 1824, 269: 2445}  # in the authors' networks, less their classifier
SOURCES = {50: "528c19ca", 101: "22405ba7", 200: "75117900", 269: "0cc87c48"}


def lively(network: nn.Module) -> nn.Module:
    """In evaluation mode, with statistics and scales that are not 0 and 1."""
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.5, 1.5)
    return network.eval()


@functools.cache
def timms_state(depth: int) -> dict[str, Tensor]:
    """The names of timm's network, which are the authors', with tensors that have shapes alone."""
    with torch.device("meta"):
        return timm.create_model(TIMM_NAMES[depth]).state_dict()


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(0)
    return lively(DilatedResNeSt(50))


def authors_state(network: nn.Module) -> dict[str, Tensor]:
    """The network's tensors as the authors' file holds them."""
    return {**network.state_dict(), "fc.weight": torch.ones(1000, 2048), "fc.bias": torch.ones(1000)}


@pytest.mark.parametrize("depth", TIMM_NAMES)
def test_taps_and_names_of_every_depth(depth: int) -> None:
    with torch.device("meta"):
        network = DilatedResNeSt(depth)
        taps = network.eval()(torch.empty(2, 3, 97, 129))
    assert network.channels == (64 if depth == 50 else 128, 256, 512, 1024, 2048)
    assert [tuple(tap.shape[2:]) for tap in taps] == [(25, 33), (25, 33), (13, 17), (7, 9), (7, 9)]
    assert tuple(tap.shape[1] for tap in taps) == network.channels and network.strides == (4, 4, 8, 16, 16)
    expected = {key: value.shape for key, value in timms_state(depth).items() if not key.startswith("fc.")}
    assert {key: value.shape for key, value in network.state_dict().items()} == expected
    assert len(expected) == TENSORS[depth]


def test_sides_are_rounded_up_and_taps_are_selected() -> None:
    with torch.device("meta"):
        network = DilatedResNeSt(50, out_indices=(1, 2, 4)).eval()
    assert (network.channels, network.strides) == ((256, 512, 2048), (4, 8, 16))
    for size in ((1, 1), (33, 70), (64, 96), (81, 65)):
        found = [tuple(tap.shape[2:]) for tap in network(torch.empty(1, 3, *size, device="meta"))]
        assert found == [tuple(-(-side // stride) for side in size) for stride in network.strides]


def stage_4(network: nn.Module, x: Tensor) -> Tensor:
    """The first block of stage 4 as the authors' code has it, on the network's own weights."""
    block = network.layer4[0]
    y = block.bn1(block.conv1(x)).relu()
    y = nn.functional.avg_pool2d(block.conv2(y), 3, stride=1, padding=1)
    convolution, norm = block.downsample[1], block.downsample[2]
    return (block.bn3(block.conv3(y)) + norm(convolution(x))).relu()


@torch.no_grad()
def test_stage_4_begins_as_the_authors_and_not_as_timms(network: nn.Module) -> None:
    plain = timm.create_model("resnest50d", output_stride=16, num_classes=0, global_pool="").eval()
    plain.load_state_dict(network.state_dict(), strict=True)
    x = torch.randn(1, 3, 97, 129)
    *before, last = network(x)
    assert torch.equal(network.layer4[0](before[-1]), stage_4(network, before[-1]))
    torch.testing.assert_close(plain.layer3(plain.layer2(before[1])), before[-1])

    def apart(part: nn.Module) -> float:
        return float((part(x) - last).abs().max() / last.abs().max())

    assert apart(plain) > 0.1
    plain.layer4[0].avd_last = nn.AvgPool2d(3, stride=1, padding=1)
    assert apart(plain) > 0.05
    plain.layer4[0].downsample[0] = nn.Identity()
    assert apart(plain) == 0


def test_dilations_and_strides(network: nn.Module) -> None:
    convs = [[block.conv2.conv for block in getattr(network, f"layer{i}")] for i in range(1, 5)]
    assert [[conv.dilation[0] for conv in stage] for stage in convs] == [[1] * 3, [1] * 4, [1] * 6, [1, 2, 2]]
    pools = [getattr(network, f"layer{i}")[0].avd_last for i in range(1, 5)]
    assert pools[0] is None and [pool.stride for pool in pools[1:]] == [2, 2, 1]


def test_training_leaves_frozen_parts_and_statistics() -> None:
    torch.manual_seed(0)
    network = DilatedResNeSt(50, frozen_stages=2, frozen_bn=True).train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, weight_decay=0.1)
    network(torch.randn(1, 3, 48, 48))[-1].square().mean().backward()
    optimizer.step()
    changed = {key for key, value in network.state_dict().items() if not torch.equal(value, before[key])}
    frozen = ("conv1.", "bn1.", "layer1.", "layer2.")
    assert changed == {name for name, _ in network.named_parameters() if not name.startswith(frozen)}


@pytest.mark.parametrize(("stages", "frozen"), [(-1, 0), (0, 2), (4, 6)])
def test_frozen_stages(stages: int, frozen: int) -> None:
    with torch.device("meta"):
        network = DilatedResNeSt(50, frozen_stages=stages).train()
    parts = ["conv1", "bn1", "layer1", "layer2", "layer3", "layer4"]
    for i, name in enumerate(parts):
        part = network.get_submodule(name)
        assert all(p.requires_grad == (i >= frozen) for p in part.parameters()), name
        norms = [module for module in part.modules() if isinstance(module, nn.BatchNorm2d)]
        assert all(norm.training == (i >= frozen) for norm in norms), name


def test_the_authors_file_is_imported_and_begins_a_training(
    network: nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WSSEG_WEIGHTS", str(tmp_path / "store"))
    torch.save(authors_state(network), tmp_path / "downloaded.pth")
    report = import_weights(tmp_path / "downloaded.pth", "resnest50_imagenet")
    assert (report.format, report.missing, report.reshaped) == ("resnest", [], [])
    assert report.unexpected == ["fc.weight", "fc.bias"]
    assert set(resolve_init("resnest50_imagenet")) == {f"backbone.{key}" for key in network.state_dict()}
    init_default_scope("mmseg")
    init = {"type": "NamedWeights", "weights": "resnest50_imagenet"}
    begun = MODELS.build({"type": "DilatedResNeSt", "depth": 50, "frozen_stages": 0, "init_cfg": init})
    begun.init_weights()
    assert all(torch.equal(value, network.state_dict()[key]) for key, value in begun.state_dict().items())


@pytest.mark.parametrize("depth", TIMM_NAMES)
def test_the_depth_of_a_file_is_seen(depth: int) -> None:
    state = timms_state(depth)
    form = FORMATS[recognise(state, "the file")]
    converted = form.convert(state)
    config = form.network(converted)
    assert config == {"backbone": {"type": "DilatedResNeSt", "depth": depth}}
    assert {key: value.shape for key, value in converted.items()} == network_shapes(config)


@pytest.mark.parametrize("depth", TIMM_NAMES)
def test_missing_weights_say_where_to_get_them(depth: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WSSEG_WEIGHTS", str(tmp_path))
    name = f"resnest{depth}_imagenet"
    sentence = missing_weights(name)
    assert f"get resnest{depth}-{SOURCES[depth]}.pth of github.com/zhanghang1989/ResNeSt" in sentence
    assert f"wsseg weights import FILE --as {name}" in sentence


def test_other_depths_are_refused() -> None:
    with pytest.raises(UserError, match="depth 50, 101, 200 or 269, not 34"):
        DilatedResNeSt(34)


def test_the_name_in_reports() -> None:
    assert backbone_name({"type": "DilatedResNeSt", "depth": 269}) == "ResNeSt-269"
    assert backbone_name({"type": "DilatedResNeSt"}) == "ResNeSt-50"


@torch.no_grad()
def test_the_maps_through_onednn_are_the_same(network: nn.Module) -> None:
    x = torch.randn(2, 3, 49, 66)
    plain = network(x)
    quick = DilatedResNeSt(50).eval()
    quick.load_state_dict(network.state_dict())
    for ours, theirs in zip(with_onednn(quick)(x), plain, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4 * float(theirs.abs().max()))


def test_another_backbone_takes_its_place() -> None:
    backbone = {"type": "DilatedResNeSt", "depth": 101, "frozen_stages": 2, "frozen_bn": True}
    classifier = {"model": {"type": "CamClassifier", "num_classes": 3, "backbone": backbone}}
    options = exchange(classifier, choose("resnet18"), "cam")
    assert options["model.backbone"]["output_stride"] == 16 and options["model.backbone"]["name"] == "resnet18"
    head = {"type": "PlainASPPPlusHead", "in_channels": (256, 2048), "num_classes": 3}
    segmentor = {"model": {"type": "EncoderDecoder", "backbone": backbone, "decode_head": head}}
    options = exchange(segmentor, choose("resnet18"), "v3+")
    assert options["model.decode_head.in_index"] == (1, 4) and options["model.decode_head.in_channels"] == (64, 512)
    boundary = {"model": {"type": "BoundaryNet", "backbone": {**backbone, "out_indices": (0, 1, 2, 3, 4)}}}
    assert exchange(boundary, choose("resnet18"), "boundaries")["model.backbone"]["type"] == "TimmBackbone"
    taken = {**backbone, "out_indices": (2, 4)}
    options = exchange({"model": {"type": "OwnNetwork", "backbone": taken}}, choose("resnet18"), "two taps")
    assert options["model.backbone"]["out_indices"] == (2, 4)
