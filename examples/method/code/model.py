"""The network: a backbone, a 1x1 convolution, and a loss that changes over the training."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor, nn

import methods.example.backbone  # noqa: F401  (registers it)
from common.models.preprocess import ImageModel
from methods.example.losses import region_loss, saliency_loss, tag_loss


@MODELS.register_module()
class Example(ImageModel):
    """A segmentation network that learns from tags, saliency and regions of one colour.

        loss = tags + saliency + ramp * region_weight * regions,    ramp = iteration / iterations

    Args:
        backbone: config of a registered backbone; its last tap is used.
        num_classes: foreground classes, C - 1, filled in from the data set; channel k of the logits is class id k.
        region_weight: weight of the regions at the end of the training.
        data_preprocessor: mmseg's SegDataPreProcessor with the backbone's mean and std.
    """

    align_corners = False  # `infer_seg` enlarges the logits by this rule

    def __init__(
        self,
        backbone: dict[str, Any],
        num_classes: int,
        region_weight: float = 1.0,
        data_preprocessor: dict[str, Any] | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        self.region_weight = region_weight
        self.backbone = MODELS.build(backbone)
        self.head = nn.Conv2d(self.backbone.channels[-1], num_classes + 1, kernel_size=1)

    def forward(self, inputs: Tensor, data_samples: list | None = None, mode: str = "tensor") -> Any:
        """mmengine's interface; `inputs` are normalised.

        Returns:
            "tensor": logits [B, C, h, w] on the grid of the backbone's last tap; "loss": the terms and their total.
        """
        logits = self.head(self.backbone(inputs)[-1])
        if mode == "tensor":
            return logits
        if mode == "loss":
            return self.loss(logits, data_samples)
        raise ValueError(f"mode is {mode!r}, not 'loss' or 'tensor'")

    def loss(self, logits: Tensor, samples: list) -> dict[str, Tensor]:
        """The total `loss` and its terms.

        logits: [B, C, h, w]; samples: each with `tags` [C - 1]; `saliency` [1, H, W] and `regions` [1, H, W], cropped
        with the image; `whole_saliency` [H', W'] and `palette` [K, 3], of the whole photo.
        """
        scores, device, size = logits.softmax(dim=1), logits.device, logits.shape[-2:]
        tags = torch.stack([sample.tags for sample in samples]).to(device)
        terms = {
            "tags": tag_loss(logits, tags),
            "saliency": saliency_loss(scores, torch.stack([salient(sample, size) for sample in samples]).to(device)),
            "regions": torch.stack([self._regions(*pair) for pair in zip(scores, samples, strict=True)]).mean(),
        }
        weight = self.region_weight * self.ramp()
        return {"loss": terms["tags"] + terms["saliency"] + weight * terms["regions"], **terms}

    def ramp(self) -> float:
        """From 0 to 1 over the training; 1 outside of one."""
        return 1.0 if self.progress is None else self.progress.iteration / self.progress.iterations

    def _regions(self, scores: Tensor, sample: Any) -> Tensor:
        regions = F.interpolate(sample.regions.data[None].float(), size=scores.shape[-2:], mode="nearest")[0, 0]
        return region_loss(scores, regions.long().to(scores.device), sample.palette.to(scores.device))


def salient(sample: Any, size: tuple[int, int]) -> Tensor:
    """Saliency of the crop as a share of the photo's highest, which the crop may not hold: float32 [1, *size]."""
    levels = F.interpolate(sample.saliency.data[None], size=size, mode="bilinear", align_corners=False)[0]
    return levels / sample.whole_saliency.max().clamp(min=1e-6)
