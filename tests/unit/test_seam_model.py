"""SEAM's network: sizes, what learns from what, the CAMs it gives, released weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from common.checkpoints.formats import recognise
from common.inference.cam import multi_scale_cam
from common.ops.cam import merge_cams
from methods.seam.losses import classification_loss, shrink
from methods.seam.model import SEAM, SEAMClassifier
from methods.seam.released import convert_seam

PREPROCESSOR = {"type": "SegDataPreProcessor", "mean": [127.5] * 3, "std": [127.5] * 3, "size_divisor": 1}
LITE = {"type": "EfficientNetLite", "output_stride": 8, "out_indices": (2, 3, 4), "frozen_stages": 1, "frozen_bn": True}
RESNET = {"type": "DilatedResNet", "depth": 18, "out_indices": (2, 3, 4)}  # taps at strides 8, 16, 32


def build(backbone: dict = LITE, **options) -> SEAM | SEAMClassifier:
    torch.manual_seed(0)
    config = {"type": "SEAM", "backbone": backbone, "num_classes": 5, "data_preprocessor": PREPROCESSOR}
    return MODELS.build(config | options).eval()


def samples(count: int) -> list[SegDataSample]:
    tagged = []
    for i in range(count):
        sample = SegDataSample()
        sample.set_field(torch.eye(5)[i] + torch.eye(5)[4], "tags")
        tagged.append(sample)
    return tagged


@pytest.mark.parametrize("backbone", [LITE, RESNET], ids=["lite0", "resnet"])
@pytest.mark.parametrize("size", [(64, 64), (75, 49)])
def test_both_maps_have_the_size_of_the_input(backbone, size):
    model, x = build(backbone), torch.randn(2, 3, *size)
    raw, refined = model(x)
    assert raw.shape == refined.shape == (2, 6, *size)
    assert refined.min() >= 0 and refined.max() <= 1
    assert torch.equal(model.cam(x), refined[:, 1:])
    assert torch.equal(build(backbone, cam_map="raw").cam(x), raw[:, 1:])


def test_the_refined_maps_teach_the_correlation_alone():
    model = build().train()
    _, refined = model.class_maps(torch.randn(1, 3, 64, 64))
    refined.square().sum().backward()
    reached = {name for name, p in model.named_parameters() if p.grad is not None}
    assert reached == {name for name, _ in model.named_parameters() if name.startswith("pcm.")}


def test_the_raw_maps_teach_everything_else():
    model = build().train()
    raw, _ = model.class_maps(torch.randn(1, 3, 64, 64))
    raw.square().sum().backward()
    reached = {name for name, p in model.named_parameters() if p.grad is not None}
    assert reached == {n for n, p in model.named_parameters() if p.requires_grad and not n.startswith("pcm.")}


def test_a_step_moves_what_is_meant_to_move():
    model = build().train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    model(torch.randn(2, 3, 64, 64), samples(2), mode="loss")["loss"].backward()
    optimizer.step()
    trainable = {name for name, p in model.named_parameters() if p.requires_grad}
    changed = {key for key, value in model.state_dict().items() if not torch.equal(value, before[key])}
    assert changed <= trainable and {"head.weight", "pcm.embed.weight", "pcm.reduce.0.weight"} <= changed
    assert torch.equal(model.head.weight[0], before["head.weight"][0])  # the raw background has no gradient


def test_the_two_views_are_drawn_by_the_scale():
    model, seen = build(scale=0.3).train(), []
    forward = model.backbone.forward
    model.backbone.forward = lambda x: (seen.append(tuple(x.shape)), forward(x))[1]
    model(torch.randn(2, 3, 96, 80), samples(2), mode="loss")
    assert seen == [(2, 3, 96, 80), (2, 3, 28, 24)]


def test_the_classifier_alone_is_seam_without_its_parts():
    seam, plain, x = build(), build(type="SEAMClassifier"), torch.randn(2, 3, 64, 48)
    weights = {name: value for name, value in seam.state_dict().items() if not name.startswith("pcm.")}
    assert weights.keys() == plain.state_dict().keys() and not hasattr(plain, "pcm")
    assert all(torch.equal(value, plain.state_dict()[name]) for name, value in weights.items())
    raw, _ = seam(x)
    assert torch.equal(plain(x), raw) and torch.equal(plain.cam(x), raw[:, 1:])


def test_the_classifier_alone_learns_from_the_tags_of_both_views():
    seam, plain, x = build(scale=0.5), build(type="SEAMClassifier", scale=0.5), torch.randn(2, 3, 64, 64)
    loss, tags = plain(x, samples(2), mode="loss"), torch.stack([sample.tags for sample in samples(2)])
    expected = [classification_loss(plain(view), tags) for view in (x, shrink(x, 0.5))]
    torch.testing.assert_close(loss["loss"], sum(expected) / 2)
    assert set(loss) == {"loss", "cls", "cls1", "cls2"}
    both = seam(x, samples(2), mode="loss")
    assert all(torch.equal(loss[name], both[name]) for name in ("cls", "cls1", "cls2"))
    loss["loss"].backward()
    learned = {name for name, p in plain.named_parameters() if p.grad is not None}
    assert learned == {name for name, p in plain.named_parameters() if p.requires_grad}


@pytest.mark.slow
def test_the_loss_falls_on_two_images():
    model = build(dropout=0.0, scale=0.5).train()
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.02)
    x = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    x[0, :, :32] += 2
    x[1, :, 32:] -= 2
    terms = []
    for _ in range(12):
        loss = model(x, samples(2), mode="loss")
        optimizer.zero_grad()
        loss["loss"].backward()
        optimizer.step()
        terms.append({name: value.item() for name, value in loss.items()})
    assert terms[-1]["loss"] < 0.8 * terms[0]["loss"]
    assert terms[-1]["cls"] < terms[0]["cls"] and terms[-1]["ecr"] < terms[0]["ecr"]


def test_merged_cams_hold_the_tagged_classes_alone():
    image = np.random.default_rng(0).integers(0, 256, (45, 60, 3)).astype(np.uint8)
    maps = multi_scale_cam(build(), image, (0.5, 1.0))
    assert [tuple(m.shape) for m in maps] == [(5, 22, 30), (5, 45, 60)]
    cam = merge_cams(maps, (45, 60), [2, 5], normalisation="class_min_max")
    assert cam.shape == (2, 45, 60) and cam.max() < 1


def test_released_weights_are_recognised_and_renamed():
    names = ["conv1a.weight", "b7.bn_branch2b2.running_var", "bn7.bias", "f8_3.weight", "f8_4.weight", "f9.weight"]
    assert recognise([*names, "fc8.weight"], "file") == "seam"
    converted = convert_seam({name: torch.zeros(1) for name in [*names, "fc8.weight"]})
    assert set(converted) == {
        "backbone.conv1a.weight",
        "backbone.b7.bn_branch2b2.running_var",
        "backbone.bn7.bias",
        "pcm.reduce.0.weight",
        "pcm.reduce.1.weight",
        "pcm.embed.weight",
        "head.weight",
    }


def test_the_map_has_to_be_named_right():
    with pytest.raises(ValueError, match="cam_map is 'both'"):
        build(cam_map="both")
    with pytest.raises(ValueError, match="mode is 'predict'"):
        build()(torch.randn(1, 3, 64, 64), mode="predict")
