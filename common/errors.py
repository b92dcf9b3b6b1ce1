"""Errors a user can cure: one clear sentence that names the file or key and what to do; the command exits with 2."""

from __future__ import annotations


class UserError(Exception):
    """Bad input. The command line prints its one sentence, without a traceback, and exits with 2."""


class DataError(UserError):
    """A data set, or one of its files, is missing or broken."""


class SupervisionError(UserError):
    """Pixel labels were asked for where the supervision of the recipe does not include them."""
