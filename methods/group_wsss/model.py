"""Group-WSSS's network: a classifier's class maps, a graph over those of a group, and the store of its maps."""

from __future__ import annotations

from typing import Any, Literal

import torch
from mmengine.dist import all_gather
from mmseg.registry import MODELS
from torch import Tensor, nn

import common.models.register  # noqa: F401  (the backbones)
import methods.group_wsss.groups  # noqa: F401  (the data set)
from common.base.errors import UserError
from common.models.class_maps import class_map_layers
from common.models.preprocess import ImageModel
from methods.group_wsss.graph import GroupGraph, Messages
from methods.group_wsss.losses import group_loss
from methods.group_wsss.store import MapStore, to_levels


@MODELS.register_module()
class GroupNetwork(ImageModel):
    """A backbone, three 3x3 convolutions with ReLUs and a 1x1: one map for every class; then the graph.

    The nodes of the graph are the class maps. Logits are means of maps, before the graph and behind it. The four
    convolutions are `extra.*`, the graph is `graph.*`, the rest is `backbone`: learning-rate groups are given by these
    names. All weights but the backbone's start from a normal distribution, their biases as PyTorch draws them.

    While the training engine trains it, the maps of each group's anchor go into a `MapStore`.

    Args:
        backbone: config of a registered backbone (its last tap is used).
        num_classes: foreground classes, C - 1; map k belongs to class id k + 1.
        width: channels of the three convolutions.
        start_std: standard deviation of the four convolutions' weights at the start; that of the graph's is 0.01.
        group_size, rounds, attention_width, messages, drop_rate, drop_threshold: of the `GroupGraph`.
        initial_weight, divisor: of the `group_loss`.
        stored: which maps are accumulated: "both", the mean of those before and behind the graph, by the probability
            behind it; "initial", the control: those before, by the probability there.
        least_score: probability from which on a map counts.
        pairs, grid: size of the `MapStore`; the stage `group_wsss.mine` says them.
        data_preprocessor: mmseg's SegDataPreProcessor with the backbone's mean and std, RGB.
    """

    def __init__(
        self,
        backbone: dict[str, Any],
        num_classes: int,
        width: int = 512,
        start_std: float = 0.01,
        group_size: int = 3,
        rounds: int = 3,
        attention_width: int = 10,
        messages: Messages = "concat",
        drop_rate: float | None = 0.8,
        drop_threshold: float = 0.7,
        initial_weight: float = 0.4,
        divisor: float = 6.0,
        stored: Literal["both", "initial"] = "both",
        least_score: float = 0.1,
        pairs: int | None = None,
        grid: tuple[int, int] | None = None,
        data_preprocessor: dict[str, Any] | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        if stored not in ("both", "initial"):
            raise UserError(f"model.stored is {stored!r}: it must be 'both' or 'initial'.")
        self.initial_weight, self.divisor, self.stored = initial_weight, divisor, stored
        self.backbone = MODELS.build(backbone)
        channels = self.backbone.channels[-1]
        self.extra = class_map_layers(channels, width, num_classes, lambda _: nn.ReLU(inplace=True))
        self.graph = GroupGraph(num_classes, group_size, rounds, attention_width, messages, drop_rate, drop_threshold)
        for part, std in ((self.extra, start_std), (self.graph, 0.01)):
            for module in part.modules():
                if isinstance(module, nn.Conv2d):
                    nn.init.normal_(module.weight, std=std)
        self.store = None if pairs is None or grid is None else MapStore(pairs, tuple(grid), least_score)

    def class_maps(self, x: Tensor) -> Tensor:
        """Normalised float [B, 3, H, W] -> raw maps before the graph, float32 [B, C - 1, h, w]."""
        return self.extra(self.backbone(x)[-1]).float()

    def logits(self, x: Tensor) -> Tensor:
        """Normalised float [B, 3, H, W] -> [B, C - 1], those before the graph: an image alone has no group."""
        return self.class_maps(x).mean(dim=(2, 3))

    def group_maps(self, x: Tensor, use_mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Raw maps before and behind the graph, each float32 [G, K, C - 1, h, w].

        x: normalised float [G K, 3, H, W], group by group; use_mask: see `GroupGraph`.
        """
        initial = self.class_maps(x).unflatten(0, (-1, self.graph.group_size))
        return initial, self.graph(initial, use_mask)

    def loss(self, inputs: Tensor, data_samples: list) -> dict[str, Tensor]:
        """{"loss": `group_loss`} of groups of samples with `tags` [C - 1], as `flat_collate` lays them out."""
        initial, final = self.group_maps(inputs)
        tags = torch.stack([sample.tags for sample in data_samples]).to(initial).view(initial.shape[:3])
        if self.progress is not None:
            self.accumulate(initial[:, 0].detach(), final[:, 0].detach(), tags[:, 0], data_samples)
        logits = (maps.mean(dim=(3, 4)) for maps in (initial, final))
        return {"loss": group_loss(*logits, tags, self.initial_weight, self.divisor)}

    def accumulate(self, initial: Tensor, final: Tensor, tags: Tensor, samples: list) -> None:
        """Put the anchors' maps of all ranks into the store: each rank then has the maximum over all of them.

        initial, final: float [G, C - 1, h, w]; tags: [G, C - 1]; samples: of the whole groups.

        Raises:
            UserError: there is no store, or it does not fit the maps or the groups.
        """
        size = self.graph.group_size
        if [sample.place for sample in samples] != list(range(size)) * len(initial):
            raise UserError(f"model.group_size is {size}, that of train_dataloader.dataset another: set both alike.")
        grid = tuple(initial.shape[-2:])
        if self.store is None or tuple(self.store.levels.shape) != (samples[0].pairs, *grid):
            raise UserError(
                f"The network has no room for {samples[0].pairs} maps of {grid[0]} x {grid[1]} cells: run its recipe, "
                f"or add --cfg-options model.pairs={samples[0].pairs} model.grid={grid[0]},{grid[1]}."
            )
        maps = initial if self.stored == "initial" else (initial + final) / 2
        scores = (initial if self.stored == "initial" else final).mean(dim=(2, 3)).sigmoid()
        first = torch.tensor([sample.row for sample in samples[::size]], device=tags.device)
        own = tags > 0
        rows = torch.where(own, first[:, None] + own.cumsum(dim=1) - 1, -1)
        for found in zip(*map(all_gather, (rows, to_levels(maps.clamp(min=0)).contiguous(), scores)), strict=True):
            mine = found[0] >= 0
            self.store.update(*(part[mine] for part in found), self.progress.epoch, self.progress.epochs)

    def forward(self, inputs: Tensor, data_samples: list | None = None, mode: str = "tensor") -> Any:
        """mmengine's interface; `inputs` are normalised.

        Returns:
            "loss": see `loss`; "tensor": `class_maps(inputs)`.
        """
        if mode == "tensor":
            return self.class_maps(inputs)
        if mode == "loss":
            return self.loss(inputs, data_samples)
        raise ValueError(f"mode is {mode!r}, not 'loss' or 'tensor'")
