"""ICD's network: a CAM classifier, the discriminator on its features, and the top-down branch that learns from it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import torch
from mmcv.cnn import build_norm_layer
from mmseg.registry import MODELS
from torch import Tensor, nn

import common.models.register  # noqa: F401  (the backbones)
import methods.icd.hooks
import methods.icd.transforms  # noqa: F401  (both are named in configs)
from common.base.errors import UserError
from common.checkpoints.initial import load_matching, resolve_init
from common.models.deeplab import FovBranch
from common.models.preprocess import ImageModel
from common.models.vgg import VGG16Dilated
from methods.icd.discriminator import IntraClassDiscriminator
from methods.icd.losses import (
    discriminator_target,
    exponential_ramp,
    projection_variance_loss,
    tag_loss,
    topdown_loss,
)
from methods.icd.superpixels import refine_by_superpixel

NORM = {"type": "BN"}
LARGE_FOV = "decode_head.branches.0."
"""How the names of fc6 and fc7 begin in weights of DeepLab's VGG16."""
CUT = "cut."
"""How they begin where they are cut out of a whole VGG16."""


@MODELS.register_module()
class VGG16BeforePool(VGG16Dilated):
    """DeepLab's VGG16 with two taps of 512 channels at stride 8: the activated conv5_3, and what pool5 and the average
    pool make of it.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(out_indices=(4, 4), **kwargs)
        self.strides = (self.strides[0] // (self.pool_strides[4] or 1), self.strides[1])

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """x: float [B, 3, H, W] as the weights want it -> conv5_3 and its pooled form."""
        active, pooled = self.stages(x)
        return active[4], pooled[4]


class TopDown(nn.Module):
    """3x3 `fc6` and 1x1 `fc7`, each with a ReLU, and a 1x1 `out` without bias on the features and both of them."""

    def __init__(self, channels: int, width: int, num_classes: int) -> None:
        super().__init__()
        self.fc6 = nn.Conv2d(channels, width, 3, padding=1)
        self.fc7 = nn.Conv2d(width, width, 1)
        self.out = nn.Conv2d(channels + 2 * width, num_classes, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Normalised float [B, D, h, w] -> logits [B, C, h, w]."""
        first = self.fc6(x).relu()
        return self.out(torch.cat([x, first, self.fc7(first).relu()], dim=1))


@MODELS.register_module()
class DiscriminatorNetwork(ImageModel):
    """CAM branch, bottom-up branch and top-down branch, trained together (sec. 3).

    With X the normalised first tap of the backbone, the CAM of its last tap is `cam`; `discriminator` projects X on a
    direction for each class and orients it by the CAM; its scores, refined by superpixels, are what `top_down` learns
    from X. Learning-rate groups are given by these names, by `backbone` and by `norm`.

    Args:
        backbone: config of a registered backbone; the discriminator reads its first tap, the CAM its last one.
        num_classes: foreground classes C; map k belongs to class id k + 1.
        width: channels of fc6 and fc7 in both branches.
        fov_weights: whether fc6 and fc7 begin as the backbone's weights have them, in both branches.
        norm_cfg: of the normalisation of X, whose scale is fixed at 1.
        branches: False: the CAM branch alone, a control.
        superpixels: False: the scores are not refined, a control.
        signs: False: the directions stay as they are, a control.
        variance_scale: of the bottom-up loss.
        momentum: of the running means that orient the directions.
        threshold: relative scores below it are not learned.
        warmup_epochs: so many times the images make the iterations in which the top-down loss grows.
        data_preprocessor: mmseg's SegDataPreProcessor with the backbone's mean and std.

    Attributes:
        directed: a buffer [C], whether a class has images of its own, and so a discriminator.
    """

    def __init__(
        self,
        backbone: dict[str, Any],
        num_classes: int,
        width: int = 1024,
        fov_weights: bool = False,
        norm_cfg: dict[str, Any] = NORM,
        branches: bool = True,
        superpixels: bool = True,
        signs: bool = True,
        variance_scale: float = 10.0,
        momentum: float = 0.9,
        threshold: float = 0.2,
        warmup_epochs: float = 2.0,
        data_preprocessor: dict[str, Any] | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        self.backbone = MODELS.build(backbone)
        strides = self.backbone.strides
        if strides[0] != strides[-1]:
            raise UserError(
                f"model.backbone: its first tap has stride {strides[0]} and its last one {strides[-1]}, but the scores "
                "and the CAM must have one size: choose other out_indices, such as (4,)."
            )
        self.fov_weights, self.superpixels, self.signs = fov_weights, superpixels, signs
        self.variance_scale, self.threshold, self.warmup_epochs = variance_scale, threshold, warmup_epochs
        self.cam_branch = FovBranch(self.backbone.channels[-1], width, num_classes, dilation=1)
        self.warmup_steps = 0
        self.branches = branches
        if branches:
            channels = self.backbone.channels[0]
            self.norm = build_norm_layer(dict(norm_cfg), channels)[1]
            self.norm.weight.requires_grad_(False)
            self.discriminator = IntraClassDiscriminator(num_classes, channels, momentum)
            self.top_down = TopDown(channels, width, num_classes)
            self.register_buffer("directed", torch.ones(num_classes, dtype=torch.bool))

    # --- initial weights ----------------------------------------------------------------------------------------------

    def init_weights(self) -> None:
        """The backbone's file; fc6 and fc7 of it where `fov_weights`, else He's; the last layers from N(0, 0.01)."""
        super().init_weights()
        for layer in (self.cam_branch.fc6.conv, self.cam_branch.fc7.conv):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
        nn.init.normal_(self.cam_branch.fc8.weight, std=0.01)
        nn.init.zeros_(self.cam_branch.fc8.bias)
        if self.fov_weights and (self.backbone.init_cfg or {}).get("weights"):
            self._load_fov(self.backbone.init_cfg["weights"])
        if self.branches:
            nn.init.normal_(self.top_down.out.weight, std=0.01)
            self._copy_fov()

    def _load_fov(self, weights: str) -> None:
        state = resolve_init(weights)
        prefix = CUT if any(key.startswith(CUT) for key in state) else LARGE_FOV
        missing = load_matching(self.cam_branch, state, prefix)
        lacking = [name for name in missing if not name.startswith("fc8.")]
        if lacking:
            shape = tuple(self.cam_branch.state_dict()[lacking[0]].shape)
            raise UserError(
                f"The weights '{weights}' have no {lacking[0]} of {shape}: give VGG16 with DeepLab's fc6 and fc7, or "
                "set model.fov_weights=False."
            )

    def _copy_fov(self) -> None:
        """The top-down branch begins with the CAM branch's fc6 and fc7, where they fit."""
        for name in ("fc6", "fc7"):
            source, target = getattr(self.cam_branch, name).conv, getattr(self.top_down, name)
            if source.weight.shape == target.weight.shape:
                target.load_state_dict(source.state_dict())

    # --- forward ------------------------------------------------------------------------------------------------------

    def told(self, images: int, batch: int, alone: Collection[int]) -> None:
        """What `ImagesHook` knows: the warm-up's length M = floor(warmup_epochs N / batch), and who is discriminated.

        alone: class ids, from 1, that some image has alone.
        """
        self.warmup_steps = int(self.warmup_epochs * images / batch)
        if self.branches:
            has = [number + 1 in alone for number in range(len(self.directed))]
            self.directed.copy_(torch.tensor(has))

    def logits(self, x: Tensor) -> Tensor:
        """Normalised float [B, 3, H, W] -> [B, C], the spatial means of the CAM."""
        return self.raw_cam(x).mean(dim=(2, 3))

    def raw_cam(self, x: Tensor) -> Tensor:
        """Normalised float [B, 3, H, W] -> fc8's maps with their bias, [B, C, h, w]; they may be negative."""
        return self.cam_branch(self.backbone(x)[-1]).float()

    def cam(self, x: Tensor) -> Tensor:
        """Normalised float [B, 3, H, W] -> class activation maps >= 0, [B, C, h, w]."""
        return self.raw_cam(x).relu()

    def responses(self, x: Tensor) -> Tensor:
        """Normalised float [B, 3, H, W] -> the top-down logits [B, C, h, w], whose sign is object or background.

        A class without a discriminator has its raw CAM.
        """
        taps = self.backbone(x)
        cam = self.cam_branch(taps[-1]).float()
        if not self.branches:
            return cam
        return torch.where(self.directed[:, None, None], self.top_down(self.norm(taps[0])).float(), cam)

    def bottom_up(self, features: Tensor, cam: Tensor, tags: Tensor) -> Tensor:
        """Oriented scores [B, C, h, w]; in training the running means first move towards this batch's.

        features: X, float [B, D, h, w]; cam: raw, [B, C, h, w]; tags: [B, C].
        """
        scores = self.discriminator.project(features)
        if not self.signs:
            return scores
        if self.training:
            self.discriminator.update_sides(scores, cam, tags)
        return self.discriminator.orient(scores)

    def loss(self, inputs: Tensor, data_samples: list) -> dict[str, Tensor]:
        """`loss_cam`, `loss_bottom_up` and `loss_top_down` for `tags` [C] and `segments` [1, H, W] of the samples."""
        tags = torch.stack([sample.tags for sample in data_samples]).to(inputs.device)
        taps = self.backbone(inputs)
        cam = self.cam_branch(taps[-1]).float()
        losses = {"loss_cam": tag_loss(cam, tags)}
        if not self.branches:
            return losses
        features = self.norm(taps[0])
        weight = self.discriminator.weight
        losses["loss_bottom_up"] = projection_variance_loss(weight, features.float(), tags, self.variance_scale)
        directed = tags * self.directed
        scores = self.bottom_up(features, cam.detach(), tags)
        if self.superpixels:
            scores = refine_by_superpixel(scores, self._segments(data_samples, inputs.device), tags)
        target, mask = discriminator_target(scores, self.threshold)
        loss = topdown_loss(self.top_down(features).float(), target, mask, directed)
        return losses | {"loss_top_down": self.ramp() * loss}

    def ramp(self) -> float:
        """The factor of the top-down loss now; 1 outside a training."""
        return 1.0 if self.progress is None else exponential_ramp(self.progress.iteration, self.warmup_steps)

    def _segments(self, data_samples: list, device: torch.device) -> Tensor:
        if not all(hasattr(sample, "segments") for sample in data_samples):
            raise UserError(
                "The network refines its scores by superpixels, but gets none: add inputs=dict(segments=STAGE) to the "
                "training stage, or set model.superpixels=False."
            )
        return torch.stack([sample.segments.data[0] for sample in data_samples]).to(device)

    def forward(self, inputs: Tensor, data_samples: list | None = None, mode: str = "tensor") -> Any:
        """mmengine's interface; `inputs` are normalised.

        Returns:
            "loss": the terms of `loss`; "tensor": `responses(inputs)`.
        """
        if mode == "tensor":
            return self.responses(inputs)
        if mode == "loss":
            return self.loss(inputs, data_samples)
        raise ValueError(f"mode is {mode!r}, not 'loss' or 'tensor'")
