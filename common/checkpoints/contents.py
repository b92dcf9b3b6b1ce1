"""The content, now, of what a stage may read: data by `common.data.reads` kinds, and initial weights."""

from __future__ import annotations

from common.base.errors import UserError
from common.base.hashes import Hashes
from common.checkpoints.names import weights_file
from common.data.dataset import DataSet
from common.data.reads import Found


def content(data: DataSet, hashes: Hashes, kind: str, name: str) -> str | None:
    """A hash, or the tags themselves; None: it is not there."""
    if kind == "weights":
        file = weights_file(name)
        return name if file is None else hashes.of(file)
    if kind not in ("tags", "splits"):
        return hashes.of(data.path(kind, name))
    try:
        return data.named_tags(name) if kind == "tags" else data.fingerprint(name)
    except UserError:
        return None


def completed(found: Found, data: DataSet, hashes: Hashes) -> Found:
    """The same list with the contents that were not looked at when they were noted."""
    return {
        kind: {name: content(data, hashes, kind, name) if was is None else was for name, was in names.items()}
        for kind, names in found.items()
    }


def changed(found: Found, data: DataSet, hashes: Hashes) -> list[str]:
    """What of a list is no longer what was read, in words."""
    return [
        _words(data, kind, name)
        for kind, names in found.items()
        for name, was in names.items()
        if content(data, hashes, kind, name) != was
    ]


def _words(data: DataSet, kind: str, name: str) -> str:
    if kind == "tags":
        return f"the tags of {name}"
    if kind in ("splits", "weights"):
        return f"the {'list' if kind == 'splits' else kind} '{name}'"
    path = data.path(kind, name)
    return str(path.relative_to(data.root) if kind != "files" else path)
