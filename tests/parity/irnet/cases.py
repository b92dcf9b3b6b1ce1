"""IRNet: golden files of the authors' code (jiwoon-ahn/irn) and the public functions they are compared with."""

from __future__ import annotations

CASES = {}
