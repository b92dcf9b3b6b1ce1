"""What a per-image stage has read so far, image by image: a later run keeps what was made of the same data."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from common.data.reads import Found, Reads

Entry = dict[str, Any]


class ReadLog:
    """`reads.WRITER.jsonl` in a stage's folder, a line each: images, and what was read for them.

    An image's line is written before its file: a file that is there was made of what a line says. A line without images
    is what the stage read when it was set up: all its images are made of that.
    """

    def __init__(self, folder: Path, writer: str = "0") -> None:
        self.folder, self.writer = folder, writer

    def of(self, writer: str) -> ReadLog:
        """The same of another process."""
        return ReadLog(self.folder, f"{self.writer}-{writer}")

    @property
    def file(self) -> Path:
        """Where this process writes."""
        return self.folder / f"reads.{self.writer}.jsonl"

    def add(self, ids: Iterable[str], found: Mapping[str, Mapping[str, str | None]]) -> None:
        """Images are made, and about to be written."""
        with open(self.file, "a", encoding="utf-8") as stream:
            stream.write(json.dumps({"ids": list(ids), "reads": found}) + "\n")

    def entries(self) -> list[Entry]:
        """The lines of all processes; one that a kill cut off is left out."""
        found = []
        for file in sorted(self.folder.glob("reads.*.jsonl")):
            for line in file.read_text(encoding="utf-8").splitlines():
                try:
                    found.append(json.loads(line))
                except json.JSONDecodeError:
                    continue
        return found

    def keep(self, is_current: Callable[[Found], bool]) -> set[str]:
        """The images whose line says what is there now; the lines of the others go."""
        entries = self.entries()
        if all(is_current(entry["reads"]) for entry in entries if not entry["ids"]):
            kept = [entry for entry in entries if is_current(entry["reads"])]
        else:
            kept = []
        self.clear()
        if kept:
            ReadLog(self.folder).file.write_text("".join(json.dumps(entry) + "\n" for entry in kept), encoding="utf-8")
        return {image_id for entry in kept for image_id in entry["ids"]}

    def merged(self) -> Found:
        """All that was read."""
        reads = Reads()
        for entry in self.entries():
            reads.add(entry["reads"])
        return reads.found

    def clear(self) -> None:
        """Delete the files of all processes."""
        for file in self.folder.glob("reads.*.jsonl"):
            file.unlink()
