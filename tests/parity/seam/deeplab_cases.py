"""SEAM's segmentation network against YudeWang/semantic-segmentation-codebase."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from common.base.config import read_config
from common.checkpoints.convert import convert_resnet38
from common.checkpoints.networks import without_init
from common.models.preprocess import normalize
from common.training.param_groups import EXCLUDED, parameter_groups
from tests.parity.compare import close, shapes
from tests.parity.networks import RGB, Golden, blank, filled, images, loaded

CONFIG = Path(__file__).parents[3] / "configs/seam/deeplabv1_resnet38_voc12.py"


def net_deeplabv1_resnet38(golden: Golden) -> None:
    """Logits at image size, and the optimiser's groups; network and groups are those of the config."""
    config = read_config(CONFIG)
    network = without_init(config.model.to_dict()) | {"data_preprocessor": None}
    network["decode_head"]["num_classes"] = golden["logits"].shape[1]
    model = blank(network, RGB)
    _check_groups(model, config.optim_wrapper.paramwise_cfg, golden)

    state = filled(shapes(golden), golden)
    for name, factor in map(str.split, golden["scales"].tolist()):
        state[name] *= float(factor)
    loaded(model, convert_resnet38(state))
    x = normalize(model, images(golden["image_hw"], golden["image_seed"]))
    with torch.no_grad():
        logits = model(x, mode="tensor")
    logits = F.interpolate(logits, size=x.shape[2:], mode="bilinear", align_corners=model.align_corners)
    step = int(golden["stride"])
    close(logits[:, :, ::step, ::step], golden["logits"], 1e-3, 1e-3, what="logits")


def _check_groups(model: torch.nn.Module, rules: dict, golden: Golden) -> None:
    """Every parameter is in the authors' group, those they leave out are in none."""
    listed = dict(reversed(entry.split(":")) for entry in golden["group_param"].tolist())
    groups = parameter_groups(model, rules["new"], rules["norm"])
    names = convert_resnet38({name: np.array(int(group)) for name, group in listed.items()})
    assert len(names) == len(listed)
    assert {name: group for name, group in groups.items() if group != EXCLUDED} == {
        name: int(group) for name, group in names.items()
    }


CASES = {"net_deeplabv1_resnet38": net_deeplabv1_resnet38}
