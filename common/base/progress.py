"""How far a long piece of work is: a bar on a terminal, plain lines in a log; both with a rate and an ETA."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from tqdm import tqdm

LOG_EVERY_SECONDS = 10.0


class Progress:
    """Counts `total` items; `done` of them were finished by an earlier run and do not count for the rate."""

    def __init__(self, total: int, label: str, done: int = 0, unit: str = "img") -> None:
        self.total, self.label, self.unit = total, label, unit
        self.start_count = self.count = done
        self.started = self.logged = time.monotonic()
        self.bar = tqdm(total=total, initial=done, desc=label, unit=unit) if sys.stderr.isatty() else None

    def step(self, n: int = 1, note: str = "") -> None:
        """`n` more items are done; `note` is shown behind the rate."""
        self.count += n
        if self.bar is not None:
            if note:
                self.bar.set_postfix_str(note, refresh=False)
            self.bar.update(n)
        elif time.monotonic() - self.logged >= LOG_EVERY_SECONDS:
            self._line(note)

    def _line(self, note: str) -> None:
        self.logged = time.monotonic()
        rate = (self.count - self.start_count) / max(self.logged - self.started, 1e-9)
        left = (self.total - self.count) / rate if rate else float("inf")
        eta = time.strftime("%H:%M:%S", time.gmtime(left)) if left < 86400 else f"{left / 3600:.0f} h"
        print(
            f"{self.label} {self.count}/{self.total}  {rate:.2f} {self.unit}/s  ETA {eta}  {note}".rstrip(), flush=True
        )

    def close(self) -> None:
        """Show the final count."""
        if self.bar is not None:
            self.bar.close()
        elif self.count > self.start_count:
            self._line("")

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
