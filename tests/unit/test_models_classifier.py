"""The classifier: its maps and logits agree, its loss is the field's, its input is normalised by its own rules."""

from __future__ import annotations

import pytest
import torch
from mmseg.structures import SegDataSample

import common.models.register  # noqa: F401  (the backbones)
from common.base.constants import CAFFE_MEAN
from common.models.classifier import CamClassifier

RGB = {"type": "SegDataPreProcessor", "mean": [127.5] * 3, "std": [127.5] * 3, "size_divisor": 1}
BGR = {"type": "SegDataPreProcessor", "mean": CAFFE_MEAN[::-1], "std": [1.0] * 3, "rgb_to_bgr": True, "size_divisor": 1}


def classifier(preprocessor: dict = RGB, **options) -> CamClassifier:
    torch.manual_seed(0)
    backbone = {"type": "DilatedResNet", "depth": 18, "frozen_bn": True, "frozen_stages": 2}
    return CamClassifier(backbone, num_classes=4, data_preprocessor=preprocessor, **options)


def samples(tags: torch.Tensor) -> list[SegDataSample]:
    made = [SegDataSample() for _ in tags]
    for sample, row in zip(made, tags, strict=True):
        sample.set_field(row, "tags")
    return made


@torch.no_grad()
def test_the_mean_of_the_map_before_the_relu_is_the_logit():
    model = classifier().eval()
    x = torch.randn(2, 3, 64, 96)
    scores = torch.einsum("kd,bdhw->bkhw", model.head.weight[..., 0, 0], model.features(x))
    torch.testing.assert_close(model.cam(x), scores.clamp(min=0))
    torch.testing.assert_close(model.logits(x), scores.mean((2, 3)))
    assert model.cam(x).shape == (2, 4, 2, 3)


@torch.no_grad()
def test_options_of_affinitynet():
    plain, model = classifier().eval(), classifier(dropout=0.5, head_gain=1.0, cam_power=0.5)
    bound = (6 / (512 + 4)) ** 0.5
    assert 0.9 * bound < model.head.weight.abs().max() <= bound
    assert plain.head.weight.abs().max() <= 512**-0.5  # PyTorch's own start
    plain.head.load_state_dict(model.head.state_dict())
    x = torch.randn(2, 3, 64, 64)
    torch.testing.assert_close(model.eval().cam(x), plain.cam(x).sqrt())
    torch.testing.assert_close(model.logits(x), plain.logits(x))
    model.train()
    assert not torch.allclose(model.logits(x), plain.logits(x))  # channels are dropped


def test_loss_is_the_mean_binary_cross_entropy():
    model = classifier().train()
    images = [torch.randint(0, 256, (3, 64, 64), dtype=torch.uint8) for _ in range(2)]
    tags = torch.tensor([[1.0, 0, 0, 1], [0, 1, 0, 0]])
    data = model.data_preprocessor({"inputs": images, "data_samples": samples(tags)}, training=True)
    loss = model(**data, mode="loss")["loss"]
    logits = model.logits(model.normalize(torch.stack(images)))
    torch.testing.assert_close(loss, torch.nn.functional.binary_cross_entropy_with_logits(logits, tags))
    loss.backward()
    assert model.head.weight.grad.abs().sum() > 0
    assert model.backbone.layer3[0].bn1.weight.grad is not None
    assert all(p.grad is None for p in model.backbone.layer2.parameters())


def test_predict_gives_probabilities_and_unknown_modes_fail():
    model = classifier().eval()
    x = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        predicted = model(x, samples(torch.zeros(1, 4)), mode="predict")[0].tag_scores
        torch.testing.assert_close(predicted, model.logits(x)[0].sigmoid())
    with pytest.raises(ValueError, match="mode"):
        model(x, mode="test")


def test_caffe_input_is_bgr_minus_mean():
    image = torch.tensor([10.0, 20.0, 30.0]).view(1, 3, 1, 1).expand(1, 3, 2, 2)
    expected = torch.tensor([30 - 104.008, 20 - 116.669, 10 - 122.675])
    torch.testing.assert_close(classifier(BGR).normalize(image.to(torch.uint8))[0, :, 0, 0], expected)


def test_normalize_is_what_training_sees():
    image = torch.randint(0, 256, (3, 8, 8), dtype=torch.uint8)
    for rules in (RGB, BGR):
        model = classifier(rules)
        data = {"inputs": [image], "data_samples": samples(torch.zeros(1, 4))}
        seen = model.data_preprocessor(data, training=True)["inputs"]
        torch.testing.assert_close(seen, model.normalize(image[None]))
