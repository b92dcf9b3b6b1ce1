"""How well a classifier finds the tags."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

import common.models.register  # noqa: F401
from common.artifacts import Weights
from common.base.errors import UserError
from common.data.dataset import open_dataset
from common.pipeline import Run
from common.stages import eval_tags

RULES = {"type": "SegDataPreProcessor", "mean": [127.5] * 3, "std": [127.5] * 3, "size_divisor": 1}
CLASSIFIER = {
    "type": "CamClassifier",
    "backbone": {"type": "EfficientNetLite"},
    "num_classes": 1,
    "data_preprocessor": RULES,
}
SEGMENTOR = {
    "type": "EncoderDecoder",
    "backbone": {"type": "EfficientNetLite"},
    "decode_head": {"type": "SumASPPHead", "in_channels": 320, "rates": (1,), "num_classes": 2},
    "test_cfg": {"mode": "whole"},
}


def stored(folder: Path, model: dict) -> tuple[torch.nn.Module, Weights]:
    """A network with random weights, and as a stage leaves it."""
    init_default_scope("mmseg")
    torch.manual_seed(0)
    folder.mkdir()
    network, made = MODELS.build(model).eval(), Weights(folder)
    torch.save(network.state_dict(), made.file)
    Config({"model": model}).dump(made.config)
    return network, made


@pytest.mark.parametrize("squash", [None, 48])
def test_the_numbers_are_those_of_the_logits(tiny_voc: Path, tmp_path: Path, squash: int | None):
    data = open_dataset(tiny_voc)
    run = Run(data.guarded(()), torch.device("cpu"), tmp_path / "out", 0)
    network, weights = stored(tmp_path / "net", CLASSIFIER)
    numbers = eval_tags(run, weights, "train", squash)
    right = []
    for image_id in data.ids("train"):
        image = torch.from_numpy(data.image(image_id).copy()).permute(2, 0, 1)[None]
        if squash is not None:
            from torchvision.transforms.functional import pil_to_tensor, to_pil_image

            image = pil_to_tensor(to_pil_image(image[0]).resize((squash, squash), 2))[None]
        right.append(network.logits(network.normalize(image)).item() >= 0)  # every image has the class
    assert numbers["exact_match"] == pytest.approx(np.mean(right))
    assert (numbers["mean_precision"], numbers["precision"], numbers["images"]) == (1.0, {"thing": 1.0}, 8)


def test_what_has_no_logits_is_refused(tiny_voc: Path, tmp_path: Path):
    run = Run(open_dataset(tiny_voc).guarded(()), torch.device("cpu"), tmp_path / "out", 0)
    with pytest.raises(UserError, match="'net' is no classifier with logits"):
        eval_tags(run, stored(tmp_path / "net", SEGMENTOR)[1], "train")
