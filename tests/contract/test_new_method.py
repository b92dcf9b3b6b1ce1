"""A method adds files and edits none: a copy of examples/ under another name runs, and common/ stays as it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from common.base.errors import UserError
from common.base.files import read_json, sha256
from common.data.prepare.shapes import make_shapes
from common.new import new_method

ROOT = Path(__file__).resolve().parents[2]
RUN = "work_dirs/trial_shapes"
MADE = [
    *("methods/trial", "configs/trial", "tests/parity/trial"),
    *(f"tests/unit/test_trial_{part}.py" for part in ("losses", "network", "palettes", "sampler")),
]


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tracked files."""
    root = tmp_path_factory.mktemp("clone") / "wsseg"
    for path in tracked():
        copy = root / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    return root


def hashes(root: Path) -> dict[str, str]:
    """SHA-256 of all files of common/."""
    files = [path for path in root.glob("common/**/*") if path.is_file() and "__pycache__" not in path.parts]
    return {str(path.relative_to(root)): sha256(path) for path in files}


def python(root: Path, *arguments: str, code: int = 0) -> str:
    """Run Python in the copy, where it finds the copy's packages first; returns what it printed."""
    env = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, *arguments], cwd=root, env=env, capture_output=True, text=True)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def wsseg(root: Path, *arguments: str, code: int = 0) -> str:
    return python(root, "-m", "common.cli", *arguments, code=code)


@pytest.mark.slow
def test_a_new_method_runs_and_common_stays_as_it_is(checkout: Path) -> None:
    before = hashes(checkout)
    assert Path(python(checkout, "-c", "import common; print(common.__file__)").strip()).is_relative_to(checkout)
    said = wsseg(checkout, "new", "method", "trial")
    assert all(f"wrote {name}" in said and (checkout / name).exists() for name in MADE)

    make_shapes(checkout / "data/shapes", train=12, val=4, size=64)
    wsseg(checkout, "run", "configs/trial/trial_shapes.py", "--device", "cpu", "--workers", "1", "--threads", "1")
    stages = {path.parent.name: read_json(path) for path in (checkout / RUN).glob("*/stage.json")}
    assert stages["palette"]["kind"] == "methods.trial.palettes.Palettes"
    assert stages["polish"]["kind"] == "Weights" and stages["segment"]["inputs"]["weights"]["stage"] == "polish"
    assert 0 < stages["val"]["numbers"]["miou"] < 1

    assert "segmentation (shapes val, miou)" in wsseg(checkout, "verify", "trial", "--run", RUN)
    wsseg(checkout, "report", RUN, "--record")
    page = (checkout / RUN / "report.html").read_text(encoding="utf-8")
    assert "palette (palette)" in page and "regions (regions)" in page
    wsseg(checkout, "compare")
    wsseg(checkout, "compare", "--check")
    table = (checkout / "methods/trial/README.md").read_text(encoding="utf-8")
    assert "| trial_shapes | shapes val | val | miou |" in table
    assert "TrialNet-16" in (checkout / "docs/compare.md").read_text(encoding="utf-8")
    assert "trial_photos" in wsseg(checkout, "weights", "list")

    own = [str(path) for path in sorted(checkout.glob("tests/unit/test_trial_*.py"))]
    contracts = ["tests/contract/test_contract.py", "tests/contract/test_layers.py"]
    python(checkout, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "-k", "trial", *own, *contracts)
    assert hashes(checkout) == before


@pytest.mark.parametrize("name", ["irnet", "deeplab", "2fast", "My", "two words", "class", "../up", ""])
def test_a_name_that_is_taken_or_none_writes_nothing(checkout: Path, name: str) -> None:
    before = sorted(checkout.rglob("*"))
    with pytest.raises(UserError, match=f"'{name}'"):
        new_method(name, checkout)
    assert sorted(checkout.rglob("*")) == before


def test_the_command_says_it_in_one_sentence(checkout: Path) -> None:
    said = wsseg(checkout, "new", "method", "irnet", code=2)
    assert said == "wsseg: error: The name 'irnet' is taken, there is methods/irnet: choose another.\n"


def test_what_was_moved_is_taken_back_where_another_part_cannot_be(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, rename = sorted(checkout.rglob("*")), os.rename

    def full(source: Path, target: Path) -> None:
        if str(target).endswith("_sampler.py"):
            raise OSError(28, "No space left on device", str(target))
        rename(source, target)

    monkeypatch.setattr(os, "rename", full)
    with pytest.raises(UserError, match="No space left"):
        new_method("half", checkout)
    assert [path for path in sorted(checkout.rglob("*")) if path not in before] == []
