"""DRS's networks: suppression, class maps, the refinement's target and loss, DeepLab's second term, the importer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from common.base.config import read_config
from common.checkpoints.formats import known_formats, recognise
from methods.drs.losses import keep_pixel_maximum, own_labels, refinement_loss, refinement_target, self_label_loss
from methods.drs.model import ClassMapNetwork, SelfTrainedSegmentor, Suppression
from methods.drs.released import convert_drs
from methods.drs.suppression import localisation_maps, normalised_cam, refined_maps, suppress, to_bytes

CONFIGS = Path(__file__).resolve().parents[2] / "configs/drs"
LITE0 = {"type": "EfficientNetLite", "conv_head": True}
RULES = {"type": "SegDataPreProcessor", "mean": [127.5] * 3, "std": [127.5] * 3, "size_divisor": 1}


def network(kind: str = "SuppressedClassifier", classes: int = 3, **options) -> ClassMapNetwork:
    init_default_scope("mmseg")
    torch.manual_seed(0)
    config = {"type": kind, "backbone": LITE0, "width": 8, "num_classes": classes, "data_preprocessor": RULES}
    return MODELS.build({**config, **options}).eval()


def features(*size: int, seed: int = 0) -> Tensor:
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed))


# --- suppression ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ratio", [0.3, 0.55, 1.0])
def test_no_activation_exceeds_the_share_of_its_channels_maximum(ratio: float):
    x = features(2, 5, 6, 7)
    y = Suppression(5, ratio)(x)
    top = x.relu().amax(dim=(2, 3), keepdim=True)
    assert (y >= 0).all() and (y <= ratio * top * (1 + 1e-6)).all()
    for b, c, i, j in np.ndindex(*x.shape):  # the plain form
        assert y[b, c, i, j] == pytest.approx(min(max(x[b, c, i, j], 0), ratio * top[b, c, 0, 0]))
    torch.testing.assert_close(Suppression(5, ratio)(3 * x), 3 * y)


def test_the_gradient_of_capped_positions_goes_to_the_maximum_and_to_the_share():
    """A detached maximum would leave 0 in both places."""
    active = torch.tensor([[[[4.0, 3.0, 1.0, 0.5]]]], requires_grad=True)
    share = torch.tensor(0.5, requires_grad=True)
    suppress(active, share).backward(torch.tensor([[[[10.0, 20.0, 30.0, 40.0]]]]))
    assert active.grad.flatten().tolist() == [15.0, 0.0, 30.0, 40.0]  # (10 + 20) / 2 to the maximum
    assert share.grad.item() == 4 * 30
    tied = torch.tensor([[[[2.0, 2.0, 1.0]]]], requires_grad=True)
    suppress(tied, 0.5).sum().backward()
    # the first of two equal maxima gets it all; 1 = 0.5 x 2 is split in halves
    assert tied.grad.flatten().tolist() == [1.25, 0.0, 0.5]


def test_a_share_of_1_is_a_relu_in_value_and_gradient():
    x = features(2, 4, 5, 6).requires_grad_()
    (wanted,) = torch.autograd.grad((x.relu() ** 2).sum(), x)
    for form in (Suppression(4, 1.0), lambda x: suppress(x.relu(), 1.0)):
        (found,) = torch.autograd.grad((form(x) ** 2).sum(), x)
        torch.testing.assert_close(found, wanted)


def test_the_learnable_share_reads_the_mean_behind_the_relu_and_has_a_gradient():
    torch.manual_seed(1)
    layer = Suppression(4, None).double()
    nn.init.normal_(layer.control.weight, std=1.0)
    x = features(2, 4, 5, 6).double()
    mean = x.clamp(min=0).mean(dim=(2, 3))  # not of x itself: the cap comes behind the ReLU
    shares = torch.sigmoid(mean @ layer.control.weight.T)
    torch.testing.assert_close(layer.shares(x.relu()).flatten(1), shares)
    torch.testing.assert_close(layer(x), suppress(x.relu(), shares[:, :, None, None]))
    layer(x).pow(2).sum().backward()
    weight, step, found = layer.control.weight.data, 1e-6, []
    for row, column in ((0, 0), (2, 3)):
        before = float(weight[row, column])
        values = []
        for sign in (1, -1):
            weight[row, column] = before + sign * step
            values.append(layer(x).pow(2).sum().item())
        weight[row, column] = before
        found.append((values[0] - values[1]) / (2 * step))
    wanted = [float(layer.control.weight.grad[at]) for at in ((0, 0), (2, 3))]
    assert found == pytest.approx(wanted, rel=1e-5)


def test_the_learnable_share_starts_near_one_half_with_noise():
    torch.manual_seed(0)
    layer = Suppression(256, None)
    assert layer.control.bias is None and layer.control.weight.std().item() == pytest.approx(0.01, rel=0.02)
    shares = layer.shares(features(2, 256, 4, 4).relu())
    assert float((shares - 0.5).abs().max()) < 0.1 and len(shares.unique()) > 400


def test_a_share_outside_its_range_is_refused():
    for ratio in (0.0, 1.2, -1):
        with pytest.raises(ValueError, match="not above 0 and at most 1"):
            Suppression(3, ratio)


# --- networks ------------------------------------------------------------------------------------------------------


def test_vgg16_has_sixteen_suppressions_and_none_behind_the_class_maps():
    init_default_scope("mmseg")
    with torch.device("meta"):
        config = {"type": "SuppressedVGG16", "ratio": None}
        model = MODELS.build({"type": "SuppressedClassifier", "backbone": config, "ratio": None, "num_classes": 20})
        assert model.maps(torch.zeros(1, 3, 320, 320)).shape == (1, 20, 40, 40)
    assert sum(isinstance(m, Suppression) for m in model.modules()) == 16
    assert list(dict(model.extra.named_children())) == ["conv1", "act1", "conv2", "act2", "conv3", "act3", "conv4"]
    assert not any(isinstance(m, nn.ReLU | nn.BatchNorm2d | nn.Dropout) for m in model.modules())
    learned = sum(p.numel() for name, p in model.named_parameters() if "control" in name)
    assert learned / (sum(p.numel() for p in model.parameters()) - learned) == pytest.approx(0.119, abs=5e-4)


def test_small_networks_cap_the_extra_convolutions_and_if_wanted_the_backbones_last_tap():
    extra = [name for name, m in network(ratio=0.55).named_modules() if isinstance(m, Suppression)]
    assert extra == ["extra.act1", "extra.act2", "extra.act3"]
    model = network(ratio=0.55, tap=True)
    assert [name for name, m in model.named_modules() if isinstance(m, Suppression)] == ["extra.act0", *extra]
    assert model.maps(features(1, 3, 64, 64)).shape == (1, 3, 4, 4)


def test_both_networks_start_as_released():
    classifier, refinement = network(width=64), network("RefinementNetwork", width=64)
    for conv in classifier.convolutions():
        wanted = (2 / (conv.kernel_size[0] ** 2 * conv.out_channels)) ** 0.5
        assert conv.weight.std().item() == pytest.approx(wanted, rel=0.1) and not conv.bias.any()
    for conv in refinement.convolutions():
        assert conv.weight.std().item() == pytest.approx(0.01, rel=0.1) and not conv.bias.any()


def test_the_classifiers_logits_are_means_of_maps_that_may_be_negative():
    model, x = network(ratio=0.55), features(2, 3, 64, 64)
    maps = model.maps(x)
    torch.testing.assert_close(model.logits(x), maps.mean(dim=(2, 3)))
    torch.testing.assert_close(model.cam(x), maps.relu())
    assert (maps < 0).any()
    sample = SegDataSample()
    sample.set_field(torch.tensor([1.0, 0.0, 1.0]), "tags")
    loss = model(x, [sample, sample], mode="loss")["loss"]
    tags = torch.tensor([[1.0, 0.0, 1.0]] * 2)
    torch.testing.assert_close(loss, F.multilabel_soft_margin_loss(maps.mean(dim=(2, 3)), tags))
    with pytest.raises(ValueError, match="not 'loss' or 'tensor'"):
        model(x, mode="predict")


def test_maps_are_in_whole_levels_and_the_largest_over_the_sizes():
    model, x = network(ratio=0.55), features(1, 3, 64, 64)
    maps = localisation_maps(model, x, (1, 3), (48, 64))
    assert maps.shape == (2, 64, 64) and float(maps.max()) < 1
    for k, channel in enumerate((0, 2)):
        each = []
        for side in (48, 64):
            raw = model.maps(F.interpolate(x, (side, side), mode="bilinear", align_corners=False)).detach()
            large = F.interpolate(raw.relu(), (64, 64), mode="bilinear", align_corners=True)[0, channel]
            each.append(large / (large.max() + 1e-5))
        torch.testing.assert_close(maps[k], torch.maximum(*each))
    assert to_bytes(torch.tensor([0.0, 0.99999, 0.5, 254.9 / 255])).tolist() == [0, 254, 127, 254]  # floor
    assert localisation_maps(model, x, (), (48,)).shape == (0, 64, 64)
    assert (normalised_cam(-torch.ones(1, 4, 4), (8, 8)) == 0).all()


def test_refined_maps_are_the_positive_part_at_the_photos_size():
    model, x = network("RefinementNetwork"), features(1, 3, 64, 64)
    maps = refined_maps(model, x, (2,), (48, 64), (30, 50))
    assert maps.shape == (1, 30, 50) and float(maps.min()) >= 0
    raw = [model.maps(F.interpolate(x, (s, s), mode="bilinear", align_corners=False))[0, 1:2] for s in (48, 64)]
    large = [F.interpolate(m[None], (30, 50), mode="bilinear", align_corners=True)[0] for m in raw]
    torch.testing.assert_close(maps, torch.maximum(*large).clamp(min=0).detach())
    assert refined_maps(model, x, (), (48,), (30, 50)).shape == (0, 30, 50)


# --- refinement ----------------------------------------------------------------------------------------------------


def test_at_every_pixel_the_largest_class_stays():
    maps = torch.tensor([[[0.2, 0.5, 0.0]], [[0.1, 0.5, 0.0]]])
    assert keep_pixel_maximum(maps).tolist() == [[[pytest.approx(0.2), 0.5, 0.0]], [[0.0, 0.5, 0.0]]]
    assert keep_pixel_maximum(torch.zeros(0, 2, 2)).shape == (0, 2, 2)


def test_the_target_has_all_classes_in_whole_levels():
    planes = [torch.tensor([[[0.2, 0.4]], [[0.6, 0.2]]]) + 1e-6, torch.zeros(0, 1, 2)]
    target = refinement_target(planes, torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]]))
    levels = (255 * target).round()
    assert target.shape == (2, 3, 1, 2) and torch.equal(target, levels / 255)
    assert levels[0].tolist() == [[[0, 102]], [[0, 0]], [[153, 0]]] and not levels[1].any()
    with pytest.raises(ValueError, match="2 maps do not fit 1 tags"):
        refinement_target(planes[:1], torch.tensor([[1.0, 0.0, 0.0]]))


def test_maps_of_untagged_classes_are_learned_to_be_0():
    """An error over the image's own classes alone, or maps masked by the tags, would leave them as they are."""
    maps = features(1, 3, 4, 4).requires_grad_()
    target = refinement_target([torch.rand(1, 8, 8)], torch.tensor([[0.0, 1.0, 0.0]]))
    loss = refinement_loss(maps, target)
    large = F.interpolate(maps, (8, 8), mode="bilinear", align_corners=True)
    torch.testing.assert_close(loss, (large - target).pow(2).sum() / (3 * 64))
    loss.backward()
    assert (maps.grad[0, [0, 2]] != 0).all()


def test_the_network_learns_from_the_samples_maps():
    model = network("RefinementNetwork")
    sample = SegDataSample()
    sample.set_field(torch.tensor([0.0, 1.0, 0.0]), "tags")
    sample.maps = PixelData(data=torch.rand(1, 64, 64))
    x = features(1, 3, 64, 64)
    wanted = refinement_loss(model.maps(x), refinement_target([sample.maps.data], sample.tags[None]))
    torch.testing.assert_close(model(x, [sample], mode="loss")["loss"], wanted)


# --- DeepLab -------------------------------------------------------------------------------------------------------


def test_own_labels_among_the_tags():
    logits = torch.tensor([[-1.0, -2.0, -3.0], [2.0, 3.0, 5.0], [-1.0, 2.0, 9.0]])[:, :, None, None]
    tags = torch.tensor([[1.0, 0.0]] * 3)  # background and class 1
    assert own_labels(logits, tags, "product").flatten().tolist() == [2, 1, 1]  # 0 of an untagged class beats -1
    assert own_labels(logits, tags, "mask").flatten().tolist() == [0, 1, 1]


@pytest.mark.parametrize("choice", ["product", "mask"])
def test_every_scale_has_a_second_term(choice: str):
    init_default_scope("mmseg")
    head = {"type": "SumASPPHead", "in_channels": 320, "rates": (1,), "num_classes": 4, "align_corners": False}
    config = {"type": "SelfTrainedSegmentor", "choice": choice, "backbone": {"type": "EfficientNetLite"}}
    model: SelfTrainedSegmentor = MODELS.build({**config, "decode_head": head, "test_cfg": {"mode": "whole"}}).eval()
    sample = SegDataSample(metainfo={"img_shape": (64, 64)})
    sample.gt_sem_seg = PixelData(data=torch.ones(1, 64, 64, dtype=torch.long))
    sample.set_field(torch.tensor([1.0, 0.0, 1.0]), "tags")
    x = features(1, 3, 64, 64)
    losses = model.loss(x, [sample])
    assert {key for key in losses if "loss" in key} == {f"loss_{t}_{s}" for t in ("ce", "self") for s in
                                                        ("1", "0.5", "0.75", "max")}  # fmt: skip
    last = model.outputs(x)[-1]
    torch.testing.assert_close(losses["loss_self_max"], self_label_loss(last, sample.tags[None], choice))
    with pytest.raises(ValueError, match="not 'product' or 'mask'"):
        MODELS.build({**config, "choice": "sum", "decode_head": head})


# --- files and constants -------------------------------------------------------------------------------------------


def test_released_files_with_aliases_and_wrapper():
    with torch.device("meta"):
        state = {"features.28.weight": torch.zeros(512, 512, 3, 3), "extra_conv4.weight": torch.zeros(20, 512, 1, 1)}
        alias = {"layer5_conv3.weight": state["features.28.weight"], "layer1_relu1.fc.0.weight": torch.zeros(64, 64)}
        wrapped = {f"module.{key}": value for key, value in (state | alias).items()}
    wanted = {"backbone.conv5_3.weight", "extra.conv4.weight", "backbone.act1_1.control.weight"}
    for file in (state | alias, wrapped):
        assert recognise(file, "file") == "drs" and set(convert_drs(file)) == wanted
    made = known_formats()["drs"].network(convert_drs(state | alias))
    assert made["ratio"] is None and known_formats()["drs"].network(convert_drs(state))["ratio"] == 1.0


def test_constants_that_a_toy_port_gets_wrong():
    classifier, refinement = (read_config(CONFIGS / f"{name}_vgg16_voc12.py") for name in ("cls", "refine"))
    assert classifier.param_scheduler[0].milestones == [4, 9]  # the paper's 5 and 10 count from 1
    assert refinement.param_scheduler[0].milestones == [9, 19]
    steps = classifier.train_dataloader.dataset.pipeline
    assert (steps[0].type, steps[0].height, steps[0].width, steps[3].size) == ("Squash", 384, 384, 320)
    steps = refinement.train_dataloader.dataset.pipeline
    assert [step.type for step in steps] == ["Squash", "RandomColorJitter", "RandomMirror", "Pack"]
    assert (steps[0].height, steps[0].width) == (320, 320)  # not 384
    assert refinement.optim_wrapper == {"type": "OptimWrapper", "optimizer": {"type": "Adam", "lr": 1e-4}}
    assert (refinement.model.ratio, refinement.model.backbone.ratio) == (1.0, 1.0)
    assert (classifier.model.ratio, classifier.model.backbone.ratio) == (None, None)
    assert len(classifier.optim_wrapper.paramwise_cfg.new) == 14
