"""Conditions: what they are made of, how people read them, and what they prove about a row."""

from typing import Any

import pytest
from sqlalchemy import and_, case, column, func, literal_column, null, or_, select, table, text

from backfill import is_missing
from backfill.declaration.conditions import from_mapping, has_text, render, requires_missing, requires_present, suggest

MAPPINGS: dict[str, tuple[dict[str, Any], str]] = {
    "null": ({"a": None}, "a IS MISSING"),
    "text": ({"a": "x"}, "a = 'x'"),
    "number": ({"a": 1}, "a = 1"),
    "boolean": ({"a": True}, "a = 1"),
    "several": ({"a": None, "b": 1}, "a IS MISSING AND b = 1"),
    "list": ({"a": [1, 2]}, "a IN (1, 2)"),
    "list of one": ({"a": [1]}, "a = 1"),
    "list with null": ({"a": [1, 2, None]}, "a IN (1, 2) OR a IS MISSING"),
    "list of null": ({"a": [None]}, "a IS MISSING"),
    "lists and others": ({"a": [1, None], "b": 2}, "(a = 1 OR a IS MISSING) AND b = 2"),
    "reserved name": ({"order": None}, '"order" IS MISSING'),
}


@pytest.mark.parametrize(("wanted", "shown"), MAPPINGS.values(), ids=MAPPINGS.keys())
def test_an_object_is_a_condition(wanted: dict[str, Any], shown: str) -> None:
    """Null means missing, a list means one of, anything else means equal, and all must hold."""
    assert render(from_mapping(wanted)) == shown


@pytest.mark.parametrize("wanted", [{}, {"a": []}, {"a": {}}, {"a": {"b": 1}}, {"a": [{}]}, {"a": [[]]}])
def test_an_object_that_is_no_condition(wanted: dict[str, Any]) -> None:
    """What could only be guessed at is refused."""
    with pytest.raises(ValueError, match=r'^"where"'):
        from_mapping(wanted)


PROOFS: dict[str, tuple[Any, set[str], set[str]]] = {
    "missing": (is_missing("a"), {"a"}, set()),
    "IS NULL": (column("a").is_(None), {"a"}, set()),
    "== None": (column("a") == None, {"a"}, set()),  # noqa: E711
    "not missing": (~is_missing("a"), set(), {"a"}),
    "IS NOT NULL": (column("a").is_not(None), set(), {"a"}),
    "!= None": (column("a") != None, set(), {"a"}),  # noqa: E711
    "equal": (column("a") == 1, set(), {"a"}),
    "turned round": (1 < column("a"), set(), {"a"}),  # noqa: SIM300
    "unequal": (column("a") != 1, set(), {"a"}),
    "one of": (column("a").in_([1, 2]), set(), {"a"}),
    "none of": (column("a").not_in([1, 2]), set(), set()),
    "a column": (column("a") == column("b"), set(), set()),
    "a function": (func.length(column("a")) > 1, set(), set()),
    "and": (is_missing("a") & (column("b") == 1) & column("c").is_not(None), {"a"}, {"b", "c"}),
    "nested and": (and_(is_missing("a"), and_(is_missing("b"), column("c") > 1)), {"a", "b"}, {"c"}),
    "or": (is_missing("a") | (column("b") == 1), set(), set()),
    "and of or": (and_(is_missing("a"), or_(is_missing("b"), column("c") == 1)), {"a"}, set()),
    "not of and": (~and_(is_missing("a"), column("b") == 1), set(), set()),
    "case": (case((is_missing("a"), True), else_=False), set(), set()),
    "equal to null": (column("a") == null(), {"a"}, set()),
}


@pytest.mark.parametrize(("condition", "missing", "present"), PROOFS.values(), ids=PROOFS.keys())
def test_what_a_condition_proves(condition: Any, missing: set[str], present: set[str]) -> None:
    """Only parts that must all hold prove anything of a row."""
    assert requires_missing(condition) == missing
    assert requires_present(condition) == present


TEXTS: dict[str, tuple[Any, bool]] = {
    "text": (text("a"), True),
    "beside": (and_(column("a") == 1, text("b")), True),
    "literal column": (literal_column("a"), True),
    "a number": (select(1).exists(), False),
    "a star": (select(func.count()).scalar_subquery() == 1, False),
    "a hint": (select(column("a")).with_hint(table("t"), "USE INDEX (x)").exists(), True),
    "a statement hint": (select(column("a")).with_statement_hint("x").exists(), True),
    "a suffix": (select(column("a")).suffix_with("FOR UPDATE").exists(), True),
    "text as columns": (column("a").in_(text("SELECT 1").columns(column("x"))), True),
    "a value": (column("a") == "1 OR 1 = 1", False),
}


@pytest.mark.parametrize(("expression", "has"), TEXTS.values(), ids=TEXTS.keys())
def test_raw_text_is_found_wherever_it_stands(expression: Any, has: bool) -> None:
    """A value that looks like SQL is a value."""
    assert has_text(expression) is has


def test_values_without_a_literal_form_are_shown_too() -> None:
    """Nothing that can be declared fails to be shown."""
    assert render(column("a") == b"\xff") != render(column("a") == b"\xfe")


@pytest.mark.parametrize(
    ("name", "told"),
    [("fullname", " Did you mean full_name?"), ("FULL_NAME", " Did you mean full_name?"), ("zzz", ""), ("", "")],
)
def test_a_near_name_is_suggested(name: str, told: str) -> None:
    """Whatever its case, and never a far one."""
    assert suggest(name, ["id", "full_name"]) == told
