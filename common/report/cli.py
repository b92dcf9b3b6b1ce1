"""`wsseg report`, `wsseg verify` and `wsseg compare`."""

from __future__ import annotations

import argparse
from pathlib import Path

from common.base.errors import UserError

ROOT = Path(__file__).resolve().parents[2]


def add_parser(verbs: argparse._SubParsersAction) -> None:
    """Add the three verbs."""
    report = verbs.add_parser(
        "report",
        help="write one HTML page about a run: stages, numbers beside the paper's, curves, pictures",
        description="Write RUN/report.html, one file that needs no network.",
    )
    report.add_argument("run", type=Path, help="the run's folder, e.g. work_dirs/irnet_shapes")
    report.add_argument("--images", type=int, default=20, help="pictures per gallery (%(default)s)")
    report.add_argument("--record", action="store_true", help="also write the numbers to results/METHOD/*.json")
    report.add_argument("--force", action="store_true", help="let --record replace the record of another run")
    report.set_defaults(handler=_report)

    verify = verbs.add_parser(
        "verify",
        help="hold a finished run against the expected numbers",
        description="Compare a run with methods/METHOD/expected.toml; exit with 1 where a number is out of tolerance.",
    )
    verify.add_argument("method", help="a method, e.g. irnet")
    verify.add_argument("--run", type=Path, help="the run's folder (default: the recorded runs in results/METHOD)")
    verify.set_defaults(handler=_verify)

    compare = verbs.add_parser(
        "compare",
        help="write the tables of the documentation from the recorded runs, or compare two runs",
        description="Write docs/results.md and the tables between <!-- table:NAME --> and <!-- /table --> in "
        "README.md, docs/*.md and methods/*/README.md, from results/ and expected.toml alone. With two runs write "
        "nothing, but print how they differ photo by photo.",
    )
    compare.add_argument("runs", nargs="*", type=Path, metavar="RUN", help="two runs to compare photo by photo")
    compare.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a table would change")
    compare.set_defaults(handler=_compare)


def _report(options: argparse.Namespace) -> int:
    from common.pipeline.run_folder import read_run
    from common.report.page import write_report
    from common.report.record import write_record
    from common.report.recordable import check_recordable

    run, written = read_run(options.run), []
    if options.record:  # first: where it is refused nothing is written
        check_recordable(run, ROOT)
        written.append(write_record(run, ROOT, options.force))
    print(write_report(run, ROOT, options.images), *written, sep="\n")
    return 0


def _verify(options: argparse.Namespace) -> int:
    from common.report.verify import verify

    return verify(options.method, ROOT, options.run)


def _compare(options: argparse.Namespace) -> int:
    from common.report.compare import compare
    from common.report.paired import compare_runs

    if options.runs:
        if len(options.runs) != 2 or options.check:
            raise UserError("wsseg compare takes no run (it writes the tables) or two (it compares them).")
        return compare_runs(*options.runs)
    return compare(ROOT, options.check)
