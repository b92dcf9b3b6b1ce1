"""Released checkpoints are converted once and kept under a name that configs ask for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from common.base.errors import UserError
from common.checkpoints.files import read_state_dict, save_file
from common.checkpoints.formats import known_formats, network_shapes, recognise
from common.checkpoints.initial import uncounted
from common.checkpoints.mxnet import is_params, read_params
from common.checkpoints.names import weights_folder


@dataclass(frozen=True)
class ImportReport:
    """What an import found; names of tensors. Counters `num_batches_tracked` are not counted."""

    name: str
    format: str
    about: str
    matched: list[str]
    missing: list[str]
    reshaped: list[str]
    unexpected: list[str]

    def lines(self) -> list[str]:
        """For the user."""
        lines = [f"{self.name}: {self.format}. {self.about}"]
        lines.append(f"  matched    {len(self.matched)} tensors")
        for title in ("missing", "reshaped", "unexpected"):
            names = getattr(self, title)
            shown = f": {', '.join(names[:4])}{', ...' if len(names) > 4 else ''}" if names else ""
            lines.append(f"  {title:<10} {len(names)}{shown}")
        return lines


def import_weights(file: str | Path, name: str) -> ImportReport:
    """Convert a released checkpoint, PyTorch's or MXNet's, and keep it as `name`; a config asks for it by that name.

    Raises:
        UserError: the name is not made of letters, digits, dots, dashes and underscores; the file is unreadable, of no
            known layout, or fits its network in nothing.
    """

    if not re.fullmatch(r"[\w.-]+", name):
        raise UserError(f"--as {name!r} is no name: use letters, digits, dots, dashes and underscores.")
    state = read_params(file) if is_params(file) else read_state_dict(file)
    kind = recognise(state, str(file))
    converted = known_formats()[kind].convert(state)
    report = _compare(name, kind, state, converted)
    if not report.matched:
        raise UserError(f"{file} looks like {kind}, but none of its tensors fits that network: is the file complete?")
    kept = {key: value.clone().contiguous() for key, value in converted.items() if key not in report.reshaped}
    save_file(weights_folder() / f"{name}.pth", kept)
    return report


def _compare(name: str, kind: str, state: Mapping[str, Tensor], converted: Mapping[str, Tensor]) -> ImportReport:

    form = known_formats()[kind]
    shapes = (
        network_shapes(form.network(dict(converted))) if form.network else {k: v.shape for k, v in converted.items()}
    )
    known = {id(value) for value in converted.values()}
    fits = [key for key, value in converted.items() if shapes.get(key) == value.shape]
    return ImportReport(
        name,
        kind,
        form.about,
        matched=uncounted(fits),
        missing=uncounted(key for key in shapes if key not in converted),
        reshaped=uncounted(key for key in converted if key in shapes and key not in fits),
        unexpected=uncounted([key for key, value in state.items() if id(value) not in known])
        + uncounted(key for key in converted if key not in shapes),
    )
