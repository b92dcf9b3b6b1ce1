"""Content hashes of files, each made once."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from common.base.errors import UserError
from common.base.files import read_json, sha256, write_json

SETTLED_NS = 2_000_000_000
"""A file that changed less than 2 s ago may change again within one tick of the clock: its hash is not remembered."""


class Hashes:
    """SHA-256 of files, remembered by path, size, mtime_ns, ctime_ns and inode.

    file: the JSON file that keeps them between runs; None: this process remembers them. A memory that cannot be read
    or written is as good as none.
    """

    def __init__(self, file: Path | None = None) -> None:
        self.file = file
        self._known: dict[str, list] = {}
        self._changed = False
        if file is not None and file.is_file():
            with contextlib.suppress(UserError):
                found = read_json(file)
                self._known = found if isinstance(found, dict) else {}

    def of(self, path: Path | str) -> str | None:
        """Hex SHA-256 of a file's bytes; None: there is no such file."""
        name = os.path.abspath(path)
        try:
            state = os.stat(name)
            key = [state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino]
            known = self._known.get(name)
            if isinstance(known, list) and known[:4] == key:
                return known[4]
            digest = sha256(name)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        if time.time_ns() - max(key[1], key[2]) > SETTLED_NS:
            self._known[name] = [*key, digest]
            self._changed = True
        return digest

    def save(self) -> None:
        """Keep what is known for the next run."""
        if self.file is not None and self._changed:
            with contextlib.suppress(UserError):
                write_json(self.file, self._known)
                self._changed = False
