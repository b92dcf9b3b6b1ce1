"""The pieces of a Markdown table: numbers with their spread, machines, commits, and the table itself."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import mean, stdev
from typing import Any

from common.pipeline.records import duration

__all__ = ["commits", "number", "runs_of", "seeds_of", "spread", "table", "whole_runs"]

DAGGER = "† chosen on pixel labels (a best threshold, or a stage that sees masks): possible rather than reached."


def table(head: tuple[str, ...], lines: list[tuple[str, ...]], nothing: str) -> str:
    """A Markdown table, with the dagger's meaning below it where there is one; `nothing` where there is no line."""
    if not lines:
        return f"{nothing}\n"
    rows = [head, ("---",) * len(head), *lines]
    text = "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |\n" for row in rows)
    return f"{text}\n{DAGGER}\n" if "†" in text else text


def number(value: float | None) -> str:
    """One decimal, or a dash."""
    return "–" if value is None else f"{value:.1f}"


def spread(values: list[float], marked: bool) -> str:
    """Mean ± standard deviation of several seeds; a dagger where one was chosen on pixel labels."""
    deviation = f" ± {stdev(values):.1f}" if len(values) > 1 else ""
    return f"{mean(values):.1f}{deviation}{' †' if marked else ''}"


def runs_of(records: Iterable[dict[str, Any]]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """(method, recipe) -> its records, one a seed."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for record in records:
        groups.setdefault((record["method"], record["recipe"]), []).append(record)
    return groups


def seeds_of(group: list[dict[str, Any]]) -> str:
    return ", ".join(str(record["seed"]) for record in group)


def whole_runs(group: list[dict[str, Any]]) -> str:
    """The mean time of a whole run on each machine; of runs that were stopped on purpose, up to their last stage."""
    seconds: dict[str, list[float]] = {}
    for record in group:
        where = _machine(record["machine"]) + (f", until {record['until']}" if record.get("until") else "")
        seconds.setdefault(where, []).append(sum(record["seconds"].values()))
    return "; ".join(f"{duration(mean(times))}, {machine}" for machine, times in seconds.items())


def commits(group: list[dict[str, Any]], digits: int = 12) -> str:
    """All commits the numbers were made with; '-dirty': files differed from the commit."""
    found = {commit for record in group for commit in record["commit"].split(", ")}
    short = {f"{commit.removesuffix('-dirty')[:digits]}{'-dirty' * commit.endswith('-dirty')}" for commit in found}
    return ", ".join(sorted(short))


def _machine(machine: dict[str, Any]) -> str:
    threads = machine.get("threads", "?")
    return machine.get("gpu") or f"{machine.get('cpu', 'CPU')}, {threads} thread{'s' * (threads != 1)}"
