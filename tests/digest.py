"""One number for what a run made."""

from __future__ import annotations

import hashlib
from pathlib import Path

from common.base.files import sha256


def content_digest(folder: Path) -> str:
    """SHA-256 over all files of a work directory but the records, which hold times: equal runs have equal digests."""
    total = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        if file.name not in ("stage.json", "run.json") and file.suffix in (".npz", ".png", ".pth"):
            total.update(f"{file.relative_to(folder)} {sha256(file)}\n".encode())
    return total.hexdigest()
