"""One line of the benchmarks' table."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
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


def in_own_process(module: str, *arguments: str) -> str:
    """What `python -m MODULE ARGUMENTS` prints; for the memory that one form takes at its peak."""
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1]).stdout


def status(key: str) -> float:
    """A line of /proc/self/status, in MB: "VmRSS" is the memory of the process, "VmHWM" its peak so far."""
    text = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(re.search(rf"^{key}:\s+(\d+) kB", text, re.MULTILINE)[1]) / 1024
