"""What a stage reads of its data, and what was in it: recorded while it reads, compared before the next run.

The kinds are those of a data set's folders ("images", "masks", "instances", "saliency", by image id), "tags" (by image
id), "splits" (by name), "weights" (initial ones, by name) and "files" (others, by path).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Set
from contextvars import ContextVar

from common.base.hashes import Hashes

Found = dict[str, dict[str, str | None]]
"""Kind -> name -> content: a hash, or the tags themselves. None: not looked at yet."""


class Reads:
    """A list of what was read, with its content at that time; hashes: where contents are looked up by file."""

    def __init__(self, hashes: Hashes | None = None) -> None:
        self.found: Found = {}
        self.hashes = hashes or Hashes()

    def note(self, kind: str, name: str, content: str | None) -> None:
        """Something was read; what is noted first stays."""
        known = self.found.setdefault(kind, {})
        if known.get(name) is None:
            known[name] = content

    def add(self, found: Mapping[str, Mapping[str, str | None]]) -> None:
        """All of another list was read, too."""
        for kind, names in found.items():
            for name, content in names.items():
                self.note(kind, name, content)

    def take(self, ahead: Set[str] = frozenset()) -> Found:
        """What was noted since the last call; photos of the images `ahead` stay for a later one."""
        found, self.found = self.found, {}
        images = found.get("images", {})
        for name in [name for name in images if name in ahead]:
            self.note("images", name, images.pop(name))
        return {kind: names for kind, names in found.items() if names}


_READS: ContextVar[Reads | None] = ContextVar("what is read", default=None)


def current_reads() -> Reads | None:
    """The list that data sets opened here write into, or None."""
    return _READS.get()


def set_reads(reads: Reads) -> None:
    """`recording` for the rest of the process: a worker serves one stage."""
    _READS.set(reads)


@contextlib.contextmanager
def recording(reads: Reads) -> Iterator[None]:
    """Let data sets that are opened inside note in `reads` what is read of them."""
    token = _READS.set(reads)
    try:
        yield
    finally:
        _READS.reset(token)
