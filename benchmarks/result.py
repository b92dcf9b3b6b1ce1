"""One line of the benchmarks' table."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Result:
    """Seconds of both formulations, and how far their results are apart."""

    original: float
    ours: float
    error: str
    note: str

    @property
    def ratio(self) -> float:
        """How many times faster ours is."""
        return self.original / self.ours


def seconds(run: Callable[[], Any], repeats: int = 3) -> tuple[float, Any]:
    """CPU seconds of the shortest of `repeats` runs, and the result; runs beyond two seconds are not repeated.

    Everything here runs on one thread: CPU time is wall time, without what other programs on the machine take.
    """
    best, result = float("inf"), None
    for _ in range(repeats):
        start = time.process_time()
        result = run()
        best = min(best, time.process_time() - start)
        if best > 2:
            break
    return best, result
