"""The pieces of a Markdown table: numbers with their spread, machines, commits, and the table itself."""

from __future__ import annotations

from statistics import mean, stdev
from typing import Any

from common.pipeline.records import duration
from common.report.lines import OLDER

__all__ = ["commits", "grid", "marks", "number", "seeds_of", "spread", "table", "whole_runs"]

TAKEN = "§"
DAGGER = (
    "† selected with pixel labels (best threshold, a stage that sees masks, or constants chosen on the list that "
    "judges): an upper bound, not a result of the method."
)
NOTES = {
    "†": DAGGER,
    OLDER: f"{OLDER} an older record: it lacks the digests of its recipe and its data. It will be made again.",
    TAKEN: f"{TAKEN} some stages were taken from another run. They count the seconds that they took there.",
}
"""Mark -> what it means; said below a table that has it."""


def table(head: tuple[str, ...], lines: list[tuple[str, ...]], nothing: str) -> str:
    """A Markdown table, with the meanings of its marks below it; `nothing` where there is no line."""
    if not lines:
        return f"{nothing}\n"
    text = grid(head, lines)
    return "\n".join((text, *marks(text)))


def grid(head: tuple[str, ...], lines: list[tuple[str, ...]]) -> str:
    """A Markdown table alone."""
    rows = [head, ("---",) * len(head), *lines]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |\n" for row in rows)


def marks(text: str) -> list[str]:
    """What the marks in a text mean, a line each."""
    return [f"{note}\n" for mark, note in NOTES.items() if mark in text]


def number(value: float | None) -> str:
    """One decimal, or a dash."""
    return "–" if value is None else f"{value:.1f}"


def spread(values: list[float], marked: bool, older: bool = False) -> str:
    """Mean ± standard deviation of several seeds; † where pixel labels selected one, and a mark for older records."""
    deviation = f" ± {stdev(values):.1f}" if len(values) > 1 else ""
    return f"{mean(values):.1f}{deviation}{' †' if marked else ''}{f' {OLDER}' if older else ''}"


def seeds_of(group: list[dict[str, Any]]) -> str:
    return ", ".join(str(record["seed"]) for record in group)


def whole_runs(group: list[dict[str, Any]]) -> str:
    """The mean time of a whole run on each machine; of runs that were stopped on purpose, up to their last stage.

    A stage that was taken from another run counts what it took there; the time is marked then.
    """
    seconds: dict[str, list[float]] = {}
    taken = set()
    for record in group:
        where = _machine(record["machine"]) + (f", until {record['until']}" if record.get("until") else "")
        seconds.setdefault(where, []).append(sum(record["seconds"].values()))
        if record.get("taken"):
            taken.add(where)
    return "; ".join(
        f"{duration(mean(times))}{f' {TAKEN}' if where in taken else ''}, {where}" for where, times in seconds.items()
    )


def commits(group: list[dict[str, Any]], digits: int = 12) -> str:
    """All commits the numbers were made with; '-dirty': files differed from the commit."""
    found = {commit for record in group for commit in record["commit"].split(", ")}
    short = {f"{commit.removesuffix('-dirty')[:digits]}{'-dirty' * commit.endswith('-dirty')}" for commit in found}
    return ", ".join(sorted(short))


def _machine(machine: dict[str, Any]) -> str:
    threads = machine.get("threads", "?")
    return machine.get("gpu") or f"{machine.get('cpu', 'CPU')}, {threads} thread{'s' * (threads != 1)}"
