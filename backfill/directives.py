"""Directives: where autogenerate finds a new column that may hold no NULL, expand, fill and contract are written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from alembic.autogenerate import renderers
from alembic.operations.ops import (
    AddColumnOp,
    DowngradeOps,
    MigrateOperation,
    MigrationScript,
    ModifyTableOps,
    UpgradeOps,
)
from alembic.runtime.migration import MigrationContext
from alembic.util import rev_id
from sqlalchemy import Column

from backfill.revisions import forbid_null

IMPORT = "from backfill.alembic import {}"


def expand_fill_contract(_context: MigrationContext, _heads: object, directives: list[MigrationScript]) -> None:
    """Write three revisions in the place of one that adds NOT NULL columns to tables which may have rows.

    The first adds each column nullable, the second fills it by a transform named `fill_TABLE_COLUMN`, the third waits
    for the fill and then forbids NULL. A column with a server default is left as it is, since the database fills it;
    so is all that one revision says of several databases. To be named in env.py:

        context.configure(..., process_revision_directives=expand_fill_contract)

    Args:
        directives: what Alembic is about to write; the list is changed in place.
    """
    for script in [script for script in directives if _is_for_one_database(script)]:
        columns = list(_widened(script.upgrade_ops_list[0]))
        if columns:
            fill = _behind(script, "fill", *_fill(columns))
            directives += [fill, _behind(fill, "contract", *_contract(columns))]


class Call(MigrateOperation):
    """A line of a revision that calls a verb of `backfill.alembic` on the transform of a new column."""

    def __init__(self, verb: str, column: Column[Any]) -> None:
        self.verb = verb
        self.column = column

    @property
    def name(self) -> str:
        """The transform's name."""
        return re.sub(r"\W", "_", f"fill_{self.column.table.name}_{self.column.name}".lower(), flags=re.ASCII)

    def to_diff_tuple(self) -> tuple[str, str]:
        """What `alembic check` says of it."""
        return self.verb, self.name


@renderers.dispatch_for(Call)
def _render(_context: object, call: Call) -> list[str]:
    line = f'{call.verb}("{call.name}")'
    if call.verb != "run_backfill":
        return [line]
    table = call.column.table
    said = f"--table {table.fullname} --column {call.column.name}"
    return [f"# say what it becomes:  backfill new {call.name} {said}", line]


def _is_for_one_database(script: MigrationScript) -> bool:
    return [ops.upgrade_token for ops in script.upgrade_ops_list] == ["upgrades"]


def _widened(expand: UpgradeOps) -> Iterator[Column[Any]]:
    """The columns, as their models declare them, that the revision now adds nullable."""
    added = (each for change in expand.ops if isinstance(change, ModifyTableOps) for each in change.ops)
    for operation in added:
        if isinstance(operation, AddColumnOp) and _needs_fill(operation.column):
            yield operation.column
            operation.column = operation.column._copy()  # the models' own column stays as it is
            operation.column.nullable = True


def _needs_fill(column: Column[Any]) -> bool:
    return not column.nullable and column.server_default is None and not column.primary_key


def _fill(columns: Sequence[Column[Any]]) -> tuple[UpgradeOps, DowngradeOps, str]:
    runs = [Call("run_backfill", column) for column in columns]
    resets = [Call("reset_backfill", column) for column in reversed(columns)]
    return UpgradeOps(runs), DowngradeOps(resets), IMPORT.format("reset_backfill, run_backfill")


def _contract(columns: Sequence[Column[Any]]) -> tuple[UpgradeOps, DowngradeOps, str]:
    waits = [Call("require_backfill", column) for column in columns]
    changes = [
        ModifyTableOps(table.name, [forbid_null(column, column.type) for column in group], schema=table.schema)
        for table, group in groupby(columns, key=lambda column: column.table)
    ]
    back = UpgradeOps(changes).reverse().ops
    return UpgradeOps([*waits, *changes]), DowngradeOps(back), IMPORT.format("require_backfill")


def _behind(script: MigrationScript, role: str, up: UpgradeOps, down: DowngradeOps, line: str) -> MigrationScript:
    """A revision that follows another, in the same place."""
    subject = re.sub(r"^(fill|contract) ", "", script.message or "")
    return MigrationScript(
        rev_id(),
        up,
        down,
        message=f"{role} {subject}".rstrip(),
        imports={line},
        head=script.rev_id,
        version_path=script.version_path,
    )
