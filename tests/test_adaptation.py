"""Adaptation: a condition takes the same rows in SELECT and in UPDATE, on each database, and never others."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import case, column, exists, func, or_, select
from sqlalchemy.sql import visitors

from backfill import is_missing
from backfill.database import Database
from backfill.declaration.adaptation import adapt, columns_of, has_subquery
from backfill.declaration.literal import from_document
from backfill.rows.opening import open_targets
from backfill.rows.outstanding import outstanding_keys
from tests.kept import EACH_DATABASE, keep, refill
from tests.payments import (
    NOW,
    ONE,
    ROWS,
    TWO,
    Payment,
    Refund,
    State,
    first,
    light,
    light_reasons,
    light_refunds,
    marking,
    metadata,
    other,
    payments,
    refunds,
    same_customer,
)
from tests.refusal import fill, find, rows_of


@pytest.fixture(scope="module", params=EACH_DATABASE)
def kept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    """Keep the tables of payments, refunds and reasons."""
    yield from keep(request, tmp_path_factory, metadata.create_all)


@pytest.fixture
def paid(kept: sa.Engine) -> sa.Engine:
    """Give a database with six payments, refunds for 2 and 5, and a reason for one of them."""
    refill(kept, ROWS)
    return kept


def taken(engine: sa.Engine, where: Any) -> list[int]:
    """Tell which payments a condition takes: the same ones when they are looked up and when they are written."""
    transform = marking(where)
    with Database.of(engine) as database:
        (target,) = open_targets(database, transform)
        selected = sorted(key[0] for key in outstanding_keys(target))
    fill(engine, transform)
    updated = [row[0] for row in rows_of(engine, "SELECT id FROM payments WHERE mark = 'x' ORDER BY id")]
    assert selected == updated
    return updated


CONDITIONS: dict[str, tuple[Any, list[int]]] = {
    # subqueries that must stay correlated
    "exists": (exists().where(light_refunds.c.payment_id == light.c.id), [2, 5]),
    "not exists": (~exists().where(light_refunds.c.payment_id == light.c.id), [1, 3, 4, 6]),
    "exists of a select": (select(1).where(light_refunds.c.payment_id == light.c.id).exists(), [2, 5]),
    "exists, real tables": (exists().where(refunds.c.payment_id == payments.c.id), [2, 5]),
    "not exists, real tables": (~exists().where(refunds.c.payment_id == payments.c.id), [1, 3, 4, 6]),
    "exists, mixed": (exists().where(refunds.c.payment_id == light.c.id), [2, 5]),
    "exists, mapped classes": (exists().where(Refund.payment_id == Payment.id), [2, 5]),
    "not exists, mapped classes": (~select(Refund.id).where(Refund.payment_id == Payment.id).exists(), [1, 3, 4, 6]),
    "exists and a column": (exists().where(light_refunds.c.payment_id == light.c.id) & (column("customer") == 3), [5]),
    "exists or a column": (exists().where(light_refunds.c.payment_id == light.c.id) | (column("id") == 1), [1, 2, 5]),
    "exists in exists": (
        exists().where(
            light_refunds.c.payment_id == light.c.id, exists().where(light_reasons.c.refund_id == light_refunds.c.id)
        ),
        [2, 5],
    ),
    "exists in exists, tied to both": (
        exists().where(
            light_refunds.c.payment_id == light.c.id,
            exists().where(light_reasons.c.refund_id == light_refunds.c.id, light_reasons.c.payment_id == light.c.id),
        ),
        [5],
    ),
    "exists with correlate": (
        select(1).where(light_refunds.c.payment_id == light.c.id).correlate(light).exists(),
        [2, 5],
    ),
    "self-join by an alias": (exists().where(same_customer(other, light), other.c.id < light.c.id), [2, 4]),
    "self-join that names its table": (
        select(1).select_from(other).where(same_customer(other, light), other.c.id < light.c.id).exists(),
        [2, 4],
    ),
    "a derived table": (
        exists().where(
            (most := select(func.max(light_refunds.c.payment_id).label("id")).subquery()).c.id == light.c.id
        ),
        [5],
    ),
    "not a self-join": (~exists().where(same_customer(other, light), other.c.id < light.c.id), [1, 3, 5, 6]),
    "self-join, real tables": (
        exists().where(same_customer(first, payments), first.c.id != payments.c.id),
        [1, 2, 3, 4],
    ),
    "self-join by an aggregate": (
        column("amount") == select(func.max(other.c.amount)).where(same_customer(other, light)).scalar_subquery(),
        [2, 4, 5],
    ),
    "scalar subquery": (
        select(light_refunds.c.cents).where(light_refunds.c.payment_id == light.c.id).scalar_subquery() > 600,
        [5],
    ),
    "scalar count": (
        select(func.count()).where(light_refunds.c.payment_id == light.c.id).scalar_subquery() == 0,
        [1, 3, 4, 6],
    ),
    "scalar subquery of no other row": (
        column("id") > select(func.max(light_refunds.c.id)).scalar_subquery(),
        [3, 4, 5, 6],
    ),
    "in a select": (column("id").in_(select(light_refunds.c.payment_id)), [2, 5]),
    "not in a select": (column("id").not_in(select(light_refunds.c.payment_id)), [1, 3, 4, 6]),
    "in a correlated select": (
        column("id").in_(select(light_refunds.c.payment_id).where(light_refunds.c.id == light.c.customer)),
        [2],
    ),
    # nothing but the rows meant
    "or": (or_(column("id") == 1, column("id") == 6), [1, 6]),
    "or without parentheses": ((column("id") == 1) | (column("customer") == 2), [1, 3, 4]),
    "always": (sa.true(), [1, 2, 3, 4, 5, 6]),
    "never": (sa.false(), []),
    "text that looks like SQL": (column("note") == "x OR 1 = 1", [6]),
    # values bound as the column has them
    "enum": (column("state") == "open", [1, 3, 6]),
    "enum member": (column("state") == State.PAID, [2, 4]),
    "enum unequal": (column("state") != "open", [2, 4]),
    "enum turned round": (sa.literal("paid") == column("state"), [2, 4]),
    "enum in a list": (column("state").in_(["open", "paid"]), [1, 2, 3, 4, 6]),
    "enum members in a list": (column("state").in_([State.OPEN]), [1, 3, 6]),
    "enum not in a list": (column("state").not_in(["open"]), [2, 4]),
    "enum is distinct": (column("state").is_distinct_from("open"), [2, 4, 5]),
    "enum of the light table": (light.c.state == "paid", [2, 4]),
    "uuid": (column("token") == ONE, [1]),
    "uuid in a list": (column("token").in_([TWO]), [2, 3, 4, 5, 6]),
    "date": (column("day") == date(2025, 1, 2), [2]),
    "date as text": (column("day") == "2025-01-02", [2]),
    "date between": (column("day").between(date(2025, 1, 2), "2025-01-05"), [2, 3, 5]),
    "date not between": (~column("day").between("2025-01-02", "2025-01-05"), [1, 6]),
    "date in a list": (column("day").in_(["2025-01-02", date(2025, 1, 3)]), [2, 3]),
    "moment": (column("moment") == NOW, [1]),
    "moment as text": (column("moment") >= "2025-01-02T03:04:05", [1]),
    "true": (column("is_final") == True, [1, 4]),  # noqa: E712
    "is false": (column("is_final").is_(False), [2, 5]),
    "a boolean itself": (column("is_final", sa.Boolean), [1, 4]),
    "not a boolean": (~column("is_final", sa.Boolean), [2, 5]),
    "decimal": (column("amount") == Decimal("30.5"), [3]),
    "decimal as a number": (column("amount") > 30, [3, 4, 5]),
    "integer as text": (column("customer").in_(["1", 3]), [1, 2, 5]),
    "null-safe": (column("customer").is_not_distinct_from(None), [6]),
    "like": (column("note").like("x%"), [6]),
    "function": (func.length(column("note")) == 2, [3, 4]),
    # what is missing
    "missing text": (is_missing("note"), [5]),
    "missing number": (is_missing("customer"), [6]),
    "missing document": (is_missing("document"), [3, 4]),
    "not missing text": (~is_missing("note"), [1, 2, 3, 4, 6]),
    "not missing document": (~is_missing("document"), [1, 2, 5, 6]),
    "missing and": (is_missing("document") & (column("id") == 3), [3]),
    "missing or": (is_missing("document") | is_missing("note"), [3, 4, 5]),
    "neither missing": (~(is_missing("document") | is_missing("note")), [1, 2, 6]),
    "both not missing": (~is_missing("document") & ~is_missing("customer"), [1, 2, 5]),
    "missing in case": (case((is_missing("document"), 1), else_=0) == 1, [3, 4]),
    "missing in case, turned": (case((~is_missing("document"), column("id")), else_=0) > 4, [5, 6]),
    "a part of a document": (column("document", sa.JSON)["kind"].as_string() == "a", [6]),
    # names
    "reserved name": (column("select") == 3, [3]),
    "reserved name missing": (~is_missing("select") & (column("select") < 3), [1, 2]),
    "mixed case": (column("CamelCase") == 4, [4]),
}


@pytest.mark.parametrize(("where", "ids"), CONDITIONS.values(), ids=CONDITIONS.keys())
def test_a_condition_takes_its_rows(paid: sa.Engine, where: Any, ids: list[int]) -> None:
    """The same ones by SELECT and by UPDATE, in batches of two."""
    assert taken(paid, where) == ids


def test_a_uuid_may_be_written_as_text(paid: sa.Engine) -> None:
    """As JSON definitions must, where the database has such a type; elsewhere it is text without dashes."""
    (kind,) = (each["type"] for each in sa.inspect(paid).get_columns("payments") if each["name"] == "token")
    text = str(ONE) if isinstance(kind, sa.Uuid) else ONE.hex
    transform = from_document(
        "fill", f'{{"table": "payments", "where": {{"token": "{text}"}}, "set": {{"mark": "x"}}}}'
    )
    fill(paid, transform)
    assert rows_of(paid, "SELECT id FROM payments WHERE mark = 'x'") == [(1,)]


def test_a_json_condition_takes_its_rows(paid: sa.Engine) -> None:
    """Each kind of value that JSON has, against columns of each type."""
    wanted = """{"state": ["open", null], "day": ["2025-01-01", "2025-01-05", "2025-01-06"],
        "is_final": [true, false, null],
        "amount": [10, 50.0, null], "document": null, "note": null}"""
    document = f'{{"table": "payments", "where": {wanted}, "set": {{"mark": "x"}}}}'
    fill(paid, from_document("fill", document.replace('"document": null, "note": null', '"CamelCase": [1, 5, 6]')))
    assert rows_of(paid, "SELECT id FROM payments WHERE mark = 'x' ORDER BY id") == [(1,), (5,), (6,)]
    with Database.of(paid) as database:
        (target,) = open_targets(database, from_document("fill", document))
        assert list(outstanding_keys(target)) == []


def test_what_an_expression_looks_at() -> None:
    """The columns of the walked table, inside subqueries too; and whether there are subqueries."""
    where = exists().where(light_refunds.c.payment_id == light.c.id) & (column("state") == "open")
    adapted = adapt(where, payments, lambda column: column.is_(None))
    assert columns_of(adapted, payments) == {"id", "state"}
    assert has_subquery(adapted)
    plain = adapt(is_missing("note"), payments, lambda column: column.is_(None))
    assert columns_of(plain, payments) == {"note"}
    assert not has_subquery(plain)


def test_a_common_table_expression(paid: sa.Engine) -> None:
    """MariaDB has none in an UPDATE: it is refused there, before the first batch."""
    refunded = select(light_refunds.c.payment_id).cte("refunded")
    where = exists().where(refunded.c.payment_id == light.c.id)
    if paid.dialect.name == "mysql":
        assert (
            "what is written of mark is refused by the database (1064)"
            in find(paid, marking(where), "statement").message
        )
    else:
        assert taken(paid, where) == [2, 5]


def test_an_alias_stays_a_table_of_its_own() -> None:
    """One alias under the name that it was given; of a light table it becomes one of the live table."""
    where = select(1).select_from(other).where(same_customer(other, light)).exists()
    adapted = adapt(where, payments, lambda column: column.is_(None))
    aliases = {part for part in visitors.iterate(adapted) if isinstance(part, sa.Alias)}
    assert [(alias.name, alias.element) for alias in aliases] == [("other", payments)]
