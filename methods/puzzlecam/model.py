"""Puzzle-CAM's classifier: in training it sees the image and its tiles, at test the image alone."""

from __future__ import annotations

import typing
from typing import Any

import torch
from mmseg.registry import MODELS
from torch import Tensor, nn

import common.models.register  # noqa: F401  (the backbones)
from common.base.errors import UserError, nearest
from common.models.classifier import CamClassifier
from methods.puzzlecam.losses import Distance, Level, Reduction, puzzle_loss, ramp
from methods.puzzlecam.tiles import fitted, merge, tile


@MODELS.register_module()
class PuzzleClassifier(CamClassifier):
    """A `CamClassifier` whose maps of an image and of its tiles are pulled together (Jo and Yu, ICIP 2021).

    With the class maps A = head(dropout(f)) of features f, the logits in training are the means of A. The head starts
    with He's normal weights (fan in), as in the released code. Learning-rate groups are given by the names `backbone`
    and `head`. Without the terms that need tiles (`alpha` 0, no `p_cls`, no `entropy`) it trains as `CamClassifier`.

    Args:
        backbone, num_classes: of `CamClassifier`; the number of classes is filled in from the data set.
        alpha: weight of L_re at its peak. L_re is a mean over all classes, and the paper has 4 for 20 of them; None: a
            fifth of the number of classes.
        schedule: share of the training over which the weight rises from 0 (`ramp`).
        grid: tiles per side; the paper's four tiles are 2.
        p_cls: whether the tiles' maps are classified, too (L_pcls).
        distance, reduction, level: of `puzzle_loss`.
        entropy: whether the tiles' logits are made certain, too (an option of the code).
        **options: of `CamClassifier`; `head_gain` replaces the start of the head.

    Raises:
        UserError: an option is unknown.
    """

    def __init__(
        self,
        backbone: dict[str, Any],
        num_classes: int,
        alpha: float | None = 4.0,
        schedule: float = 0.5,
        grid: int = 2,
        p_cls: bool = True,
        distance: Distance = "l1",
        reduction: Reduction = "masking",
        level: Level = "feature",
        entropy: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(backbone, num_classes, **options)
        for name, value, known in (
            ("distance", distance, typing.get_args(Distance)),
            ("reduction", reduction, typing.get_args(Reduction)),
            ("level", level, typing.get_args(Level)),
        ):
            if value not in known:
                raise UserError(f"model.{name} is {value!r}, which Puzzle-CAM lacks{nearest(str(value), known)}.")
        self.alpha = num_classes / 5 if alpha is None else alpha
        self.schedule, self.grid = schedule, grid
        self.entropy = entropy
        self.terms = {"p_cls": p_cls, "distance": distance, "reduction": reduction, "level": level}
        if options.get("head_gain") is None:
            nn.init.kaiming_normal_(self.head.weight)

    @property
    def needs_tiles(self) -> bool:
        """Whether any term of the loss looks at the tiles."""
        return bool(self.alpha or self.terms["p_cls"] or self.entropy)

    def class_maps(self, x: Tensor) -> Tensor:
        """Normalised float [B, 3, H, W] -> raw class maps, float32 [B, C, h, w]; they may be negative."""
        return self.head(self.dropout(self.features(x))).float()

    def maps(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Normalised float [B, 3, H, W] -> class maps of the images [B, C, h, w] and of their tiles
        [grid^2 B, C, h / grid, w / grid].

        Two passes, the images first: with trained batch normalisation each has its own statistics, and both move the
        running ones. Sides that are no multiples of grid x stride are cut at the right and bottom.

        Raises:
            UserError: a side is below grid x stride.
        """
        x = fitted(x, self.grid, self.backbone.strides[-1])
        full = self.class_maps(x)
        return full, self.class_maps(tile(x, self.grid))

    def loss(self, full: Tensor, tiles: Tensor, tags: Tensor) -> dict[str, Tensor]:
        """The terms of `puzzle_loss` and the weight `alpha` now, for the two `maps` and tags [B, C]."""
        alpha = ramp(self.progress, self.alpha, self.schedule)
        logits = tiles.mean(dim=(2, 3)) if self.entropy else None
        terms = puzzle_loss(full, merge(tiles, self.grid), tags, alpha, **self.terms, tile_logits=logits)
        return {**terms, "alpha": full.new_tensor(alpha)}

    def forward(self, inputs: Tensor, data_samples: list | None = None, mode: str = "tensor") -> Any:
        """mmengine's interface; `inputs` are normalised.

        Returns:
            "loss": the terms of `loss` for `data_samples[i].tags` [C]; else as `CamClassifier`.
        """
        if mode != "loss" or not self.needs_tiles:
            return super().forward(inputs, data_samples, mode)
        tags = torch.stack([sample.tags for sample in data_samples]).to(inputs.device)
        return self.loss(*self.maps(inputs), tags)
