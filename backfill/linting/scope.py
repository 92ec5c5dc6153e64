"""Scope: the names that a piece of code sees, and the expressions that they may stand for."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import islice

from backfill.linting.module import Function, Module, Modules

MOST = 100
"""Meanings of one expression that are looked at."""

_SAME_ELEMENTS = frozenset({"sorted", "reversed", "list", "tuple", "set", "tqdm"})


@dataclass(frozen=True, eq=False)
class Element:
    """What a loop takes out of an iterable: the whole element, or by index what it unpacks of it."""

    iterable: ast.expr
    path: tuple[int, ...] = ()


Bound = ast.expr | Element


@dataclass(frozen=True, eq=False)
class Meaning:
    """An expression, and the scope in which it is to be read."""

    node: ast.expr
    scope: Scope


@dataclass(eq=False)
class Scope:
    """A function's names over its module's."""

    modules: Modules
    module: Module
    body: ast.AST
    given: Mapping[str, Meaning] = field(default_factory=dict)
    """What a call gave for the parameters."""
    outer: Scope | None = None
    texts: dict[ast.expr, list[str]] = field(default_factory=dict, repr=False)
    """Those that were read already, kept by the one who reads them."""
    _meanings: dict[ast.expr, Sequence[Meaning]] = field(default_factory=dict, repr=False)

    @cached_property
    def bound(self) -> dict[str, list[Bound]]:
        """Everything that is assigned to each name, in no order of execution."""
        found: dict[str, list[Bound]] = {}
        for node in _own(self.body):
            for name, value in _bindings(node):
                found.setdefault(name, []).append(value)
        return found

    @cached_property
    def functions(self) -> dict[str, Function]:
        """Functions defined in this body."""
        return {node.name: node for node in _own(self.body) if isinstance(node, Function)}

    def meanings(self, node: ast.expr) -> Sequence[Meaning]:
        """The expressions that this one may stand for, names followed; itself where it stands for nothing else."""
        if node not in self._meanings:
            self._meanings[node] = ()  # what leads back to itself adds nothing
            self._meanings[node] = tuple(islice(self._read(node), MOST))
        return self._meanings[node]

    def function(self, name: str) -> tuple[Function, Scope] | None:
        """The function that a name stands for here, and the scope it was defined in."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.functions:
                return scope.functions[name], scope
            scope = scope.outer
        if name in self.module.functions:
            return self.module.functions[name], self.top
        return None

    @property
    def top(self) -> Scope:
        """The module's own scope."""
        return self if self.outer is None else self.outer.top

    def _read(self, node: ast.expr) -> Iterator[Meaning]:
        if isinstance(node, ast.IfExp):
            yield from (*self.meanings(node.body), *self.meanings(node.orelse))
        elif isinstance(node, ast.BoolOp):
            yield from (meaning for each in node.values for meaning in self.meanings(each))
        elif isinstance(node, ast.Name):
            yield from self._named(node)
        elif isinstance(node, ast.Subscript):
            yield from self._picked(node)
        elif isinstance(node, ast.Attribute):
            yield from self._attribute(node)
        elif isinstance(node, ast.Await | ast.NamedExpr | ast.Starred):
            yield from self.meanings(node.value)
        else:
            yield Meaning(node, self)

    def _named(self, node: ast.Name) -> Iterator[Meaning]:
        if node.id in self.given:
            given = self.given[node.id]
            yield from given.scope.meanings(given.node)
        elif node.id in self.bound:
            for value in self.bound[node.id]:
                yield from self._bound(value)
        elif self.outer is not None:
            yield from self.outer.meanings(node)
        else:
            yield from self._imported(node)

    def _bound(self, value: Bound) -> Iterator[Meaning]:
        if isinstance(value, Element):
            for meaning in self.meanings(value.iterable):
                yield from _elements(meaning, value.path)
        else:
            yield from self.meanings(value)

    def _imported(self, node: ast.Name) -> Iterator[Meaning]:
        found = self.module.imports.get(node.id)
        target = found and self.modules.imported(self.module, found)
        if target and target[1]:
            other = top_of(self.modules, target[0])
            if target[1] in other.bound:
                yield from other.meanings(ast.Name(target[1], ast.Load()))
                return
        yield Meaning(node, self)

    def _picked(self, node: ast.Subscript) -> Iterator[Meaning]:
        containers = [
            each for each in self.meanings(node.value) if isinstance(each.node, ast.Dict | ast.List | ast.Tuple)
        ]
        for container in containers:
            yield from _elements(container, (), values=True)
        if not containers:
            yield Meaning(node, self)

    def _attribute(self, node: ast.Attribute) -> Iterator[Meaning]:
        class_ = self.module.classes.get(node.value.id) if isinstance(node.value, ast.Name) else None
        scope = class_ and Scope(self.modules, self.module, class_, outer=self.top)
        if scope and node.attr in scope.bound:
            yield from scope.meanings(ast.Name(node.attr, ast.Load()))
        else:
            yield Meaning(node, self)


@lru_cache(maxsize=1_000)
def top_of(modules: Modules, module: Module) -> Scope:
    """The scope of a module; it is the same one as long as it can be, so that what was read is known."""
    return Scope(modules, module, module.tree)


def scope_of_call(function: Function, outer: Scope, call: ast.Call, caller: Scope) -> Scope:
    """A function's names when it is called: its parameters stand for what the call gives."""
    names = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
    if names[:1] in (["self"], ["cls"]):
        names = names[1:]
    by_position = dict(zip(names, call.args, strict=False))
    by_name = {each.arg: each.value for each in call.keywords if each.arg}
    given = {name: Meaning(value, caller) for name, value in (by_position | by_name).items()}
    return Scope(outer.modules, outer.module, function, given, outer)


def _elements(meaning: Meaning, path: tuple[int, ...], *, values: bool = False) -> Iterator[Meaning]:
    node, scope = meaning.node, meaning.scope
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        for element in node.elts:
            yield from _taken(Meaning(element, scope), path)
    elif isinstance(node, ast.Dict):
        for element in node.values if values else filter(None, node.keys):
            yield from _taken(Meaning(element, scope), path)
    elif isinstance(node, ast.Call):
        yield from _produced(node, scope, path)
    else:
        yield meaning


def _taken(meaning: Meaning, path: tuple[int, ...]) -> Iterator[Meaning]:
    for whole in meaning.scope.meanings(meaning.node):
        if not path:
            yield whole
        elif isinstance(whole.node, ast.Tuple | ast.List) and path[0] < len(whole.node.elts):
            yield from _taken(Meaning(whole.node.elts[path[0]], whole.scope), path[1:])


def _produced(call: ast.Call, scope: Scope, path: tuple[int, ...]) -> Iterator[Meaning]:
    """Elements of what `d.items()`, `d.values()`, `enumerate(x)` and their like give."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in ("items", "values") and isinstance(call.func, ast.Attribute):
        is_value = name == "values" or path[:1] == (1,)
        rest = path[1:] if name == "items" else path
        for container in scope.meanings(call.func.value):
            yield from _elements(container, rest, values=is_value)
    elif name in _SAME_ELEMENTS and call.args:
        for container in scope.meanings(call.args[0]):
            yield from _elements(container, path)
    elif name == "enumerate" and path[:1] == (1,):
        for container in scope.meanings(call.args[0]):
            yield from _elements(container, path[1:])
    else:
        yield Meaning(call, scope)


def _own(body: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a body, without those of functions and classes within it."""
    waiting = list(ast.iter_child_nodes(body))
    while waiting:
        node = waiting.pop(0)
        yield node
        if not isinstance(node, Function | ast.ClassDef | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))


def _bindings(node: ast.AST) -> Iterator[tuple[str, Bound]]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from _unpacked(target, node.value)
    elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr) and node.value:
        yield from _unpacked(node.target, node.value)
    elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
        yield from _looped(node.target, node.iter, ())
    elif isinstance(node, ast.withitem) and node.optional_vars:
        yield from _unpacked(node.optional_vars, node.context_expr)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("append", "extend"):
        yield from _grown(node)


def _unpacked(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, Bound]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for each, part in zip(target.elts, value.elts, strict=False):
            yield from _unpacked(each, part)
    elif isinstance(target, ast.Tuple):
        for each in target.elts:
            if isinstance(each, ast.Name):
                yield each.id, value


def _looped(target: ast.expr, iterable: ast.expr, path: tuple[int, ...]) -> Iterator[tuple[str, Bound]]:
    if isinstance(target, ast.Name):
        yield target.id, Element(iterable, path)
    elif isinstance(target, ast.Tuple | ast.List):
        for index, each in enumerate(target.elts):
            yield from _looped(each, iterable, (*path, index))


def _grown(call: ast.Call) -> Iterator[tuple[str, Bound]]:
    """`parts.append(x)` is one more thing that the elements of parts may be."""
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    if isinstance(owner, ast.Name) and call.args and isinstance(call.func, ast.Attribute):
        argument = call.args[0]
        yield owner.id, argument if call.func.attr == "extend" else ast.List([argument], ast.Load())
