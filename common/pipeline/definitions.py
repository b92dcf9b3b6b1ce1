"""What a Python file defines, statement by statement, and what each statement uses; read without running it."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from common.base.source import parse

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_SCOPES = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
)
_SILENT = ("ctx", "kind", "type_comment")  # fields that follow from the rest, or say nothing


@dataclass(frozen=True)
class Imported:
    """`name` of a module, or the module itself where that is None; `line` tells it as the file does."""

    module: str
    name: str | None
    line: str = field(default="", compare=False)


@dataclass
class Part:
    """A top-level statement.

    text: the same for the same code, whatever its layout, comments and docstrings; names: global names it uses, with
    the attributes that are looked at, "module.name"; imports: those inside it; strings: all its strings.
    """

    text: str
    names: set[str] = field(default_factory=set)
    imports: set[Imported] = field(default_factory=set)
    strings: set[str] = field(default_factory=set)


class SourceFile:
    """A file's statements, found by what they define.

    Attributes:
        bound: name -> its imports and the numbers of the statements that define it, in their order.
        imports: what importing the file imports.
        effects: numbers of the statements that do more than define a name.
        decorated: number of a definition -> the names that its decorators begin with.
        types: a name that a registry may know -> the name of the class or function behind it.
    """

    def __init__(self, path: Path, package: str) -> None:
        self.package = package
        self.body = [node for node in parse(path).body if not _unread(node)]
        self.bound: dict[str, list[Imported | int]] = {}
        self.imports: set[Imported] = set()
        self.effects: list[int] = []
        self.decorated: dict[int, set[str]] = {}
        self.types: dict[str, str] = {}
        self._parts: dict[int, Part] = {}
        for number, node in enumerate(self.body):
            self._enter(number, node)

    def part(self, number: int) -> Part:
        """What statement `number` says and uses."""
        if number not in self._parts:
            self._parts[number] = _Reader(self.body[number], self.package).part
        return self._parts[number]

    def defines(self, number: int) -> bool:
        """Whether it is a function or a class: where it stands among the others does not matter."""
        return isinstance(self.body[number], Definition)

    def _enter(self, number: int, node: ast.stmt) -> None:
        own = _own(node)
        self.imports |= {found for inner in own for found in _imported(inner, self.package).values()}
        if isinstance(node, ast.Import | ast.ImportFrom):
            for name, found in _imported(node, self.package).items():
                self.bound.setdefault(name, []).append(found)
            return
        for name in _names(own):
            self.bound.setdefault(name, []).append(number)
        if isinstance(node, Definition):
            self.decorated[number] = {_dotted(_called(item)).partition(".")[0] for item in node.decorator_list}
            self._enter_type(node)
        elif any(map(_acts, own)):
            self.effects.append(number)

    def _enter_type(self, node: Definition) -> None:
        registers = [item for item in node.decorator_list if "register" in _dotted(_called(item))]
        if registers or isinstance(node, ast.ClassDef):
            self.types[node.name] = node.name
        for inner in (inner for item in registers for inner in ast.walk(item)):
            if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                self.types[inner.value] = node.name


@functools.lru_cache(maxsize=4096)
def _read(path: Path, package: str, mtime: int, size: int) -> SourceFile:
    return SourceFile(path, package)


def read_source(path: Path, package: str) -> SourceFile:
    """The statements of a file; `package`: what its relative imports begin from. Read again only where it changed.

    Raises:
        UserError: it is no Python.
        OSError: it is not there.
    """
    stat = path.stat()
    return _read(path, package, stat.st_mtime_ns, stat.st_size)


def _unread(node: ast.stmt) -> bool:
    """Whether a statement is for the type checker alone, for running the file as a program, or nothing at all."""
    if not isinstance(node, ast.If):
        return _says_nothing(node)
    test = node.test
    if isinstance(test, ast.Compare):
        return isinstance(test.left, ast.Name) and test.left.id == "__name__"
    return not node.orelse and _dotted(test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def _says_nothing(node: object) -> bool:
    """Docstrings, also those below an assignment, and `pass`."""
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _own(node: ast.AST) -> list[ast.AST]:
    """A node and what lies in it, without what functions, classes and comprehensions in it hold."""
    found = [node]
    for item in found:  # it grows
        if not isinstance(item, _SCOPES):
            for name in item._fields:
                value = getattr(item, name, None)
                if isinstance(value, list):
                    found += [child for child in value if isinstance(child, ast.AST)]
                elif isinstance(value, ast.AST) and name != "ctx":
                    found.append(value)
    return found


def _acts(node: ast.AST) -> bool:
    """Whether it does more than give a value to a name: a call that stands alone, a value for a part of a thing."""
    if isinstance(node, ast.Attribute | ast.Subscript):
        return not isinstance(node.ctx, ast.Load)
    return isinstance(node, ast.Assert) or (isinstance(node, ast.Expr) and not _says_nothing(node))


def _names(nodes: Iterable[ast.AST]) -> set[str]:
    """The names that are bound by these nodes, as `_own` gives them."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                found.add(node.id)
        elif isinstance(node, Definition):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found.update(_imported(node, ""))
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            found.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            found.add(node.rest)
    return found


def _imported(node: ast.AST, package: str) -> dict[str, Imported]:
    """Bound name -> what an import statement imports; "*" stands for itself, `import a.b` also binds "a.b"."""
    found = {}
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.asname or "." not in alias.name:
                found[alias.asname or alias.name] = Imported(alias.name, None, f"import {alias.name}")
            else:
                top = alias.name.partition(".")[0]
                found |= {top: Imported(top, None, f"import {top}"), alias.name: Imported(alias.name, None)}
    elif isinstance(node, ast.ImportFrom):
        module = _absolute(node, package)
        for alias in node.names:
            found[alias.asname or alias.name] = Imported(module, alias.name, f"from {module} import {alias.name}")
    return found


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    return ".".join(filter(None, [*parts[: len(parts) - node.level + 1], node.module]))


def _called(node: ast.expr) -> ast.expr:
    return node.func if isinstance(node, ast.Call) else node


def _dotted(node: ast.AST) -> str:
    """ "a.b.c" of attributes of a name; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    start = _dotted(node.value) if isinstance(node, ast.Attribute) else ""
    return f"{start}.{node.attr}" if start else ""


def code_text(node: object) -> str:
    """A syntax tree as text without places, comments and docstrings; the same in every Python that knows its parts."""
    pieces: list[str] = []
    _write(node, pieces)
    return "".join(pieces)


def _write(node: object, pieces: list[str]) -> None:
    if isinstance(node, ast.AST):
        pieces.append(f"{type(node).__name__}(")
        for name in node._fields:
            value = getattr(node, name, None)
            if value is not None and value != [] and name not in _SILENT:
                pieces.append(f"{name}=")
                _write(value, pieces)
        pieces.append(")")
    elif isinstance(node, list):
        pieces.append("[")
        for item in node:
            if not _says_nothing(item):
                _write(item, pieces)
        pieces.append("]")
    else:
        pieces.append(f"{node!r},")


class _Reader:
    """Walks a statement with the local names of the functions around each node: those that are not global there."""

    def __init__(self, statement: ast.stmt, package: str) -> None:
        self.package, self.part = package, Part(code_text(statement))
        self.ways = {
            ast.Name: self._name,
            ast.Attribute: self._attribute,
            ast.Constant: self._constant,
            ast.Expr: self._expression,
            **dict.fromkeys((ast.Import, ast.ImportFrom), self._import),
            **dict.fromkeys((ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda), self._function),
            **dict.fromkeys((ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp), self._comprehension),
            **dict.fromkeys((ast.AnnAssign, ast.arg), self._annotated),
        }
        self.read(statement, frozenset())

    def read(self, node: ast.AST, local: frozenset[str]) -> None:
        """Note what a node uses."""
        self.ways.get(type(node), self._inside)(node, local)

    def _inside(self, node: ast.AST, local: frozenset[str]) -> None:
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, list):
                self._all([item for item in value if isinstance(item, ast.AST)], local)
            elif isinstance(value, ast.AST) and name != "ctx":
                self.read(value, local)

    def _all(self, nodes: Iterable[ast.AST], local: frozenset[str]) -> None:
        for node in nodes:
            self.read(node, local)

    def _name(self, node: ast.Name, local: frozenset[str]) -> None:
        if node.id not in local and isinstance(node.ctx, ast.Load):
            self.part.names.add(node.id)

    def _attribute(self, node: ast.Attribute, local: frozenset[str]) -> None:
        name = _dotted(node)
        if not name:
            self.read(node.value, local)
        elif name.partition(".")[0] not in local:
            self.part.names.add(name)

    def _constant(self, node: ast.Constant, local: frozenset[str]) -> None:
        if isinstance(node.value, str):
            self.part.strings.add(node.value)

    def _expression(self, node: ast.Expr, local: frozenset[str]) -> None:
        if not _says_nothing(node):
            self.read(node.value, local)

    def _import(self, node: ast.Import | ast.ImportFrom, local: frozenset[str]) -> None:
        self.part.imports.update(_imported(node, self.package).values())

    def _comprehension(self, node: Comprehension, local: frozenset[str]) -> None:
        self.read(node.generators[0].iter, local)
        self._inside(node, local | _names([inner for item in node.generators for inner in _own(item.target)]))

    def _function(self, node: Function, local: frozenset[str]) -> None:
        self.read(node.args, local)  # defaults and annotations are read outside
        body = node.body if isinstance(node.body, list) else [node.body]
        if not isinstance(node, ast.Lambda):
            self._all(node.decorator_list, local)
            self._annotation(node.returns, local)
        own = [inner for part in body for inner in _own(part)]
        shared = {name for inner in own if isinstance(inner, ast.Global | ast.Nonlocal) for name in inner.names}
        arguments = {item.arg for item in _own(node.args) if isinstance(item, ast.arg)}
        self._all(body, local | (arguments | _names(own)) - shared)

    def _annotated(self, node: ast.AnnAssign | ast.arg, local: frozenset[str]) -> None:
        self._annotation(node.annotation, local)
        if isinstance(node, ast.AnnAssign):
            self._all(filter(None, [node.target, node.value]), local)

    def _annotation(self, node: ast.expr | None, local: frozenset[str]) -> None:
        """An annotation that is a string names things, too."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                node = ast.parse(node.value, mode="eval").body
            except SyntaxError:
                return
        if node is not None:
            self.read(node, local)
