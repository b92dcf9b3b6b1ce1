"""From images in 0..255 to what a network was trained on: the network's own `data_preprocessor` knows how."""

from __future__ import annotations

from typing import Any

import common.base.compat  # isort: skip  # noqa: F401
from mmengine.model import BaseModel
from mmseg.registry import MODELS
from torch import Tensor, nn

from common.models.progress import TrainingProgress


def normalize(model: nn.Module, images: Tensor) -> Tensor:
    """Normalise a batch as the model's `data_preprocessor` does in training, without its padding.

    Args:
        model: has an mmseg `data_preprocessor` with mean and std in 0..255 units.
        images: [B, 3, H, W] RGB, 0..255, any dtype.

    Returns:
        float32 [B, 3, H, W] on the device of the images; BGR where the preprocessor swaps the channels.
    """
    rules = model.data_preprocessor
    images = images.float()
    if rules.channel_conversion:
        images = images[:, [2, 1, 0]]
    return (images - rules.mean.to(images.device)) / rules.std.to(images.device)


class ImageModel(BaseModel):
    """An mmengine model that can be asked for its input: what the classifiers and affinity networks have in common.

    data_preprocessor: mmseg's SegDataPreProcessor with the backbone's mean and std, or its config.
    progress: told by the training engine before each step, for a loss that changes over the training; None outside.
    """

    progress: TrainingProgress | None = None

    def __init__(self, data_preprocessor: Any = None, init_cfg: dict[str, Any] | None = None) -> None:
        preprocessor = MODELS.build(data_preprocessor) if isinstance(data_preprocessor, dict) else data_preprocessor
        super().__init__(data_preprocessor=preprocessor, init_cfg=init_cfg)

    def normalize(self, images: Tensor) -> Tensor:
        """[B, 3, H, W] RGB in 0..255 -> float32 network input."""
        return normalize(self, images)
