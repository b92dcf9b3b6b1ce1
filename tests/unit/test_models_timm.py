"""Backbones of timm: taps, sides, freezing, weights, and the networks they serve, at random weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from mmseg.registry import MODELS

import methods.irnet.model  # noqa: F401
from common.base.errors import UserError
from common.checkpoints import initial
from common.checkpoints.files import save_file
from common.checkpoints.initial import NamedWeights, resolve_init
from common.checkpoints.names import missing_weights, weights_file
from common.checkpoints.networks import build_model
from common.inference.cam import multi_scale_cam
from common.inference.segmentation import multi_scale_logits
from common.models.timm_backbone import TimmBackbone, timm_facts
from common.report.backbones import backbone_name

FAMILIES = {  # channels and strides at output stride 16
    "resnet18": ((64, 64, 128, 256, 512), (2, 4, 8, 16, 16)),
    "mobilenetv3_small_100": ((16, 16, 24, 48, 576), (2, 4, 8, 16, 16)),
    "regnetx_002": ((32, 24, 56, 152, 368), (2, 4, 8, 16, 16)),
    "convnext_atto": ((40, 80, 160, 320), (4, 8, 16, 16)),
}
FIVE = [name for name, (channels, _) in FAMILIES.items() if len(channels) == 5]
RULES = {"type": "SegDataPreProcessor", "mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]}
PHOTO = np.random.default_rng(0).integers(0, 255, (61, 75, 3), dtype=np.uint8)


def backbone(name: str, **options: object) -> dict[str, object]:
    return {"type": "TimmBackbone", "name": name, **options}


@pytest.mark.parametrize("name", FAMILIES)
def test_taps(name: str) -> None:
    net = TimmBackbone(name).eval()
    assert (net.channels, net.strides) == FAMILIES[name]
    for height, width in ((61, 75), (64, 96), (33, 70)):
        with torch.no_grad():
            maps = net(torch.randn(2, 3, height, width))
        assert [tuple(found.shape) for found in maps] == [
            (2, c, -(-height // s), -(-width // s)) for c, s in zip(net.channels, net.strides, strict=True)
        ]


@pytest.mark.parametrize("name", FAMILIES)
def test_output_stride_8_and_selected_taps(name: str) -> None:
    net = TimmBackbone(name, output_stride=8, out_indices=(1, -1)).eval()
    assert net.strides[-1] == 8 and net.channels == (FAMILIES[name][0][1], FAMILIES[name][0][-1])
    with torch.no_grad():
        assert net(torch.randn(1, 3, 64, 64))[-1].shape[-2:] == (8, 8)


@pytest.mark.parametrize("name", ["resnet18", "convnext_atto"])
def test_maps_are_those_of_timm(name: str) -> None:
    net, plain = TimmBackbone(name).eval(), timm.create_model(name, features_only=True, output_stride=16).eval()
    plain.load_state_dict(net.net.state_dict())
    x = torch.randn(1, 3, 64, 96)  # no side has to be rounded
    with torch.no_grad():
        for ours, theirs in zip(net(x), plain(x), strict=True):
            assert torch.allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "strides"),
    [("ghostnet_100", (2, 4, 8, 16)), ("hrnet_w18_small", (2, 4, 8, 16)), ("darknet17", (2, 4, 8, 16, 16))],
)
def test_those_that_cannot_be_dilated_or_have_more_taps(name: str, strides: tuple[int, ...]) -> None:
    net = TimmBackbone(name).eval()
    assert net.strides == strides
    with torch.no_grad():
        maps = net(torch.zeros(1, 3, 61, 75))
    assert [found.shape[1:] for found in maps] == [
        (c, -(-61 // s), -(-75 // s)) for c, s in zip(net.channels, strides, strict=True)
    ]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("resnt18", "There is no backbone 'resnt18' .*did you mean 'resnet18'"),
        ("resnet18.nothing", "timm has no weights 'resnet18.nothing': there are .*resnet18.a1_in1k"),
        ("vit_tiny_patch16_224", "'vit_tiny_patch16_224' is a transformer"),
        ("swin_tiny_patch4_window7_224", "is a transformer"),
        ("inception_v3", "'inception_v3' gives no maps at stride 16 on photos of any size"),
        ("mixer_s32_224", "gives no maps at stride 16"),
    ],
)
def test_what_is_no_backbone(name: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        TimmBackbone(name)


def test_other_output_strides_are_refused() -> None:
    with pytest.raises(UserError, match="8 or 16, not 32"):
        TimmBackbone("resnet18", output_stride=32)


# --- freezing -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FAMILIES)
def test_what_is_frozen_is_what_the_tap_at_stride_8_is_made_of(name: str) -> None:
    net = TimmBackbone(name, frozen_stages=2).train()
    index = FAMILIES[name][1].index(8)
    maps = net(torch.randn(2, 3, 64, 64))
    assert not maps[index].requires_grad and maps[index + 1].requires_grad
    before = {key: value.clone() for key, value in net.state_dict().items()}
    optimizer = torch.optim.SGD([part for part in net.parameters() if part.requires_grad], lr=1.0)
    maps[-1].square().mean().backward()
    optimizer.step()
    net.eval()
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        after = net(x)
        net.load_state_dict(before)
        first = net(x)
    assert torch.equal(after[index], first[index]) and not torch.equal(after[-1], first[-1])


def test_frozen_statistics_and_no_freezing() -> None:
    net = TimmBackbone("resnet18", frozen_bn=True).train()
    before = net.net.bn1.running_mean.clone()
    net(torch.randn(2, 3, 64, 64))
    assert torch.equal(net.net.bn1.running_mean, before)
    assert all(part.requires_grad for part in net.parameters())
    moving = TimmBackbone("resnet18").train()
    moving(torch.randn(2, 3, 64, 64))
    assert not torch.equal(moving.net.bn1.running_mean, before)


# --- weights ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "suffix"), [*((name, ".pth") for name in FAMILIES), ("convnext_atto", ".safetensors")]
)
def test_a_file_of_timms_own_fills_the_backbone(name: str, suffix: str, tmp_path: Path) -> None:
    from safetensors.torch import save_file as save_safetensors

    whole, file = timm.create_model(name).eval(), tmp_path / f"weights{suffix}"
    (save_file if suffix == ".pth" else lambda path, state: save_safetensors(state, path))(file, whole.state_dict())
    net = MODELS.build(backbone(name, init_cfg={"type": "NamedWeights", "weights": f"file://{file}"}))
    net.init_weights()
    theirs = timm.create_model(name, features_only=True, output_stride=16)
    theirs.load_state_dict(
        {key: whole.state_dict()[_of_the_whole(key, whole.state_dict())] for key in theirs.state_dict()}
    )
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        for ours, plain in zip(net.eval()(x), theirs.eval()(x), strict=True):
            assert torch.allclose(ours, plain, atol=1e-5)


def _of_the_whole(key: str, names: dict[str, torch.Tensor]) -> str:
    """`stem_0.weight` of the features is `stem.0.weight` of the whole network."""
    return key if key in names else key.replace("_", ".", 1)


def test_loaded_weights_stay() -> None:
    """mmengine initialises every part that has `init_weights`, after what the config names."""
    net = TimmBackbone("resnet18")
    net.net.init_weights = lambda: net.net.conv1.weight.data.zero_()
    net.init_weights()
    assert net.net.conv1.weight.abs().sum() > 0


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    save_file(tmp_path / "w.pth", timm.create_model("resnet18").state_dict())
    for name in ("resnet34", "convnext_atto"):
        with pytest.raises(UserError, match="another network"):
            NamedWeights(f"file://{tmp_path / 'w.pth'}")(TimmBackbone(name))
    assert weights_file(f"file://{tmp_path / 'w.pth'}") == tmp_path / "w.pth"
    assert missing_weights(f"file://{tmp_path / 'w.pth'}") is None
    assert "do not exist" in missing_weights(f"file://{tmp_path / 'x.pth'}")


def test_a_broken_file_of_safetensors(tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").write_bytes(b"\x08" * 99)
    with pytest.raises(UserError, match=r"w\.safetensors is truncated"):
        resolve_init(f"file://{tmp_path / 'w.safetensors'}")


def test_hub_weights_are_timms(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, create = [], timm.create_model

    def fetch(name: str, pretrained: bool = False, **options: object) -> torch.nn.Module:
        asked.append((name, pretrained))
        return create(name, pretrained=False, **options)

    monkeypatch.setattr(timm, "create_model", fetch)
    state = initial.resolve_init("timm://resnet18.a1_in1k")
    assert asked == [("resnet18.a1_in1k", True)] and "backbone.conv1.weight" in state
    assert weights_file("timm://resnet18.a1_in1k") is None and missing_weights("timm://resnet18.a1_in1k") is None

    def fail(name: str, pretrained: bool = False) -> None:
        raise ConnectionError("no route\nto the hub")

    monkeypatch.setattr(timm, "create_model", fail)
    with pytest.raises(UserError, match=r"resnet18\.a1_in1k could not be downloaded .*no route to the hub.*FILE"):
        initial.resolve_init("timm://resnet18.a1_in1k")


def test_what_timm_says_of_a_network() -> None:
    facts = timm_facts("resnet18")
    assert facts.name == "resnet18.a1_in1k" and facts.has_weights
    assert np.allclose(facts.mean, RULES["mean"]) and np.allclose(facts.std, RULES["std"])
    assert np.allclose(timm_facts("tf_efficientnet_lite0").mean, 127.5)
    untrained = timm_facts("densenet264d")
    assert untrained.name == "densenet264d" and not untrained.has_weights


def test_reports_name_it() -> None:
    assert backbone_name(backbone("regnetx_002")) == "Regnetx_002 (timm)"


# --- networks -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FAMILIES)
def test_classifier_and_its_class_maps(name: str) -> None:
    model = MODELS.build(
        {"type": "CamClassifier", "num_classes": 3, "backbone": backbone(name), "data_preprocessor": RULES}
    )
    assert model(torch.randn(2, 3, 64, 64)).shape == (2, 3)
    maps = multi_scale_cam(model.eval(), PHOTO, (1.0, 0.5), flip=True)
    assert [tuple(found.shape) for found in maps] == [(3, 4, 5), (3, 2, 3)]
    assert all(torch.isfinite(found).all() and (found >= 0).all() for found in maps)


@pytest.mark.parametrize("name", FAMILIES)
def test_segmentor(name: str) -> None:
    head = {
        "type": "SumASPPHead",
        "in_channels": FAMILIES[name][0][-1],
        "num_classes": 4,
        "rates": (1, 2),
        "align_corners": False,
        "loss_decode": {"type": "CrossEntropyLoss", "avg_non_ignore": True},
    }
    network = {
        "type": "EncoderDecoder",
        "backbone": backbone(name),
        "decode_head": head,
        "data_preprocessor": {**RULES, "size_divisor": 1},
        "test_cfg": {"mode": "whole"},
    }
    model = build_model({"model": network}).eval()
    assert multi_scale_logits(model, PHOTO, (1.0,), False, None, "pil").shape == (4, 61, 75)


@pytest.mark.parametrize("name", FIVE)
@pytest.mark.parametrize("kind", ["BoundaryNet", "InterPixelNet"])
def test_boundary_networks_of_five_taps(name: str, kind: str) -> None:
    model = MODELS.build({"type": kind, "radius": 3, "backbone": backbone(name), "data_preprocessor": RULES}).eval()
    found = model.boundary(torch.from_numpy(PHOTO).permute(2, 0, 1), canvas=96)
    assert found.shape == (16, 19) and 0 <= float(found.min()) <= float(found.max()) <= 1
    loss = model.train().loss(model.relations(torch.randn(1, 3, 64, 64)), torch.randint(0, 3, (1, 16, 16)))
    sum(loss.values()).backward()
    assert not any(part.grad is not None for part in model.backbone.parameters())
