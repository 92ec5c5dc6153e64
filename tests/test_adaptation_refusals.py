"""Adaptation: an expression whose meaning is not plain is refused, and the message says what to write instead."""

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import column, exists, select, table

from backfill import is_missing
from backfill.declaration.adaptation import adapt
from backfill.declaration.literal import from_document
from backfill.errors import ChecksFailed, DeclarationError
from tests.payments import NOW, Refund, light, light_reasons, light_refunds, marking, metadata, other, payments
from tests.refusal import find, refuse


@pytest.fixture
def paid(engine: sa.Engine) -> sa.Engine:
    """Give a database with payments."""
    metadata.create_all(engine)
    return engine


LOOSE = "an EXISTS is not tied to payments, so it is true or false for all rows at once"
BARE = "stands inside a subquery, and its table is not plain: write table"
ELSEWHERE = "is not the walked table payments: every row of the one would meet every row of the other"
REFUSED: dict[str, tuple[Any, str]] = {
    "exists of another table alone": (exists().where(light_refunds.c.cents > 1), LOOSE),
    "not exists of another table alone": (~exists().where(light_refunds.c.cents > 1), LOOSE),
    "exists of the table alone": (exists().where(light.c.id == 5), LOOSE),
    "exists of a table of the same name elsewhere": (
        exists().where(table("payments", column("id"), schema="old").c.id == light_refunds.c.payment_id),
        LOOSE,
    ),
    "exists with a join": (
        select(1).select_from(light.join(light_refunds, light_refunds.c.payment_id == light.c.id)).exists(),
        LOOSE,
    ),
    "exists in an exists, tied to neither": (
        exists().where(light_refunds.c.payment_id == light.c.id, exists().where(light_reasons.c.refund_id == 1)),
        LOOSE,
    ),
    "exists in an exists, tied to the inner one only": (
        exists().where(light_refunds.c.cents > 1, exists().where(light_reasons.c.refund_id == light_refunds.c.id)),
        LOOSE,
    ),
    "exists of two aliases": (exists().where(other.c.id == light.alias("more").c.id), LOOSE),
    "bare column in exists": (exists().where(light_refunds.c.payment_id == column("id")), f'column("id") {BARE}'),
    "bare column in a scalar": (
        select(light_refunds.c.cents).where(light_refunds.c.payment_id == column("id")).scalar_subquery() > 1,
        BARE,
    ),
    "bare column in a list": (column("id").in_(select(column("payment_id")).select_from(light_refunds)), BARE),
    "is_missing in exists": (
        exists().where(light_refunds.c.payment_id == light.c.id, is_missing("note")),
        f'column("note") {BARE}("payments", column("note")).c.note for the walked table',
    ),
    "scalar with a join": (
        select(light_refunds.c.cents).select_from(light_refunds.join(light, light.c.id == 1)).scalar_subquery() > 1,
        "a subquery joins payments, so it has the same value for all rows",
    ),
    "another table outside": (light_refunds.c.payment_id == light.c.id, f"refunds {ELSEWHERE}"),
    "another schema outside": (table("payments", column("id"), schema="old").c.id == 1, f"old.payments {ELSEWHERE}"),
    "an alias outside": (other.c.id == 1, f"other {ELSEWHERE}"),
    "a mapped class outside": (Refund.payment_id == 1, f"refunds {ELSEWHERE}"),
    "raw text": (sa.and_(column("id") == 1, sa.text("1 = 1 OR 1 = 1")), "raw SQL text could reach rows outside"),
    "unknown column": (column("custmer") == 1, "payments has no such column. Did you mean customer?"),
    "unknown column of another case": (column("camelcase") == 1, "has no such column. Did you mean CamelCase?"),
    "unknown column in exists": (
        exists().where(light_refunds.c.payment_id == table("payments", column("nr")).c.nr),
        "payments.nr is asked for; payments has no such column.",
    ),
    "unknown column missing": (
        is_missing("notes"),
        "payments.notes is asked for; payments has no such column. Did you mean note?",
    ),
    "a word for a number": (
        column("id") == "many",
        "payments.id is INTEGER and is compared with a value of type str: give it int",
    ),
    "a number for a word": (
        column("note") == 0,
        "payments.note is TEXT and is compared with a value of type int: give it str",
    ),
    "truth for a word": (column("note") == True, "compared with a value of type bool"),  # noqa: E712
    "a word for a day": (column("day") > "yesterday", "payments.day is DATE and is compared with a value of type str"),
    "a moment for a day": (column("day") > NOW, "compared with a value of type datetime: give it date"),
    "a word for a uuid": (column("token") == "abc", "compared with a value of type str: give it UUID"),
    "a word in a list of numbers": (column("id").in_([1, "many"]), "compared with a value of type str: give it int"),
    "a document": (column("document") == {"kind": "a"}, "documents are not compared as a whole: ask is_missing"),
    "a word for a document": (column("document") == "null", "documents are not compared as a whole"),
}


@pytest.mark.parametrize(("where", "told"), REFUSED.values(), ids=REFUSED.keys())
def test_a_condition_whose_meaning_is_not_plain(where: Any, told: str) -> None:
    """It is refused, and the message says what to write instead."""
    with pytest.raises(DeclarationError) as refusal:
        adapt(where, payments, lambda column: column.is_(None))
    assert told in str(refusal.value)


def test_the_refusal_names_the_transform(paid: sa.Engine) -> None:
    """On a live table it is a finding, exit code 2, and nothing is written."""
    refusal = refuse(paid, marking(column("custmer") == 1))
    assert isinstance(refusal, ChecksFailed)
    assert str(refusal) == (
        "mark cannot run, and nothing was written:\n"
        "  [unknown-column] payments.custmer is asked for; payments has no such column. Did you mean customer?"
    )


def test_a_text_is_no_number_on_any_database(paid: sa.Engine) -> None:
    """MariaDB finds every word equal to 0: a JSON definition that says so is refused everywhere."""
    transform = from_document("fill", '{"table": "payments", "where": {"note": 0}, "set": {"mark": "x"}}')
    assert "compared with a value of type int: give it str" in find(paid, transform, "compared-type").message
