"""The files in a stage's folder: its output, whether that is still the recorded one, and the user's own."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from common.artifacts import Artifact, Weights
from common.artifacts.base import FILES
from common.base.files import read_json, remove_parts, write_json
from common.base.hashes import Hashes

RECORDS = ("stage.json", "started.json", "reads.json", FILES)


def record_files(made: Artifact, hashes: Hashes, ids: Sequence[str] | None = None) -> str:
    """Write `files.json`; returns the digest of the output: SHA-256 over the names and hashes of its files.

    ids: of a per-image output the images, None where the output knows its files.
    """
    files = made.files() if ids is None else [made.file(image_id) for image_id in ids]
    found = {file.name: str(hashes.of(file)) for file in files}
    write_json(made.path / FILES, found)
    return digest(found)


def recorded_files(folder: Path) -> dict[str, str] | None:
    """What `record_files` wrote; None: an older version recorded no files."""
    return read_json(folder / FILES) if (folder / FILES).is_file() else None


def digest(files: Mapping[str, str]) -> str:
    """SHA-256 over names and hashes."""
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(f"{name} {files[name]}\n".encode())
    return total.hexdigest()


def damaged(made: Artifact, recorded: str, hashes: Hashes) -> list[str]:
    """The files of a finished output that are missing or not the recorded ones; `recorded`: the output's digest."""
    files = recorded_files(made.path)
    if files is not None:
        return [name for name, known in files.items() if hashes.of(made.path / name) != known]
    found = {file.name: str(hashes.of(file)) for file in made.files()}
    older = {name: known for name, known in found.items() if not (isinstance(made, Weights) and name == "config.py")}
    return [] if recorded in (digest(found), digest(older)) else [f"{made.path.name}/*"]


def renew(made: Artifact) -> None:
    """Begin again: a finished output is put aside until its replacement is finished, a user's own files stay."""
    folder, aside = made.path, _aside(made.path)
    own = _own(made)
    if (folder / "stage.json").is_file():
        shutil.rmtree(aside, ignore_errors=True)
        folder.rename(aside)
        folder.mkdir()
        for name in own:
            (aside / name).rename(folder / name)
        return
    remove_parts(folder)
    for path in sorted(folder.iterdir()):
        if path.name not in own:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def finish(folder: Path) -> None:
    """Remove what `renew` has put aside, and the list of images that failed before."""
    folder.with_name(f"{folder.name}.failures.json").unlink(missing_ok=True)
    shutil.rmtree(_aside(folder), ignore_errors=True)


def _aside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.old")


def _own(made: Artifact) -> list[str]:
    """The names in a stage's folder that are neither its output nor left over from making it."""
    files = recorded_files(made.path)
    return [
        path.name
        for path in made.path.iterdir()
        if path.name not in RECORDS
        and not path.name.startswith("reads.")
        and not (made.leaves(path.name) if files is None or isinstance(made, Weights) else path.name in files)
    ]
