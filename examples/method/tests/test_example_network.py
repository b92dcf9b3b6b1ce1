"""The network, and the weights that are imported for it."""

from __future__ import annotations

import re

import torch

from common.checkpoints.formats import known_formats, recognise
from methods.example.backbone import ExampleBackbone
from methods.example.model import Example


def test_logits_of_background_and_classes_have_a_quarter_of_the_sides() -> None:
    network = Example({"type": "ExampleBackbone", "width": 4}, num_classes=2)
    assert network(torch.zeros(1, 3, 30, 33)).shape == (1, 3, 8, 9)


def test_an_imported_file_gets_our_names() -> None:
    own = ExampleBackbone(width=4).state_dict()
    theirs = {re.sub(r"(\w+)(\d)\.", lambda m: f"example.{int(m[2]) - 1}.{m[1]}.", key): own[key] for key in own}
    form = known_formats()[recognise(theirs, "a file")]
    converted = form.convert(theirs)
    assert {key: id(value) for key, value in converted.items()} == {f"backbone.{key}": id(own[key]) for key in own}
    assert form.network(converted) == {"backbone": {"type": "ExampleBackbone", "width": 4}}
