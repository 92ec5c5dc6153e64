"""As SQL columns: expressions of every kind, on each database."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import BaseModel, Field
from sqlalchemy import case, column, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

import backfill
from backfill import Rows, is_missing
from backfill.database import Database
from backfill.declaration.literal import from_document
from backfill.declaration.repeatability import Repeatability
from backfill.rows.opening import open_targets
from backfill.rows.tables import Tables
from tests.forms.shop import Skill, declare, light_orders, light_users, orders, users, values
from tests.refusal import execute, fill, rows_of


class Skills(BaseModel):
    """Columns written."""

    skills: list[Skill]


class Cleared(BaseModel):
    """Columns written as NULL."""

    email: str | None = None
    skills: list[Skill] | None = None


class Classed(BaseModel):
    """A column whose name Python keeps for itself."""

    class_: str = Field(alias="class")


class Level(Enum):
    """An enum's value is written."""

    HIGH = "high"


class Base(DeclarativeBase):
    """A project's own models."""


class User(Base):
    """The walked table's."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    price: Mapped[int]


EXPRESSIONS: dict[str, tuple[Callable[[Any], Mapping[str, Any]], str, list[Any]]] = {
    "case": (
        lambda users: {"price": case((users.c.price > 30, 1), (users.c.id == 1, 2), else_=users.c.price)},
        "price",
        [2, 20, 30, 1, 1],
    ),
    "arithmetic": (lambda users: {"price": users.c.price * 2 + users.c.id}, "price", [21, 42, 63, 84, 105]),
    "decimal": (
        lambda users: {"rate": users.c.rate * Decimal("1.5")},
        "rate",
        [Decimal(n) * 3 / 2 for n in range(1, 6)],
    ),
    "concatenation": (lambda users: {"email": users.c.email + "!"}, "email", [f"U{n}@X.org!" for n in range(1, 6)]),
    "a constant": (lambda users: {"price": 7}, "price", [7] * 5),
    "NULL on purpose": (lambda users: {"email": None}, "email", [None] * 5),
    "NULL as an expression": (lambda users: {"email": sa.null()}, "email", [None] * 5),
    "a list": (lambda users: {"skills": [{"a": [1, None]}]}, "skills", [[{"a": [1, None]}]] * 5),
    "a model inside": (
        lambda users: {"skills": [Skill(name="x", level="expert")]},
        "skills",
        [[{"name": "x", "level": "expert"}]] * 5,
    ),
    "no document": (lambda users: {"skills": None}, "skills", [None] * 5),
    "an empty document": (lambda users: {"skills": {}}, "skills", [{}] * 5),
    "text in a document": (lambda users: {"skills": "null"}, "skills", ["null"] * 5),
    "an enum's label": (lambda users: {"level": "high"}, "level", ["high"] * 5),
    "an enum's member": (lambda users: {"level": Level.HIGH}, "level", ["high"] * 5),
    "a reserved name": (lambda users: {"class": users.c["class"].concat("x")}, "class", [None] * 5),
    "a subquery": (
        lambda users: {
            "price": select(func.sum(light_orders.c.cents))
            .where(light_orders.c.user_id == light_users.c.id)
            .scalar_subquery()
        },
        "price",
        [None, 700, None, 5, None],
    ),
    "a subquery of real tables": (
        lambda users: {
            "price": func.coalesce(
                select(func.sum(orders.c.cents)).where(orders.c.user_id == users.c.id).scalar_subquery(), 0
            )
        },
        "price",
        [0, 700, 0, 5, 0],
    ),
    "a select as it is": (
        lambda users: {"price": select(func.count()).where(light_orders.c.user_id == users.c.id)},
        "price",
        [0, 2, 0, 1, 0],
    ),
    "a mapped attribute": (lambda users: {"price": User.id}, "price", [1, 2, 3, 4, 5]),
    "mapped attributes": (lambda users: {"price": User.price + User.id}, "price", [11, 22, 33, 44, 55]),
    "a bare column": (lambda users: {"price": column("id")}, "price", [1, 2, 3, 4, 5]),
    "is_missing": (lambda users: {"price": case((is_missing("skills"), 1), else_=0)}, "price", [1] * 5),
}


@pytest.mark.parametrize(("answer", "name", "wanted"), EXPRESSIONS.values(), ids=EXPRESSIONS.keys())
def test_an_expression_is_evaluated_for_each_row(
    shop: sa.Engine, answer: Callable[[Any], Any], name: str, wanted: list[Any]
) -> None:
    """Its value, on each database."""
    fill(shop, declare(answer))
    assert values(shop, name) == wanted


def test_none_is_sql_null_also_in_json(shop: sa.Engine) -> None:
    """Not JSON null, which nobody would find again."""
    fill(shop, declare(lambda users: {"skills": []}))
    with shop.connect() as connection:
        assert connection.scalar(select(func.count()).where(users.c.skills.is_(None))) == 0
    fill(shop, from_document("empty", '{"table": "users", "set": {"skills": null}}'))
    with shop.connect() as connection:
        assert connection.scalar(select(func.count()).where(users.c.skills.is_(None))) == 5


def test_a_model_of_constants(shop: sa.Engine) -> None:
    """Each field, by its column's name."""

    @backfill.transform("users", where=is_missing("skills"))
    def default_skills(users: Rows) -> Skills:
        """Every user starts with one unspecified skill."""
        return Skills(skills=[Skill(name="Unspecified", level="beginner")])

    @backfill.transform("users")
    def classed(users: Rows) -> Classed:
        """A field with an alias."""
        return Classed(**{"class": "a"})

    @backfill.transform("users", where=column("id") > 3)
    def cleared(users: Rows) -> Cleared:
        """None is NULL."""
        return Cleared()

    for transform in (default_skills, classed, cleared):
        fill(shop, transform)
    assert values(shop, "class") == ["a"] * 5
    assert values(shop, "skills") == [[{"name": "Unspecified", "level": "beginner"}]] * 3 + [None] * 2
    assert values(shop, "email") == ["U1@X.org", "U2@X.org", "U3@X.org", None, None]


def test_the_same_as_pure_data(shop: sa.Engine) -> None:
    """A JSON definition does what the function does."""
    skills = '[{"name": "Unspecified", "level": "beginner"}]'
    text = f'{{"table": "users", "where": {{"skills": null}}, "set": {{"skills": {skills}}}}}'
    fill(shop, from_document("default_skills", text))
    assert values(shop, "skills") == [[{"name": "Unspecified", "level": "beginner"}]] * 5


def test_it_says_how_repeatable_it_is(shop: sa.Engine) -> None:
    """Columns in expressions count as read, those in subqueries too."""
    price = declare(lambda users: {"price": users.c.price * 2})
    lower = declare(lambda users: {"email": func.lower(users.c["class"])}, where=is_missing("email"))
    with Database.of(shop) as database:
        (target,) = open_targets(database, price)
        assert target.repeatability == Repeatability(False, False, "it reads price, which it writes")
        (target,) = open_targets(database, lower)
        assert target.repeatability == Repeatability(True, True, "it reads nothing that it writes", asks=True)


def test_a_value_is_applied_exactly_once(shop: sa.Engine) -> None:
    """A transform that reads what it writes is not repeated when it is run again."""
    double = declare(lambda users: {"price": users.c.price * 2})
    fill(shop, double)
    assert fill(shop, double).status == "completed"
    assert values(shop, "price") == [20, 40, 60, 80, 100]


def test_a_subquery_sees_the_locked_rows(shop: sa.Engine) -> None:
    """A condition and a value that both look elsewhere."""
    where = sa.exists().where(light_orders.c.user_id == light_users.c.id)
    largest = select(func.max(light_orders.c.cents)).where(light_orders.c.user_id == light_users.c.id)
    fill(shop, declare(lambda users: {"price": largest}, where=where))
    assert values(shop, "price") == [10, 400, 30, 5, 50]
    assert rows_of(shop, "SELECT count(*) FROM orders") == [(3,)]


def test_a_table_is_found_by_the_schema_it_is_in(postgresql_url: sa.URL) -> None:
    """`schema.table` beside a table of the same name."""
    engine = sa.create_engine(postgresql_url)
    execute(
        engine,
        "CREATE SCHEMA app",
        "CREATE TABLE users (id integer PRIMARY KEY, email text)",
        "CREATE TABLE app.users (id integer PRIMARY KEY, email text)",
        "INSERT INTO users VALUES (1, 'A')",
        "INSERT INTO app.users VALUES (1, 'B')",
    )
    fill(engine, declare(lambda users: {"email": func.lower(users.c.email)}, "app.users"))
    assert rows_of(engine, "SELECT u.email, a.email FROM users u, app.users a") == [("A", "b")]
    engine.dispose()


def test_columns_may_swap(engine: sa.Engine) -> None:
    """Each expression sees the row as it was, whichever is set first."""
    execute(
        engine,
        "CREATE TABLE pairs (id INTEGER NOT NULL PRIMARY KEY, a INTEGER, b INTEGER)",
        "INSERT INTO pairs VALUES (1, 1, 2), (2, 5, 6)",
    )

    @backfill.transform("pairs")
    def swap(pair: Rows) -> dict[str, Any]:
        """Each for the other."""
        return {"a": pair.c.b, "b": pair.c.a}

    fill(engine, swap)
    assert rows_of(engine, "SELECT a, b FROM pairs ORDER BY id") == [(2, 1), (6, 5)]


def test_a_row_number_is_never_null(sqlite_url: sa.URL) -> None:
    """SQLite's INTEGER PRIMARY KEY, though nothing says NOT NULL; a key of another type may hold NULL."""
    for kind, may_be_null in {"INTEGER": False, "INT": True, "TEXT": True}.items():
        engine = sa.create_engine(sqlite_url)
        execute(engine, "DROP TABLE IF EXISTS pairs", f"CREATE TABLE pairs (id {kind} PRIMARY KEY, a INTEGER)")
        with Database.of(engine) as database:
            assert Tables(database).find("pairs").c.id.nullable == may_be_null, kind
