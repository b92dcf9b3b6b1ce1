"""`wsseg run RECIPE --backbone NAME`: what it changes in a recipe's networks, what it refuses, and a run with it."""

from __future__ import annotations

from pathlib import Path

import pytest
import timm

from common.base.config import read_config
from common.base.errors import UserError
from common.checkpoints.files import save_file
from common.checkpoints.networks import build_model
from common.cli import main
from common.models.classes import fill_classes
from common.models.exchange import choose, exchange
from common.pipeline import run_recipe
from common.pipeline.backbone import with_backbone
from common.pipeline.plan import Settings
from common.pipeline.recipe import load_recipe
from tests.smoke.shrink import shrunk, tiny_shapes

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / "configs"
IRNET = CONFIGS / "irnet/irnet_shapes.py"
IMAGENET = [123.675, 116.28, 103.53]


def exchanged(file: str, name: str, weights: str | None = None) -> dict:
    """The network config with another backbone, as its training reads it."""
    choice = choose(name) if weights is None else with_weights(name, weights)
    return read_config(CONFIGS / file, exchange(read_config(CONFIGS / file).to_dict(), choice, file)).to_dict()


def with_weights(name: str, weights: str):
    from dataclasses import replace

    return replace(choose(name), weights=weights)


# --- one network --------------------------------------------------------------------------------------------------


def test_a_classifier() -> None:
    network = exchanged("irnet/cam_lite0_voc12_animals.py", "resnet18", "file://w.pth")
    assert network["model"]["backbone"] == {
        "type": "TimmBackbone",
        "name": "resnet18",
        "output_stride": 16,
        "frozen_stages": -1,
        "frozen_bn": True,
        "init_cfg": {"type": "NamedWeights", "weights": "file://w.pth"},
    }
    assert network["model"]["data_preprocessor"]["mean"] == IMAGENET
    crop = next(step for step in network["train_dataloader"]["dataset"]["pipeline"] if "pad" in step)
    assert crop["pad"] == IMAGENET


def test_random_weights_are_trained_as_a_whole() -> None:
    backbone = exchanged("irnet/cam_lite0_shapes.py", "resnet18")["model"]["backbone"]
    assert backbone == {"type": "TimmBackbone", "name": "resnet18", "output_stride": 16}


def test_black_padding_stays_black_and_bgr_becomes_rgb() -> None:
    network = exchanged("dmt/mutual_r101_coco_voc12.py", "resnet18")
    assert not network["model"]["data_preprocessor"]["rgb_to_bgr"]
    assert network["model"]["backbone"]["output_stride"] == 8
    assert network["model"]["decode_head"]["init_cfg"] is None  # the weights of the old network
    pads = [step["pad"] for step in network["train_dataloader"]["dataset"]["pipeline"] if "pad" in step]
    assert pads == [(0, 0, 0)]


def test_the_mean_of_a_bgr_network_is_known_as_padding() -> None:
    network = exchanged("affinitynet/deeplabv1_vgg16_voc12.py", "resnet18")
    pads = [step["pad"] for step in network["train_dataloader"]["dataset"]["pipeline"] if "pad" in step]
    assert pads == [IMAGENET]


def test_a_crop_that_pads_with_the_mean_without_saying_so() -> None:
    network = exchanged("irnet/cam_r50_voc12.py", "tf_efficientnet_lite1")
    crop = next(step for step in network["train_dataloader"]["dataset"]["pipeline"] if "size" in step)
    assert crop["pad"] == [127.5] * 3


@pytest.mark.parametrize(
    ("name", "index", "channels"), [("resnet18", (1, 4), (64, 512)), ("convnext_atto", (0, 3), (40, 320))]
)
def test_a_head_on_two_taps(name: str, index: tuple, channels: tuple) -> None:
    network = read_config(CONFIGS / "_base_/deeplabv3plus_resnet50.py").to_dict()
    options = exchange(network, choose(name), "v3+")
    assert options["model.decode_head.in_index"] == index and options["model.decode_head.in_channels"] == channels


@pytest.mark.parametrize("name", ["resnet18", "convnext_atto", "efficientnet_lite0"])
@pytest.mark.parametrize(
    "file",
    [
        "irnet/cam_lite0_shapes.py",
        "irnet/cam_r50_voc12.py",
        "affinitynet/aff_lite0_shapes.py",
        "affinitynet/cls_vgg16_voc12.py",
        "seam/cam_lite0_shapes.py",
        "deeplab/deeplabv2_lite0_shapes.py",
        "dmt/mutual_r101_imagenet_voc12.py",
        "irnet/irn_r50_voc12.py",
    ],
)
def test_networks_build(file: str, name: str) -> None:
    if name == "convnext_atto" and "irn_" in file:
        with pytest.raises(UserError, match=r"needs a backbone with five taps.*'convnext_atto' has 4: ResNets"):
            exchanged(file, name)
        return
    network = exchanged(file, name)
    build_model({**network, "model": dict(network["model"])} if filled(network["model"]) else network)


def filled(model: dict) -> bool:
    import methods.affinitynet.model
    import methods.dmt.model
    import methods.irnet.model
    import methods.seam.model  # noqa: F401

    fill_classes(model, 5)
    return True


@pytest.mark.parametrize("file", ["affinitynet/aff_resnet38_voc12.py", "affinitynet/aff_vgg16_voc12.py"])
def test_networks_on_taps_of_their_own_are_refused(file: str) -> None:
    with pytest.raises(UserError, match=r"takes maps of (ResNet38|VGG16FullyConv) that no other backbone has"):
        exchanged(file, "resnet18")


# --- a recipe -----------------------------------------------------------------------------------------------------


def test_all_networks_of_a_recipe_and_its_own_options_stay(tmp_path: Path) -> None:
    given = {"data.root": str(tmp_path), "pipeline.cam.options": {"train_cfg.max_epochs": 1}}
    recipe = load_recipe(IRNET, with_backbone(IRNET, given, "resnet18", "random"))
    trained = {step.name: step.params["options"] for step in recipe.steps if "config" in step.params}
    assert set(trained) == {"cam", "irn", "deeplab"}
    assert all(options["model.backbone"]["name"] == "resnet18" for options in trained.values())
    assert trained["cam"]["train_cfg.max_epochs"] == 1
    cam = next(step for step in recipe.steps if step.name == "cam")
    for _ in range(2):  # reading takes nothing away
        backbone = read_config(cam.params["config"], cam.params["options"]).model.backbone.to_dict()
        assert backbone == {"type": "TimmBackbone", "name": "resnet18", "output_stride": 16}


def test_lite0_is_the_recipes_own() -> None:
    given = {"data.root": "anywhere"}
    recipe = load_recipe(IRNET, with_backbone(IRNET, given, "efficientnet_lite0"))
    assert [step.params.get("options") or None for step in recipe.steps if "config" in step.params] == [None] * 3
    other = CONFIGS / "irnet/irnet_r50_voc12.py"
    recipe = load_recipe(other, with_backbone(other, given, "efficientnet_lite0"))
    backbone = next(step for step in recipe.steps if step.name == "cam").params["options"]["model.backbone"]
    assert backbone["type"] == "EfficientNetLite"
    assert backbone["init_cfg"]["weights"] == "package://efficientnet_lite0"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--backbone", "resnet18"], "needs weights: `--backbone-weights hub`"),
        (["--backbone-weights", "hub"], "belongs to --backbone NAME"),
        (["--backbone", "resnt18", "--backbone-weights", "random"], "did you mean 'resnet18'"),
        (["--backbone", "vit_tiny_patch16_224", "--backbone-weights", "random"], "is a transformer"),
        (["--backbone", "convnext_atto", "--backbone-weights", "random"], "five taps"),
        (
            ["--backbone", "resnet18", "--backbone-weights", "hubb"],
            "no file and no imported weights (did you mean 'hub'?)",
        ),
        (["--backbone", "densenet264d", "--backbone-weights", "hub"], "timm has no weights of 'densenet264d'"),
    ],
)
def test_what_is_refused(
    arguments: list[str], sentence: str, tmp_path: Path, tiny: Path, capsys: pytest.CaptureFixture
) -> None:
    work = tmp_path / "work"
    command = ["run", str(IRNET), "--data-root", str(tiny), "--work-dir", str(work), "--dry-run", *arguments]
    assert main(command) == 2
    said = capsys.readouterr()
    assert sentence in said.err and said.err.count("\n") == 1 and not said.out


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_shapes(tmp_path_factory.mktemp("data") / "shapes")


def test_the_plan_knows_of_the_backbone_and_of_its_file(
    tmp_path: Path, tiny: Path, capsys: pytest.CaptureFixture
) -> None:
    file = tmp_path / "resnet18.pth"
    save_file(file, timm.create_model("resnet18").state_dict())
    command = ["run", str(IRNET), "--data-root", str(tiny), "--work-dir", str(tmp_path / "work"), "--dry-run"]
    assert main([*command, "--backbone", "resnet18", "--backbone-weights", str(file)]) == 0
    assert "[1] run  cam (train): not made yet" in capsys.readouterr().out
    options = with_backbone(IRNET, {"data.root": str(tiny)}, "resnet18", str(file))
    assert options["pipeline.cam.options"]["model.backbone"]["init_cfg"]["weights"] == f"file://{file}"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet18", "mobilenetv3_small_100", "regnetx_002"])
def test_a_run_up_to_its_class_maps(name: str, tmp_path: Path, tiny: Path) -> None:
    weights = tmp_path / "weights.pth"
    save_file(weights, timm.create_model(name).state_dict())
    said = "random" if name == "resnet18" else str(weights)
    options = with_backbone(IRNET, shrunk(IRNET, tiny), name, said)
    recipe, work = load_recipe(IRNET, options), tmp_path / "work"
    run_recipe(recipe, Settings(work_dir=work, device="cpu", workers=1, threads=1, until="make_cam"))
    assert len(list((work / "make_cam").glob("*.npz"))) == 8
    assert name in (work / "cam/config.py").read_text()
    assert "_delete_" not in (work / "cam/config.py").read_text()
    trained = read_config(work / "cam/config.py").model.backbone
    assert ("init_cfg" in trained) == (said != "random")
