"""A multi-label classifier whose last layer yields class activation maps."""

from __future__ import annotations

from typing import Any

import common.base.compat  # isort: skip  # noqa: F401
import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor, nn

from common.models.preprocess import ImageModel


@MODELS.register_module()
class CamClassifier(ImageModel):
    """Backbone, global mean, 1x1 convolution without bias (Zhou et al. 2016; IRNet sec. 3.1).

    With features f [B, D, h, w] of the backbone's last tap and the weights W [C - 1, D] of the head:

        logits = W mean(dropout(f))        CAM = relu(W f)^cam_power

    The head is called `head`, the rest `backbone`: learning-rate groups are given by these names. The
    backbone's `frozen_stages` says which part of it gets no gradient.

    Args:
        backbone: config of a registered backbone (its last tap is used).
        num_classes: foreground classes, C - 1; output i belongs to class id i + 1.
        dropout: probability of the channel dropout in front of the mean (AffinityNet: 0.5).
        head_gain: the head starts with Xavier uniform weights times this (AffinityNet: 1), or, where it is None, with
            PyTorch's own (IRNet).
        cam_power: AffinityNet takes the square root of the CAMs of VGG16, 0.5.
        data_preprocessor: mmseg's SegDataPreProcessor with the backbone's mean and std.
    """

    def __init__(
        self,
        backbone: dict[str, Any],
        num_classes: int,
        dropout: float = 0.0,
        head_gain: float | None = None,
        cam_power: float = 1.0,
        data_preprocessor: dict[str, Any] | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        self.backbone = MODELS.build(backbone)
        self.cam_power = cam_power
        self.dropout = nn.Dropout2d(dropout)
        self.head = nn.Conv2d(self.backbone.channels[-1], num_classes, kernel_size=1, bias=False)
        if head_gain is not None:
            nn.init.xavier_uniform_(self.head.weight, head_gain)

    def features(self, x: Tensor) -> Tensor:
        """Normalised float [B, 3, H, W] -> [B, D, h, w], the last tap."""
        return self.backbone(x)[-1]

    def logits(self, x: Tensor) -> Tensor:
        """Normalised float [B, 3, H, W] -> [B, C - 1]."""
        return self.head(self.dropout(self.features(x)).mean(dim=(2, 3), keepdim=True)).flatten(1)

    def cam(self, x: Tensor) -> Tensor:
        """Normalised float [B, 3, H, W] -> class activation maps >= 0, [B, C - 1, h, w]; no mirror, no scaling."""
        return F.relu(self.head(self.features(x))).pow(self.cam_power)

    def forward(self, inputs: Tensor, data_samples: list | None = None, mode: str = "tensor") -> Any:
        """mmengine's interface; `inputs` are normalised.

        Returns:
            "loss": {"loss": multi-label soft margin, mean over classes and batch} from `data_samples[i].tags` [C - 1];
            "predict": the data samples with `tag_scores` [C - 1], the logistic probabilities; "tensor": the logits.
        """
        logits = self.logits(inputs)
        if mode == "tensor":
            return logits
        if mode == "loss":
            tags = torch.stack([sample.tags for sample in data_samples]).to(logits)
            return {"loss": F.multilabel_soft_margin_loss(logits, tags)}
        if mode == "predict":
            for sample, scores in zip(data_samples, logits.sigmoid(), strict=True):
                sample.set_field(scores, "tag_scores")
            return data_samples
        raise ValueError(f"mode is {mode!r}, not one of 'loss', 'predict', 'tensor'")
