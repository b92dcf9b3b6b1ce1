"""When a stage is fresh: its record says what is asked for now, its data are the same, its files still there."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any

from common.artifacts import PerImageArtifact
from common.base.config import read_config
from common.base.errors import UserError, shortened
from common.base.files import read_json
from common.base.hashes import Hashes
from common.checkpoints.contents import changed
from common.data.dataset import DataSet
from common.data.reads import Found
from common.pipeline.code_digest import changed_code, code_digests, network_part
from common.pipeline.older import comparable
from common.pipeline.outputs import damaged
from common.pipeline.recipe import NetworkConfig, Recipe, Step, config_digest

FORMAT = 2
"""The format of a stage's record. The first held neither what was read, nor the code, nor the single files."""


@dataclass(frozen=True)
class State:
    """Whether a stage is fresh.

    reason: why it has to run, None if it is fresh; remarks: what is said of a fresh one; pure: nothing tells it from
    one that is made now, so that others may take it; repair: of a per-image stage that is fresh otherwise, the files
    that are missing or replaced.
    """

    reason: str | None
    remarks: tuple[str, ...] = ()
    pure: bool = True
    repair: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """'fresh', or why not."""
        return self.reason or "; ".join(("fresh", *self.remarks))


class Freshness:
    """The states of a recipe's stages in a work dir. What it has looked up it keeps: make one for each look."""

    def __init__(self, recipe: Recipe, work_dir: Path, data: DataSet, hashes: Hashes) -> None:
        self.recipe, self.work_dir, self.data, self.hashes = recipe, work_dir, data, hashes
        self.steps = {step.name: step for step in recipe.steps}
        self._code: dict[Any, dict[str, str]] = {}
        self._configs: dict[tuple[Path, str], dict[str, Any]] = {}
        self._config_digest = functools.cache(config_digest)

    def stamp(self, step: Step, outputs: Mapping[str, str | None] | None = None) -> dict[str, Any]:
        """All that a stage's result depends on but its data and its code; JSON-able.

        outputs: digests of inputs that are not in the work dir yet, by stage.
        """
        params = {key: self._named(value) for key, value in step.params.items()}
        named = (self.recipe.pixel_labels, step.params.get("split"), step.params.get("pixel_labels"))
        given = outputs or {}
        return {
            "stage": step.stage,
            "params": plain(params),
            "inputs": {
                key: {"stage": name, "output": given.get(name) or self.output(name)}
                for key, name in step.inputs.items()
            },
            "data": {
                "name": self.data.name,
                "classes": list(self.data.classes),
                "ignore_index": self.data.ignore_index,
                "splits": {split: self.data.fingerprint(split) for split in sorted({s for s in named if s})},
            },
            "seed": self.recipe.seed,
            "oracle": step.oracle,
            "supervision": self.recipe.pixel_labels,
        }

    def _named(self, value: Any) -> Any:
        """A network config by its name and digest, any other value as it is."""
        if isinstance(value, NetworkConfig):
            return {"file": value.name, "sha256": self._config_digest(value)}
        return value

    def output(self, name: str) -> str | None:
        """The digest of what a stage has made; None: it is not finished."""
        file = self.work_dir / name / "stage.json"
        return read_record(file, ["output"])["output"] if file.exists() else None

    def code(self, step: Step) -> dict[str, str]:
        """The digests of the code behind a stage, by module."""
        configs = [self._config(step), *(network_part(self._network(name)) for name in step.inputs.values())]
        kinds = tuple(dict.fromkeys(self.steps[name].kind for name in step.inputs.values()))
        key = (step.function, json.dumps(configs, sort_keys=True, default=str), kinds)
        if key not in self._code:
            self._code[key] = code_digests(step.function, [config for config in configs if config], kinds)
        return self._code[key]

    def _config(self, step: Step) -> dict[str, Any]:
        file = step.network
        if file is None:
            return {}
        options = step.params.get("options")
        key = (file, json.dumps(options, sort_keys=True, default=str))
        if key not in self._configs:
            self._configs[key] = read_config(file, options).to_dict()
        return self._configs[key]

    def _network(self, name: str) -> dict[str, Any]:
        """The config of the network that a stage trains."""
        return self._config(self.steps[name])

    def state(self, step: Step) -> State:
        """Whether a stage is fresh."""
        folder = self.work_dir / step.name
        wanted = self.stamp(step)
        if (folder / "stage.json").exists():
            return self._finished(step, read_record(folder / "stage.json"), wanted)
        if (folder / "started.json").exists():
            started = read_json(folder / "started.json")
            differences = list(changes(*self._comparable(started, wanted, step)))
            return State(f"changed: {'; '.join(differences)}" if differences else "goes on")
        return State("not made yet")

    def _comparable(self, record: dict[str, Any], wanted: dict[str, Any], step: Step) -> tuple[dict, dict]:
        if "format" in record:
            return record, wanted
        return comparable(record, wanted, step, self.work_dir / step.name, self.data)

    def _finished(self, step: Step, record: dict[str, Any], wanted: dict[str, Any]) -> State:
        differences = list(changes(*self._comparable(record, wanted, step)))
        reads = self.reads(step.name)
        differences += shortened(changed(reads.get("data", {}), self.data, self.hashes))
        if differences:
            return State(f"changed: {'; '.join(differences)}")
        made = step.kind(self.work_dir / step.name)
        gone = damaged(made, record["output"], self.hashes)
        if gone:
            what = f"{len(gone)} of its files {'is' if len(gone) == 1 else 'are'} missing or replaced, first {gone[0]}"
            whole = not isinstance(made, PerImageArtifact) or "/" in gone[0]
            return State(what, repair=() if whole else tuple(gone))
        remarks = []
        if "format" not in record:
            remarks.append("recorded by an older version, which noted neither what it read nor its code")
        elif other := changed_code(reads.get("code", {}), self.code(step)):
            remarks.append(f"its code has changed since ({', '.join(shortened(other))}): --force makes it again")
        if record.get("mixed"):
            remarks.append(f"made of mixed parts ({'; '.join(record['mixed'])})")
        return State(None, tuple(remarks), pure=not remarks)

    def reads(self, name: str) -> dict[str, Any]:
        """What a finished stage has read: `data` and `code`; empty for one from before."""
        file = self.work_dir / name / "reads.json"
        return read_json(file) if file.exists() else {}

    def is_current(self, found: Found) -> bool:
        """Whether the data are what was read."""
        return not changed(found, self.data, self.hashes)


def read_record(file: Path, needed: Sequence[str] = ("stage", "params", "output")) -> dict[str, Any]:
    """The record of a finished stage; needed: keys that it must have.

    Raises:
        UserError: it is damaged.
    """
    record = read_json(file)
    lacking = [key for key in needed if not isinstance(record, dict) or key not in record]
    if lacking:
        raise UserError(f"{file} is no record of a stage (it has no '{lacking[0]}'): delete the folder {file.parent}.")
    return record


def plain(value: Any) -> Any:
    """As JSON gives it back: tuples become lists, dataclasses dicts, paths text."""
    if isinstance(value, Path):
        return str(value)
    if is_dataclass(value):
        value = asdict(value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, tuple | list) else value


def changes(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """What differs between a record and a stamp, in words."""
    for key, value in new.items():
        before = old.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            yield from changes(before, value, f"{prefix}{key}.")
            gone = (f"{prefix}{key}.{name}" for name in before.keys() - value.keys())
            yield from (f"{name} is gone" for name in sorted(gone) if name != "data.root")  # where the data lay
        elif before != value:
            short = [str(item)[:12] if isinstance(item, str) and len(item) >= 40 else item for item in (before, value)]
            yield f"{prefix}{key} {short[0]!r} -> {short[1]!r}"
