"""Declarations: what the decorator refuses at once, and the transform that it gives."""

import importlib
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict
from sqlalchemy import and_, column, func, literal_column, or_, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

import backfill
from backfill import Rows, Transform, is_missing
from backfill.errors import DeclarationError


class Base(DeclarativeBase):
    """A project's own models."""


class Person(Base):
    """One of them."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    is_active: Mapped[bool]
    email: Mapped[str | None]


class Strange(BaseModel):
    """A type that no column has."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    thing: object
    code: type[object]
    loop: Exception


class FullName(BaseModel):
    """Columns read."""

    full_name: str


class FirstName(BaseModel):
    """Columns written."""

    first_name: str


def lower(users: Rows) -> dict[str, Any]:
    """E-mail addresses in lower case."""
    return {"email": func.lower(users.c.email)}


TEXT = "raw SQL text could reach rows outside the batch"
KIND = "where: it takes an expression, such as is_missing"
CONDITIONS: dict[str, tuple[Any, str]] = {
    "a string": ("a IS NULL", KIND),
    "Python's own answer": (column("a") is None, KIND),
    "a list": ([column("a") == 1], KIND),
    "a function": (lambda users: users.c.a == 1, KIND),
    "a select": (select(column("a")), KIND),
    "text": (text("a IS NULL"), TEXT),
    "text beside a column": (and_(column("a") == 1, text("b = 1 OR c = 1")), TEXT),
    "text in a function": (func.coalesce(text("a"), 1) == 1, TEXT),
    "text in a subquery": (column("a").in_(select(text("a FROM b"))), TEXT),
    "a literal column": (literal_column("a = 1 OR 1") == 1, TEXT),
    "a literal column in a subquery": (select(literal_column("1 FROM b --")).exists(), TEXT),
    "text as an order": (select(column("a")).order_by(text("1; DROP TABLE users")).scalar_subquery() == 1, TEXT),
    "text as a prefix": (select(column("a")).prefix_with("/*! DISTINCT */").scalar_subquery() == 1, TEXT),
    "an empty object": ({}, '"where" is empty'),
}


@pytest.mark.parametrize(("where", "told"), CONDITIONS.values(), ids=CONDITIONS.keys())
def test_a_condition_is_an_expression(where: Any, told: str) -> None:
    """Text is refused wherever it stands, when the transform is declared."""
    with pytest.raises(DeclarationError) as refusal:
        backfill.transform("users", where=where)(lower)
    assert str(refusal.value).startswith("lower: where: ")
    assert told in str(refusal.value)


def test_parentheses_are_not_forgotten() -> None:
    """`@transform` without them is refused at once, and so is a model for a table."""
    with pytest.raises(DeclarationError, match=r'names of tables: @transform\("users"\), always with parentheses'):
        backfill.transform(lower)  # type: ignore[arg-type]
    with pytest.raises(DeclarationError, match="names of tables"):
        backfill.transform(Person)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("tables", "told"),
    [
        ((), r'tables: name the table to walk: @transform\("users"\)'),
        (("",), r'a table is named "table" or "schema.table"'),
        (("a.b.c",), r'a table is named "table" or "schema.table"'),
        ((".users",), r'a table is named "table" or "schema.table"'),
        (("users", "users"), "users is named twice; each table is walked once"),
        ((Person.__table__,), "Input should be a valid string"),
        ((None,), "Input should be a valid string"),
        (("u" * 201,), "at most 200 characters"),
    ],
)
def test_tables_are_named_plainly(tables: Any, told: str) -> None:
    """Each once, as text."""
    with pytest.raises(DeclarationError, match=f"^lower: .*{told}"):
        backfill.transform(*tables)(lower)


@pytest.mark.parametrize("name", ["Lower", "_lower", "l" * 101, "<lambda>", "__init__", "größe"])
def test_a_function_is_named_as_its_file(name: str) -> None:
    """One lower-case word, since file, command line and ledger know it by it."""

    def function(users: Rows) -> dict[str, Any]:
        return {}

    function.__name__ = name
    with pytest.raises(DeclarationError, match="a transform's name is one word"):
        backfill.transform("users")(function)


def test_a_type_that_no_column_has() -> None:
    """A model that cannot be described is refused with its reason."""

    def strange(user: Strange) -> FirstName:
        return FirstName(first_name="")

    with pytest.raises(DeclarationError, match=r"^strange: a model has a type that no column has: "):
        backfill.transform("users")(strange)


def test_a_transform_is_still_its_function() -> None:
    """It is called, named and documented as before; no database is near."""
    transform = backfill.transform("users", where=is_missing("first_name"))(lower)
    assert isinstance(transform, Transform)
    assert (transform.name, transform.__doc__) == ("lower", "E-mail addresses in lower case.")
    assert set(transform(Person.__table__)) == {"email"}  # type: ignore[arg-type]
    assert repr(transform) == "<Transform lower of users>"


def test_a_models_own_columns() -> None:
    """A project's mapped attributes are expressions too, alone or compared."""
    for where in (Person.is_active, Person.email.is_(None) & Person.is_active):
        transform = backfill.transform("users", where=where)(lower)  # type: ignore[arg-type]
        assert "is_active" in str(transform.definition.model_dump(mode="json")["where"])


MODULE = """
    import backfill
    from backfill import Rows, is_missing

    def helper(value):{comment}
        return value.{method}()

    @backfill.transform("users")
    def lower(users: Rows) -> dict:
        return {{"email": helper(users.c.email)}}
    """


def declared(folder: Path, source: str, monkeypatch: pytest.MonkeyPatch) -> Transform[..., Any]:
    """Import the module of a transform."""
    folder.mkdir()
    (folder / "lower_module.py").write_text(textwrap.dedent(source))
    monkeypatch.syspath_prepend(folder)
    sys.modules.pop("lower_module", None)
    importlib.invalidate_caches()
    transform: Transform[..., Any] = importlib.import_module("lower_module").lower
    return transform


def test_a_helper_counts_and_a_comment_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fingerprint covers the whole module's code, and nothing of its layout."""
    prints = [
        declared(
            tmp_path / str(number), MODULE.format(comment=comment, method=method), monkeypatch
        ).definition.fingerprint([])
        for number, (comment, method) in enumerate([("", "asc"), ("  # a comment\n", "asc"), ("", "desc")])
    ]
    assert prints[0] == prints[1]
    assert prints[0] != prints[2]


def test_conditions_may_hang_together_by_or() -> None:
    """AND, OR and NOT of conditions are conditions."""
    where = or_(is_missing("a"), ~is_missing("b") & (column("c") == 1))
    shown = backfill.transform("users", where=where)(lower).definition.model_dump(mode="json")["where"]
    assert shown == "a IS MISSING OR b IS MISSING = 0 AND c = 1"
