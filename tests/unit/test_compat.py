"""Each repair is still needed, and works."""

from __future__ import annotations

import multiprocessing
import pickle
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import torch

import common.base.compat  # noqa: F401


def checkpoint(path: Path) -> Path:
    import numpy as np
    from mmengine.logging import HistoryBuffer

    buffer = HistoryBuffer([0.5, 0.25], [1, 1])
    torch.save({"state_dict": {"w": torch.ones(2)}, "message_hub": {"loss": buffer, "lr": np.float64(0.1)}}, path)
    return path


BARE = """
import sys, torch
try:
    torch.load(sys.argv[1], weights_only=True)
    print("weights_only reads mmengine's checkpoints: remove allow_mmengine_checkpoints")
except Exception as error:
    assert "HistoryBuffer" in str(error), error
try:
    import mmseg.models
    print("mmseg imports by itself: remove import_mmcv_ops")
except ModuleNotFoundError as error:
    assert "mmcv._ext" in str(error), error
"""


@pytest.mark.slow
def test_both_repairs_are_still_needed(tmp_path: Path):
    file = checkpoint(tmp_path / "iter.pth")
    result = subprocess.run([sys.executable, "-c", BARE, str(file)], capture_output=True, text=True, timeout=120)
    assert (result.returncode, result.stdout) == (0, ""), result.stdout + result.stderr


def test_mmseg_imports_and_mmengine_sees_no_operators():
    from mmseg.registry import MODELS

    import mmseg.models  # noqa: F401  isort: skip

    assert "EncoderDecoder" in MODELS.module_dict
    assert "mmcv._ext" not in sys.modules


def test_a_compiled_operator_says_why_it_cannot_run():
    from mmcv.ops import nms

    with pytest.raises(ModuleNotFoundError, match="mmcv-lite"):
        nms(torch.zeros(1, 4), torch.zeros(1), 0.5)


def test_mmengine_checkpoint_loads(tmp_path: Path):
    loaded = torch.load(checkpoint(tmp_path / "iter.pth"), weights_only=True)
    assert loaded["message_hub"]["loss"].current() == 0.25


class Code:
    def __reduce__(self):
        return eval, ("1 + 1",)


class StolenMethod:
    def __reduce__(self):
        return getattr, (torch.Tensor, "numpy")


@pytest.mark.parametrize("content", [Code(), StolenMethod()])
def test_a_checkpoint_still_cannot_run_code(tmp_path: Path, content: object):
    torch.save({"state_dict": content}, tmp_path / "bad.pth")
    with pytest.raises(pickle.UnpicklingError):
        torch.load(tmp_path / "bad.pth", weights_only=True)


def load_in_worker(path: str) -> float:
    return torch.load(path, weights_only=True)["message_hub"]["loss"].current()


@pytest.mark.slow
def test_spawned_worker_gets_the_repairs(tmp_path: Path):
    file = checkpoint(tmp_path / "iter.pth")
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(load_in_worker, (str(file),)) == 0.25


NEEDS_OPERATORS = re.compile(r"^\s*(from|import) (mmseg\.(models|apis|engine)|mmcv\.ops)", re.MULTILINE)


def test_every_module_that_needs_operators_imports_the_repairs_first():
    root = Path(__file__).parents[2]
    for file in [*root.glob("common/**/*.py"), *root.glob("methods/**/*.py")]:
        text = file.read_text()
        found = NEEDS_OPERATORS.search(text)
        if found:
            assert "common.base.compat" in text[: found.start()], f"{file.relative_to(root)}: import the repairs first"


def test_versions_the_repairs_were_written_for():
    assert version("mmsegmentation") == "1.2.2"
    assert version("mmengine").startswith("0.10.")
