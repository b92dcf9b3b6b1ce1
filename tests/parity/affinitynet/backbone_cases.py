"""The backbone's ImageNet weights under MXNet's names."""

from __future__ import annotations

import numpy as np
import torch

from common.checkpoints.formats import FORMATS, network_shapes, recognise

Golden = dict[str, np.ndarray]


def mxnet_names(golden: Golden) -> None:
    """Every name of the MXNet file and the tensor it becomes ('': none); together they fill the backbone."""
    pairs = dict(zip(golden["mxnet_name"].tolist(), golden["torch_name"].tolist(), strict=True))
    number = {name: torch.tensor(i) for i, name in enumerate(pairs)}
    converted = FORMATS[recognise(pairs, "the golden file")].convert(number)
    assert {key: int(value) for key, value in converted.items()} == {
        f"backbone.{ours}": int(number[name]) for name, ours in pairs.items() if ours
    }
    shapes = network_shapes({"backbone": {"type": "ResNet38"}})
    assert set(converted) == {key for key in shapes if not key.endswith("num_batches_tracked")}


CASES = {"mxnet_names": mxnet_names}
