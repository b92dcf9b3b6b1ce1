"""A step in words: each of its parameters, and where its inputs come from."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator

from common.pipeline.recipe import Step
from common.pipeline.stage import NetworkConfig


def step_lines(step: Step) -> Iterator[str]:
    """A line for each parameter of the stage's function, in its order, defaults included.

    An input names the stage that makes it. Where several may be given they follow one another as `inputs.NAME`.
    """
    if step.oracle:
        yield "oracle = True: it sees the masks of training images"
    for name in inspect.signature(step.function).parameters:
        given = [key for key in step.inputs if key == name or key.startswith(f"{name}.")]
        yield from (f"{key} = the output of {step.inputs[key]}" for key in given)
        if name in step.params:
            yield f"{name} = {_shown(step.params[name])}"
        elif not given and name != "run":
            yield f"{name} = None"


def _shown(value: object) -> str:
    return os.path.normpath(value) if isinstance(value, NetworkConfig) else repr(value)
