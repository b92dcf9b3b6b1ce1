"""A recipe: the list of stages of one paper row, read from a config file and checked before anything runs."""

from __future__ import annotations

import difflib
import hashlib
import importlib
import inspect
import json
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.artifacts import Artifact
from common.base.config import plain_text, read_config
from common.base.errors import UserError, nearest
from common.pipeline.inputs import named_inputs, wanted_kinds
from common.pipeline.options import KEYS, parameter_names, resolved
from common.pipeline.stage import Folder, NetworkConfig, PerImage
from common.pipeline.typed import typed

SEED = "{seed}"
"""Stands for the number of the seed in the words of a recipe: `20_labeled_{seed}` is split k of a paper for seed k."""


@dataclass(frozen=True)
class Step:
    """One checked entry of a recipe's pipeline.

    params: plain keyword arguments; inputs: parameter -> the step whose artefact it receives, `inputs.NAME` where
    there may be several; kind: the class of what the stage makes; oracle: the recipe lets this
    stage see the pixel labels of training images.
    """

    name: str
    stage: str
    function: Callable[..., Any]
    params: dict[str, Any]
    inputs: dict[str, str]
    kind: type[Artifact]
    per_image: bool
    oracle: bool

    @property
    def network(self) -> NetworkConfig | None:
        """The config of the network that the stage trains, if it trains one."""
        return next((value for value in self.params.values() if isinstance(value, NetworkConfig)), None)


@dataclass(frozen=True)
class Recipe:
    """A checked recipe file.

    pixel_labels: the split whose masks are part of the supervision (semi-supervised recipes), None for tags only; uses:
    what is known of the other images; images: of a supervised reference, the list it takes a part of; tuned_on: lists
    whose masks were seen when the constants were chosen; text: the file with its options, as mmengine prints it;
    content: the same as plain data; overrides: the options as they were given; by_seed: words in which the recipe
    writes `{seed}`, as they are for this seed -> as they are written.
    """

    path: Path
    method: str
    data_root: Path
    seed: int
    pixel_labels: str | None
    steps: tuple[Step, ...]
    uses: tuple[str, ...]
    images: str | None
    tuned_on: tuple[str, ...]
    text: str
    content: dict[str, Any]
    overrides: dict[str, Any]
    by_seed: dict[str, str]

    @property
    def name(self) -> str:
        """The file's name without suffix."""
        return self.path.stem


def load_recipe(path: str | Path, options: Mapping[str, Any] | None = None) -> Recipe:
    """Read and check a recipe; `options` are dotted keys with values, stages by their name or number.

    Raises:
        UserError: naming the entry and the nearest valid name.
    """
    path = Path(path)
    config = read_config(path)
    if "pipeline" not in config:
        raise UserError(f"{path} has no 'pipeline': it is no recipe (a single network trains by methods/*/train.py).")
    _check_shape(path, config)
    if options:
        config = read_config(path, resolved_options(path, config, options))
        _check_shape(path, config)
    for key in config:  # a recipe may have variables of its own, but not a typing error
        if key not in KEYS and (close := difflib.get_close_matches(key, KEYS, n=1, cutoff=0.75)):
            raise UserError(f"{path}: unknown key '{key}' (did you mean '{close[0]}'?).")
    seed = _seed(path, config.get("seed", 0))
    by_seed: dict[str, str] = {}
    for key in ("pipeline", "pixel_labels", "images", "tuned_on"):
        if key in config:
            config[key] = _of_seed(config[key], seed, by_seed)
    steps: dict[str, Step] = {}
    for number, entry in enumerate(config.pipeline):
        step = _check_entry(path, number, dict(entry), steps)
        steps[step.name] = step
    return Recipe(
        path=path,
        method=typed(f"{path}: method", config.get("method", path.parent.name), str),
        data_root=Path(config.data.root),
        seed=seed,
        pixel_labels=typed(f"{path}: pixel_labels", config.get("pixel_labels"), str | None),
        uses=typed(f"{path}: uses", config.get("uses", ("tags",)), tuple[str, ...]),
        images=typed(f"{path}: images", config.get("images"), str | None),
        tuned_on=typed(f"{path}: tuned_on", config.get("tuned_on", ()), tuple[str, ...]),
        steps=tuple(steps.values()),
        text=plain_text(config),
        content=json.loads(json.dumps(config.to_dict(), default=str)),
        overrides=json.loads(json.dumps(dict(options or {}), default=str)),
        by_seed=by_seed,
    )


def _of_seed(value: Any, seed: int, found: dict[str, str]) -> Any:
    """The value with the seed's number for every `{seed}` in it, noted in `found`."""
    if isinstance(value, str) and SEED in value:
        named = value.replace(SEED, str(seed))
        found[named] = value
        return named
    if isinstance(value, Mapping):
        return type(value)({key: _of_seed(item, seed, found) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return type(value)(_of_seed(item, seed, found) for item in value)
    return value


def resolved_options(path: Path, config: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a recipe with its stages by number, as the config has them.

    Raises:
        UserError: a key touches nothing; the nearest one is named.
    """
    return resolved(path, config, options, _parameters)


def _check_shape(path: Path, config: Any) -> None:
    """A pipeline of entries and a data root: what all further checks read."""
    pipeline, data = config.pipeline, config.get("data", {})
    if not isinstance(pipeline, list) or not pipeline:
        raise UserError(f"{path}: 'pipeline' must be a list of dict(stage=..., name=...), not {_short(pipeline)}.")
    for number, entry in enumerate(pipeline):
        if not isinstance(entry, Mapping):
            raise UserError(f"{path}: pipeline[{number}] must be dict(stage=..., name=...), not {_short(entry)}.")
    if not isinstance(data, Mapping):
        raise UserError(f"{path}: 'data' must be dict(root=FOLDER), not {_short(data)}.")
    if not data.get("root"):
        raise UserError(f"{path}: 'data.root' is missing: say --data-root FOLDER or set it in the recipe.")
    if not isinstance(data["root"], str):
        raise UserError(f"{path}: 'data.root' must be the name of a folder, not {_short(data['root'])}.")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _parameters(stage: Any) -> list[str]:
    try:
        return parameter_names(stage_function(stage)) if isinstance(stage, str) else []
    except UserError:
        return []  # the check of the entry says what is wrong with it


def stage_function(stage: str) -> Callable[..., Any]:
    """The function behind a stage's name: `x` of common.stages, `m.x` of methods.m.stages (a file or a folder).

    Raises:
        UserError: there is none of that name.
    """
    method, _, name = stage.rpartition(".")
    module_name = f"methods.{method}.stages" if method else "common.stages"
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and module_name.startswith(error.name):
            raise UserError(f"Unknown stage '{stage}': there is no module {module_name}.") from error
        raise
    stages = {
        key
        for key, value in vars(module).items()
        if inspect.isfunction(value) and f"{value.__module__}.".startswith(f"{module_name}.") and key[0] != "_"
    }
    if name not in stages:
        raise UserError(f"Unknown stage '{stage}'{nearest(name, stages)}.")
    return getattr(module, name)


def _check_entry(path: Path, number: int, entry: dict[str, Any], earlier: dict[str, Step]) -> Step:
    where = f"{path}: pipeline[{number}]"
    for key in ("stage", "name"):
        if not isinstance(entry.get(key), str):
            raise UserError(f"{where} needs {key}='...'.")
    stage, name, oracle = entry.pop("stage"), entry.pop("name"), entry.pop("oracle", False)
    where = f"{where} '{name}'"
    if not isinstance(oracle, bool):
        raise UserError(f"{where}: oracle must be True or False, not {oracle!r}.")
    if name in earlier:
        raise UserError(f"{where}: the name is taken by an earlier stage; every stage has its own.")
    if not name.replace("_", "").replace("-", "").isalnum():
        raise UserError(f"{where}: a name is made of letters, digits, '_' and '-', because a folder is named after it.")
    try:
        function = stage_function(stage)
    except UserError as error:
        raise UserError(f"{where}: {error}") from error
    hints = typing.get_type_hints(function, include_extras=True)
    kind, per_image = _kind(where, hints.pop("return", None))
    hints.pop("run", None)
    signature = inspect.signature(function)
    for key in entry:
        if key not in hints:
            raise UserError(f"{where}: stage '{stage}' has no parameter '{key}'{nearest(key, hints)}.")
    params: dict[str, Any] = {}
    inputs: dict[str, str] = {}
    for key, hint in hints.items():
        default = signature.parameters[key].default
        if key not in entry and default is inspect.Parameter.empty:
            raise UserError(f"{where}: stage '{stage}' needs '{key}'.")
        value = entry.get(key, default)
        wanted = wanted_kinds(hint)
        if wanted is not None and value is None and type(None) not in typing.get_args(hint):
            raise UserError(f"{where}: stage '{stage}' needs '{key}', the name of an earlier stage.")
        if wanted is not None and value is not None:
            inputs |= named_inputs(where, key, value, wanted, earlier)
        elif hint is Folder:
            params[key] = Folder(typed(f"{where}: {key}", value, str))
        elif hint is NetworkConfig:
            params[key] = _network_config(f"{where}: {key}", path.parent, value)
        elif wanted is None:
            params[key] = typed(f"{where}: {key}", value, hint)
    return Step(name, stage, function, params, inputs, kind, per_image, oracle)


def _kind(where: str, returned: Any) -> tuple[type[Artifact], bool]:
    if typing.get_origin(returned) is PerImage:
        return typing.get_args(returned)[0], True
    if inspect.isclass(returned) and issubclass(returned, Artifact):
        return returned, False
    raise UserError(f"{where}: the stage's function must say what it makes (-> PerImage[Labels], -> Weights, ...).")


def _network_config(where: str, folder: Path, value: Any) -> NetworkConfig:
    if not isinstance(value, str | Path):
        raise UserError(f"{where}: a file name is needed, not {value!r}.")
    path = folder / value
    if not path.is_file():
        known = sorted(other.name for other in folder.glob("*.py"))
        raise UserError(f"{where}: {path} does not exist{nearest(str(value), known)}.")
    return NetworkConfig(path)


def _seed(path: Path, seed: Any) -> int:
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise UserError(f"{path}: 'seed' must be a whole number from 0 on, not {seed!r}.")
    return seed


def config_digest(path: Path, options: Mapping[str, Any] | None = None) -> str:
    """SHA-256 of what a network config says once its bases, and `options`, are merged."""
    return hashlib.sha256(plain_text(read_config(path, options)).encode()).hexdigest()
