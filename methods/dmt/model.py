"""DMT's network: DeepLab v2, whose loss treats labelled and pseudo-labelled images differently."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor

import common.models.register  # noqa: F401  (the backbones)
from common.base.errors import UserError
from common.models.deeplab import SumASPPHead
from methods.dmt.losses import RULES, mutual_loss


@MODELS.register_module()
class MutualHead(SumASPPHead):
    """DeepLab v2's head with the loss of mutual training, at image size.

    A sample is labelled if its meta information `strong` says so. Any other brings the `confidence` of its
    labeller. Logits are up-sampled to the labels by the head's corner rule before the loss.

    Args:
        loss: the name of one of `methods.dmt.losses.RULES` as `rule`, and its parameters.
        **kwargs: of `SumASPPHead`.

    Raises:
        UserError: there is no such rule.
    """

    def __init__(self, loss: Mapping[str, Any] = {"rule": "dynamic"}, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "labels": "image"})
        if loss.get("rule") not in RULES:
            raise UserError(f"decode_head.loss.rule is {loss.get('rule')!r}: there are {', '.join(RULES)}.")
        self.rule = dict(loss)

    def loss_by_feat(self, seg_logits: Tensor, batch_data_samples: list) -> dict[str, Tensor]:
        """{"loss_ce", and the statistics of `mutual_loss`} of logits [N, C, h, w]; every pixel counts alike."""
        label = self._stack_batch_gt(batch_data_samples).squeeze(1)
        logits = F.interpolate(seg_logits, label.shape[1:], mode="bilinear", align_corners=self.align_corners)
        labelled = torch.tensor([sample.strong for sample in batch_data_samples], device=label.device)
        confidence = torch.stack([_confidence(sample) for sample in batch_data_samples]).to(label.device)
        loss, statistics = mutual_loss(logits, label, confidence, labelled, **self.rule)
        return {"loss_ce": loss, **{name: value.float() for name, value in statistics.items()}}


def _confidence(sample: Any) -> Tensor:
    """The labeller's confidence, float32 [h, w]; 1 for a labelled sample, where it is not read."""
    if "confidence" in sample:
        return sample.confidence.data[0]
    if not sample.strong:
        raise UserError(f"The labels of {sample.id} have no confidence: train on ConfidentLabels.")
    return torch.ones_like(sample.gt_sem_seg.data[0], dtype=torch.float32)
