"""DeepLab v2's three scales: pixel-wise maximum in the test, four losses in training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import common.base.compat  # isort: skip  # noqa: F401
import torch
import torch.nn.functional as F
from mmseg.models.segmentors import EncoderDecoder
from mmseg.registry import MODELS
from torch import Tensor


def multi_scale_outputs(base: Callable[[Tensor], Tensor], x: Tensor, scales: Sequence[float]) -> list[Tensor]:
    """[base(x), base(s x) for every scale s, maximum]: one network on several scales of its input.

    Inputs are resized bilinearly (corners not aligned), sides rounded down: 321 -> 160, 240 -> logits 41, 21, 31. The
    maximum is over all logits up-sampled to those of the full scale.

    Args:
        base: [B, 3, H, W] -> logits [B, C, h, w].
        x: normalised input, float [B, 3, H, W].
    """
    full = base(x)
    small = [base(F.interpolate(x, scale_factor=s, mode="bilinear", align_corners=False)) for s in scales]
    enlarged = [F.interpolate(y, size=full.shape[2:], mode="bilinear", align_corners=False) for y in small]
    return [full, *small, torch.stack([full, *enlarged]).amax(0)]


@MODELS.register_module()
class MultiScaleMaxSegmentor(EncoderDecoder):
    """DeepLab v2 with MSC (Chen et al. 2018, sec. 3.3): the sum of the losses of every scale and of their maximum.

    Args:
        scales: of the input besides 1.
        **kwargs: of mmseg's EncoderDecoder; the decode head decides how labels meet logits.
    """

    def __init__(self, scales: Sequence[float] = (0.5, 0.75), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scales = tuple(scales)

    def outputs(self, inputs: Tensor) -> list[Tensor]:
        """Normalised float [B, 3, H, W] -> logits at scale 1, at every other scale, and their maximum."""
        return multi_scale_outputs(lambda x: self.decode_head(self.extract_feat(x)), inputs, self.scales)

    def loss(self, inputs: Tensor, data_samples: list) -> dict[str, Tensor]:
        """One cross entropy per output; mmengine adds up what is called loss."""
        names = ("1", *map(str, self.scales), "max")
        losses: dict[str, Tensor] = {}
        for name, logits in zip(names, self.outputs(inputs), strict=True):
            for key, value in self.decode_head.loss_by_feat(logits, data_samples).items():
                losses[f"{key}_{name}"] = value
        return losses

    def _forward(self, inputs: Tensor, data_samples: list | None = None) -> Tensor:
        return self.outputs(inputs)[-1]

    def encode_decode(self, inputs: Tensor, batch_img_metas: list[dict]) -> Tensor:
        return self.decode_head.predict_by_feat(self.outputs(inputs)[-1], batch_img_metas)
