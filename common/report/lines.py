"""Which records may share a line of a table: those of one recipe, made the same way from the same data, seeds apart."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

__all__ = ["OLDER", "Experiment", "experiments", "is_older", "titles"]

OLDER = "‡"
"""Marks a record from before records had digests."""


@dataclasses.dataclass(frozen=True)
class Experiment:
    """What all records of a line have in common.

    digest: of the recipe, the seed left out; content: of what was read of the data. Records from before have
    neither.
    """

    method: str
    recipe: str
    data: str
    digest: str | None
    content: str | None


def is_older(record: dict[str, Any]) -> bool:
    """Whether a record is from before records had digests."""
    return not record.get("digest")


def experiments(records: Iterable[dict[str, Any]]) -> dict[Experiment, list[dict[str, Any]]]:
    """The records of each experiment, in their order, one a seed."""
    groups: dict[Experiment, list[dict[str, Any]]] = {}
    for record in records:
        data = record["data"]
        names = record["method"], record["recipe"], data["name"]
        groups.setdefault(Experiment(*names, record.get("digest"), data.get("content")), []).append(record)
    return groups


def titles(found: Iterable[Experiment]) -> dict[Experiment, str]:
    """How a table calls each experiment: by its recipe, with the start of what tells it from others of that recipe."""
    found = list(found)
    return {one: _title(one, [other for other in found if _place(other) == _place(one)]) for one in found}


def _place(one: Experiment) -> tuple[str, str, str]:
    return one.method, one.recipe, one.data


def _title(one: Experiment, rivals: list[Experiment]) -> str:
    if one.digest is None:
        return one.recipe
    rivals = [other for other in rivals if other.digest is not None]
    apart = [
        f"{name} {str(getattr(one, key))[:8]}"
        for key, name in (("digest", "digest"), ("content", "data"))
        if len({getattr(other, key) for other in rivals}) > 1
    ]
    return f"{one.recipe} ({', '.join(apart)})" if apart else one.recipe
