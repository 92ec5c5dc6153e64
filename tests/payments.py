"""Payments, refunds and their reasons: what the tests of adaptation share."""

import enum
import uuid
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import column, table
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

import backfill
from backfill import Rows
from backfill.declaration.decorator import Transform

NOW = datetime(2025, 1, 2, 3, 4, 5)  # noqa: DTZ001  # as a column without a zone holds it
ONE, TWO = uuid.UUID(int=1), uuid.UUID(int=2)


class State(enum.Enum):
    """Where a payment is."""

    OPEN = "open"
    PAID = "paid"


metadata = sa.MetaData()
payments = sa.Table(
    "payments",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("customer", sa.Integer),
    sa.Column("amount", sa.Numeric(10, 2)),
    sa.Column("state", sa.Enum("open", "paid", name="state")),
    sa.Column("day", sa.Date),
    sa.Column("moment", sa.DateTime),
    sa.Column("is_final", sa.Boolean),
    sa.Column("token", sa.Uuid),
    sa.Column("note", sa.Text),
    sa.Column("document", sa.JSON(none_as_null=True)),
    sa.Column("select", sa.Integer),
    sa.Column("CamelCase", sa.Integer),
    sa.Column("mark", sa.String(10)),
)
refunds = sa.Table(
    "refunds",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("payment_id", sa.Integer),
    sa.Column("cents", sa.Integer),
)
reasons = sa.Table(
    "reasons",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("refund_id", sa.Integer),
    sa.Column("payment_id", sa.Integer),
)

# As a transform's file has them: without types, made before any table is there.
light = table("payments", column("id"), column("customer"), column("amount"), column("state"))
light_refunds = table("refunds", column("id"), column("payment_id"), column("cents"))
light_reasons = table("reasons", column("refund_id"), column("payment_id"))
other = light.alias("other")
first = payments.alias("first")


class Base(DeclarativeBase):
    """A project's own models, of another MetaData."""


class Payment(Base):
    """The walked table's."""

    __tablename__ = "payments"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer: Mapped[int]


class Refund(Base):
    """The other table's."""

    __tablename__ = "refunds"
    id: Mapped[int] = mapped_column(primary_key=True)
    payment_id: Mapped[int]


PAYMENTS: list[tuple[Any, ...]] = [
    (1, 1, Decimal("10.00"), "open", date(2025, 1, 1), NOW, True, ONE, "", {}),
    (2, 1, Decimal("20.00"), "paid", date(2025, 1, 2), None, False, TWO, "null", []),
    (3, 2, Decimal("30.50"), "open", date(2025, 1, 3), None, None, TWO, "{}", sa.JSON.NULL),
    (4, 2, Decimal("40.00"), "paid", None, None, True, TWO, "[]", None),
    (5, 3, Decimal("50.00"), None, date(2025, 1, 5), None, False, TWO, None, "null"),
    (6, None, None, "open", date(2025, 1, 6), None, None, TWO, "x OR 1 = 1", {"null": None, "kind": "a"}),
]
ROWS: dict[sa.Table, list[dict[str, object]]] = {
    payments: [
        dict(zip(payments.c.keys(), row, strict=False)) | {"select": row[0], "CamelCase": row[0]} for row in PAYMENTS
    ],
    refunds: [{"id": 1, "payment_id": 2, "cents": 500}, {"id": 2, "payment_id": 5, "cents": 700}],
    reasons: [{"id": 1, "refund_id": 2, "payment_id": 5}, {"id": 2, "refund_id": 1, "payment_id": 3}],
}


def marking(where: Any, *tables: str) -> Transform[..., Any]:
    """Declare a transform that marks the rows it takes."""

    @backfill.transform(*(tables or ("payments",)), where=where)
    def mark(rows: Rows) -> dict[str, Any]:
        """Mark them."""
        return {"mark": "x"}

    return mark


def same_customer(one: Any, two: Any) -> Any:
    """Compare two rows of the table."""
    return one.c.customer == two.c.customer
