"""As SQL columns: what is no value for a row is refused before the first batch."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import case, column, func, select

from tests.forms.shop import Skill, declare, light_orders, light_users, metadata, orders
from tests.refusal import find

NO_TEXT = "raw SQL text could reach rows outside the batch: write it as an expression"
ANSWERS: dict[str, tuple[Callable[[Any], Any], str, str]] = {
    "text": (lambda users: {"email": sa.text("upper(email)")}, "value-raw-sql", NO_TEXT),
    "text in an expression": (lambda users: {"email": func.upper(sa.text("email"))}, "raw-sql", NO_TEXT),
    "a literal column": (lambda users: {"email": sa.literal_column("upper(email)")}, "raw-sql", NO_TEXT),
    "text in a subquery": (
        lambda users: {"price": select(sa.text("1 FROM orders LIMIT 1")).scalar_subquery()},
        "raw-sql",
        NO_TEXT,
    ),
    "a statement": (lambda users: {"price": sa.update(orders)}, "value-form", "Update is no value that a row can get"),
    "a table": (lambda users: {"price": orders}, "value-form", "Table is no value that a row can get"),
    "another table's column": (
        lambda users: {"price": orders.c.cents},
        "other-table",
        "orders is not the walked table users: every row of the one would meet every row of the other",
    ),
    "a bare column in a subquery": (
        lambda users: {"price": select(light_orders.c.cents).where(light_orders.c.user_id == column("id"))},
        "bare-column",
        'column("id") stands inside a subquery',
    ),
    "a subquery with a join": (
        lambda users: {"price": select(light_orders.c.cents).select_from(light_orders.join(light_users, sa.true()))},
        "subquery-joins",
        "a subquery joins users, so it has the same value for all rows",
    ),
    "a column that is not there": (
        lambda users: {"email": func.lower(users.c.emial)},
        "function-column",
        "the function asked users for emial, which it does not have. Did you mean email?",
    ),
    "a key that is not there": (lambda users: {"email": users.c["Email"]}, "function-column", "Did you mean email?"),
    "a mistake in the function": (
        lambda users: {"price": int("many")},
        "function-failed",
        "failed on users: ValueError: invalid literal",
    ),
    "a mistake about an attribute": (
        lambda users: {"price": "x".lenght},  # type: ignore[attr-defined]
        "function-failed",
        "the function failed on users: AttributeError: 'str' object has no attribute 'lenght'",
    ),
    "nothing": (lambda users: None, "returned-form", "the function returned NoneType; from Rows it returns a model"),
    "no columns": (lambda users: {}, "returned-nothing", "the function returned no columns to write"),
    "a list": (lambda users: [("email", 1)], "returned-form", "the function returned tuple"),
    "columns as keys": (
        lambda users: {users.c.email: 1},
        "returned-form",
        "a dictionary of column name",
    ),
    "unknown column written": (
        lambda users: {"emial": users.c.email},
        "writes-unknown",
        "fill_users writes users.emial; users has no such column. Did you mean email?",
    ),
    "key written": (
        lambda users: {"id": users.c.id + 1},
        "writes-key",
        "writes users.id, by which it walks",
    ),
    "None for the key": (lambda users: {"id": None}, "writes-null", "which is NOT NULL, and None may be written to it"),
    "too long": (lambda users: {"email": "x" * 51}, "writes-length", "has 51 characters; it holds 50"),
    "a list into text": (
        lambda users: {"email": ["a"]},
        "writes-type",
        "the value for email is a list and users.email is VARCHAR: it needs a JSON or array column",
    ),
    "a model into text": (
        lambda users: {"email": Skill(name="a", level="expert")},
        "writes-type",
        "is a document and users.email is VARCHAR: it needs a JSON column; for text say json.dumps(...)",
    ),
    "a number into text": (lambda users: {"email": 1}, "writes-type", "is a number and users.email is VARCHAR"),
    "text into a number": (lambda users: {"price": "1"}, "writes-type", "is a text and users.price is INTEGER"),
    "a fraction into a number": (lambda users: {"price": 1.5}, "writes-type", "it would be rounded"),
    "bytes into a document": (lambda users: {"skills": b"x"}, "writes-type", "is a bytes and users.skills is"),
    "an unknown function": (
        lambda users: {"email": func.no_such_function(users.c.email)},
        "statement",
        "what is written of fill_users is refused by the database",
    ),
}


@pytest.mark.parametrize(("answer", "code", "told"), ANSWERS.values(), ids=ANSWERS.keys())
def test_what_is_no_value_for_a_row(shop: sa.Engine, answer: Callable[[Any], Any], code: str, told: str) -> None:
    """It is refused before the first batch, on each database, and nothing is written."""
    assert told in find(shop, declare(answer), code).message


@pytest.mark.parametrize(
    ("answer", "where", "code"),
    [
        (lambda users: {"level": case((users.c.id > 1, "high"), else_="low")}, None, "statement"),
        (lambda users: {"level": "medium"}, None, "writes-choice"),
        (lambda users: {"price": func.lower(users.c.email)}, None, "statement"),
        (lambda users: {"price": 1}, func.nothing(column("id")) == 1, "statement"),
    ],
)
def test_types_that_only_the_database_knows(postgresql_url: sa.URL, answer: Any, where: Any, code: str) -> None:
    """PostgreSQL reads the statement before the first row is touched, and its SQLSTATE is told."""
    engine = sa.create_engine(postgresql_url)
    metadata.create_all(engine)
    find(engine, declare(answer, where=where), code)
    engine.dispose()
