"""The official archives: fetched where their address is known, read safely, packed or unpacked."""

from __future__ import annotations

import dataclasses
import os
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from common.base.errors import DataError, UserError

if TYPE_CHECKING:
    import requests

Reader = Callable[[], bytes]
CHUNK = 1 << 16  # a broken connection loses no more
_BROKEN = (tarfile.TarError, EOFError, zlib.error, OSError)


@dataclasses.dataclass(frozen=True)
class Official:
    """Where an archive is published, and its MD5."""

    url: str
    md5: str

    @property
    def filename(self) -> str:
        """The last part of the address."""
        return self.url.rsplit("/", 1)[-1]


# Addresses and sums as torchvision.datasets.VOCSegmentation and SBDataset (0.29) give them.
VOC12 = Official(
    "https://thor.robots.ox.ac.uk/pascal/VOC/voc2012/VOCtrainval_11-May-2012.tar", "6cd6e144f989b92b3379bac3b3de84fd"
)
SBD = Official(
    "https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/semantic_contours/benchmark.tgz",
    "82b4d87ceb2ed10f6038a1cba92111cb",
)


def members(source: Path) -> Iterator[tuple[str, Reader]]:
    """(path inside, function that reads the bytes) of every regular file of a tar archive or folder.

    Nothing is unpacked, so no name of an archive ever becomes a path. Links and devices of an archive are skipped;
    read a member before asking for the next one.

    Raises:
        DataError: `source` is missing, no archive, damaged, or has a member that points outside of it.
    """
    if source.is_dir():
        yield from _folder_members(source)
        return
    if not source.is_file():
        raise DataError(f"{source} does not exist: give the archive, or the folder it was unpacked to.")
    try:
        with tarfile.open(source, "r:*") as archive:
            for member in archive:
                _refuse_escape(source, member.name)
                if member.isreg():
                    yield member.name.removeprefix("./"), _reader(source, archive, member)
    except _BROKEN as error:
        raise _damaged(source, error) from error


def _folder_members(source: Path) -> Iterator[tuple[str, Reader]]:
    for folder, subfolders, names in os.walk(source):
        subfolders.sort()
        for name in sorted(names):
            path = Path(folder, name)
            yield path.relative_to(source).as_posix(), path.read_bytes


def _reader(source: Path, archive: tarfile.TarFile, member: tarfile.TarInfo) -> Reader:
    def read() -> bytes:
        try:
            data = archive.extractfile(member).read()
        except _BROKEN as error:
            raise _damaged(source, error) from error
        if len(data) != member.size:
            raise _damaged(source, f"{member.name} ends early")
        return data

    return read


def _refuse_escape(source: Path, name: str) -> None:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[:1]:
        raise DataError(f"{source} is not the official archive (a member is called '{name}'): fetch it again.")


def _damaged(source: Path, reason: object) -> DataError:
    return DataError(f"{source} is damaged, incomplete or no tar archive ({reason}): fetch it again.")


def fetch(archive: Official, folder: Path, timeout: float = 60) -> Path:
    """The archive in `folder`, downloaded unless an intact copy is there; a stopped download goes on.

    Raises:
        UserError: the address does not answer, or what came has another checksum.
    """
    import pooch
    import requests

    target = folder / archive.filename
    part = folder / f"{archive.filename}.part"
    folder.mkdir(parents=True, exist_ok=True)

    def download(url: str, output: str, _: object) -> None:
        _download(url, part, timeout)
        os.replace(part, output)

    by_hand = f"download it by hand to {target} and run the same command again"
    try:
        pooch.retrieve(archive.url, f"md5:{archive.md5}", archive.filename, folder, downloader=download)
    except requests.RequestException as error:
        raise UserError(
            f"{archive.url} could not be fetched ({error}): run the command again to go on, or {by_hand}."
        ) from error
    except ValueError as error:
        raise UserError(f"The file from {archive.url} does not have the MD5 {archive.md5}: {by_hand}.") from error
    return target


def _download(url: str, part: Path, timeout: float) -> None:
    """Fetch `url` to `part`, from where an earlier try stopped if the server can."""
    import requests

    done = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={done}-"} if done else {}
    with requests.get(url, headers=headers, stream=True, timeout=timeout) as answer:
        if answer.status_code == requests.codes.requested_range_not_satisfiable:
            return  # the part is whole; pooch compares its checksum
        answer.raise_for_status()
        done = done if answer.status_code == requests.codes.partial_content else 0
        _save(answer, part, done)


def _save(answer: requests.Response, part: Path, done: int) -> None:
    import requests

    from common.base.progress import Progress

    total = done + int(answer.headers.get("Content-Length", 0))
    with open(part, "ab" if done else "wb") as file, Progress(total, part.stem, done, unit="B") as progress:
        for chunk in answer.iter_content(CHUNK):
            file.write(chunk)
            progress.step(len(chunk))
    if part.stat().st_size < total:
        raise requests.ConnectionError("the connection ended early")
