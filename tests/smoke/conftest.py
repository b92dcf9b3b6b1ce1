"""The handful of shapes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.shrink import tiny_shapes


@pytest.fixture(scope="session")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_shapes(tmp_path_factory.mktemp("data") / "shapes")
