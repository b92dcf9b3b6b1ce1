"""What a stage function sees and says of itself: `Run`, the types of its annotations, its decorators."""

from __future__ import annotations

import functools
import hashlib
import math
import typing
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from common.artifacts import PerImageArtifact
from common.data.dataset import DataSet

if TYPE_CHECKING:
    import torch

A = typing.TypeVar("A", bound=PerImageArtifact)


class NetworkConfig(type(Path())):
    """Type of a stage parameter that names an mmengine config, relative to the recipe's folder."""


class Folder(type(Path())):
    """Type of a stage parameter that names a folder made elsewhere; the plan refuses one that does not exist."""


class PerImage(typing.Generic[A]):
    """Return type of a per-image stage: one artefact of kind A per image."""


@dataclass(frozen=True)
class Range:
    """Allowed values of a stage parameter: `Annotated[float, Range(0, 1)]`, both ends included.

    above: the lower end itself is not allowed. Of a tuple every item is held to it, and there must be one.
    """

    low: float = -math.inf
    high: float = math.inf
    above: bool = False

    def holds(self, value: Any) -> bool:
        """Whether a number, or every item of a tuple, lies inside; None does."""
        if value is None:
            return True
        items = value if isinstance(value, tuple) else (value,)
        inside = (self.low < item if self.above else self.low <= item for item in items)
        return bool(items) and all(inside) and all(item <= self.high for item in items)

    def __str__(self) -> str:
        low = "" if self.low == -math.inf else f"{'above' if self.above else 'at least'} {self.low:g}"
        high = "" if self.high == math.inf else f"at most {self.high:g}"
        return " and ".join(filter(None, (low, high)))


Unit = Annotated[float, Range(0, 1)]
"""A score, share or probability."""
Positive = Annotated[float, Range(0, above=True)]
Count = Annotated[int, Range(1)]
Scales = Annotated[tuple[float, ...], Range(0, above=True)]
"""Factors of the photo's sides, one or more."""


def evaluation(function: Callable[..., Any] | None = None, *, instances: bool = False) -> Any:
    """Declare that a stage judges: it may read masks, and its numbers are marked as chosen or measured with them.

    Its parameter `split` names the images. Where none of them has a mask the stage is left out. instances: it judges
    by instance masks, too: `@evaluation(instances=True)`.
    """
    if function is None:
        return functools.partial(evaluation, instances=instances)
    function.pixel_labels = "evaluation"  # type: ignore[attr-defined]
    function.judges_by = ("masks", "instances") if instances else ("masks",)  # type: ignore[attr-defined]
    return function


def every_rank(function: Callable[..., Any]) -> Callable[..., Any]:
    """Declare that on GPUs a whole stage runs on all ranks at once (training)."""
    function.every_rank = True  # type: ignore[attr-defined]
    return function


def checked_by(check: Callable[..., None]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare what the plan asks before the first stage runs: `check(data, ...)` refuses with a UserError.

    data: the `DataSet`; the other parameters of `check` are the stage's own of the same name.
    """

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        function.check = check  # type: ignore[attr-defined]
        return function

    return declare


def noted_by(note: Callable[..., list[str]]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare what is said of the data before the first stage runs, and with a plan: the lines of `note(data, ...)`.

    data: the `DataSet`; the other parameters of `note` are the stage's own of the same name. It must be quick.
    """

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        function.note = note  # type: ignore[attr-defined]
        return function

    return declare


@dataclass(frozen=True)
class Source:
    """Where a stage's output comes from, if it was not made in this run.

    made_by: in words; uses: what it owes its supervision to, as a recipe's `uses` ("tags", "saliency"); mark: why
    numbers that are made of it owe something to pixel labels which the recipe does not have, or None.
    """

    made_by: str
    uses: tuple[str, ...]
    mark: str | None = None


def comes_from(source: Callable[..., Source]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare that a stage's output was made elsewhere; its record and the tables say what `source(...)` says.

    The parameters of `source` are the stage's own of the same name, and `pixel_labels`, the recipe's.
    """

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        function.source = source  # type: ignore[attr-defined]
        return function

    return declare


class Run:
    """What a stage function knows of the run it is part of.

    Attributes:
        data: the data set, its pixel labels guarded.
        out: the stage's own folder.
        seed: of the run.
        stage: the name of the stage function, as a recipe writes it.
        threads: CPU threads that a training was told to use; None: it goes on with those that it began with.
        launcher: who started the ranks of a stage that runs on all of them, else "none".
    """

    def __init__(
        self,
        data: DataSet,
        device: torch.device | str | None,
        out: Path,
        seed: int,
        launcher: str = "none",
        stage: str = "",
        threads: int | None = None,
    ) -> None:
        self.data, self.out, self.seed, self.launcher, self.stage = data, out, seed, launcher, stage
        self._device, self.threads = device, threads

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

    def rng(self, image_id: str) -> np.random.Generator:
        """Random numbers for one image, a function of (seed, stage function, id): workers and order change nothing."""
        digest = hashlib.sha256(f"{self.seed}/{self.stage}/{image_id}".encode()).digest()
        return np.random.default_rng(np.frombuffer(digest, np.uint32))

    def log(self, text: str) -> None:
        """Print one line under the stage's name."""
        print(f"{self.out.name}: {text}", flush=True)
