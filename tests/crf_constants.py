"""The named CRFs of configs/_base_/crf.py as parameters."""

from __future__ import annotations

from pathlib import Path

from common.base.config import read_config
from common.ops.crf_params import CRFParams

_FILE = Path(__file__).resolve().parents[1] / "configs/_base_/crf.py"


def crf_constants() -> dict[str, CRFParams]:
    """Name, without the `crf_` before it -> parameters."""
    found = read_config(_FILE).items()
    return {name.removeprefix("crf_"): CRFParams.from_recipe(value) for name, value in found}
