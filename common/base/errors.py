"""Errors a user can cure: one clear sentence that names the file or key and what to do; the command exits with 2."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """Bad input. The command line prints its one sentence, without a traceback, and exits with 2."""


class DataError(UserError):
    """A data set, or one of its files, is missing or broken."""


class SupervisionError(UserError):
    """Pixel labels were asked for where the supervision of the recipe does not include them."""


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown word: ' (did you mean ...?)', or the known ones."""
    known = list(known)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.4)
    if close:
        return f" (did you mean '{close[0]}'?)"
    return f" (known are {', '.join(sorted(known))})" if known else ""


def shortened(found: list[str]) -> list[str]:
    """The first three of many, and how many more there are."""
    return found if len(found) <= 3 else [*found[:3], f"{len(found) - 3} more"]


def lacking(where: object, things: str, missing: list[str], images: str, cure: str) -> str:
    """The sentence about a folder or file that lacks something of some images.

    where: the folder or file; things: what it lacks, a plural; missing: the ids; images: "8 images", all that need it;
    cure: what to do.
    """
    return f"{where} lacks the {things} of {len(missing)} of the {images} ({', '.join(shortened(missing))}): {cure}."
