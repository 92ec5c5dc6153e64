"""A shop: tables of users, admins and orders; what the tests of the columns form share."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal

import sqlalchemy as sa
from pydantic import BaseModel
from sqlalchemy import column, func, select, table

import backfill
from backfill import Rows
from backfill.declaration.decorator import Transform
from tests.refusal import fill

metadata = sa.MetaData()
users = sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("email", sa.String(50)),
    sa.Column("price", sa.Integer),
    sa.Column("rate", sa.Numeric(10, 2)),
    sa.Column("skills", sa.JSON(none_as_null=True)),
    sa.Column("level", sa.Enum("low", "high", name="level")),
    sa.Column("class", sa.String(10)),
)
admins = sa.Table("admins", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("email", sa.String(50)))
orders = sa.Table(
    "orders",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("user_id", sa.Integer),
    sa.Column("cents", sa.Integer),
)
N = range(1, 6)
light_users = table("users", column("id"))
light_orders = table("orders", column("user_id"), column("cents"))


class Skill(BaseModel):
    """One element of a JSON list."""

    name: str
    level: Literal["beginner", "expert"]


ROWS: dict[sa.Table, list[dict[str, object]]] = {
    users: [{"id": n, "email": f"U{n}@X.org", "price": n * 10, "rate": Decimal(n)} for n in range(1, 6)],
    admins: [{"id": n, "email": f"A{n}@X.org"} for n in (7, 8)],
    orders: [{"id": n, "user_id": of, "cents": cents} for n, (of, cents) in enumerate([(2, 300), (2, 400), (4, 5)], 1)],
}


def declare(answer: Callable[[Any], Any], *tables: str, where: Any = None) -> Transform[..., Any]:
    """Declare a transform that returns what `answer` does."""

    @backfill.transform(*(tables or ("users",)), where=where)
    def fill_users(rows: Rows) -> dict[str, Any]:
        """As the test says."""
        answered: dict[str, Any] = answer(rows)
        return answered

    return fill_users


def values(engine: sa.Engine, *names: str, of: sa.Table = users) -> list[Any]:
    """Give the columns' values by key, as SQLAlchemy reads them; one column comes without its tuple."""
    with engine.connect() as connection:
        found = connection.execute(select(*(of.c[name] for name in names)).order_by(of.c.id)).all()
    return [row[0] if len(row) == 1 else tuple(row) for row in found]


def test_a_function_of_a_column(shop: sa.Engine) -> None:
    """`func.lower(users.c.email)`, in batches of two."""
    run = fill(shop, declare(lambda users: {"email": func.lower(users.c.email)}))
    assert values(shop, "email") == [f"u{n}@x.org" for n in range(1, 6)]
    assert (run.status, run.rows_written) == ("completed", 5)


def test_several_tables_in_their_order(shop: sa.Engine) -> None:
    """The same function for each, once with each table's own columns."""
    seen: list[str] = []

    def lower(rows: Any) -> dict[str, Any]:
        seen.append(rows.name)
        return {"email": func.lower(rows.c.email)}

    fill(shop, declare(lower, "admins", "users"))
    assert list(dict.fromkeys(seen)) == ["admins", "users"]
    assert values(shop, "email", of=admins) == ["a7@x.org", "a8@x.org"]
    assert values(shop, "email")[0] == "u1@x.org"
