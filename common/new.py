"""`wsseg new method NAME`: a copy of the small method in examples/, to change into one's own."""

from __future__ import annotations

import argparse
import contextlib
import keyword
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from common.base.errors import UserError

__all__ = ["add_parser", "new_method"]

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = "examples/method"
_IGNORED = shutil.ignore_patterns("__pycache__", ".*")


def add_parser(verbs: argparse._SubParsersAction) -> None:
    """Add the verb."""
    new = verbs.add_parser("new", help="begin a method of your own, as a copy of a small one that runs")
    kinds = new.add_subparsers(dest="what", required=True, metavar="WHAT")
    method = kinds.add_parser(
        "method",
        help="copy the method of examples/",
        description="Copy examples/method to methods/NAME, configs/NAME, tests/parity/NAME and tests/unit/test_NAME_*, "
        "under the new name.",
    )
    method.add_argument("name", help="small letters, digits and '_', e.g. my_method")
    method.set_defaults(handler=_new_method)


def _new_method(options: argparse.Namespace) -> int:
    for path in new_method(options.name, ROOT):
        print(f"wrote {path.relative_to(ROOT)}")
    print(f"Next: wsseg data make shapes --out data/shapes; wsseg run configs/{options.name}/{options.name}_shapes.py")
    return 0


def new_method(name: str, root: Path) -> list[Path]:
    """Copy the method of examples/ in the checkout `root` under a new name; returns the folders and files written.

    All of them are written, or none.

    Raises:
        UserError: the name is no name or taken, there is nothing to copy, or a folder cannot be written to.
    """
    template = root / TEMPLATE
    if not re.fullmatch("[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise UserError(f"'{name}' is no name for a method: write small letters, digits and '_', a letter first.")
    if not template.is_dir():
        raise UserError(f"{template} does not exist: a new method is begun in a checkout of the repository.")
    copies = _copies(template, name, root)
    taken = next((target for target in [*copies, root / "results" / name] if target.exists()), None)
    if taken:
        raise UserError(f"The name '{name}' is taken, there is {taken.relative_to(root)}: choose another.")
    try:
        with _prepared(copies, name) as ready:
            _move_all(ready)
    except OSError as error:
        raise UserError(f"Cannot write {error.filename} ({error.strerror}): check the folder and the disk.") from error
    return list(copies)


def _copies(template: Path, name: str, root: Path) -> dict[Path, Path]:
    """Where each part of the template goes: target -> source; golden files that are there already stay."""
    folders = {"methods": "code", "configs": "configs", "tests/parity": "parity"}
    if (root / "tests/parity" / name).exists():  # golden files of shared pieces may be there before their method
        del folders["tests/parity"]
    parts = {root / where / name: template / part for where, part in folders.items()}
    tests = sorted((template / "tests").glob("test_*.py"))
    return parts | {root / "tests/unit" / renamed(source.name, name): source for source in tests}


def renamed(text: str, name: str) -> str:
    """The template's text under another name: `example` -> `my_method`, `Example` -> `MyMethod`."""
    return text.replace("example", name).replace("Example", "".join(word.capitalize() for word in name.split("_")))


@contextlib.contextmanager
def _prepared(copies: dict[Path, Path], name: str) -> Iterator[dict[Path, Path]]:
    """Finished copies under hidden names in the folders of their targets, target -> copy; what stays is removed."""
    with contextlib.ExitStack() as stack:
        ready = {}
        for target, source in copies.items():
            hidden = tempfile.TemporaryDirectory(prefix=f".{name}.", suffix=".part", dir=target.parent)
            ready[target] = Path(stack.enter_context(hidden)) / target.name
            _copy(source, ready[target], name)
        yield ready


def _copy(source: Path, target: Path, name: str) -> None:
    """Copy a file or folder, with the name in file names and in text replaced."""
    if source.is_file():
        target.write_text(renamed(source.read_text(encoding="utf-8"), name), encoding="utf-8")
        return
    target.mkdir()
    names = [path.name for path in sorted(source.iterdir())]
    for child in sorted(set(names) - _IGNORED(str(source), names)):
        _copy(source / child, target / renamed(child, name), name)


def _move_all(ready: dict[Path, Path]) -> None:
    """Give every copy its name; where one cannot be moved, those that were are taken back."""
    moved: list[Path] = []
    try:
        for target, copy in ready.items():
            os.rename(copy, target)
            moved.append(target)
    except BaseException:
        for target in moved:
            os.rename(target, ready[target])
        raise
