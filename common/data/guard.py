"""Which pixel labels are in reach: set around a stage, followed by every data set that is opened meanwhile."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from contextvars import ContextVar

_ALLOWED: ContextVar[frozenset[str] | None] = ContextVar("allowed pixel labels", default=None)


def allowed_ids() -> frozenset[str] | None:
    """Images whose pixel labels may be read here; None: all."""
    return _ALLOWED.get()


def set_guard(allowed: Collection[str] | None) -> None:
    """`guarding` for the rest of the process: a worker serves one stage."""
    _ALLOWED.set(None if allowed is None else frozenset(allowed))


@contextlib.contextmanager
def guarding(allowed: Collection[str] | None) -> Iterator[None]:
    """Let data sets that are opened inside give the pixel labels of `allowed` alone (None: as before)."""
    token = _ALLOWED.set(_ALLOWED.get() if allowed is None else frozenset(allowed))
    try:
        yield
    finally:
        _ALLOWED.reset(token)
