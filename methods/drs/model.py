"""DRS's networks: a classifier whose activations are capped, a network that regresses its maps, DeepLab v2 that learns
from itself, too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor, nn

import common.models.register  # noqa: F401  (the backbones)
from common.models.class_maps import class_map_layers
from common.models.msc import MultiScaleMaxSegmentor
from common.models.preprocess import ImageModel
from common.models.vgg import VGG16Dilated
from methods.drs.losses import Choice, refinement_loss, refinement_target, self_label_loss
from methods.drs.suppression import suppress

WIDTH = 512
"""Channels of the three extra convolutions in the released code."""


class Suppression(nn.Module):
    """A ReLU whose peaks are capped (sec. 3.2): `suppress` with a given or a learned share of each channel's maximum.

    Args:
        channels: of the input, C.
        ratio: 1 is a plain ReLU, a number below 1 the fixed mode; None: learnable, sigmoid(W mean(relu(x))) for every
            image and channel, W [C, C] from N(0, 0.01) at the start, so that all shares begin near one half.
    """

    def __init__(self, channels: int, ratio: float | None) -> None:
        super().__init__()
        if ratio is not None and not 0 < ratio <= 1:
            raise ValueError(f"ratio is {ratio}, not above 0 and at most 1, or None for the learnable mode")
        self.ratio = ratio
        self.control = None if ratio is not None else nn.Linear(channels, channels, bias=False)
        if self.control is not None:
            nn.init.normal_(self.control.weight, std=0.01)

    def shares(self, active: Tensor) -> Tensor | float:
        """relu(x), float [B, C, h, w] -> the share of every channel, [B, C, 1, 1] in (0, 1), or the given number."""
        if self.control is None:
            return self.ratio
        return self.control(active.mean(dim=(2, 3))).sigmoid()[:, :, None, None]

    def forward(self, x: Tensor) -> Tensor:
        """float [B, C, h, w] -> the same, >= 0."""
        active = x.relu()
        return active if self.ratio == 1 else suppress(active, self.shares(active))


@MODELS.register_module()
class SuppressedVGG16(VGG16Dilated):
    """VGG16 of output stride 8 with a `Suppression` in the place of every ReLU: 320 pixels give 40 cells.

    Pools 1 to 3 are 2x2 of stride 2, pool 4 is 3x3 of stride 1, there is no pool 5, and conv5_x is dilated by 2.

    Args:
        ratio: of every `Suppression`; 1: plain ReLUs, the backbone of the refinement network.
    """

    def __init__(self, ratio: float | None, init_cfg: Mapping[str, Any] | None = None) -> None:
        self.ratio = ratio  # `activation` is called by the base class
        pools = {"pool_kernel": (2, 2, 2, 3, None), "pool_strides": (2, 2, 2, 1, None)}
        super().__init__(**pools, dilation5=2, avg_pool=False, init_cfg=init_cfg)

    def activation(self, name: str, channels: int) -> nn.Module:
        return Suppression(channels, self.ratio)


class ClassMapNetwork(ImageModel):
    """A backbone, three 3x3 convolutions each with an activation, and a 1x1 with bias: one map for every class.

    The four convolutions are `extra.conv1` .. `conv4`, the activations `extra.act1` .. `act3`, the rest is `backbone`:
    learning-rate groups are given by these names.

    Args:
        backbone: config of a registered backbone (its last tap is used).
        num_classes: foreground classes, C - 1; map k belongs to class id k + 1.
        width: channels of the three convolutions.
        ratio: of their `Suppression`s.
        tap: whether the backbone's last tap goes through a `Suppression` of its own first, `extra.act0`. VGG16 needs
            none, it has them inside.
        data_preprocessor: mmseg's SegDataPreProcessor with the backbone's mean and std.
    """

    def __init__(
        self,
        backbone: dict[str, Any],
        num_classes: int,
        width: int = WIDTH,
        ratio: float | None = 1.0,
        tap: bool = False,
        data_preprocessor: dict[str, Any] | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        self.backbone = MODELS.build(backbone)
        channels = self.backbone.channels[-1]
        before = Suppression(channels, ratio) if tap else None
        self.extra = class_map_layers(
            channels, width, num_classes, lambda channels: Suppression(channels, ratio), before
        )
        for conv in self.convolutions():
            nn.init.normal_(conv.weight, std=self.start_std(conv))
            nn.init.zeros_(conv.bias)

    def convolutions(self) -> list[nn.Conv2d]:
        """The four extra ones."""
        return [layer for layer in self.extra if isinstance(layer, nn.Conv2d)]

    def start_std(self, conv: nn.Conv2d) -> float:
        """Standard deviation of an extra convolution's weights at the start; its bias starts at 0."""
        raise NotImplementedError

    def maps(self, x: Tensor) -> Tensor:
        """Normalised float [B, 3, H, W] -> raw maps, float32 [B, C - 1, h, w]; they may be negative."""
        return self.extra(self.backbone(x)[-1]).float()

    def loss(self, inputs: Tensor, data_samples: list) -> dict[str, Tensor]:
        """The terms of the loss by name; mmengine adds up what is called loss."""
        raise NotImplementedError

    def forward(self, inputs: Tensor, data_samples: list | None = None, mode: str = "tensor") -> Any:
        """mmengine's interface; `inputs` are normalised.

        Returns:
            "loss": the terms of `loss`; "tensor": `maps(inputs)`.
        """
        if mode == "tensor":
            return self.maps(inputs)
        if mode == "loss":
            return self.loss(inputs, data_samples)
        raise ValueError(f"mode is {mode!r}, not 'loss' or 'tensor'")


@MODELS.register_module()
class SuppressedClassifier(ClassMapNetwork):
    """DRS's classifier (sec. 3.1 and 3.2): logits are means of the class maps, the CAM is their positive part."""

    def start_std(self, conv: nn.Conv2d) -> float:
        return math.sqrt(2 / (conv.kernel_size[0] * conv.kernel_size[1] * conv.out_channels))

    def logits(self, x: Tensor) -> Tensor:
        """Normalised float [B, 3, H, W] -> [B, C - 1]."""
        return self.maps(x).mean(dim=(2, 3))

    def cam(self, x: Tensor) -> Tensor:
        """Normalised float [B, 3, H, W] -> class activation maps >= 0, [B, C - 1, h, w]."""
        return self.maps(x).relu()

    def loss(self, inputs: Tensor, data_samples: list) -> dict[str, Tensor]:
        """Multi-label soft margin, mean over classes and batch, for `data_samples[i].tags` [C - 1]."""
        logits = self.logits(inputs)
        tags = torch.stack([sample.tags for sample in data_samples]).to(logits)
        return {"loss": F.multilabel_soft_margin_loss(logits, tags)}


@MODELS.register_module()
class RefinementNetwork(ClassMapNetwork):
    """DRS's second network (sec. 3.3): it regresses the classifier's maps from the image, without suppression.

    In training a sample holds `maps`, the classifier's maps of the image's tags at the image's size, and `tags`.
    """

    def start_std(self, conv: nn.Conv2d) -> float:
        return 0.01

    def loss(self, inputs: Tensor, data_samples: list) -> dict[str, Tensor]:
        """`refinement_loss` of the raw maps at the size of the input, over all classes: the tags mask nothing."""
        maps = self.maps(inputs)
        planes = [sample.maps.data.to(maps) for sample in data_samples]
        tags = torch.stack([sample.tags for sample in data_samples]).to(maps.device)
        return {"loss": refinement_loss(maps, refinement_target(planes, tags))}


@MODELS.register_module()
class SelfTrainedSegmentor(MultiScaleMaxSegmentor):
    """DeepLab v2 with losses at three scales and of their maximum, each with a second term: what the network says
    itself of the image's classes is a label, too.

    Args:
        choice: see `self_label_loss`: "product" as in the released code, "mask" what it seems to mean.
        **kwargs: of `MultiScaleMaxSegmentor`. Samples need `tags`: `train_dataloader.dataset.tags=True`.
    """

    def __init__(self, choice: Choice = "product", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if choice not in ("product", "mask"):
            raise ValueError(f"choice is {choice!r}, not 'product' or 'mask'")
        self.choice: Literal["product", "mask"] = choice

    def loss(self, inputs: Tensor, data_samples: list) -> dict[str, Tensor]:
        """Eight terms: at each scale and for the maximum the pseudo label's and the own label's cross entropy."""
        names = ("1", *map(str, self.scales), "max")
        tags = torch.stack([sample.tags for sample in data_samples]).to(inputs.device)
        losses: dict[str, Tensor] = {}
        for name, logits in zip(names, self.outputs(inputs), strict=True):
            for key, value in self.decode_head.loss_by_feat(logits, data_samples).items():
                losses[f"{key}_{name}"] = value
            losses[f"loss_self_{name}"] = self_label_loss(logits, tags, self.choice)
        return losses
