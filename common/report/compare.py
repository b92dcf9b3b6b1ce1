"""`wsseg compare`: every table of the documentation, from results/ and expected.toml alone.

Tables stand between `<!-- table:NAME -->` and `<!-- /table -->` in README.md, docs/*.md and methods/*/README.md. Names:
`methods` (a line each), `overview` (the headline rows of all methods), `compare:shapes` and `compare:voc12_animals`
(what was run there, all methods), `brief:shapes` and `brief:voc12_animals` (the same in five columns), `compare:voc12`
(the papers' numbers, others' and ours), `expected` and `runs` (in a method's page: its own), `expected:<method>` and
`runs:<method>` (anywhere). docs/results.md holds those of the methods.
"""

from __future__ import annotations

import ast
import posixpath
import re
from pathlib import Path
from typing import Any

from common.base.errors import UserError
from common.base.files import atomic_path
from common.pipeline.run_folder import headline
from common.report.across import brief_table, paper_table, runs_table
from common.report.expected import Expected, read_expected
from common.report.lines import OLDER, experiments, is_older, titles
from common.report.markdown import commits, number, seeds_of, spread, table, whole_runs
from common.report.record import measured, read_records, records_for

__all__ = ["compare", "tables", "wanted"]

PAPERS = "voc12"
QUICK = ("shapes", "voc12_animals")
_BLOCK = re.compile(r"(<!-- table:(?P<name>[\w:.-]+) -->\n).*?(<!-- /table -->)", re.DOTALL)
_LINK = re.compile(r"\]\((?!\w+:)([^)#]+)\)")


def compare(root: Path, check: bool = False) -> int:
    """Write every table under `root`, or with `check` only say which differ (then 1).

    Raises:
        UserError: a marker names no table, or a result or expected.toml is broken.
    """
    stale = [path for path, text in wanted(root).items() if not path.exists() or path.read_text("utf-8") != text]
    for path in stale:
        shown = path.relative_to(root)
        if check:
            print(f"{shown} differs from results/ and expected.toml: run `wsseg compare` and commit it.")
            continue
        with atomic_path(path) as temporary:
            temporary.write_text(wanted(root)[path], encoding="utf-8")
        print(f"wrote {shown}")
    if not stale:
        print("all tables are up to date")
    return 1 if check and stale else 0


def wanted(root: Path) -> dict[Path, str]:
    """Path -> text of every file that holds tables, as it should be."""
    made = tables(root)
    pages = {root / "docs/results.md": _results_page(root, made)}
    for page in [root / "README.md", *sorted(root.glob("docs/*.md")), *sorted(root.glob("methods/*/README.md"))]:
        if page.exists() and page not in pages:
            pages[page] = _filled(root, page, page.read_text(encoding="utf-8"), made)
    return pages


def tables(root: Path) -> dict[str, str]:
    """Name -> Markdown of every table."""
    titles = _titles(root)
    baselines = {path.name for path in root.glob("results/*") if path.is_dir()}  # run here, but of no paper of ours
    names = sorted(baselines.union(titles))
    expected = {name: read_expected(root / "methods" / name / "expected.toml") for name in names}
    records = {method: read_records(root, method) for method in expected}
    every = [record for own in records.values() for record in own]
    beside = {method: records_for(method, rows, every) for method, rows in expected.items()}
    made = {"overview": _overview(expected, beside), f"compare:{PAPERS}": paper_table(PAPERS, expected, beside)}
    shown = {method: title.partition(":")[0].rstrip(".") for method, title in titles.items()}
    made |= {f"compare:{data}": runs_table(data, expected, records) for data in QUICK}
    made |= {f"brief:{data}": brief_table(data, expected, records, shown) for data in QUICK}
    made["methods"] = _methods_table(titles, expected)
    for method, rows in expected.items():
        made[f"expected:{method}"] = _expected_table(rows, beside[method])
        made[f"runs:{method}"] = _runs_table(records[method])
    return made


def _titles(root: Path) -> dict[str, str]:
    """Method -> the line that names its paper, sorted."""
    return {
        path.parent.name: (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or path.parent.name).splitlines()[0]
        for path in sorted((root / "methods").glob("*/__init__.py"))
        if path.parent.name[0] != "_"
    }


def _filled(root: Path, page: Path, text: str, made: dict[str, str]) -> str:
    if text.count("<!-- table:") != len(_BLOCK.findall(text)):
        raise UserError(f"{page}: a <!-- table:NAME --> has no <!-- /table --> after it, each on a line of its own.")

    def table(match: re.Match) -> str:
        name = match["name"]
        name = f"{name}:{page.parent.name}" if name in ("expected", "runs") else name
        if name not in made:
            raise UserError(f"{page}: there is no table '{match['name']}'; known are {', '.join(made)}.")
        return f"{match[1]}{_relinked(made[name], page.relative_to(root).parent)}{match[3]}"

    return _BLOCK.sub(table, text)


def _relinked(text: str, folder: Path) -> str:
    """A table with its links, which are relative to the project, as a page in `folder` needs them."""
    return _LINK.sub(lambda match: f"]({posixpath.relpath(match[1], folder.as_posix())})", text)


def _results_page(root: Path, made: dict[str, str]) -> str:
    parts = [
        "# Results\n\nWritten by `wsseg compare` from `results/` and `methods/*/expected.toml`; not edited by hand.\n"
        "Numbers in percent; several seeds: mean ± standard deviation.\n",
        f"## Overview\n\n{made['overview']}",
    ]
    for method, title in _titles(root).items():
        parts.append(f"## {method}\n\n{title}\n\n### Next to the paper\n\n{made[f'expected:{method}']}")
        parts.append(f"### Recorded runs\n\n{made[f'runs:{method}']}")
    return "\n".join(parts)


def _methods_table(titles: dict[str, str], expected: dict[str, list[Expected]]) -> str:
    """A line a method: its page, its paper, and what it learns from by the numbers of that paper."""
    lines = []
    for method, title in titles.items():
        name, _, paper = title.rstrip(".").partition(": ")
        own = [row.supervision for row in expected[method]]
        given = dict.fromkeys(each.in_short for each in own if each.uses is not None)  # not its references
        lines.append((f"[{name}](methods/{method}/README.md)", paper or "–", "; ".join(given) or "–"))
    return table(("method", "what it does", "learns from"), lines, "No method yet.")


def _overview(expected: dict[str, list[Expected]], records: dict[str, list[dict[str, Any]]]) -> str:
    lines = []
    for method, rows in expected.items():
        for row in rows:
            if row.headline:
                ours, _ = measured(row, records[method])
                lines.append((method, row.title, f"{row.data} {row.split}", row.metric, number(row.value), ours))
    head = ("method", "what", "data", "metric", "paper", "measured here")
    return table(head, lines, "No method has a headline row yet.")


def _expected_table(rows: list[Expected], records: list[dict[str, Any]]) -> str:
    lines = []
    for row in rows:
        others = "; ".join(f"{other.value:.1f} ({other.source})" for other in row.others) or "–"
        ours, recipe = measured(row, records)
        paper = f"{number(row.value)} ({row.source})"
        lines.append((row.title, f"{row.data} {row.split}", row.metric, paper, others, ours, recipe, row.protocol))
    head = ("what", "data", "metric", "paper", "others", "measured here", "recipe", "protocol")
    return table(head, lines, "There are no expected numbers yet.")


def _runs_table(records: list[dict[str, Any]]) -> str:
    lines, groups = [], experiments(records)
    names = titles(groups)
    for key, group in groups.items():
        recipe = f"{names[key]} {OLDER}" if is_older(group[0]) else names[key]
        for name in max((record["stages"] for record in group), key=len):
            having = [record for record in group if name in record["stages"]]
            stages = [record["stages"][name] for record in having]
            found = [first for stage in stages if (first := headline(stage["numbers"]))]
            if not found:
                continue
            where = f"{group[0]['data']['name']} {stages[0]['split'] or ''}".strip()
            value = spread([100 * value for _, value in found], any(stage["mark"] for stage in stages))
            whole, commit = whole_runs(having), commits(having)
            lines.append((recipe, where, name, found[0][0], value, seeds_of(having), whole, commit))
    head = ("recipe", "data", "stage", "metric", "measured", "seeds", "whole run", "commit")
    return table(head, lines, "Not run.")
