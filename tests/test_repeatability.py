"""Repeatability: what columns read, written and filtered on prove about a second application."""

import re
from typing import Any

import pytest
from sqlalchemy import column

from backfill import is_missing
from backfill.declaration.form import Answer, Bound
from backfill.declaration.repeatability import derive_repeatability

BY_NATURE = "it reads nothing that it writes"
CASES: dict[str, tuple[set[str], set[str], set[str], Any, tuple[bool, bool, str]]] = {
    # reads, writes, of these never NULL, where, (by nature, shrinks, reason)
    "reads others": ({"a"}, {"b"}, {"b"}, None, (True, False, BY_NATURE)),
    "reads nothing": (set(), {"b"}, {"b"}, None, (True, False, BY_NATURE)),
    "filters on others": ({"a"}, {"b"}, {"b"}, column("c") == 1, (True, False, BY_NATURE)),
    "filters on what it reads": ({"a"}, {"b"}, {"b"}, is_missing("a"), (True, False, BY_NATURE)),
    "filters on what it writes": ({"a"}, {"b"}, {"b"}, is_missing("b"), (True, True, BY_NATURE)),
    "may write None there": ({"a"}, {"b"}, set(), is_missing("b"), (True, True, BY_NATURE)),
    "any condition on it": ({"a"}, {"b"}, {"b"}, column("b") > 1, (True, True, BY_NATURE)),
    "price times two": ({"a"}, {"a"}, {"a"}, None, (False, False, "it reads a, which it writes")),
    "several": ({"a", "b", "c"}, {"b", "a"}, {"a"}, None, (False, False, "it reads a, b, which it writes")),
    "another condition": ({"a"}, {"a"}, {"a"}, column("c") == 1, (False, False, "it reads a, which it writes")),
    "a condition on its value": ({"a"}, {"a"}, {"a"}, column("a") < 9, (False, False, "it reads a, which it writes")),
    "a marker beside it": (
        {"a"}, {"a", "b"}, {"b"}, is_missing("b"), (True, True, "a written row has b and is not taken again")
    ),
    "markers, of which one may be None": (
        {"a"}, {"a", "b", "c"}, {"c"}, is_missing("b") & is_missing("c"),
        (True, True, "a written row has c and is not taken again"),
    ),
    "a marker that may be None": (
        {"a"}, {"a", "b"}, set(), is_missing("b"), (False, False, "it reads a, which it writes")
    ),
    "a marker by IS NULL": (
        {"a"}, {"a", "b"}, {"b"}, column("b").is_(None), (True, True, "a written row has b and is not taken again")
    ),
    "a marker among alternatives": (
        {"a"}, {"a", "b"}, {"b"}, is_missing("b") | (column("c") == 1), (False, False, "it reads a, which it writes")
    ),
    "not missing": ({"a"}, {"a", "b"}, {"b"}, ~is_missing("b"), (False, False, "it reads a, which it writes")),
    "itself, where it was missing": (
        {"a"}, {"a"}, {"a"}, is_missing("a"), (True, True, "a written row has a and is not taken again")
    ),
}  # fmt: skip


@pytest.mark.parametrize(("reads", "writes", "never_null", "where", "wanted"), CASES.values(), ids=CASES.keys())
def test_what_is_proven(reads: set[str], writes: set[str], never_null: set[str], where: Any, wanted: Any) -> None:
    """By nature, by the condition, or only by the checkpoint."""
    bound = Bound(
        fetches=None,
        reads=frozenset(reads),
        writes=tuple(sorted(writes)),
        never_null=frozenset(never_null),
        literals={},
        looks_elsewhere=False,
        apply=lambda reading, arguments: Answer(),
    )
    filtered = frozenset(re.findall(r"\b[abc]\b", str(where)))
    found = derive_repeatability(bound, where, filtered)
    assert (found.by_nature, found.shrinks, found.reason) == wanted


@pytest.mark.parametrize(("where", "by_nature"), [(None, False), (is_missing("a"), False), (is_missing("b"), True)])
def test_a_row_that_holds_the_key_of_another(where: Any, by_nature: bool) -> None:
    """It is inserted again, unless the row that holds its key is not taken again."""
    bound = Bound(
        fetches=("a",),
        reads=frozenset("a"),
        writes=("b",),
        never_null=frozenset("b"),
        literals={},
        looks_elsewhere=False,
        apply=lambda reading, arguments: Answer(),
        links=True,
    )
    filtered = frozenset(re.findall(r"\b[ab]\b", str(where)))
    assert derive_repeatability(bound, where, filtered).by_nature is by_nature
