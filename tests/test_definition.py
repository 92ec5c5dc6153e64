"""Definitions: data that can be compared; whatever decides what becomes of a row decides the fingerprint."""

from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import BaseModel, ValidationError
from sqlalchemy import column, exists, func, table

from backfill import Rejected, is_missing, transform
from backfill.declaration.definition import Definition
from backfill.errors import RowRejected
from tests.refusal import execute, fill, refuse, rows_of

COLUMNS = [("id", "INTEGER()")]
PLAIN: dict[str, Any] = {"name": "fill", "tables": ("users",), "where": is_missing("a"), "values": {"a": 1}}
CHANGES: dict[str, dict[str, Any]] = {
    "name": {"name": "other"},
    "tables": {"tables": ("users", "admins")},
    "schema": {"tables": ("app.users",)},
    "no condition": {"where": None},
    "condition": {"where": is_missing("b")},
    "operator": {"where": column("a") == 1},
    "value in the condition": {"where": column("a") == 2},
    "list in the condition": {"where": column("a").in_([1, 2])},
    "function": {"where": func.length(column("a")) == 1},
    "subquery": {"where": exists().where(table("b", column("id")).c.id == table("users", column("id")).c.id)},
    "value": {"values": {"a": 2}},
    "kind of value": {"values": {"a": "1"}},
    "column": {"values": {"b": 1}},
    "code": {"code": "pass"},
    "input model": {"reads": {"title": "User"}},
    "output model": {"writes": [{"title": "Name"}]},
    "arrival": {"arrival": "row"},
}


def test_each_part_counts() -> None:
    """No two of these definitions have the same fingerprint."""
    plain = Definition.model_validate(PLAIN)
    prints = {Definition.model_validate(PLAIN | change).fingerprint(COLUMNS) for change in CHANGES.values()}
    assert len(prints | {plain.fingerprint(COLUMNS)}) == len(CHANGES) + 1


def test_columns_count() -> None:
    """A column of another type is another definition."""
    plain = Definition.model_validate(PLAIN)
    assert plain.fingerprint(COLUMNS) != plain.fingerprint([("id", "BIGINT()")])


def test_prose_does_not_count() -> None:
    """A better description is the same definition."""
    plain = Definition.model_validate(PLAIN)
    described = Definition.model_validate(PLAIN | {"description": "Fill a."})
    assert plain.fingerprint(COLUMNS) == described.fingerprint(COLUMNS)


def test_the_same_is_the_same() -> None:
    """Two objects that say the same have the same fingerprint, also with values that SQL has no literal for."""
    where = column("a") == b"\x00", column("b").in_([b"\x00", b"\x01"])
    for condition in where:
        prints = {Definition.model_validate(PLAIN | {"where": condition}).fingerprint(COLUMNS) for _ in range(2)}
        assert len(prints) == 1


def test_it_is_shown_as_json() -> None:
    """The ledger keeps it as text that people can read."""
    shown = Definition.model_validate(PLAIN).model_dump(mode="json")
    assert shown["where"] == "a IS MISSING"
    assert shown["tables"] == ["users"]


def test_it_does_not_change() -> None:
    """A definition is a value."""
    with pytest.raises(ValidationError, match="frozen"):
        Definition.model_validate(PLAIN).name = "other"


class FullName(BaseModel):
    """Columns read."""

    full_name: str


def test_a_definition_changed_between_two_batches(sqlite_url: sa.URL) -> None:
    """What was started with another definition is not gone on with unasked; both ways on are told."""
    engine = sa.create_engine(sqlite_url)
    execute(
        engine,
        "CREATE TABLE users (id INTEGER PRIMARY KEY, full_name TEXT NOT NULL)",
        "INSERT INTO users VALUES (1, 'Ada'), (2, 'Grace'), (3, '')",
    )

    def tidy(user: FullName) -> FullName:
        """Without blanks."""
        if not user.full_name:
            raise Rejected("no name")
        return FullName(full_name=user.full_name.upper())

    plain = transform("users")(tidy)
    with pytest.raises(RowRejected):
        fill(engine, plain, rows=1)
    execute(engine, "UPDATE users SET full_name = 'Alan' WHERE id = 3")
    changed = transform("users", where=column("id") > 0)(tidy)
    assert str(refuse(engine, changed)) == (
        "tidy changed since its checkpoint (2 rows): its code, its models or the columns it uses. "
        "Go on with it as it is now: backfill run tidy --accept-change. Start over: backfill run tidy --from-start, "
        "after restoring these rows: they would be changed twice"
    )
    assert fill(engine, plain).status == "completed"
    assert rows_of(engine, "SELECT full_name FROM users") == [("ADA",), ("GRACE",), ("ALAN",)]
