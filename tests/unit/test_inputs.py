"""What a stage receives: one artefact, a list or a dict of them, of one kind or of several."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Annotated, Literal

import pytest

from common.artifacts import CAMs, Labels, PerImageArtifact, ScoreMaps
from common.base.errors import UserError
from common.pipeline import Range, Unit
from common.pipeline.inputs import assembled, named_inputs, wanted_kinds
from common.pipeline.typed import typed

EARLIER = {
    "cam": SimpleNamespace(kind=CAMs),
    "walk": SimpleNamespace(kind=ScoreMaps),
    "pseudo": SimpleNamespace(kind=Labels),
}


@pytest.mark.parametrize(
    ("hint", "wanted"),
    [
        (CAMs, ((CAMs,), None)),
        (CAMs | None, ((CAMs,), None)),
        (CAMs | ScoreMaps, ((CAMs, ScoreMaps), None)),
        (list[CAMs], ((CAMs,), list)),
        (list[CAMs | ScoreMaps] | None, ((CAMs, ScoreMaps), list)),
        (dict[str, PerImageArtifact] | None, ((PerImageArtifact,), dict)),
        (list[float] | None, None),
        (dict | None, None),
        (float, None),
    ],
    ids=str,
)
def test_annotations(hint, wanted):
    assert wanted_kinds(hint) == wanted


def test_names_go_to_dotted_keys_and_back():
    found = named_inputs("R", "cams", ["cam", "walk"], ((CAMs, ScoreMaps), list), EARLIER)
    found |= named_inputs("R", "inputs", {"regions": "pseudo"}, ((PerImageArtifact,), dict), EARLIER)
    found |= named_inputs("R", "labels", "pseudo", ((Labels,), None), EARLIER)
    assert found == {"cams.0": "cam", "cams.1": "walk", "inputs.regions": "pseudo", "labels": "pseudo"}
    assert assembled(found) == {"cams": ["cam", "walk"], "inputs": {"regions": "pseudo"}, "labels": "pseudo"}


@pytest.mark.parametrize(
    ("value", "wanted", "message"),
    [
        ("pseudo", ((CAMs, ScoreMaps), None), "R: x='pseudo' makes Labels, but CAMs or ScoreMaps are needed here"),
        ("walc", ((ScoreMaps,), None), r"no earlier stage has that name \(did you mean 'walk'"),
        (["walk", "pseudo"], ((ScoreMaps,), list), "R: x.1='pseudo' makes Labels"),
        ("walk", ((ScoreMaps,), list), "a list of names of earlier stages is needed, not 'walk'"),
        ([], ((ScoreMaps,), list), "a list of names"),
        (["walk"], ((ScoreMaps,), dict), r"dict\(NAME='earlier stage'\)"),
        ({"a b": "walk"}, ((ScoreMaps,), dict), "'a b' is no name"),
        (3, ((ScoreMaps,), None), "the name of an earlier stage is needed, not 3"),
    ],
)
def test_what_does_not_fit_is_one_sentence(value, wanted, message):
    with pytest.raises(UserError, match=message):
        named_inputs("R", "x", value, wanted, EARLIER)


def test_a_range_may_stand_inside_a_union():
    for hint in (Unit | Literal["own"], Annotated[float | Literal["own"], Range(0, 1)]):
        assert typed("x", "own", hint) == "own" and typed("x", 1, hint) == 1.0
        with pytest.raises(UserError, match="x=2 is out of range"):
            typed("x", 2, hint)
