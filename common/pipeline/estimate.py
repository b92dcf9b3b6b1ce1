"""How long a recipe will take, from the times of a comparable run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass
class Estimate:
    """seconds: of the stages of a comparable run, by name; source: which run that was."""

    seconds: Mapping[str, float] = field(default_factory=dict)
    source: str = ""

    def __post_init__(self) -> None:
        self._here = self._there = 0.0

    def finished(self, stage: str, seconds: float) -> None:
        """A stage took so many seconds here: the rest is scaled by what that was there."""
        if stage in self.seconds:
            self._here += seconds
            self._there += self.seconds[stage]

    def left(self, stages: Iterable[str]) -> float | None:
        """Seconds that these stages will take; None: one of them has no time there, or nothing is known."""
        names = list(stages)
        if not names or any(name not in self.seconds for name in names):
            return None
        speed = self._here / self._there if self._there > 1 else 1.0
        return speed * sum(self.seconds[name] for name in names)
