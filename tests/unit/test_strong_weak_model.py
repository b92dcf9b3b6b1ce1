"""Strong-Weak's heads, its loss, what is left of a trained network, and its training set."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.registry import DATASETS, MODELS
from mmseg.structures import SegDataSample
from torch.nn.modules.batchnorm import _BatchNorm

import tests.unit.tiny_groups  # noqa: F401  (the backbone)
from common.artifacts import Labels, Weights
from common.base.config import import_types, read_config
from common.base.errors import UserError
from common.checkpoints.files import read_state_dict, save_weights
from common.checkpoints.networks import build_model, load_model, without_init
from common.data.dataset import open_dataset
from common.models.classes import fill_classes
from common.pipeline import Run
from common.pipeline.recipe import load_recipe
from common.training.datasets import WeakDataset
from common.training.param_groups import LrGroupConstructor
from methods.strong_weak.data import StrongRepeated
from methods.strong_weak.losses import dual_loss
from methods.strong_weak.model import BalancedHead, DualBranchHead, OneBranchHead
from methods.strong_weak.stages import strong_branch, trunk

CONFIGS = Path(__file__).resolve().parents[2] / "configs/strong_weak"
STRONG = torch.tensor([False, False, True, True])


def made(kind: type[OneBranchHead]) -> OneBranchHead:
    torch.manual_seed(0)
    return kind(5, 3, channels=4, neck=2, layers=1, align_corners=False)


def batch(strong: torch.Tensor = STRONG) -> tuple[list[torch.Tensor], list[SegDataSample], torch.Tensor]:
    """Features, samples with weak images first as the paired sampler has them, and their labels, some open."""
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(len(strong), 5, 6, 7, generator=generator)
    labels = torch.randint(0, 3, (len(strong), 12, 14), generator=generator)
    labels[0, :9] = 255  # the first weak image has few pixels
    samples = []
    for label, own in zip(labels, strong.tolist(), strict=True):
        samples.append(SegDataSample(metainfo={"strong": own}))
        samples[-1].gt_sem_seg = PixelData(data=label[None])
    return [features.requires_grad_()], samples, labels


# --- losses --------------------------------------------------------------------------------------------------------


def test_a_branch_sees_its_own_images_alone_and_the_neck_sees_all():
    head, (features, samples, _) = made(DualBranchHead), batch()
    losses = head.loss(features, samples)
    assert set(losses) == {"loss_strong", "loss_weak"}  # no term between the branches
    losses["loss_strong"].backward(retain_graph=True)
    assert all(parameter.grad is None for parameter in head.weak.parameters())
    assert all(parameter.grad.any() for parameter in head.branch.parameters())
    assert not features[0].grad[~STRONG].any() and features[0].grad[STRONG].any()
    by_masks = [parameter.grad.clone() for parameter in head.branch.parameters()]
    neck = head.neck[0].conv.weight.grad.clone()
    losses["loss_weak"].backward()
    assert all(torch.equal(a, b.grad) for a, b in zip(by_masks, head.branch.parameters(), strict=True))
    assert not torch.equal(neck, head.neck[0].conv.weight.grad) and head.weak.classifier.weight.grad.any()


def test_each_kind_has_a_mean_of_its_own():
    """One mean over the images of a batch lets the kind with more pixels decide."""
    features, samples, labels = batch()
    balanced, pooled = made(BalancedHead), made(OneBranchHead)
    pooled.load_state_dict(balanced.state_dict())
    logits = F.interpolate(balanced(features), (12, 14), mode="bilinear", align_corners=False)
    losses = balanced.loss(features, samples)
    for name, own in (("strong", STRONG), ("weak", ~STRONG)):
        torch.testing.assert_close(losses[f"loss_{name}"], F.cross_entropy(logits[own], labels[own], ignore_index=255))
    one = pooled.loss(features, samples, None)["loss_ce"]
    torch.testing.assert_close(one, F.cross_entropy(logits, labels, ignore_index=255))
    assert abs(float(one - sum(losses.values()) / 2)) > 1e-3


@pytest.mark.parametrize("kind", [BalancedHead, DualBranchHead])
@pytest.mark.parametrize("alone", [True, False])
def test_a_batch_of_one_kind_gives_0_for_the_other(kind: type, alone: bool):
    head, (features, samples, _) = made(kind), batch(torch.tensor([alone, alone]))
    losses = head.loss(features, samples)
    absent, present = ("weak", "strong") if alone else ("strong", "weak")
    assert float(losses[f"loss_{absent}"].detach()) == 0 < float(losses[f"loss_{present}"].detach())
    sum(losses.values()).backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in head.parameters())
    open_pixels = torch.full((1, 4, 4), 255)
    assert (
        float(dual_loss(torch.zeros(1, 3, 4, 4), torch.zeros(0, 3, 4, 4), open_pixels, torch.tensor([True]))["total"])
        == 0
    )


def test_slicing_in_front_of_the_branches_is_masking_behind_them():
    """Plain form: both branches on all images, then each kind's own pixels."""
    features, samples, labels = batch()
    head = made(DualBranchHead)
    plain = copy.deepcopy(head)
    sum(head.loss(features, samples).values()).backward()
    shared = plain.shared([features[0].detach()])
    for branch, own in ((plain.branch, STRONG), (plain.weak, ~STRONG)):
        logits = F.interpolate(branch(shared), (12, 14), mode="bilinear", align_corners=False)
        target = labels.masked_fill(~own[:, None, None], 255)
        F.cross_entropy(logits, target, ignore_index=255).backward(retain_graph=True)
    for one, other in zip(head.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-5, atol=1e-7)


def test_a_weight_of_the_weak_term():
    features, samples, _ = batch()
    head = made(DualBranchHead)
    before = head.loss(features, samples)
    head.weak_weight = 0.5
    after = head.loss(features, samples)
    assert after["loss_strong"] == before["loss_strong"] and 2 * after["loss_weak"] == before["loss_weak"]


# --- networks ------------------------------------------------------------------------------------------------------


def network(name: str) -> tuple[Config, torch.nn.Module]:
    config = read_config(CONFIGS / f"{name}.py")
    import_types(config)
    fill_classes(config.model, 21)
    model = without_init(config.model.to_dict())
    with torch.device("meta"):
        return config, build_model({"model": model})


def test_every_parameter_of_trunk_and_branches_learns_at_its_rate():
    """The student's reproduction lost a head: its optimiser listed one key twice. The neck is a new layer, too."""
    config, model = network("dual_vgg16_voc12")
    optimizer = config.optim_wrapper.optimizer
    groups = LrGroupConstructor({}, config.optim_wrapper.paramwise_cfg).groups(
        model, optimizer.lr, optimizer.weight_decay
    )
    rates = {id(parameter): group["lr"] for group in groups for parameter in group["params"]}
    named = dict(model.named_parameters())
    assert len(rates) == len(named) == sum(len(group["params"]) for group in groups)
    for name, parameter in named.items():
        assert rates[id(parameter)] == pytest.approx(5e-6 if name.startswith("backbone.") else 1e-4)
    assert {group["weight_decay"] for group in groups} == {1e-4}
    assert {name.split(".")[1] for name in named if name.startswith("decode_head.")} == {"neck", "branch", "weak"}
    assert sum(name.startswith("backbone.conv1_1") for name in named) == 2  # one trunk: a weight and a bias


@pytest.mark.parametrize("name", ["dual_r101_voc12", "dual_lite0_shapes", "dual_vgg16_voc12"])
def test_no_statistics_of_a_batch_are_used(name: str):
    _, model = network(name)
    assert not [module for module in model.train().modules() if isinstance(module, _BatchNorm) and module.training]


def test_constants_of_the_paper():
    config, model = network("dual_vgg16_voc12")
    assert model.backbone.strides == (8,) and len(model.decode_head.neck) == 3
    loader = config.train_dataloader
    assert (loader.batch_size, loader.sampler.strong, loader.dataset.pipeline[1].size) == (16, 8, 328)
    assert config.optim_wrapper.optimizer.to_dict() == {"type": "Adam", "lr": 5e-6, "weight_decay": 1e-4}
    assert network("dual_r101_voc12")[1].backbone.strides[-1] == 8


# --- what is left of a trained network -----------------------------------------------------------------------------


@pytest.fixture
def trained(tmp_path: Path) -> Weights:
    """A dual network as a training leaves it, with other weights in every layer."""
    init_default_scope("mmseg")
    model = {
        "type": "EncoderDecoder",
        "data_preprocessor": {
            "type": "SegDataPreProcessor",
            "mean": [127.5] * 3,
            "std": [127.5] * 3,
            "size_divisor": 1,
        },
        "backbone": {"type": "TinyTap"},
        "decode_head": {"type": "DualBranchHead", "in_channels": 5, "num_classes": 3, "channels": 4, "neck": 2},
        "test_cfg": {"mode": "whole"},
    }
    torch.manual_seed(0)
    made = Weights(tmp_path / "dual")
    made.path.mkdir()
    save_weights(MODELS.build(model), made.file)
    imports = {"imports": ["methods.strong_weak.model", "tests.unit.tiny_groups"]}
    Config({"model": model, "custom_imports": imports}).dump(made.config)
    return made


def run(folder: Path) -> Run:
    folder.mkdir()
    return Run(None, torch.device("cpu"), folder, 0)


def test_the_branch_of_the_masks_alone_is_tested_and_exported(trained: Weights, tmp_path: Path):
    here, x = run(tmp_path / "branch"), torch.randn(1, 3, 24, 32, generator=torch.Generator().manual_seed(0))
    strong_branch(here, trained)
    exported = Weights(here.out)
    dual, alone = (load_model(made.file, made.config) for made in (trained, exported))
    with torch.no_grad():
        wanted = dual(x, mode="tensor")
        torch.testing.assert_close(alone(x, mode="tensor"), wanted)
        for parameter in dual.decode_head.weak.parameters():
            parameter.fill_(9)
        assert torch.equal(dual(x, mode="tensor"), wanted)
    config = read_config(exported.config)
    assert type(alone.decode_head).__name__ == "FCNHead" and "strong_weak" not in exported.config.read_text()
    assert config.model.decode_head.num_convs == 3 and alone.align_corners is False
    assert not [key for key in read_state_dict(exported.file) if "weak" in key]


def test_a_trunk_leaves_the_branches_to_be_drawn_anew(trained: Weights, tmp_path: Path):
    here = run(tmp_path / "trunk")
    trunk(here, trained)
    kept, whole = read_state_dict(here.out / "weights.pth"), read_state_dict(trained.file)
    assert set(kept) == {key for key in whole if key.startswith(("backbone.", "decode_head.neck."))}
    assert all(torch.equal(kept[key], whole[key]) for key in kept)
    config = read_config(CONFIGS / "dual_lite0_shapes.py", {"model.decode_head.type": "OneBranchHead"} | FIXED)
    fill_classes(config.model, 3)
    model = build_model({"model": without_init(config.model.to_dict())})
    learns = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert learns and all(name.startswith("decode_head.branch.") for name in learns)


FIXED = {"model.backbone.frozen_stages": 4, "model.decode_head.frozen_neck": True}


def test_another_network_has_no_such_parts(trained: Weights, tmp_path: Path):
    config = read_config(trained.config)
    config.model.decode_head.type = "FCNHead"
    config.dump(trained.config)
    for number, stage in enumerate((strong_branch, trunk)):
        with pytest.raises(UserError, match="'dual' has a FCNHead, no head of Strong-Weak"):
            stage(run(tmp_path / str(number)), trained)


# --- training set --------------------------------------------------------------------------------------------------


@pytest.fixture
def few(tiny_voc: Path) -> dict:
    """Two of eight images with masks, made-up labels for the others."""
    splits = tiny_voc / "ImageSets/Segmentation"
    ids = (splits / "train.txt").read_text().split()
    (splits / "few.txt").write_text("\n".join(ids[:2]))
    (splits / "rest.txt").write_text("\n".join(ids[2:]))
    data, labels = open_dataset(tiny_voc), Labels(tiny_voc / "pseudo")
    for image_id in ids:
        labels.write(image_id, 0 * data.mask(image_id))
    return {"root": str(tiny_voc), "labels": str(labels.path), "pixel_labels": "few", "pipeline": []}


def test_repeated_masks_are_augmented_each_time_anew(few: dict):
    repeated, plain = StrongRepeated(split="rest+few", times=3, **few), WeakDataset(split="rest+few", **few)
    assert len(plain) == 8 and len(repeated) == 6 + 3 * 2
    assert sum(repeated.strong) == 6 and repeated.ids[8:10] == repeated.ids[6:8]
    draws = [repeated.load(index, 1)["rng"].random() for index in (6, 8, 10)]
    assert len(set(draws)) == 3 and draws[0] == plain.load(6, 1)["rng"].random()
    assert repeated.load(8, 1)["rng"].random() == draws[1] != repeated.load(8, 2)["rng"].random()
    assert repeated.load(10)["maps"]["gt_sem_seg"].values.any()  # its mask, not the made-up label


def test_an_image_with_a_mask_is_never_also_weak(few: dict):
    """Its mask is what is learned, also where it has a weak label."""
    data = WeakDataset(split="train", **few)
    for index, strong in enumerate(data.strong):
        assert bool(data.load(index)["maps"]["gt_sem_seg"].values.any()) == strong


def test_the_row_with_repeated_masks_builds_its_training_set(few: dict):
    recipe = load_recipe(CONFIGS / "strong_weak_vgg16_voc12_controls.py")
    params = next(step.params for step in recipe.steps if step.name == "repeated")
    config = read_config(params["config"], params["options"])
    import_types(config)
    dataset = DATASETS.build({**config.train_dataloader.dataset, "split": "rest+few", **few})
    assert len(dataset) == 6 + 6 * 2 and config.train_dataloader.sampler.type == "SeekingSampler"
    assert "strong" not in config.train_dataloader.sampler


# --- the claim, on a toy -------------------------------------------------------------------------------------------


def squares(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Bright squares in noise, their masks, and masks that are 4 pixels too wide on each side."""
    generator = torch.Generator().manual_seed(seed)
    images, masks = 0.3 * torch.randn(count, 3, 24, 24, generator=generator), torch.zeros(count, 24, 24)
    for image, mask in zip(images, masks, strict=True):
        top, left = torch.randint(5, 11, (2,), generator=generator).tolist()
        mask[top : top + 8, left : left + 8] = 1
        image += mask
    wide = F.max_pool2d(masks[:, None], 9, stride=1, padding=4)[:, 0]
    return images, masks.long(), wide.long()


@pytest.mark.slow
def test_weak_labels_that_are_too_wide_spoil_one_branch_and_not_two():
    images, masks, wide = squares(16, 0)
    labels = torch.cat([wide[:12], masks[12:]])
    found = {}
    for kind in (OneBranchHead, DualBranchHead):
        torch.manual_seed(0)
        head = kind(3, 2, channels=12, neck=2, layers=1, new_std=0.1, align_corners=False)
        optimizer, rng = torch.optim.Adam(head.parameters(), lr=0.01), torch.Generator().manual_seed(0)
        for _ in range(80):
            if kind is OneBranchHead:  # one list of all
                chosen = torch.randperm(16, generator=rng)[:8]
            else:
                chosen = torch.cat([torch.randperm(12, generator=rng)[:4], 12 + torch.randperm(4, generator=rng)])
            samples = []
            for index in chosen.tolist():
                samples.append(SegDataSample(metainfo={"strong": index >= 12}))
                samples[-1].gt_sem_seg = PixelData(data=labels[index][None])
            losses = head.loss([images[chosen]], samples, None)
            optimizer.zero_grad()
            sum(value for key, value in losses.items() if "loss" in key).backward()
            optimizer.step()
        test, truth, _ = squares(20, 1)
        with torch.no_grad():
            said = head([test]).argmax(dim=1)
        found[kind] = float(((said == 1) & (truth == 1)).sum() / ((said == 1) | (truth == 1)).sum())
    assert found[OneBranchHead] < 0.6 and found[DualBranchHead] > 0.8, found
