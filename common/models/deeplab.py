"""DeepLab's heads, v1 LargeFOV, v2 sum of dilated branches, v3 and v3+ with plain convolutions, for mmseg."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import common.base.compat  # isort: skip  # noqa: F401
import torch
import torch.nn.functional as F
from mmcv.cnn import build_norm_layer
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS
from torch import Tensor, nn

from common.ops.resize import resize_labels

BATCH_NORM = {"type": "BN"}
CROSS_ENTROPY = {"type": "CrossEntropyLoss", "avg_non_ignore": True}  # mmseg's default divides by ignored pixels too
Config = Mapping[str, Any]


class DeepLabHead(BaseDecodeHead):
    """A decode head that says at which size labels and logits meet.

    Args:
        labels: "logits": labels are shrunk to the logits as PIL does (v1, v2); "image": logits are enlarged (v3, v3+).
        align_corners: of every up-sampling of logits. "logits" with PIL's rule goes with False, except the public
            LargeFOV code, which pairs it with True.
        new_std: standard deviation of the last layer at the start, its bias is 0; None: torch's default.
    """

    def __init__(
        self,
        in_channels: int | Sequence[int],
        channels: int,
        labels: str,
        new_std: float | None = 0.01,
        loss_decode: Config = CROSS_ENTROPY,
        init_cfg: Config | Sequence[Config] | None = None,
        **kwargs: Any,
    ) -> None:
        if labels not in ("logits", "image"):
            raise ValueError(f"labels is {labels!r}, not 'logits' or 'image'")
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*build_loss.*")  # mmseg's own call
            super().__init__(
                in_channels, channels, loss_decode=dict(loss_decode), dropout_ratio=0, init_cfg=init_cfg, **kwargs
            )
        self.labels, self.new_std = labels, new_std

    def init_weights(self) -> None:
        """The last layers from N(0, new_std), then whatever `init_cfg` names on top."""
        if self.new_std is not None:
            for layer in self.last_layers():
                nn.init.normal_(layer.weight, std=self.new_std)
                nn.init.zeros_(layer.bias)
        super().init_weights()

    def last_layers(self) -> list[nn.Conv2d]:
        """The layers that give the logits."""
        return [self.conv_seg]

    def loss_by_feat(self, seg_logits: Tensor, batch_data_samples: list) -> dict[str, Tensor]:
        """{"loss_ce", "acc_seg"} of logits [B, C, h, w] and the samples' labels, at the size `labels` says."""
        if self.labels == "image":
            return super().loss_by_feat(seg_logits, batch_data_samples)
        labels = resize_labels(self._stack_batch_gt(batch_data_samples).squeeze(1), seg_logits.shape[-2:])
        loss = self.loss_decode(seg_logits, labels, ignore_index=self.ignore_index)
        known = labels != self.ignore_index
        right = ((seg_logits.argmax(1) == labels) & known).sum() / known.sum().clamp(min=1)
        return {"loss_ce": loss, "acc_seg": 100 * right}


def conv_norm_relu(inputs: int, outputs: int, kernel: int, dilation: int, norm_cfg: Config | None) -> nn.Sequential:
    """Convolution that keeps the size (with a bias where there is no norm), norm, ReLU: `conv`, `norm`, `relu`."""
    padding = dilation * (kernel // 2)
    layers: dict[str, nn.Module] = {
        "conv": nn.Conv2d(inputs, outputs, kernel, padding=padding, dilation=dilation, bias=norm_cfg is None)
    }
    if norm_cfg is not None:
        layers["norm"] = build_norm_layer(dict(norm_cfg), outputs)[1]
    return nn.Sequential(OrderedDict(layers, relu=nn.ReLU()))


class FovBranch(nn.Module):
    """VGG's fully connected layers as convolutions: dilated 3x3 `fc6`, 1x1 `fc7`, 1x1 `fc8`.

    dropouts: behind fc6 and fc7; channel_dropout: whole channels (public PyTorch code), not elements (Caffe).
    """

    def __init__(
        self,
        inputs: int,
        hidden: int,
        outputs: int,
        dilation: int,
        norm_cfg: Config | None = None,
        dropouts: Sequence[float] = (0.5, 0.5),
        channel_dropout: bool = False,
    ) -> None:
        super().__init__()
        dropout = nn.Dropout2d if channel_dropout else nn.Dropout
        self.fc6 = conv_norm_relu(inputs, hidden, 3, dilation, norm_cfg)
        self.drop6 = dropout(dropouts[0])
        self.fc7 = conv_norm_relu(hidden, hidden, 1, 1, norm_cfg)
        self.drop7 = dropout(dropouts[1])
        self.fc8 = nn.Conv2d(hidden, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs, h, w] -> [B, outputs, h, w]."""
        return self.fc8(self.drop7(self.fc7(self.drop6(self.fc6(x)))))


@MODELS.register_module()
class SumASPPHead(DeepLabHead):
    """DeepLab v2's atrous spatial pyramid: the sum of parallel branches of different dilation.

    ResNet form (hidden None): 3x3 convolutions with bias straight to the classes. VGG form: a `FovBranch` each.

    Args:
        rates: dilations of the branches.
        hidden: channels of fc6 and fc7, or None.
        norm_cfg, dropouts, channel_dropout: of the `FovBranch`es.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        rates: Sequence[int] = (6, 12, 18, 24),
        hidden: int | None = None,
        norm_cfg: Config | None = None,
        dropouts: Sequence[float] = (0.5, 0.5),
        channel_dropout: bool = False,
        labels: str = "logits",
        **kwargs: Any,
    ) -> None:
        super().__init__(in_channels, hidden or in_channels, labels, num_classes=num_classes, **kwargs)
        del self.conv_seg
        if hidden is None:
            branches = [nn.Conv2d(in_channels, num_classes, 3, padding=rate, dilation=rate) for rate in rates]
        else:
            options = (norm_cfg, dropouts, channel_dropout)
            branches = [FovBranch(in_channels, hidden, num_classes, rate, *options) for rate in rates]
        self.branches = nn.ModuleList(branches)

    def last_layers(self) -> list[nn.Conv2d]:
        return [getattr(branch, "fc8", branch) for branch in self.branches]

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """The backbone's taps -> logits [B, C, h, w] at the size of the selected tap."""
        x = self._transform_inputs(inputs)
        return sum(branch(x) for branch in self.branches)


@MODELS.register_module()
class LargeFOVHead(SumASPPHead):
    """DeepLab v1's large field of view: one branch, dilation 12 (Chen et al. 2015)."""

    def __init__(
        self, in_channels: int, num_classes: int, dilation: int = 12, hidden: int = 1024, **kwargs: Any
    ) -> None:
        super().__init__(in_channels, num_classes, rates=(dilation,), hidden=hidden, **kwargs)


class ASPP(nn.Module):
    """Atrous spatial pyramid pooling of DeepLab v3: 1x1, dilated 3x3s, image mean; concatenated in this order, 1x1."""

    def __init__(self, inputs: int, outputs: int, rates: Sequence[int], norm_cfg: Config, dropout: float) -> None:
        super().__init__()
        branches = [conv_norm_relu(inputs, outputs, 1, 1, norm_cfg)]
        branches += [conv_norm_relu(inputs, outputs, 3, rate, norm_cfg) for rate in rates]
        self.branches = nn.ModuleList(branches)
        self.pool = conv_norm_relu(inputs, outputs, 1, 1, norm_cfg)
        self.project = conv_norm_relu((len(branches) + 1) * outputs, outputs, 1, 1, norm_cfg)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs, h, w] -> [B, outputs, h, w]."""
        mean = self.pool(x.mean(dim=(2, 3), keepdim=True)).expand(-1, -1, *x.shape[2:])
        return self.dropout(self.project(torch.cat([*(branch(x) for branch in self.branches), mean], 1)))


KAIMING = {"type": "Kaiming", "layer": "Conv2d", "mode": "fan_in"}


@MODELS.register_module()
class PlainASPPHead(DeepLabHead):
    """DeepLab v3 with plain convolutions (Chen et al. 2017): ASPP, one 3x3, classifier.

    mmseg's ASPPHead has the image mean first and a 3x3 projection, so that released weights do not fit it.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        channels: int = 256,
        rates: Sequence[int] = (6, 12, 18),
        norm_cfg: Config = BATCH_NORM,
        dropout: float = 0.1,
        labels: str = "image",
        init_cfg: Config | None = KAIMING,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            in_channels, channels, labels, num_classes=num_classes, new_std=None, init_cfg=init_cfg, **kwargs
        )
        self.aspp = ASPP(in_channels, channels, rates, norm_cfg, dropout)
        self.fuse = conv_norm_relu(channels, channels, 3, 1, norm_cfg)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """The backbone's taps -> logits [B, C, h, w] at the size of the selected tap."""
        return self.conv_seg(self.fuse(self.aspp(self._transform_inputs(inputs))))


@MODELS.register_module()
class PlainASPPPlusHead(DeepLabHead):
    """DeepLab v3+ with plain convolutions (Chen et al. 2018b): ASPP, up to the low-level map, concat, 3x3, classifier.

    Args:
        in_channels: of the low-level and of the last tap; `in_index` names both.
        low_channels: of the projected low-level map.
        aspp_first: order of the concatenation, [ASPP, low] or [low, ASPP].
        dropouts: behind the ASPP, and behind each 3x3 (their number is that of the 3x3s).
        align_corners: of every up-sampling.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        num_classes: int,
        channels: int = 256,
        low_channels: int = 48,
        rates: Sequence[int] = (6, 12, 18),
        norm_cfg: Config = BATCH_NORM,
        aspp_first: bool = False,
        dropouts: Sequence[float] = (0.1, 0.0),
        labels: str = "image",
        in_index: Sequence[int] = (1, 4),
        init_cfg: Config | None = KAIMING,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            list(in_channels),
            channels,
            labels,
            num_classes=num_classes,
            new_std=None,
            in_index=list(in_index),
            input_transform="multiple_select",
            init_cfg=init_cfg,
            **kwargs,
        )
        self.aspp_first = aspp_first
        self.low = conv_norm_relu(in_channels[0], low_channels, 1, 1, norm_cfg)
        self.aspp = ASPP(in_channels[1], channels, rates, norm_cfg, dropouts[0])
        widths = [low_channels + channels] + [channels] * (len(dropouts) - 1)
        self.fuse = nn.Sequential()
        for width, dropout in zip(widths, dropouts[1:], strict=False):
            self.fuse.append(nn.Sequential(*conv_norm_relu(width, channels, 3, 1, norm_cfg), nn.Dropout(dropout)))

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """The backbone's taps -> logits [B, C, h, w] at the size of the low-level tap."""
        low, high = self._transform_inputs(inputs)
        low = self.low(low)
        high = F.interpolate(self.aspp(high), size=low.shape[2:], mode="bilinear", align_corners=self.align_corners)
        pair = [high, low] if self.aspp_first else [low, high]
        return self.conv_seg(self.fuse(torch.cat(pair, 1)))
