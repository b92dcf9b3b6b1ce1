"""Tables across methods: the same data and the same measure side by side, weak and semi-supervised methods apart."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from common.report.expected import Expected, lookup
from common.report.lines import OLDER, experiments, is_older, titles
from common.report.markdown import commits, grid, marks, number, seeds_of, spread, table, whole_runs
from common.report.protocol import KINDS, Supervision
from common.report.record import measured

__all__ = ["MEASURES", "Measure", "brief_table", "paper_table", "runs_table"]

Record = dict[str, Any]
Table = tuple[tuple[str, ...], list[tuple[str, ...]]]  # the head and the lines
NOT_RECORDED = "not recorded"


@dataclasses.dataclass(frozen=True)
class Measure:
    """What corresponds across methods. A recipe says it by its stages' names: the first of `stages` that it has."""

    title: str
    stages: tuple[str, ...]
    metric: str = "miou"


Column = tuple[Measure, str]
"""A measure and the list of images that it is judged on."""

MEASURES = (
    Measure("CAM", ("eval_cam_best", "eval_cam")),
    Measure("pseudo labels", ("eval_pseudo",)),
    Measure("segmentation", ("val",)),
)


@dataclasses.dataclass(frozen=True)
class Line:
    """One experiment and its records, one a seed; none: not run.

    recipe: its name, with what tells it from others; variant: its name goes on from that of another recipe of the
    method (irnet_shapes_blur from irnet_shapes): a control of it, or a variant.
    """

    method: str
    recipe: str
    supervision: Supervision | None
    kind: str
    records: list[Record]
    variant: bool = False

    @property
    def mark(self) -> str:
        """What follows the name of a line that older records made."""
        return f" {OLDER}" if self.records and is_older(self.records[0]) else ""

    @property
    def title(self) -> str:
        """Its recipe in a table."""
        return f"{self.recipe}{self.mark}"

    @property
    def learns_from(self) -> str:
        """Its supervision in words."""
        return NOT_RECORDED if self.supervision is None else str(self.supervision)


def runs_table(data: str, expected: dict[str, list[Expected]], records: dict[str, list[Record]]) -> str:
    """All methods on one data set: a line a recipe, a column a measure and list of images.

    Weak and semi-supervised methods have parts of their own, and so have their controls and variants. A measure that a
    recipe lacks is a dash; a method without a record on this data is not run.
    """
    return _in_parts(_all_lines(data, expected, records), _whole)


def brief_table(
    data: str, expected: dict[str, list[Expected]], records: dict[str, list[Record]], names: Mapping[str, str]
) -> str:
    """The lines of `runs_table` in short, controls and variants left out: who learns from what, and what comes of it.

    names: of the methods that have a page, as the field writes them. The links are relative to the project.
    """
    lines = [line for line in _all_lines(data, expected, records) if not line.variant]
    return _in_parts(lines, lambda lines: _brief(lines, data, names))


def paper_table(data: str, expected: dict[str, list[Expected]], records: dict[str, list[Record]]) -> str:
    """The papers' numbers on one data set, others' reproductions and ours: a line a number, by what is measured."""
    found = [
        (kind, _order(row), method, row)
        for method, rows in expected.items()
        for row in rows
        for kind in [row.supervision.kind]
        if row.data == data and (row.headline or _order(row) < len(MEASURES))
    ]
    found.sort(key=lambda item: item[1])
    head = (
        "method",
        "what",
        "network",
        "supervision",
        "split",
        "metric",
        "paper",
        "others",
        "measured here",
        "protocol",
    )
    parts = []
    for kind, title in KINDS.items():
        cells = [_paper_cells(method, row, records[method]) for own, _, method, row in found if own == kind]
        if cells:
            parts.append(f"**{title}**\n\n{table(head, cells, '')}")
    return "\n".join(parts) or "No expected numbers yet.\n"


def _in_parts(lines: list[Line], form: Callable[[list[Line]], Table]) -> str:
    """Tables for each kind of supervision, and below the last one what its readers must know."""
    parts = []
    for kind, title in KINDS.items():
        for variant, heading in ((False, title), (True, f"{title.partition(':')[0]}: controls and variants")):
            own = sorted((line for line in lines if (line.kind, line.variant) == (kind, variant)), key=_masks_first)
            if own:
                parts.append(f"**{heading}**\n\n{grid(*form(own))}")
    return "\n".join([*parts, *marks("".join(parts)), *_notes(lines)]) or "No method yet.\n"


def _whole(lines: list[Line]) -> Table:
    """All that is known of each line."""
    columns = _columns(lines)
    head = ("method", "recipe", "supervision", "backbone (networks)", *_heads(columns), "seeds", "whole run", "commit")
    return head, [_whole_cells(line, columns) for line in lines]


def _whole_cells(line: Line, columns: list[Column]) -> tuple[str, ...]:
    what, values = (line.method, line.title, line.learns_from), _values(line, columns)
    if not line.records:
        return (*what, "–", *values, "–", "–", "–")
    time, commit = whole_runs(line.records), commits(line.records, digits=8)
    return (*what, _backbones(line.records), *values, seeds_of(line.records), time, commit)


def _brief(lines: list[Line], data: str, names: Mapping[str, str]) -> Table:
    """Five columns: one more for each further list of images that pseudo labels or segmentations are judged on."""
    columns = [(measure, split) for measure, split in _columns(lines) if measure in MEASURES[1:]]
    head = ("method", "learns from", *_heads(columns), "seeds")
    return head, [
        (_linked(line, data, names), line.learns_from, *_values(line, columns), seeds_of(line.records) or "–")
        for line in lines
    ]


def _linked(line: Line, data: str, names: Mapping[str, str]) -> str:
    """A link to the method's page, or to the recipe of a reference; a recipe with a name of its own goes by it."""
    recipe = line.records[0]["recipe"] if line.records else ""
    plain = line.recipe in ("–", f"{line.method}_{data}")
    page = f"methods/{line.method}/README.md" if line.method in names else f"configs/{line.method}/{recipe}.py"
    return f"[{names.get(line.method, line.method) if plain else line.recipe}]({page}){line.mark}"


def _heads(columns: list[Column]) -> list[str]:
    return [f"{measure.title}, {split}" if split else measure.title for measure, split in columns]


def _values(line: Line, columns: list[Column]) -> list[str]:
    if not line.records:
        return ["not run"] * len(columns)
    return [_value(measure, split, line.records) for measure, split in columns]


def _all_lines(data: str, expected: dict[str, list[Expected]], records: dict[str, list[Record]]) -> list[Line]:
    return [line for method in expected for line in _lines(data, method, expected[method], records[method])]


def _order(row: Expected) -> int:
    """The place of the row's measure among MEASURES; other headlines come last."""
    places = [place for place, measure in enumerate(MEASURES) if row.stage in measure.stages]
    return places[0] if places else len(MEASURES)


def _lines(data: str, method: str, rows: list[Expected], records: list[Record]) -> list[Line]:
    """A method's recipes on `data`; where none was run, one empty line for each kind of supervision of its papers."""
    declared = {row.supervision.kind: row.supervision for row in rows}
    groups = experiments(record for record in records if record["data"]["name"] == data)
    if not groups:
        return [Line(method, "–", given, kind, []) for kind, given in declared.items()]
    lines, names, recipes = [], titles(groups), {key.recipe for key in groups}
    for key, group in groups.items():
        variant = any(key.recipe.startswith(f"{other}_") for other in recipes)
        given = next((record["supervision"] for record in group if record.get("supervision")), None)
        uses = None if given is None or given["uses"] is None else tuple(given["uses"])
        known = Supervision(given["masks"], given["images"], uses) if given else None
        kind = known.kind if known else next(iter(declared), "weak")
        lines.append(Line(method, names[key], known, kind, group, variant))
    return lines


def _masks_first(line: Line) -> tuple[int, bool]:
    """Few masks before many; those masks alone before a method that has them too."""
    given = line.supervision or Supervision()
    return given.masks, given.uses is not None


def _stage(measure: Measure, record: Record) -> dict[str, Any] | None:
    return next((record["stages"][name] for name in measure.stages if name in record["stages"]), None)


def _columns(lines: list[Line]) -> list[Column]:
    """Measures and their lists of images that a record has; all measures where there is no record."""
    if not any(line.records for line in lines):
        return [(measure, "") for measure in MEASURES]
    return [(measure, split) for measure in MEASURES for split in sorted(_splits(measure, lines))]


def _splits(measure: Measure, lines: list[Line]) -> set[str]:
    stages = [_stage(measure, record) for line in lines for record in line.records]
    return {stage["split"] for stage in stages if stage and stage["split"]}


def _value(measure: Measure, split: str, group: list[Record]) -> str:
    stages = [stage for record in group if (stage := _stage(measure, record)) and stage["split"] == split]
    pairs = [(lookup(stage["numbers"], measure.metric), stage["mark"]) for stage in stages]
    found = [(100 * value, mark) for value, mark in pairs if value is not None]
    if not found:
        return "–"
    fewer = f" ({len(found)} of {len(group)} seeds)" if len(found) < len(group) else ""
    return spread([value for value, _ in found], any(mark for _, mark in found)) + fewer


def _backbones(group: list[Record]) -> str:
    """'EfficientNet-Lite0 (cam, irn, deeplab)': each backbone with the stages that train it, or with their number."""
    stages: dict[str, list[str]] = {}
    for record in group:
        for stage, network in record.get("networks", {}).items():
            names = stages.setdefault(network["backbone"], [])
            if stage not in names:
                names.append(stage)
    shown = {name: ", ".join(own) if len(own) < 5 else f"{len(own)} networks" for name, own in stages.items()}
    return "; ".join(f"{backbone} ({names})" for backbone, names in shown.items()) or NOT_RECORDED


def _notes(lines: list[Line]) -> list[str]:
    """What keeps the lines from being comparable, and over which classes the mean goes."""
    classes: dict[tuple[str, ...], set[str]] = {}
    prints: dict[str, dict[str, set[str]]] = {}
    for line in lines:
        for record in line.records:
            for stage in filter(None, (_stage(measure, record) for measure in MEASURES)):
                classes.setdefault(tuple(stage["numbers"].get("classes", ())), set()).add(line.title)
            for split, fingerprint in record["data"]["splits"].items():
                prints.setdefault(split, {}).setdefault(fingerprint, set()).add(line.title)
    notes = [
        f"mIoU over {', '.join(names)}{f' ({_listed(recipes)})' if len(classes) > 1 else ''}.\n"
        for names, recipes in sorted(classes.items())
        if names
    ]
    for split, lists in sorted(prints.items()):
        if len(lists) > 1:
            apart = " / ".join(_listed(recipes) for recipes in lists.values())
            notes.append(f"Not comparable: the list `{split}` holds other images in {apart}.\n")
    return notes


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))


def _paper_cells(method: str, row: Expected, records: list[Record]) -> tuple[str, ...]:
    what, given, (ours, _) = row.title, str(row.supervision), measured(row, records)
    numbers = (number(row.value), _others(row), ours)
    return (method, what, row.network or "–", given, row.split, row.metric, *numbers, row.protocol)


def _others(row: Expected) -> str:
    """The range of others' reproductions; their sources are on the method's page."""
    values = sorted(other.value for other in row.others)
    if not values:
        return "–"
    return number(values[0]) if len(values) == 1 else f"{values[0]:.1f} to {values[-1]:.1f} ({len(values)})"
