"""Released checkpoints under the names this project uses: `backbone.*` and `head.*` or `decode_head.*`."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor


def convert_irnet_cam(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """IRNet's and WSGCN's classifier: `resnet50.*`, `classifier.weight`; their aliases are dropped."""
    converted = {}
    for key, value in state.items():
        if key == "classifier.weight":
            converted["head.weight"] = value
        elif key.startswith("resnet50.") and not key.startswith("resnet50.fc."):
            converted["backbone." + key.removeprefix("resnet50.")] = value
    return converted
