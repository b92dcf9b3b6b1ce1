"""The number of classes comes from the data set: no network config says it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from common.base.errors import UserError

Config = Mapping[str, Any]


def fill_classes(model: Any, classes: int) -> None:
    """Write the number of classes into the config of a model whose types are registered, in place.

    A classifier counts the foreground classes, `classes` - 1, in `num_classes`; a decode head all of them. A number
    that is there stays.
    """
    import common.base.compat  # isort: skip  # noqa: F401
    from mmseg.registry import MODELS

    kind = MODELS.get(model["type"])
    if kind is not None and takes_classes(kind):
        model.setdefault("num_classes", classes - 1)
    for _, head in heads(model):
        head.setdefault("num_classes", classes)


def takes_classes(kind: type) -> bool:
    """Whether the constructor of a class, or of one it builds on, has a parameter `num_classes`."""
    return any("num_classes" in inspect.signature(base.__init__).parameters for base in kind.__mro__)


def heads(model: Config) -> Iterator[tuple[str, Any]]:
    """Key and config of a segmentor's heads, `decode_head` and `auxiliary_head`, each one or a list."""
    for key in ("decode_head", "auxiliary_head"):
        found = model.get(key) or []
        yield from ((key, head) for head in ([found] if isinstance(found, Mapping) else found))


def check_classes(model: Config, classes: int, data: str, where: str = "The config") -> None:
    """Refuse a number of classes in a model's config that is not the data set's; a config need not say one.

    Raises:
        UserError: naming the key.
    """
    counts = [("model.num_classes", model.get("num_classes"), classes - 1, "without")]
    counts += [(f"model.{key}.num_classes", head.get("num_classes"), classes, "with") for key, head in heads(model)]
    for key, given, own, how in counts:
        if given is not None and given != own:
            raise UserError(
                f"{where}: {key} is {given}, but {data} has {own} classes {how} the background: leave the key out, the "
                "number comes from the data set."
            )
