"""`wsseg report RUN`: one HTML file that needs no network."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from common.base.files import atomic_path
from common.data.dataset import DataSet, open_dataset
from common.pipeline.records import duration
from common.pipeline.run_folder import RunFolder, headline
from common.report.expected import Expected, lookup, read_expected
from common.report.markdown import DAGGER
from common.report.pictures import data_uri, galleries
from common.report.plots import line_plot
from common.report.style import STYLE

__all__ = ["render", "write_report"]


def write_report(run: RunFolder, root: Path, images: int = 20) -> Path:
    """Write RUN/report.html and return its path; stages that are not finished yet are listed as such.

    root: the project, where methods/<m>/expected.toml is; images: pictures per gallery.
    """
    path = run.path / "report.html"
    with atomic_path(path) as temporary:
        temporary.write_text(render(run, root, images), encoding="utf-8")
    return path


def render(run: RunFolder, root: Path, images: int = 20) -> str:
    """The page as text."""
    data = open_dataset(run.record["data"]["root"])
    expected = read_expected(root / "methods" / run.record["method"] / "expected.toml")
    sections = [
        _header(run),
        _tiles(run),
        _section("Numbers", _numbers(run, expected)),
        _section("Pictures", _galleries(run, data, images)),
        _section("Classes", _classes(run, data.classes)),
        _section("Curves", f'<div class="plots">{"".join(_curves(run))}</div>'),
        _section("Stages", _stages(run)),
        _section("Recipe", f"<details><summary>as it ran</summary><pre>{escape(run.record['config'])}</pre></details>"),
    ]
    title = escape(f"{run.record['recipe']} · seed {run.record['seed']}")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head><body><main>{''.join(sections)}</main></body></html>\n"
    )


def _section(title: str, body: str) -> str:
    empty = not body or body == '<div class="plots"></div>'
    return f"<section><h2>{title}</h2>{'<p class=quiet>None yet.</p>' if empty else body}</section>"


def _header(run: RunFolder) -> str:
    record, stages = run.record, list(run.stages.values())
    facts = [("method", record["method"]), ("data", record["data"]["name"]), ("seed", record["seed"])]
    if stages:
        machine = max(stages, key=lambda stage: stage["seconds"])["machine"]
        facts += [
            ("time", duration(run.seconds)),
            ("machine", machine.get("gpu") or f"{machine.get('cpu', 'CPU')}, {machine.get('threads', '?')} threads"),
            ("torch", machine.get("torch")),
            ("commit", ", ".join(sorted({str(stage["code"]["commit"]) for stage in stages}))),
            ("finished", max(stage["finished"] for stage in stages)),
        ]
    shown = "".join(f"<div><dt>{key}</dt><dd>{escape(str(value))}</dd></div>" for key, value in facts)
    missing = f'<p class="warn">Not finished: {escape(", ".join(run.missing))}.</p>' if run.missing else ""
    return f"<header><h1>{escape(record['recipe'])}</h1><dl>{shown}</dl>{missing}</header>"


def _tiles(run: RunFolder) -> str:
    """The headline number of every evaluation, large."""
    tiles = []
    for name, stage in run.stages.items():
        first = headline(stage["numbers"])
        if first is None:
            continue
        mark = "<sup>†</sup>" if run.marks[name] else ""
        split = stage["params"].get("split") or ""
        tiles.append(
            f'<div class="tile"><b>{100 * first[1]:.1f}{mark}</b><span>{escape(first[0])} · {escape(name)}'
            f" · {escape(str(split))}</span></div>"
        )
    return f'<div class="tiles">{"".join(tiles)}</div>'


def _numbers(run: RunFolder, expected: list[Expected]) -> str:
    """Every scalar the run measured, and beside it the paper's number where expected.toml has one."""
    rows = []
    for name, stage in run.stages.items():
        mark = run.marks[name]
        dagger = f' <abbr title="{escape(mark)}">†</abbr>' if mark else ""
        split = escape(str(stage["params"].get("split") or ""))
        for key, value in stage["numbers"].items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                measured = str(value) if isinstance(value, int) else f"{100 * value:.1f}{dagger}"
                paper = _paper(_expected_row(run, expected, name, key), value)
                rows.append([escape(name), split, escape(key), measured, *paper])
    rows += [[escape(name), "", "", "no masks", "", "", escape(why)] for name, why in run.left_out.items()]
    for row in expected:
        if _of_this_run(run, row) and row.stage not in {*run.stages, *run.left_out}:
            rows.append([escape(row.title), escape(row.split), escape(row.metric), "not run", *_paper(row, None)])
    if not rows:
        return ""
    head = ["stage", "split", "metric", "measured", "paper", "difference", "source"]
    marked = any(run.marks.values())
    note = f" {DAGGER}" if marked else ""
    return f"{_table(head, rows, numeric=(3, 4, 5))}<p class=quiet>Shares in percent.{note}</p>"


def _of_this_run(run: RunFolder, row: Expected) -> bool:
    return row.data == run.record["data"]["name"] and row.recipe in ("", run.record["recipe"])


def _expected_row(run: RunFolder, expected: list[Expected], stage: str, metric: str) -> Expected | None:
    split = run.stages[stage]["params"].get("split")
    for row in expected:
        if row.stage == stage and row.metric == metric and _of_this_run(run, row) and split in (None, row.split):
            return row
    return None


def _paper(row: Expected | None, value: float | None) -> list[str]:
    if row is None or row.value is None:
        return ["", "", escape(row.source) if row else ""]
    if value is None:
        return [f"{row.value:.1f}", "", escape(row.source)]
    gap = 100 * value - row.value
    good = row.tolerance is None or abs(gap) <= row.tolerance
    return [f"{row.value:.1f}", f'<span class="{"ok" if good else "off"}">{gap:+.1f}</span>', escape(row.source)]


def _classes(run: RunFolder, classes: Sequence[str]) -> str:
    """Numbers per class (iou, ap, precision) of all evaluations, side by side, with a bar in each cell."""
    columns = {
        f"{name}: {key}": value
        for name, stage in run.stages.items()
        for key, value in stage["numbers"].items()
        if isinstance(value, dict) and value and set(value) <= set(classes)
    }
    if not columns:
        return ""
    names = list(dict.fromkeys(name for column in columns.values() for name in column))
    rows = [[escape(name), *(_bar(lookup(column, name)) for column in columns.values())] for name in names]
    return _table(["class", *map(escape, columns)], rows)


def _bar(value: float | None) -> str:
    if value is None:
        return "–"
    return f'<span class="bar" style="--share:{100 * value:.1f}%">{100 * value:.1f}</span>'


def _curves(run: RunFolder) -> Iterable[str]:
    """Loss terms and learning rate of every training, the threshold curves, and an evaluation's own `curves`."""
    for name in run.record["stages"]:
        lines = read_log(run.path / name / "log.jsonl")
        losses: dict[str, list[tuple[float, float]]] = {}
        for line in lines:
            for key, value in line.items():
                if key not in ("iter", "lr", "seconds", "val") and isinstance(value, int | float):
                    losses.setdefault(key, []).append((line["iter"], value))
        yield line_plot(losses, "iteration", f"{name}: loss")
        rates = [(line["iter"], max(_list(line["lr"]))) for line in lines if line.get("lr") not in (None, [])]
        yield line_plot({"largest learning rate": rates}, "iteration", f"{name}: learning rate")
    for name, stage in run.stages.items():
        curve = stage["numbers"].get("curve")
        if curve and len(curve["thresholds"]) > 1:
            pairs = zip(curve["thresholds"], curve["miou"], strict=True)
            points = [(threshold, 100 * miou) for threshold, miou in pairs if miou is not None]
            yield line_plot({"mIoU": points}, "background score", f"{name}: mIoU over the threshold")
        for over, lines in stage["numbers"].get("curves", {}).items():
            shares = {label: [(x, 100 * y) for x, y in points if y is not None] for label, points in lines.items()}
            yield line_plot(shares, over, f"{name}: percent over the {over}")


def read_log(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a log.jsonl, in order; a last line that a running training is still writing is left out."""
    lines = []
    for text in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        try:
            line = json.loads(text)
        except json.JSONDecodeError:
            continue
        if isinstance(line, dict) and "iter" in line:
            lines.append(line)
    return lines


def _list(value: Any) -> list[float]:
    return value if isinstance(value, list) else [value]


def _galleries(run: RunFolder, data: DataSet, count: int) -> str:
    parts = []
    legend = "".join(
        f'<span style="--colour:rgb({red},{green},{blue})">{escape(name)}</span>'
        for name, (red, green, blue) in list(zip(data.classes, data.palette.tolist(), strict=False))[1:]
    )
    for ids, columns in galleries(run, data, count):
        head = "".join(f"<th>{escape(title)}</th>" for title, _ in columns)
        rows = "".join(_pictures(image_id, columns, data) for image_id in ids)
        parts.append(f'<div class="wide"><table class="gallery"><tr>{head}</tr>{rows}</table></div>')
    return f'<p class="palette">{legend}</p>{"".join(parts)}' if parts else ""


def _pictures(image_id: str, columns: Sequence[tuple[str, Any]], data: DataSet) -> str:
    cells = [f'<td><img loading="lazy" alt="{title}" src="{data_uri(show(image_id))}"></td>' for title, show in columns]
    names = ", ".join(data.classes[tag] for tag in data.tags(image_id))
    cells[0] = cells[0].replace("</td>", f"<small>{escape(image_id)}<br>{escape(names)}</small></td>")
    return f"<tr>{''.join(cells)}</tr>"


def _stages(run: RunFolder) -> str:
    longest = max((stage["seconds"] for stage in run.stages.values()), default=1) or 1
    rows = []
    for name in run.record["stages"]:
        stage = run.stages.get(name)
        if stage is None:
            rows.append([escape(name), "", escape(run.left_out.get(name, "not finished")), "", "", ""])
            continue
        share = 100 * stage["seconds"] / longest
        time = f'<span class="bar" style="--share:{share:.1f}%">{duration(stage["seconds"])}</span>'
        asked = {**stage["params"], **{key: value["stage"] for key, value in stage["inputs"].items()}}
        params = "".join(f"<div>{escape(key)} = {escape(_short(value))}</div>" for key, value in asked.items())
        images = "" if stage["images"] is None else str(stage["images"])
        memory = f"{stage['peak_memory_mb']:.0f} MB"
        rows.append([escape(name), escape(stage["stage"]), time, images, memory, f"<small>{params}</small>"])
    return _table(["name", "stage", "time", "images", "peak memory", "parameters and inputs"], rows, numeric=(3, 4))


def _short(value: Any) -> str:
    return str(value["file"]) if isinstance(value, dict) and "file" in value else str(value)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[int] = ()) -> str:
    def line(tag: str, cells: Sequence[str]) -> str:
        number = ' class="number"'
        return "".join(f"<{tag}{number if i in numeric else ''}>{cell}</{tag}>" for i, cell in enumerate(cells))

    body = "".join(f"<tr>{line('td', row)}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{line("th", head)}</tr></thead><tbody>{body}</tbody></table></div>'
