"""What a run prints, kept with times in `run.log`."""

from __future__ import annotations

import contextlib
import io
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from common.base.errors import UserError

LOG = "run.log"


class _Both(io.TextIOBase):
    """Prints, and writes each finished line with the time into a file."""

    def __init__(self, shown: TextIO, file: TextIO) -> None:
        self.shown, self.file, self.rest = shown, file, ""

    def write(self, text: str) -> int:
        self.shown.write(text)
        *lines, self.rest = (self.rest + text).split("\n")
        for line in lines:
            self.note(line)
        return len(text)

    def note(self, line: str) -> None:
        self.file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {line}\n")
        self.file.flush()

    def flush(self) -> None:
        self.shown.flush()

    def isatty(self) -> bool:
        return self.shown.isatty()

    def fileno(self) -> int:
        return self.shown.fileno()


@contextlib.contextmanager
def logged(folder: Path) -> Iterator[None]:
    """Add what is printed inside to `run.log` in a folder, and the sentence of an error."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / LOG, "a", encoding="utf-8") as file:
        both = _Both(sys.stdout, file)
        with contextlib.redirect_stdout(both):
            try:
                yield
            except UserError as error:
                both.note(f"error: {error}")
                raise
            except KeyboardInterrupt:
                both.note("stopped")
                raise
