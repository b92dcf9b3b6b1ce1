"""Records of stages from before: what of them still means the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from common.base.files import sha256
from common.data.dataset import DESCRIPTION, DataSet


def translated(
    record: Mapping[str, Any], wanted: Mapping[str, Any], step: Any, work_dir: Path, data: DataSet
) -> dict[str, Any]:
    """An old record in today's form: equal to `wanted` where it means the same, else as it was."""
    found = dict(record)
    found["data"] = _data(record.get("data", {}), wanted["data"], data)
    return found


def _data(old: Mapping[str, Any], wanted: Mapping[str, Any], data: DataSet) -> dict[str, Any]:
    """It knew the data set by the bytes of its description."""
    same = old.get("description") == sha256(data.root / DESCRIPTION)
    known = {key: wanted[key] for key in ("classes", "ignore_index")} if same else {}
    return {key: old[key] for key in ("name", "splits") if key in old} | known
