"""Revisions: the data revision and the one that waits for it, written through the project's own script template."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic.autogenerate import render_python_code
from alembic.config import Config
from alembic.operations.ops import AlterColumnOp, DowngradeOps, MigrateOperation, ModifyTableOps, UpgradeOps
from alembic.script import ScriptDirectory
from alembic.util import CommandError, rev_id
from sqlalchemy import JSON, Column, Table
from sqlalchemy.types import TypeEngine

from backfill.declaration.conditions import requires_missing
from backfill.declaration.definition import Definition
from backfill.errors import Refused

_DIALECTS = ("mysql", "postgresql", "sqlite")


@dataclass(frozen=True)
class Draft:
    """What a revision says, before the project's template gives it its form."""

    message: str
    upgrade: str
    downgrade: str
    imports: str


@dataclass(frozen=True)
class Placement:
    """Where in the history a revision goes, and how it is called there."""

    head: str = "head"
    rev_id: str | None = None
    bind: str | None = None


def draft_fill(definition: Definition) -> Draft:
    """The data revision: it fills, and nothing else."""
    back = "undo_backfill" if definition.keep_undo else "reset_backfill"
    warning = "" if definition.keep_undo else "  # puts no row back: the next upgrade walks all of them again"
    return Draft(
        message=f"fill {definition.name}",
        upgrade=f'run_backfill("{definition.name}")',
        downgrade=f'{back}("{definition.name}"){warning}',
        imports=f"from backfill.alembic import {', '.join(sorted((back, 'run_backfill')))}",
    )


def draft_gate(definition: Definition, tables: Sequence[Table]) -> Draft:
    """The schema revision that waits for it, and then forbids NULL in the columns that were filled."""
    changes = [change for table in tables if (change := _contraction(table, filled_columns(definition)))]
    contraction = UpgradeOps(ops=changes)
    upgrade = render_python_code(contraction, render_as_batch=True)
    downgrade = render_python_code(DowngradeOps(ops=contraction.reverse().ops), render_as_batch=True)
    imports = ["from backfill.alembic import require_backfill", *_dialect_imports(upgrade)]
    asked = f'"{definition.name}", none_left=True' if changes else f'"{definition.name}"'
    return Draft(
        message=f"contract {definition.name}",
        upgrade=f"require_backfill({asked})  # its first line: the schema waits for proof\n    {upgrade}",
        downgrade=downgrade,
        imports="\n".join(sorted(imports)),
    )


def filled_columns(definition: Definition) -> frozenset[str]:
    """The columns that no row leaves empty, as far as the definition tells."""
    given = {name for name, value in (definition.values or {}).items() if value is not None}
    modelled = _never_null(definition.writes[0]) if len(definition.writes) == 1 else frozenset()
    return requires_missing(definition.where) | given | modelled if definition.where is not None else modelled | given


def write_revision(config: Config, draft: Draft, placement: Placement) -> Path:
    """Write the draft as Alembic writes its revisions.

    Raises:
        Refused: the history has several heads or no such one, or the template has no place for the bind.
    """
    try:
        script = ScriptDirectory.from_config(config).generate_revision(
            placement.rev_id or rev_id(),
            draft.message,
            head=placement.head,
            imports=draft.imports,
            config=config,
            **_by_token(draft, placement.bind),
        )
    except CommandError as error:
        raise Refused(f"no revision was written: {error}", code="revision-refused") from None
    assert script is not None, "Alembic gives the revision that it has written"
    return _require_place(Path(script.path), draft)


def _by_token(draft: Draft, bind: str | None) -> Mapping[str, Any]:
    """The two bodies, by the names that single and multi-database templates look them up."""
    prefixes = ("", "_") if bind is None else (f"{bind}_",)
    bodies = {"upgrades": draft.upgrade, "downgrades": draft.downgrade}
    return {f"{prefix}{name}": body for prefix in prefixes for name, body in bodies.items()}


def _require_place(path: Path, draft: Draft) -> Path:
    if draft.upgrade.partition("\n")[0] in path.read_text(encoding="utf-8"):
        return path
    path.unlink()
    raise Refused(
        "the project's script.py.mako has a function for each database: say which is meant with --bind NAME",
        code="revision-bind",
    )


def _contraction(table: Table, columns: frozenset[str]) -> MigrateOperation | None:
    changed = [
        forbid_null(column, _portable(column.type))
        for column in table.columns
        if column.name in columns and column.nullable
    ]
    return ModifyTableOps(table.name, ops=changed, schema=table.schema) if changed else None


def forbid_null(column: Column[Any], existing_type: TypeEngine[Any]) -> AlterColumnOp:
    """The change that lets no NULL into a column any more."""
    return AlterColumnOp(
        column.table.name,
        column.name,
        schema=column.table.schema,
        existing_type=existing_type,
        existing_nullable=True,
        existing_comment=column.comment,
        existing_server_default=column.server_default or False,
        modify_nullable=False,
    )


def _portable(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """The type as a revision for any database would write it, where there is such a form."""
    if isinstance(kind, JSON):
        return JSON()  # without what we read it with
    try:
        return kind.as_generic()
    except NotImplementedError:
        return kind


def _dialect_imports(code: str) -> Iterator[str]:
    return (f"from sqlalchemy.dialects import {name}" for name in _DIALECTS if f"{name}." in code)


def _never_null(schema: Mapping[str, Any]) -> frozenset[str]:
    properties: Mapping[str, Any] = schema.get("properties", {})
    return frozenset(name for name, kind in properties.items() if not _may_be_null(kind))


def _may_be_null(kind: Mapping[str, Any]) -> bool:
    return kind.get("type") == "null" or any(_may_be_null(each) for each in kind.get("anyOf", ()))
