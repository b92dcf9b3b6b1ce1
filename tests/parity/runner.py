"""Finds the case of a golden file and runs it."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
Case = Callable[[dict[str, np.ndarray]], None]


def methods() -> list[str]:
    """Names of the folders that hold cases."""
    return sorted(path.parent.name for path in HERE.glob("*/cases.py"))


def find_case(path: Path) -> Case | None:
    """The case of `path`: the method is the nearest folder name with cases, the longest matching prefix wins."""
    for folder in path.resolve().parents:
        if folder.name in methods():
            cases = importlib.import_module(f"tests.parity.{folder.name}.cases").CASES
            matching = [prefix for prefix in cases if path.stem.startswith(prefix)]
            return cases[max(matching, key=len)] if matching else None
    return None


def load(path: Path) -> dict[str, np.ndarray]:
    """All arrays of a golden file; pickled objects are refused."""
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def golden_files(paths: Iterable[Path]) -> list[Path]:
    """The npz files among `paths` and below the folders among them."""
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"{path} does not exist")
        found += sorted(path.rglob("*.npz")) if path.is_dir() else [path]
    return found


def main(arguments: list[str]) -> int:
    """Check every golden file, a line each, then the totals; 0 all passed, 1 a failure, 2 bad input."""
    if not arguments:
        print("usage: python -m tests.parity PATH...   (golden npz files, or folders of them)")
        return 2
    try:
        files = golden_files(map(Path, arguments))
    except FileNotFoundError as error:
        print(f"error: {error}")
        return 2
    passed, failed, without = 0, 0, []
    for path in files:
        case = find_case(path)
        if case is None:
            without.append(str(path))
            continue
        try:
            case(load(path))
        except Exception as error:
            failed += 1
            frame = traceback.extract_tb(error.__traceback__)[-1]
            where = "" if isinstance(error, AssertionError) else f" ({Path(frame.filename).name}:{frame.lineno})"
            print(f"FAILED {path}: {type(error).__name__}: {error}{where}")
        else:
            passed += 1
            print(f"passed {path}")
    for name in without:
        print(f"no case {name}")
    print(f"{passed} passed, {failed} failed" + (f"; without a case: {len(without)}" if without else ""))
    return 1 if failed or not passed else 0
