"""SEAM's network: a classifier by class maps, and the pixel correlation module that refines them."""

from __future__ import annotations

from typing import Any, Literal

import torch
from mmseg.registry import MODELS
from torch import Tensor, nn

import common.models.register  # noqa: F401  (the backbones)
from common.models.preprocess import ImageModel
from methods.seam.correlation import PixelCorrelation, suppress_non_maximal, to_grid
from methods.seam.losses import classification_losses, seam_losses, shrink


@MODELS.register_module()
class SEAMClassifier(ImageModel):
    """SEAM's classifier alone, for comparison: no correlation module, and of the losses the classification's.

    With the backbone's last tap f: raw maps = head(dropout(f)), a 1x1 convolution to background and classes without
    bias. Class scores, views and the size of the CAMs are those of `SEAM`, so it differs in nothing else.
    Learning-rate groups are given by the names `backbone` and `head`.

    Args:
        backbone: config of a registered backbone; its last tap carries the class maps.
        num_classes: foreground classes, C - 1; channel k of the maps is class id k, channel 0 the background.
        dropout: probability of the channel dropout in front of the head.
        head_gain: the head starts with Xavier uniform weights times this.
        scale: of the second view; the sides of the image are multiplied by it and rounded down.
        data_preprocessor: mmseg's SegDataPreProcessor with the backbone's mean and std.
    """

    def __init__(
        self,
        backbone: dict[str, Any],
        num_classes: int,
        dropout: float = 0.5,
        head_gain: float = 1.0,
        scale: float = 0.3,
        data_preprocessor: dict[str, Any] | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        self.scale = scale
        self.backbone = MODELS.build(backbone)
        self.dropout = nn.Dropout2d(dropout)
        self.head = nn.Conv2d(self.backbone.channels[-1], num_classes + 1, kernel_size=1, bias=False)
        nn.init.xavier_uniform_(self.head.weight, head_gain)

    def raw_maps(self, deep: Tensor) -> Tensor:
        """The backbone's last tap [B, D, h, w] -> raw maps, float32 [B, C, h, w]."""
        return self.head(self.dropout(deep)).float()

    def cam(self, x: Tensor) -> Tensor:
        """Normalised float [B, 3, H, W] -> raw maps of the classes at the size of the input, [B, C - 1, H, W]; they may
        be negative.
        """
        return self.maps(x)[:, 1:]

    def maps(self, x: Tensor) -> Any:
        """Normalised float [B, 3, H, W] -> raw maps at the size of the input, float32 [B, C, H, W]."""
        return to_grid(self.raw_maps(self.backbone(x)[-1]), x.shape[-2:])

    def loss(self, maps: Any, copy_maps: Any, tags: Tensor) -> dict[str, Tensor]:
        """`classification_losses` of the `maps` of the image and of its small copy, for tags [B, C - 1]."""
        terms = classification_losses(maps, copy_maps, tags.to(maps))
        return {"loss": terms["cls"], **terms}

    def forward(self, inputs: Tensor, data_samples: list | None = None, mode: str = "tensor") -> Any:
        """mmengine's interface; `inputs` are normalised.

        Returns:
            "loss": the terms of `loss` for `data_samples[i].tags` [C - 1]; "tensor": `maps(inputs)`.
        """
        if mode == "tensor":
            return self.maps(inputs)
        if mode == "loss":
            tags = torch.stack([sample.tags for sample in data_samples])
            return self.loss(self.maps(inputs), self.maps(shrink(inputs, self.scale)), tags.to(inputs.device))
        raise ValueError(f"mode is {mode!r}, not 'loss' or 'tensor'")


@MODELS.register_module()
class SEAM(SEAMClassifier):
    """Self-supervised equivariant attention (Wang et al., CVPR 2020).

    With the backbone's last tap f: raw maps = head(dropout(f)), a 1x1 convolution to background and classes without
    bias; the earlier taps and the image refine them (`PixelCorrelation`). Learning-rate groups are given by the names
    `backbone`, `head` and `pcm`. The gradient of the refined maps reaches `pcm` alone.

    Args:
        backbone: config of a registered backbone; its last tap carries the class maps, the others the similarity.
        num_classes: foreground classes, C - 1; channel k of the maps is class id k, channel 0 the background.
        pcm: options of `PixelCorrelation`.
        dropout: probability of the channel dropout in front of the head.
        head_gain: the head starts with Xavier uniform weights times this.
        scale: of the second view; the sides of the image are multiplied by it and rounded down.
        min_weight: weight of the loss that only the released code has; 0 leaves it out.
        cam_map: which map `cam` gives, the refined or the raw one.
        data_preprocessor: mmseg's SegDataPreProcessor with the backbone's mean and std.
    """

    def __init__(
        self,
        backbone: dict[str, Any],
        num_classes: int,
        pcm: dict[str, Any] | None = None,
        dropout: float = 0.5,
        head_gain: float = 1.0,
        scale: float = 0.3,
        min_weight: float = 1.0,
        cam_map: Literal["refined", "raw"] = "refined",
        data_preprocessor: dict[str, Any] | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(backbone, num_classes, dropout, head_gain, scale, data_preprocessor, init_cfg)
        if cam_map not in ("refined", "raw"):
            raise ValueError(f"cam_map is {cam_map!r}, not 'refined' or 'raw'")
        self.min_weight, self.cam_map = min_weight, cam_map
        self.pcm = PixelCorrelation(self.backbone.channels[:-1], **(pcm or {}))

    def class_maps(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Normalised float [B, 3, H, W] -> raw and refined maps, float32 [B, C, h, w] on the grid of the last tap."""
        *shallow, deep = self.backbone(x)
        raw = self.raw_maps(deep)
        features = self.pcm.features(x, shallow, raw.shape[-2:])
        return raw, self.pcm(suppress_non_maximal(raw), features)

    def cam(self, x: Tensor) -> Tensor:
        """Normalised float [B, 3, H, W] -> maps of the classes at the size of the input, [B, C - 1, H, W].

        The refined ones are in [0, 1], the raw ones may be negative.
        """
        raw, refined = self.class_maps(x)
        chosen = refined if self.cam_map == "refined" else raw
        return to_grid(chosen[:, 1:], x.shape[-2:])

    def maps(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Normalised float [B, 3, H, W] -> raw and refined maps at the size of the input, float32 [B, C, H, W] each."""
        raw, refined = self.class_maps(x)
        return to_grid(raw, x.shape[-2:]), to_grid(refined, x.shape[-2:])

    def loss(self, maps: tuple[Tensor, Tensor], copy_maps: tuple[Tensor, Tensor], tags: Tensor) -> dict[str, Tensor]:
        """The terms of `seam_losses` for the `maps` of the image and of its small copy, and tags [B, C - 1]."""
        return seam_losses(*maps, *copy_maps, tags, self.scale, min_weight=self.min_weight)
