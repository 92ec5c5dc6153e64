"""Revision: one file of Alembic's history, and what its upgrade and downgrade do."""

from __future__ import annotations

import ast
from functools import cached_property
from pathlib import Path

from backfill.linting.module import Function, Module, Modules
from backfill.linting.operation import Kind, Operation
from backfill.linting.tracing import trace


class Revision:
    """A revision as it is written."""

    def __init__(self, modules: Modules, module: Module) -> None:
        self.module = module
        self.modules = modules

    @classmethod
    def of(cls, modules: Modules, module: Module) -> Revision | None:
        """The revision that a file is, or None if it is something else."""
        is_one = "upgrade" in module.functions and "revision" in _constants(module)
        return cls(modules, module) if is_one else None

    @property
    def path(self) -> Path:
        """Its file."""
        return self.module.path

    @cached_property
    def id(self) -> str:
        """The id that Alembic knows it by."""
        return str(_constants(self.module).get("revision") or self.path.stem)

    @cached_property
    def parents(self) -> tuple[str, ...]:
        """The revisions before it."""
        parent = _constants(self.module).get("down_revision")
        return tuple(map(str, parent)) if isinstance(parent, list | tuple) else (str(parent),) if parent else ()

    @property
    def is_tied(self) -> bool:
        """Whether a branch label, or a dependency besides its parents, is bound to it."""
        constants = _constants(self.module)
        return any(constants.get(name) for name in ("branch_labels", "depends_on"))

    @cached_property
    def upgrade(self) -> list[Operation]:
        """What its upgrade does."""
        return trace(self.modules, self.module, "upgrade")

    @cached_property
    def downgrade(self) -> list[Operation]:
        """What its downgrade does."""
        return trace(self.modules, self.module, "downgrade")

    @property
    def function(self) -> Function:
        """Its upgrade function."""
        return self.module.functions["upgrade"]

    @cached_property
    def writes(self) -> list[Operation]:
        """The data step: rows that the upgrade changes by itself."""
        return [each for each in self.upgrade if each.kind is Kind.ROWS and not self._is_schema_work(each)]

    @cached_property
    def schema(self) -> list[Operation]:
        """The schema operations of the upgrade; what only the session sees is none."""
        return [each for each in self.upgrade if each.kind is Kind.SCHEMA and not _is_temporary(each)]

    @property
    def fills(self) -> list[Operation]:
        """The transforms that the upgrade runs."""
        return [each for each in self.upgrade if each.kind is Kind.FILL]

    @property
    def has_data_step(self) -> bool:
        """Whether the upgrade changes rows."""
        return bool(self.writes)

    @property
    def is_mixed(self) -> bool:
        """Whether it changes rows and schema."""
        return bool(self.writes) and bool(self.schema)

    def _is_schema_work(self, write: Operation) -> bool:
        """Rows of a temporary table, and those of a table that is rebuilt."""
        return write.table in self._temporary or self._is_rebuild(write)

    @cached_property
    def _temporary(self) -> set[str]:
        return {str(each.table) for each in self.upgrade if _is_temporary(each) and each.table}

    def _is_rebuild(self, write: Operation) -> bool:
        """INSERT … SELECT from a table into the one that takes its place."""
        source = write.statement.source if write.statement else None
        if write.verb != "INSERT" or not source or not write.table:
            return False
        places = {(write.table, source), (source, write.table)}
        return any(pair in places for pair in self._renamed)

    @cached_property
    def _renamed(self) -> set[tuple[str, str]]:
        pairs = set()
        for each in self.upgrade:
            if each.verb == "RENAME" and each.statement:
                pairs.add((str(each.statement.source), str(each.table)))
            if each.verb == "rename_table" and isinstance(each.call, ast.Call):
                names = [node.value for node in each.call.args if isinstance(node, ast.Constant)]
                pairs.add((str(names[0]), str(names[1])) if len(names) > 1 else ("", ""))
        return pairs


def _is_temporary(operation: Operation) -> bool:
    return operation.statement is not None and operation.statement.is_temporary


def _constants(module: Module) -> dict[str, object]:
    """Names of the module that are given literal values."""
    found: dict[str, object] = {}
    for node in module.tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        value = getattr(node, "value", None)
        for target in targets:
            for name, each in _pairs(target, value):
                try:
                    found[name] = ast.literal_eval(each)
                except (ValueError, TypeError, SyntaxError):
                    found[name] = None
    return found


def _pairs(target: ast.expr, value: ast.expr | None) -> list[tuple[str, ast.expr]]:
    if isinstance(target, ast.Name) and value is not None:
        return [(target.id, value)]
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        return [pair for each, part in zip(target.elts, value.elts, strict=False) for pair in _pairs(each, part)]
    return []
