"""A stage's folder before the stage runs: what stays there of an earlier run."""

from __future__ import annotations

from typing import Any

from common.artifacts import Artifact, PerImageArtifact
from common.base.errors import UserError
from common.base.files import read_json, remove_parts
from common.pipeline.code_digest import changed_code
from common.pipeline.freshness import Freshness, State
from common.pipeline.outputs import renew
from common.pipeline.read_log import ReadLog


def prepare(made: Artifact, started: dict[str, Any], state: State, fresh: Freshness, force: bool) -> list[str]:
    """Keep what an earlier run of the same stage left, clear away anything else that is ours.

    Returns of which parts the output will be mixed, in words; none where it begins again from nothing.

    Raises:
        UserError: the folder holds files, and none of a run.
    """
    begun, finished = made.path / "started.json", made.path / "stage.json"
    if begun.exists() and state.reason == "goes on" and not force:
        remove_parts(made.path)
        return _keep_begun(made, read_json(begun), started, fresh)
    if state.repair and not force and isinstance(made, PerImageArtifact):
        return _keep_whole(made, state, fresh, read_json(finished), started)
    begin_anew(made)
    return []


def begin_anew(made: Artifact) -> None:
    """An empty folder but for a user's own files; a finished output is put aside until its replacement is finished.

    Raises:
        UserError: the folder holds files, and none of a run.
    """
    folder = made.path
    folder.mkdir(parents=True, exist_ok=True)
    remove_parts(folder)
    if any(folder.iterdir()) and not (folder / "stage.json").exists() and not (folder / "started.json").exists():
        raise UserError(f"{folder} holds files that are not of this run: use another --work-dir or empty it.")
    renew(made)


def _keep_begun(made: Artifact, before: dict[str, Any], started: dict[str, Any], fresh: Freshness) -> list[str]:
    """Of a stage that was stopped: the images that were made of what is there now."""
    begun = (made.path / "checkpoint.pth").exists()
    if isinstance(made, PerImageArtifact):
        log = ReadLog(made.path)
        if "format" not in before:  # nobody noted what was read: taken on trust
            log.add(made.ids(), {})
        kept = log.keep(fresh.is_current)
        for path in made.path.glob(f"*{made.suffix}"):
            if path.name.removesuffix(made.suffix) not in kept:
                path.unlink()
        begun = bool(kept)
    if not begun:
        return []
    if "format" not in before:
        return ["an older version began it, which noted neither what it read nor its code"]
    other = changed_code(before["code"], started["code"])
    mixed = list(before.get("mixed", []))
    return [*mixed, f"the code changed meanwhile: {', '.join(other)}"] if other else mixed


def _keep_whole(
    made: PerImageArtifact, state: State, fresh: Freshness, record: dict[str, Any], started: dict[str, Any]
) -> list[str]:
    """Of a finished stage: all images but those whose files are missing or replaced."""
    reads = fresh.reads(made.name)
    lost = {name.removesuffix(made.suffix) for name in state.repair}
    ReadLog(made.path).add(sorted(set(made.ids()) - lost), reads.get("data", {}))
    for image_id in lost:
        made.file(image_id).unlink(missing_ok=True)
    other = changed_code(reads["code"], started["code"]) if "code" in reads else []
    mixed = list(record.get("mixed", []))
    return [*mixed, f"the code changed meanwhile: {', '.join(other)}"] if other else mixed
