"""Released checkpoints under their authors' keys, the store of imported weights, and files of our own."""

from __future__ import annotations

import argparse
import subprocess
import sys
import urllib.error
from pathlib import Path

import pytest
import timm
import torch
import torchvision
from mmengine import Config

import methods
from common.base.errors import UserError
from common.checkpoints.cli import add_parser
from common.checkpoints.convert import (
    convert_caffe_resnet,
    convert_caffe_vgg16,
    convert_largefov_vgg16,
    efficientnet_lite0_to_timm,
)
from common.checkpoints.files import read_state_dict, save_weights
from common.checkpoints.formats import FORMATS, Format, known_formats, network_shapes, recognise
from common.checkpoints.importing import import_weights
from common.checkpoints.initial import load_matching, resolve_init
from common.checkpoints.names import absent, package_file, sources, stored_names
from common.checkpoints.networks import build_model, load_model
from common.cli import main
from common.models.efficientnet import EfficientNetLite
from common.models.resnet import DilatedResNet
from common.models.vgg import VGG16Dilated, VGG16FullyConv
from methods.irnet.released import convert_cam


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WSSEG_WEIGHTS", str(tmp_path / "store"))
    return tmp_path / "store"


def resnet50_state() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return torchvision.models.resnet50(weights=None).state_dict()


def caffe_keys(classes: int = 21) -> dict[str, torch.Tensor]:
    """A made-up state dict with the keys of deeplab-pytorch's v2, ResNet-101 (no storage behind the large tensors)."""
    ours = network_shapes(FORMATS["caffe_resnet"].network({"backbone.layer3.22.conv1.weight": torch.empty(1)}))
    parts = {"conv1": "reduce.conv", "conv2": "conv3x3.conv", "conv3": "increase.conv"}
    parts |= {"bn1": "reduce.bn", "bn2": "conv3x3.bn", "bn3": "increase.bn"}
    parts |= {"downsample.0": "shortcut.conv", "downsample.1": "shortcut.bn"}
    state = {}
    for key, shape in ours.items():
        name = key.removeprefix("backbone.")
        value = torch.zeros(1).expand(shape) if shape else torch.tensor(0)
        if name.startswith("layer"):
            layer, block, rest = name.split(".", 2)
            part, entry = rest.rsplit(".", 1)
            name = f"layer{int(layer[5]) + 1}.block{int(block) + 1}.{parts[part]}.{entry}"
        else:
            name = "layer1.conv1." + name.replace("conv1", "conv").replace("bn1", "bn")
        state[f"base.{name}"] = value
    for i in range(4):
        state[f"base.aspp.c{i}.weight"] = torch.zeros(1).expand(classes, 2048, 3, 3)
        state[f"base.aspp.c{i}.bias"] = torch.zeros(classes)
    return state


def test_lite0_weights_fill_the_backbone_and_its_classifier():
    state = torch.load(package_file("efficientnet_lite0"), weights_only=True)
    network = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    network.load_state_dict(efficientnet_lite0_to_timm(state), strict=True)
    backbone = EfficientNetLite(output_stride=32, conv_head=True)
    assert load_matching(backbone, resolve_init("package://efficientnet_lite0"), "backbone.") == []
    x = torch.randn(1, 3, 97, 65)
    with torch.no_grad():
        logits = network.eval()(x)
        torch.testing.assert_close(network.classifier(backbone.eval()(x)[-1].mean((2, 3))), logits)
    plain = EfficientNetLite(init_cfg={"type": "NamedWeights", "weights": "package://efficientnet_lite0"})
    plain.init_weights()
    assert torch.equal(plain.conv_stem.weight, state["_conv_stem.weight"])
    assert torch.equal(plain.blocks[6][0].conv_pwl.weight, state["_blocks.15._project_conv.weight"])


def test_caffe_resnet_with_and_without_its_wrapper():
    state = caffe_keys()
    assert recognise(state, "x") == "caffe_resnet"
    for form in (state, {key.removeprefix("base."): value for key, value in state.items()}):
        converted = convert_caffe_resnet(form)
        shapes = network_shapes(FORMATS["caffe_resnet"].network(converted))
        assert {key: value.shape for key, value in converted.items()} == shapes


def test_coco_file_has_one_classifier():
    state = {key: value for key, value in caffe_keys().items() if "aspp" not in key}
    state |= {"fc.weight": torch.zeros(91, 2048, 1, 1), "fc.bias": torch.zeros(91)}
    converted = convert_caffe_resnet(state)
    shapes = network_shapes(FORMATS["caffe_resnet"].network(converted))
    assert {key: value.shape for key, value in converted.items()} == shapes


def vgg_state(names: list[str]) -> dict[str, torch.Tensor]:
    shapes = {key: value.shape for key, value in VGG16Dilated().state_dict().items()}
    own = iter(shapes.items())
    return {f"{name}.{kind}": torch.rand(next(own)[1]) for name in names for kind in ("weight", "bias")}


TORCHVISION_VGG = [f"features.{i}" for i in (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)]


def fov(names: tuple[str, str, str], classes: int) -> dict[str, torch.Tensor]:
    shapes = ((1024, 512, 3, 3), (1024, 1024, 1, 1), (classes, 1024, 1, 1))
    state = {f"{name}.weight": torch.zeros(1).expand(shape) for name, shape in zip(names, shapes, strict=True)}
    return state | {f"{name}.bias": torch.zeros(shape[0]) for name, shape in zip(names, shapes, strict=True)}


def test_vgg16_layouts_agree_with_torchvision():
    with torch.device("meta"):
        reference = torchvision.models.vgg16(weights=None).state_dict()
    state = vgg_state(TORCHVISION_VGG)
    assert set(state) == {key for key in reference if key.startswith("features.")}
    assert recognise(state, "x") == "torchvision_vgg16"
    converted = FORMATS["torchvision_vgg16"].convert(state)
    assert load_matching(VGG16Dilated(), converted, "backbone.") == []
    names = [key.removeprefix("backbone.").removesuffix(".weight") for key in converted if key.endswith("weight")]
    caffe = convert_caffe_vgg16({**vgg_state(names), **fov(("fc6", "fc7", "fc8_voc12"), 21)})
    features = convert_largefov_vgg16({**state, **fov(("features.32", "features.35", "features.38"), 21)})
    assert set(caffe) == set(features) == set(network_shapes(FORMATS["caffe_vgg16"].network(caffe)))


@pytest.mark.parametrize("layout", ["caffe", "features"])
def test_one_vgg16_file_fills_large_fov_and_the_fully_convolutional_backbone(tmp_path: Path, layout: str):
    if layout == "caffe":
        names = [f"conv{s}_{i}" for s, n in enumerate((2, 2, 3, 3, 3), 1) for i in range(1, n + 1)]
        state = {**vgg_state(names), **fov(("fc6", "fc7", "fc8"), 21)}
    else:
        state = {**vgg_state(TORCHVISION_VGG), **fov(("features.32", "features.35", "features.38"), 21)}
    fc7 = next(key for key, value in state.items() if value.shape == (1024, 1024, 1, 1))
    state[fc7] = torch.rand(1024, 1024, 1, 1)
    torch.save(state, tmp_path / "vgg16.pth")
    import_weights(tmp_path / "vgg16.pth", "vgg16_20M")
    init = {"type": "NamedWeights", "weights": "vgg16_20M"}
    for backbone in (VGG16Dilated(init_cfg=init), VGG16FullyConv(init_cfg=init)):
        backbone.init_weights()
        assert torch.equal(backbone.conv1_1.weight, next(iter(state.values())))
    assert torch.equal(backbone.fc7.weight, state[fc7])


def test_vgg16_aspp_has_four_branches():
    state = vgg_state([f"conv{s}_{i}" for s, n in enumerate((2, 2, 3, 3, 3), 1) for i in range(1, n + 1)])
    for branch in range(1, 5):
        state |= fov((f"fc6_{branch}", f"fc7_{branch}", f"fc8_pascal_{branch}"), 21)
    assert recognise(state, "x") == "caffe_vgg16"
    converted = convert_caffe_vgg16(state)
    assert set(converted) == set(network_shapes(FORMATS["caffe_vgg16"].network(converted)))


def test_irnet_aliases_are_dropped(tmp_path: Path, capsys: pytest.CaptureFixture):
    own = {f"resnet50.{key}": value for key, value in resnet50_state().items()}
    state = {**own, "classifier.weight": torch.rand(20, 2048, 1, 1)}
    state |= {alias: own["resnet50.conv1.weight"].detach() for alias in ("stage1.0.weight", "backbone.0.0.weight")}
    assert set(convert_cam(state)) == set(network_shapes(known_formats()["irnet_cam"].network(convert_cam(state))))
    torch.save(state, tmp_path / "res50_cam.pth")
    assert run_cli("import", str(tmp_path / "res50_cam.pth"), "--as", "irnet") == 0
    text = capsys.readouterr().out
    assert "irnet_cam" in text and "matched    266 tensors" in text and "missing    0" in text
    assert "unexpected 4: resnet50.fc.weight, resnet50.fc.bias, stage1.0.weight, backbone.0.0.weight" in text
    assert stored_names() == ["irnet"]
    assert run_cli("list") == 0
    assert "irnet" in capsys.readouterr().out


def test_the_formats_of_the_methods_are_found_before_the_shared_ones(tmp_path: Path):
    own = {f"resnet50.{key}": value for key, value in resnet50_state().items()}
    heads = {"fc_edge1.0.weight": torch.rand(32, 64, 1, 1), "fc_edge6.weight": torch.rand(1, 160, 1, 1)}
    heads |= {"mean_shift.running_mean": torch.rand(2), "path_indices_0": torch.zeros(3)}
    torch.save({**own, **heads}, tmp_path / "res50_irn.pth")
    report = import_weights(tmp_path / "res50_irn.pth", "irn")
    assert (report.format, len(report.matched)) == ("irnet_irn", 265 + 3)
    assert report.unexpected == ["resnet50.fc.weight", "resnet50.fc.bias", "path_indices_0"]
    assert list(known_formats()).index("irnet_irn") < list(known_formats()).index("wsseg")


def test_a_signature_wants_each_of_its_patterns():
    form = Format((r"a\.weight", r"b\.(weight|bias)"), convert_cam)
    assert form.fits(["b.bias", "c", "a.weight"])
    assert not form.fits(["a.weight", "xb.bias"])


def run_cli(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    options = parser.parse_args(["weights", *arguments])
    return options.handler(options)


def test_import_of_torchvision_then_init_by_name(tmp_path: Path):
    state = resnet50_state()
    torch.save(
        {"state_dict": {f"module.{key}": value for key, value in state.items()}, "epoch": 3}, tmp_path / "r50.pth"
    )
    report = import_weights(tmp_path / "r50.pth", "resnet50-V1")
    assert (report.format, len(report.matched), report.missing, report.reshaped) == ("torchvision_resnet", 265, [], [])
    assert report.unexpected == ["fc.weight", "fc.bias"]
    network = DilatedResNet(init_cfg={"type": "NamedWeights", "weights": "torchvision://resnet50-V1"})
    network.init_weights()
    assert torch.equal(network.layer4[2].conv3.weight, state["layer4.2.conv3.weight"])


def test_weights_of_another_network_are_refused(tmp_path: Path):
    torch.save(resnet50_state(), tmp_path / "r50.pth")
    import_weights(tmp_path / "r50.pth", "r50")
    deeper = DilatedResNet(101, init_cfg={"type": "NamedWeights", "weights": "r50"})
    with pytest.raises(UserError, match="without a value"):
        deeper.init_weights()
    vgg = VGG16Dilated(init_cfg={"type": "NamedWeights", "weights": "r50"})
    with pytest.raises(UserError, match="another network"):
        vgg.init_weights()


def test_reshaped_tensors_are_reported_and_left_out(tmp_path: Path, store: Path):
    state = resnet50_state()
    state["layer1.0.conv1.weight"] = torch.zeros(3, 3, 1, 1)
    torch.save(state, tmp_path / "odd.pth")
    report = import_weights(tmp_path / "odd.pth", "odd")
    assert report.reshaped == ["backbone.layer1.0.conv1.weight"]
    assert "backbone.layer1.0.conv1.weight" not in torch.load(store / "odd.pth", weights_only=True)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("resnet101_coco", "kazuto1011.*wsseg weights import FILE --as resnet101_coco"),
        ("mine", "imported are none.*--as mine"),
        ("package://resnet", "package://efficientnet_lite0"),
        ("torchvision://resnet50", "torchvision://resnet50-V1"),
        ("torchvision://nonsense-V1", "torchvision://resnet50-V1"),
    ],
)
def test_missing_weights_say_where_to_get_them(spec: str, words: str):
    with pytest.raises(UserError, match=words):
        resolve_init(spec)


def test_the_list_names_the_weights_of_every_method(store: Path, toy_method: None, capsys: pytest.CaptureFixture):
    store.mkdir()
    (store / "vgg16_aspp.pth").write_bytes(b"x" * 10)
    assert main(["weights", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["vgg16_aspp", "0.0", "MB"]
    assert [line.split()[0] for line in lines[1:4]] == ["resnet101_coco", "vgg16_20M", "resnet38_imagenet"]
    assert any("AdvSemiSeg" in line for line in lines) and "example.org/toy" in lines[-1]


def test_a_method_with_weights_in_a_shared_layout_needs_no_format(toy_method: None):
    assert set(FORMATS) < set(known_formats.__wrapped__())


@pytest.mark.parametrize(
    "text", ["SOURCES = dict(a='b')", "SOURCES = {'a': 1}", "SOURCES = ['a']", "SOURCES = {}\nSOURCES |= {'a': 'b'}"]
)
def test_sources_that_must_run_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str):
    (tmp_path / "one").mkdir()
    (tmp_path / "one/released.py").write_text(text)
    monkeypatch.setattr(methods, "__path__", [str(tmp_path)])
    with pytest.raises(UserError, match=r"one/released\.py: SOURCES must be a plain dict of strings"):
        sources()
    assert "kazuto1011" in absent("resnet101_coco")  # what is known needs no other file


def test_without_a_network_torchvision_says_what_to_download(monkeypatch: pytest.MonkeyPatch):
    def offline(*_: object, **__: object) -> None:
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", offline)
    with pytest.raises(UserError, match=r"get https://.*resnet50.*wsseg weights import FILE --as resnet50-V1"):
        resolve_init("torchvision://resnet50-V1")


def test_bad_files_are_named(tmp_path: Path):
    broken, foreign, empty = tmp_path / "broken.pth", tmp_path / "foreign.pth", tmp_path / "empty.pth"
    torch.save(resnet50_state(), broken)
    broken.write_bytes(broken.read_bytes()[:1000])
    torch.save({"a.weight": torch.zeros(2)}, foreign)
    torch.save({"epoch": 1}, empty)
    for file in (broken, foreign, empty, tmp_path / "absent.pth"):
        with pytest.raises(UserError, match=file.name):
            import_weights(file, "x")
    with pytest.raises(UserError, match="--as"):
        import_weights(foreign, "../x")
    assert stored_names() == []


MODEL = """model = dict(
    type="CamClassifier",
    num_classes=3,
    backbone=dict(type="EfficientNetLite", init_cfg=dict(type="NamedWeights", weights="not there")),
    data_preprocessor=dict(type="SegDataPreProcessor", mean=[127.5] * 3, std=[127.5] * 3, size_divisor=1),
)
"""


def test_model_from_its_files(tmp_path: Path):
    (tmp_path / "config.py").write_text(MODEL)
    model = build_model(Config.fromfile(tmp_path / "config.py"))
    save_weights(model, tmp_path / "weights.pth")
    loaded = load_model(tmp_path / "weights.pth", tmp_path / "config.py")
    assert not loaded.training
    for key, value in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], value), key

    (tmp_path / "config.py").write_text(MODEL.replace("num_classes=3", "num_classes=4"))
    with pytest.raises(UserError, match=r"another shape of 1 tensors.*head\.weight"):
        load_model(tmp_path / "weights.pth", tmp_path / "config.py")
    state = read_state_dict(tmp_path / "weights.pth")
    for change, words in (({"head.weight": None}, "lacks 1"), ({"extra": torch.zeros(1)}, "unknown 1")):
        changed = {key: value for key, value in (state | change).items() if value is not None}
        torch.save(changed, tmp_path / "changed.pth")
        with pytest.raises(UserError, match=words):
            load_model(tmp_path / "changed.pth", tmp_path / "config.py")
    with pytest.raises(UserError, match=r"absent\.py"):
        load_model(tmp_path / "weights.pth", tmp_path / "absent.py")


def test_the_command_line_does_not_import_torch():
    code = "import sys, common.checkpoints.cli; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
