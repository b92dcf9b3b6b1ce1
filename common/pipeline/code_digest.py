"""Digests of the code behind a stage: what its function uses, and what its networks are built of.

The code is read, not run. From the stage's function the walk goes from name to name: to the functions and classes of
its file that it uses, through imports to the definitions in other files, and on to what those use. A network's config
adds the classes that it names; they are looked for in the modules that are imported on the way and by `custom_imports`.
So a function that is not used may change freely, even in a file that is.

The walk follows `common`, `methods`, the package of the stage's function and those that `custom_imports` names,
wherever Python finds them. It does not follow installed packages, which have versions, nor the code that runs and
reports the stages.
"""

from __future__ import annotations

import functools
import hashlib
import json
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from common.pipeline.definitions import Imported, SourceFile, read_source

OWN = ("common", "methods")
LEFT_OUT = ("common.base", "common.pipeline", "common.report", "common.cli", "common.ops.overlay")
"""What runs the stages and shows what they made; `overlay` paints the report's pictures."""
NO_TYPES = ("common.checkpoints.formats",)
"""Modules whose strings name classes without building them: there, the networks that a released file belongs to."""
_LENGTH = 16  # of a module's digest, in hex digits


def code_digests(
    function: Callable[..., Any], configs: Iterable[Mapping[str, Any]] = (), kinds: Iterable[type] = ()
) -> dict[str, str]:
    """Of every module behind a stage the digest of the part that the stage uses, by the module's name, sorted.

    function: the stage's; configs: of the networks that it trains, whole, and of those that it is given, by
    `network_part`; kinds: the classes of its inputs, where an annotation names only a class they build on. Comments,
    docstrings, layout and the order of functions count nothing. A module that cannot be found is left out.

    Raises:
        UserError: a file is no Python.
    """
    configs, kinds = list(configs), list(kinds)
    modules = [name for config in configs for name in custom_imports(config)]
    tops = {name.partition(".")[0] for name in modules if not _installed(name.partition(".")[0])}
    walk = _Walk({*OWN, *tops, *(item.__module__.partition(".")[0] for item in (function, *kinds))})
    for item in (function, *kinds):
        walk.follow(Imported(item.__module__, item.__qualname__.partition(".")[0]))
    for name in modules:
        walk.touch(name)
    for config in configs:
        for text in _strings({key: value for key, value in config.items() if key != "custom_imports"}):
            walk.name_type(text)
    return walk.digests()


def code_sha(digests: Mapping[str, str]) -> str:
    """One SHA-256 of what `code_digests` found."""
    return hashlib.sha256(json.dumps(dict(digests), sort_keys=True).encode()).hexdigest()


def changed_code(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """The modules whose used part changed, came or went, sorted."""
    return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))


def custom_imports(config: Mapping[str, Any]) -> list[str]:
    """The modules that a network config wants imported."""
    named = (config.get("custom_imports") or {}).get("imports") or []
    return [named] if isinstance(named, str) else list(named)


def network_part(config: Mapping[str, Any]) -> dict[str, Any]:
    """What of a network's config counts for a stage that is given the trained network: how it is built."""
    return {key: config[key] for key in ("model", "custom_imports") if key in config}


def _strings(value: Any) -> Iterator[str]:
    """All strings in a config: a class may be named by `type`, `constructor` and other keys."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple | set):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, str):
        yield value
    elif hasattr(value, "__qualname__"):  # the class itself
        yield f"{value.__module__}.{value.__qualname__}"


# --- the modules --------------------------------------------------------------------------------------------------

Place = tuple[Path | None, tuple[str, ...] | None]
"""A module's file, and of a package the folders of its modules."""


def _place(name: str) -> Place | None:
    """Where Python finds a module; nothing is imported, its packages neither."""
    loaded = vars(sys.modules.get(name, object))
    file, folders = loaded.get("__file__"), loaded.get("__path__")
    if file or folders is not None:
        return Path(file) if file else None, None if folders is None else tuple(folders)
    parent = name.rpartition(".")[0]
    if not parent:
        return _search(name, None, tuple(sys.path))
    package = _place(parent)
    return _search(name, package[1], ()) if package and package[1] is not None else None


def _search(name: str, folders: tuple[str, ...] | None, path: tuple[str, ...]) -> Place | None:
    place = _find(name, folders, path)
    if place and place[0] and not place[0].is_file():  # it went since it was found
        _find.cache_clear()
        place = _find(name, folders, path)
    if place is None:
        _find.cache_clear()  # it may come
    return place


@functools.lru_cache(maxsize=4096)
def _find(name: str, folders: tuple[str, ...] | None, path: tuple[str, ...]) -> Place | None:
    """`path` is `sys.path`, which the finders read where `folders` is None."""
    for finder in sys.meta_path:
        spec = finder.find_spec(name, None if folders is None else list(folders))
        if spec is not None:
            inside = spec.submodule_search_locations
            return Path(spec.origin) if spec.has_location else None, None if inside is None else tuple(inside)
    return None


def _installed(name: str) -> bool:
    """Whether a package lies among the installed ones or in Python's own library."""
    file, folders = _place(name) or (None, None)
    where = [file] if file else [Path(folder) for folder in folders or ()]
    library = Path(sysconfig.get_paths()["stdlib"])
    return not where or any(
        {"site-packages", "dist-packages"} & set(path.parts) or path.is_relative_to(library) for path in where
    )


# --- the walk -----------------------------------------------------------------------------------------------------


class _Walk:
    """What is used, starting from the names that it is told to follow.

    tops: the packages that are followed.
    """

    def __init__(self, tops: set[str]) -> None:
        self.tops = tops
        self.followed: dict[str, bool] = {}
        self.files: dict[str, SourceFile | None] = {}
        self.touched: set[str] = set()
        self.used: dict[str, set[int]] = {}
        self.lines: dict[str, set[str]] = {}
        self.types: dict[str, list[tuple[str, str]]] = {}
        self.strings: set[str] = set()
        self.seen: set[tuple[str, str]] = set()
        self.todo: list[tuple[str, int]] = []

    def digests(self) -> dict[str, str]:
        """Module -> digest of what is used of it, sorted."""
        self._finish()
        return {name: self._digest(name) for name in sorted({*self.used, *self.lines})}

    def touch(self, module: str) -> None:
        """A module is imported: what that does counts, not all that it defines."""
        if module in self.touched or not self._followed(module):
            return
        self.touched.add(module)
        self.touch(module.rpartition(".")[0])
        source = self._source(module)
        if source is None:
            return
        for found in source.imports:
            self.touch(found.module)
            if found.name and self._followed(found.module) and not self._binds(found.module, found.name):
                self.touch(f"{found.module}.{found.name}")
        for number in source.effects:
            self._add(module, number)
        for number, decorators in source.decorated.items():  # a registry of one's own may hold what it decorates
            if any(self._is_own(source, name) for name in decorators):
                self._add(module, number)
        for text, name in source.types.items():
            self.types.setdefault(text, []).append((module, name))
            if text in self.strings:
                self.use(module, name)

    def follow(self, found: Imported, rest: str = "") -> None:
        """An import is used, `rest` names the attributes that are looked at."""
        if found.name is None:
            self._module(found.module, rest)
        elif not self._followed(found.module):
            return
        elif found.name == "*":
            self._whole(found.module)
        elif self._binds(found.module, found.name):
            self.use(found.module, ".".join(filter(None, [found.name, rest])))
        elif _place(f"{found.module}.{found.name}"):
            self._module(f"{found.module}.{found.name}", rest)
        else:  # made when the module runs
            self._whole(found.module)

    def use(self, module: str, dotted: str) -> None:
        """A global name of a module is used, "name" or "name.attribute"; names of Python itself are passed over."""
        if (module, dotted) in self.seen:
            return
        self.seen.add((module, dotted))
        self.touch(module)
        source = self._source(module)
        name, _, rest = dotted.partition(".")
        for entry in source.bound.get(name, ()) if source else ():
            if isinstance(entry, int):
                self._add(module, entry)
            else:
                self.lines.setdefault(module, set()).add(f"{name}: {entry.line}")
                self.follow(entry, rest)
        if source and name not in source.bound:
            for star in source.bound.get("*", ()):
                if isinstance(star, Imported) and self._followed(star.module) and self._binds(star.module, name):
                    self.use(star.module, dotted)

    def name_type(self, text: str) -> None:
        """A string is seen: where it names a class or a module that is followed, that is used."""
        name = text.rpartition(".")[2]  # a registry's scope, or a module, may stand in front
        if text in self.strings:
            return
        self.strings |= {text, name}
        for module, behind in self.types.get(name, ()):
            self.use(module, behind)
        module = text.rpartition(".")[0]
        if module and self._followed(module):
            if self._source(text):
                self._whole(text)
            elif self._source(module) and self._binds(module, name):
                self.use(module, name)

    def _finish(self) -> None:
        while self.todo:
            module, number = self.todo.pop()
            part = self.files[module].part(number)
            for name in part.names:
                self.use(module, name)
            for found in part.imports:
                self.follow(found)
            for text in part.strings if module not in NO_TYPES else ():
                self.name_type(text)

    def _add(self, module: str, number: int) -> None:
        if number not in self.used.setdefault(module, set()):
            self.used[module].add(number)
            self.todo.append((module, number))

    def _module(self, module: str, rest: str) -> None:
        """A module is used: a name of it where `rest` says so, else the whole."""
        name, _, more = rest.partition(".")
        if not self._followed(module):
            return
        if name:
            self.follow(Imported(module, name), more)
        else:
            self._whole(module)

    def _whole(self, module: str) -> None:
        """All that a module defines; of a package also what it only passes on."""
        self.touch(module)
        source = self._source(module)
        for name, entries in source.bound.items() if source else ():
            if source.package == module or any(isinstance(entry, int) for entry in entries):
                self.use(module, name)

    def _followed(self, module: str) -> bool:
        if module not in self.followed:
            left = any(module == name or module.startswith(f"{name}.") for name in LEFT_OUT)
            self.followed[module] = module.partition(".")[0] in self.tops and not left
        return self.followed[module]

    def _is_own(self, source: SourceFile, name: str) -> bool:
        return any(isinstance(entry, int) or self._followed(entry.module) for entry in source.bound.get(name, ()))

    def _binds(self, module: str, name: str, asked: tuple[str, ...] = ()) -> bool:
        """Whether a module gives a value to a name; `asked`: the modules whose `import *` lead here."""
        source = self._source(module)
        if source is None or module in asked:
            return False
        stars = [entry.module for entry in source.bound.get("*", ()) if isinstance(entry, Imported)]
        return name in source.bound or any(self._binds(star, name, (*asked, module)) for star in stars)

    def _source(self, module: str) -> SourceFile | None:
        """None where there is no such Python file, or it is not followed."""
        if module not in self.files:
            file, folders = (_place(module) if self._followed(module) else None) or (None, None)
            package = module if folders is not None else module.rpartition(".")[0]
            readable = file is not None and file.suffix == ".py" and file.is_file()
            self.files[module] = read_source(file, package) if readable else None
        return self.files[module]

    def _digest(self, module: str) -> str:
        source, numbers = self.files[module], sorted(self.used.get(module, ()))
        defined = sorted(source.part(number).text for number in numbers if source.defines(number))
        others = [source.part(number).text for number in numbers if not source.defines(number)]
        text = "\n".join([*sorted(self.lines.get(module, ())), *defined, *others])
        return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]
