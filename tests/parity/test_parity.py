"""Every golden file that is kept in this folder, through the same code as `python -m tests.parity`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.parity.runner import HERE, find_case, golden_files, load

FILES = golden_files([HERE])


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_port_gives_the_authors_numbers(path: Path) -> None:
    case = find_case(path)
    assert case is not None, f"{path} has no case in {path.parent.name}/cases.py"
    case(load(path))
