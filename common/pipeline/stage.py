"""What a stage function sees and says of itself: `Run`, the types of its annotations, its decorators."""

from __future__ import annotations

import functools
import typing
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.artifacts import PerImageArtifact
from common.data.dataset import DataSet

if TYPE_CHECKING:
    import torch

A = typing.TypeVar("A", bound=PerImageArtifact)


class NetworkConfig(type(Path())):
    """Type of a stage parameter that names an mmengine config, relative to the recipe's folder."""


class PerImage(typing.Generic[A]):
    """Return type of a per-image stage: one artefact of kind A per image."""


def evaluation(function: Callable[..., Any]) -> Callable[..., Any]:
    """Declare that a stage judges: it may read masks, and its numbers are marked as chosen or measured with them."""
    function.pixel_labels = "evaluation"  # type: ignore[attr-defined]
    return function


def every_rank(function: Callable[..., Any]) -> Callable[..., Any]:
    """Declare that on GPUs a whole stage runs on all ranks at once (training)."""
    function.every_rank = True  # type: ignore[attr-defined]
    return function


class Run:
    """What a stage function knows of the run it is part of.

    Attributes:
        data: the data set, its pixel labels guarded.
        out: the stage's own folder.
        seed: of the run.
        launcher: who started the ranks of a stage that runs on all of them, else "none".
    """

    def __init__(
        self, data: DataSet, device: torch.device | str | None, out: Path, seed: int, launcher: str = "none"
    ) -> None:
        self.data, self.out, self.seed, self.launcher = data, out, seed, launcher
        self._device = device

    @functools.cached_property
    def device(self) -> torch.device:
        """The device to compute on; torch is imported when a stage first asks for it.

        Raises:
            UserError: it is unknown or not there.
        """
        from common.base.device import pick_device

        return pick_device(self._device)

    @property
    def gpu(self) -> torch.device | None:
        """The GPU that the stage has asked for; None where it computes on the CPU, or never asked."""
        asked = vars(self).get("device")
        return asked if asked is not None and asked.type == "cuda" else None

    def log(self, text: str) -> None:
        """Print one line under the stage's name."""
        print(f"{self.out.name}: {text}", flush=True)
