"""`wsseg verify METHOD`: a run beside the numbers of the paper."""

from __future__ import annotations

from pathlib import Path
from statistics import mean
from typing import Any

from common.base.errors import UserError
from common.pipeline.run_folder import read_run
from common.report.expected import Expected, read_expected
from common.report.lines import experiments, is_older
from common.report.record import find, make_record, read_records, records_for

__all__ = ["verify"]


def verify(method: str, root: Path, run: Path | None = None) -> int:
    """Print one line per expected number and its verdict; 1 where one is out of tolerance, else 0.

    run: the folder of a finished run; None: the mean over the seeds of each experiment in results/<method>.

    Raises:
        UserError: the method is unknown or has no expected numbers, the run is of another method or not finished.
    """
    known = sorted(path.parent.name for path in (root / "methods").glob("*/__init__.py"))
    if method not in known:
        raise UserError(f"There is no method '{method}'; known are {', '.join(known)}.")
    rows = read_expected(root / "methods" / method / "expected.toml")
    if not rows:
        raise UserError(f"methods/{method}/expected.toml has no rows: there is nothing to verify.")
    records = records_for(method, rows, read_records(root)) if run is None else [_record(run, method, rows)]
    wrong = 0
    for row in rows:
        groups = experiments(record for record in records if find(record, row) is not None)
        for group in groups.values() or [[]]:
            verdict, line = _verdict(row, [found for record in group if (found := find(record, row))])
            wrong += verdict == "OUT OF TOLERANCE"
            older = ", an older record" if group and is_older(group[0]) and run is None else ""
            print(f"{verdict:<16}  {row.title} ({row.data} {row.split}, {row.metric}): {line}{older}")
    return 1 if wrong else 0


def _record(path: Path, method: str, rows: list[Expected]) -> dict[str, Any]:
    run = read_run(path)
    if not records_for(method, rows, [run.record]):
        raise UserError(f"{path} is a run of {run.record['method']}, not of {method}.")
    return make_record(run)


def _verdict(row: Expected, measured: list[tuple[float, str | None]]) -> tuple[str, str]:
    """The verdict on one row, and what was measured beside what is expected."""
    expected = "no number given" if row.value is None else f"expected {row.value:.1f}"
    if not measured:
        return "not run", f"{expected} [{row.source}]"
    value = mean(number for number, _ in measured)
    dagger = " †" if any(mark for _, mark in measured) else ""
    seeds = f" (mean of {len(measured)} runs)" if len(measured) > 1 else ""
    if row.value is None or row.tolerance is None:
        return "shown only", f"{value:.1f}{dagger}{seeds}, {expected} [{row.source}]"
    line = f"{value:.1f}{dagger}{seeds}, {expected} ± {row.tolerance:.1f} [{row.source}]"
    return ("ok" if abs(value - row.value) <= row.tolerance else "OUT OF TOLERANCE"), line
