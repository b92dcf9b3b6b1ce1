"""Lists of image ids: one id per line, read and written as text."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from common.base.errors import DataError
from common.base.files import atomic_path


def ids_sha1(ids: Sequence[str]) -> str:
    """SHA-1 of the ids in their order, joined by newlines, with a final newline: stored with every number."""
    return hashlib.sha1("".join(f"{image_id}\n" for image_id in ids).encode()).hexdigest()


def read_ids(path: Path) -> list[str]:
    """Image ids of a list file, one per line, blank lines skipped.

    Raises:
        DataError: the file is missing, empty, or a line is more than one id.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        known = ", ".join(sorted(p.stem for p in path.parent.glob("*.txt"))) or "none"
        raise DataError(
            f"{path} does not exist: write one image id per line to it (`wsseg data splits` makes those of the "
            f"semi-supervised protocols), or use another list ({known})."
        ) from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text file: write one image id per line to it.") from error
    ids = [line.strip() for line in lines if line.strip()]
    for image_id in ids:
        if len(image_id.split()) != 1 or "/" in image_id or "\\" in image_id:
            raise DataError(
                f"{path}: '{image_id}' is no image id; write one file name without folder and suffix per line."
            )
    if not ids:
        raise DataError(f"{path} is empty: write one image id per line to it.")
    return ids


def write_ids(path: Path, ids: Iterable[str]) -> None:
    """Write one id per line, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text("".join(f"{image_id}\n" for image_id in ids), encoding="utf-8")
