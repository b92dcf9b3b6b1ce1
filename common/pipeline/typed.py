"""Values of a recipe as the annotations of its stages want them."""

from __future__ import annotations

import inspect
import types
import typing
from typing import Any

from common.base.errors import UserError
from common.pipeline.stage import Range

_MISFIT = object()


def typed(where: str, value: Any, hint: Any) -> Any:
    """`value` as its annotation wants it (lists become tuples, whole numbers floats).

    A class may read its own values: its `from_recipe(value)` returns an instance, or raises a UserError that names the
    key inside.

    Raises:
        UserError: it is of another type, or outside its `Range`.
    """
    kind, limits = _unwrapped(hint)
    unions = (types.UnionType, typing.Union)
    options = typing.get_args(kind) if typing.get_origin(kind) in unions else (kind,)
    for option, own in map(_unwrapped, options):
        fitted = _fit(value, option)
        if fitted is _MISFIT:
            continue
        for limit in (*limits, *own):
            if isinstance(limit, Range) and not isinstance(fitted, str) and not limit.holds(fitted):
                raise UserError(f"{where}={value!r} is out of range: {limit} is allowed.")
        return fitted
    for option in options:
        if hasattr(option, "from_recipe"):
            return _read_by(option, where, value)
    name = getattr(kind, "__name__", None) if not typing.get_args(kind) else None
    raise UserError(f"{where}={value!r} is not of type {name or str(kind).replace('typing.', '')}.")


def _unwrapped(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """The type inside `Annotated`, and what is said of it."""
    if typing.get_origin(hint) is not typing.Annotated:
        return hint, ()
    kind, *said = typing.get_args(hint)
    return kind, tuple(said)


def _read_by(option: Any, where: str, value: Any) -> Any:
    try:
        return option.from_recipe(value)
    except UserError as error:
        raise UserError(f"{where}: {error}") from error


def _fit(value: Any, hint: Any) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if origin is typing.Literal:
        return value if any(type(value) is type(arg) and value == arg for arg in args) else _MISFIT
    if hint is None or hint is type(None):
        return None if value is None else _MISFIT
    if origin is tuple:
        if not isinstance(value, tuple | list):
            return _MISFIT
        kinds = [args[0]] * len(value) if args[-1] is Ellipsis else list(args)
        fitted = [_fit(item, kind) for item, kind in zip(value, kinds, strict=False)]
        return _MISFIT if len(kinds) != len(value) or any(item is _MISFIT for item in fitted) else tuple(fitted)
    if origin is dict or hint is dict:
        return dict(value) if isinstance(value, dict) else _MISFIT
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, bool) and hint is not bool:
        return _MISFIT
    return value if inspect.isclass(hint) and isinstance(value, hint) else _MISFIT
