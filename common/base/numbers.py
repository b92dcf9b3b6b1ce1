"""A group of numbers that a recipe writes as a dict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from common.base.errors import UserError, nearest


def read_numbers(kind: type, value: Any, example: str, needs: str) -> dict[str, Any]:
    """The numbers of a dataclass `kind` as a recipe gives them: dict(NAME=NUMBER, ...).

    Args:
        value: what the recipe says.
        example: such a dict, for the message.
        needs: what a dict lacks without a number that has no default, for the message.

    Raises:
        UserError: it is no dict, has a key that `kind` does not have (the nearest one is named), or lacks one.
    """
    if not isinstance(value, Mapping):
        raise UserError(f"{value!r} is no dict of numbers: write them out, {example}.")
    known = {field.name: field.default is MISSING for field in fields(kind)}
    for key in value:
        if key not in known:
            raise UserError(f"there is no '{key}'{nearest(str(key), list(known))}.")
    for key, required in known.items():
        if required and key not in value:
            raise UserError(f"'{key}' is missing: it needs {needs}.")
    return dict(value)
