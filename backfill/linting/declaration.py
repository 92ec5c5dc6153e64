"""Declaration: a transform as it is written; nothing of it is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property

from backfill.linting.columns import called, columns_in
from backfill.linting.finding import Place
from backfill.linting.module import Function, Module, Modules
from backfill.linting.scope import Scope, top_of
from backfill.linting.texts import texts_of

_DECORATORS = frozenset({"backfill.transform", "backfill.declaration.decorator.transform"})


class Declaration:
    """A function under `@backfill.transform(…)`."""

    def __init__(self, module: Module, scope: Scope, function: Function, decorator: ast.Call) -> None:
        self.module = module
        self.scope = scope
        self.function = function
        self._decorator = decorator

    @classmethod
    def all_of(cls, modules: Modules, module: Module) -> Iterator[Declaration]:
        """The transforms that a file declares."""
        for function in module.functions.values():
            for decorator in function.decorator_list:
                if isinstance(decorator, ast.Call) and module.dotted(decorator.func) in _DECORATORS:
                    yield cls(module, top_of(modules, module), function, decorator)

    @property
    def name(self) -> str:
        """The transform's name."""
        return self.function.name

    @property
    def place(self) -> Place:
        """Where it is declared."""
        return Place(self.module.path, self._decorator.lineno)

    @cached_property
    def tables(self) -> list[str]:
        """The tables that it walks."""
        return [texts_of(each, self.scope)[0] for each in self._decorator.args]

    def option(self, name: str) -> ast.expr | None:
        """An argument of the decorator, by its name."""
        return next((each.value for each in self._decorator.keywords if each.arg == name), None)

    @cached_property
    def compared(self) -> frozenset[str]:
        """The columns that its condition compares with values; those that may only be missing are left out."""
        where = self.option("where")
        return frozenset() if where is None else frozenset(_compared(where))

    @cached_property
    def read(self) -> frozenset[str]:
        """The columns that it computes from: fields of its input model, or what its expressions mention."""
        model = self._model(self.function.args.args[0].annotation if self.function.args.args else None)
        inner = (
            columns_in(node)
            for node in ast.walk(self.function)
            if isinstance(node, ast.Return) and node.value
            for node in [node.value]
        )
        return frozenset(_fields(model)) if model else frozenset().union(*inner)

    @cached_property
    def written(self) -> frozenset[str]:
        """The columns that it sets: fields of its output model, or keys of what it returns."""
        model = self._model(self.function.returns)
        if model:
            return frozenset(_fields(model))
        returned = (node.value for node in ast.walk(self.function) if isinstance(node, ast.Return))
        keys = (key for value in returned if isinstance(value, ast.Dict) for key in value.keys)
        return frozenset(str(key.value) for key in keys if isinstance(key, ast.Constant))

    def _model(self, annotation: ast.expr | None) -> ast.ClassDef | None:
        names = (node.id for node in ast.walk(annotation) if isinstance(node, ast.Name)) if annotation else ()
        return next((self.module.classes[name] for name in names if name in self.module.classes), None)


def ordered(node: ast.expr) -> list[str]:
    """The columns that `order_by=` or `group_by=` names."""
    parts = node.elts if isinstance(node, ast.List | ast.Tuple) else [node]
    return [name for part in parts for name in _named(part)]


def _named(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant):
        yield str(node.value)
        return
    for each in ast.walk(node):
        if (
            isinstance(each, ast.Call)
            and called(each) == "column"
            and each.args
            and isinstance(each.args[0], ast.Constant)
        ):
            yield str(each.args[0].value)


def _compared(where: ast.expr) -> Iterator[str]:
    for node in ast.walk(where):
        if isinstance(node, ast.Compare):
            yield from _named(node.left)
        elif isinstance(node, ast.Call) and called(node) in ("in_", "between", "like", "startswith", "contains"):
            yield from _named(node.func)


def _fields(model: ast.ClassDef) -> Iterator[str]:
    for node in model.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id
