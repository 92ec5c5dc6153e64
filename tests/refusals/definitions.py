"""Definitions in Python that contradict themselves or the table that they are for."""

from __future__ import annotations

from textwrap import dedent

HEAD = '''
"""A definition that is refused."""

import enum
import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Generic, Literal, Optional, TypeVar

from pydantic import BaseModel, ConfigDict, Field, RootModel
from sqlalchemy import (
    Connection, Integer, String, and_, cast, column, delete, func, insert, literal, literal_column, null, or_, select,
    table, text, true, tuple_, update,
)
from sqlalchemy.orm import Session

import backfill
from backfill import Change, Delete, Insert, Rejected, Rows, Update, is_missing


class Person(BaseModel):
    """Columns read."""

    id: int
    name: str


class Nickname(BaseModel):
    """The column written."""

    nickname: str | None


class Count(BaseModel):
    """What is carried along."""

    n: int = 0


people = table("people", column("id"), column("name"), column("nickname"))
orders = table("orders", column("id"), column("person_id"), column("cents"))
'''

ROW = "(person: Person) -> Nickname | None"
SQL = "(people: Rows) -> dict[str, Any]"
LIST = "(people: list[Person]) -> list[Nickname | None]"


def declared(
    signature: str = ROW, body: str = "return None", *, by: str = 'transform("people")', extra: str = ""
) -> str:
    """A module that declares `fill`."""
    function = f'@backfill.{by}\ndef fill{signature}:\n    """Refused."""\n    {body}\n'
    return f"{HEAD.lstrip()}\n{dedent(extra).strip()}\n\n\n{function}"


def by(options: str, signature: str = ROW) -> str:
    """A transform with these options."""
    return declared(signature, by=f'transform("people", {options})')


def where(condition: str) -> str:
    """A transform of the rows that the condition takes."""
    return by(f"where={condition}")


def returns(values: str, *, options: str = "", extra: str = "") -> str:
    """A transform in SQL that returns these values."""
    return declared(SQL, f"return {values}", by=f'transform("people"{options})', extra=extra)


def reads(fields: str, extra: str = "") -> str:
    """A transform whose input model has these fields."""
    model = f"class Reads(BaseModel):\n    {fields}"
    return declared("(person: Reads) -> Nickname | None", extra=f"{extra}\n\n\n{model}")


def writes(fields: str, extra: str = "") -> str:
    """A transform whose output model has these fields."""
    model = f"class Writes(BaseModel):\n    {fields}"
    return declared("(person: Person) -> Writes | None", extra=f"{extra}\n\n\n{model}")


def looks_up(field: str, statement: str) -> str:
    """A transform with a lookup for `found`."""
    model = f"class Order(BaseModel):\n    cents: int\n\n\nclass Looking(BaseModel):\n    id: int\n    {field}"
    options = f'transform("people", lookups={{"found": {statement}}})'
    return declared("(person: Looking) -> Nickname | None", by=options, extra=model)


TIED = "select(orders.c.cents).where(orders.c.person_id == people.c.id)"

SIGNATURES = {
    "a coroutine": ("not-plain", declared().replace("def fill", "async def fill")),
    "a generator": ("not-plain", declared(body="yield None")),
    "no type of the rows": ("rows-untyped", declared("(person) -> Nickname | None")),
    "no type of what is returned": ("returns-untyped", declared("(person: Person)")),
    "no parameter": ("parameters", declared("() -> Nickname | None")),
    "only a keyword": ("parameters", declared("(*, person: Person) -> Nickname | None")),
    "many parameters at once": ("parameters", declared("(*people: Person) -> Nickname | None")),
    "rows as a dictionary": ("rows-type", declared("(person: dict[str, Any]) -> Nickname | None")),
    "rows as Any": ("rows-type", declared("(person: Any) -> Nickname | None")),
    "rows as a tuple": ("rows-type", declared("(person: tuple[int, str]) -> Nickname | None")),
    "rows as a list of dictionaries": ("rows-type", declared("(people: list[dict[str, Any]]) -> list[Nickname]")),
    "rows as the base of all models": ("rows-type", declared("(person: BaseModel) -> Nickname | None")),
    "a model that is not there": ("type-not-found", declared('(person: "Persn") -> Nickname | None')),
    "a type that is none": ("type-unclear", declared('(person: "Person[") -> Nickname | None')),
    "a model without fields read": ("input-empty", reads("pass")),
    "a model without fields written": ("output-empty", writes("pass")),
    "a model with any fields written": (
        "output-extra",
        writes('model_config = ConfigDict(extra="allow")\n    nickname: str'),
    ),
    "a root model": (
        "root-model",
        declared("(person: Root) -> Nickname | None", extra="class Root(RootModel[int]):\n    pass"),
    ),
    "an alias for reading alone": ("validation-alias", reads('name: str = Field(validation_alias="x")')),
    "two fields for one column": ("column-twice", reads('name: str\n    other: str = Field(alias="name")')),
    "a type that no column has": ("not-importable", writes("nickname: Odd", "class Odd:\n    pass")),
    "one model for a list": ("returns-one", declared("(people: list[Person]) -> Nickname")),
    "a dictionary from a row": ("returns-of-rows", declared("(person: Person) -> dict[str, Any]")),
    "a text from a row": ("returns-of-rows", declared("(person: Person) -> str")),
    "models from a row": ("returns-of-rows", declared("(person: Person) -> list[Nickname]")),
    "a text in SQL": ("returns-of-columns", declared("(people: Rows) -> str")),
    "models from a seed": ("returns-of-seed", declared("() -> list[Nickname]", by="seed()")),
    "two states": ("two-states", declared("(people: list[Person], *, a: Count, b: Count) -> list[Nickname | None]")),
    "a state without a beginning": (
        "state-default",
        declared("(people: list[Person], *, state: Person) -> list[Nickname | None]"),
    ),
    "a parameter that means nothing": ("parameter-unknown", declared("(person: Person, x: int) -> Nickname | None")),
    "a session for a transform": ("session-in-transform", declared("(person: Person, s: Session) -> Nickname | None")),
    "a connection in SQL": ("given-in-sql", declared("(people: Rows, c: Connection) -> dict[str, Any]")),
    "a state for a step": ("state-without-batches", declared("(*, state: Count) -> None", by="step()")),
    "a state for a seed": ("state-without-batches", declared("(*, state: Count) -> list[Change]", by="seed()")),
}

OPTIONS = {
    "no parentheses": ("no-parentheses", declared(by="transform")),
    "no table": ("no-table-named", declared(by="transform()")),
    "a table twice": ("table-twice", declared(by='transform("people", "people")')),
    "three parts of a name": ("table-name", declared(by='transform("a.b.c")')),
    "an empty name": ("table-name", declared(by='transform("")')),
    "a name with a line break": ("table-name", declared(by='transform("people\\n")')),
    "a name that commands": ("table-name", declared(by='transform("people\\x1b[2J")')),
    "a name that is turned around": ("table-name", declared(by='transform("peo\\u202eple")')),
    "a name that is too long": ("tables-string-too-long", declared(by=f'transform("{"x" * 201}")')),
    "a number for a table": ("tables-string-type", declared(by="transform(7)")),
    "a function's name that is no word": (
        "transform-name",
        declared().replace("def fill", "def Fill") + "\n\nfill = Fill\n",
    ),
    "a function's name that is too long": ("transform-name", declared().replace("def fill", f"def f{'i' * 100}")),
    "groups of a single row": ("group-in-a-row", by('group_by="name"')),
    "a group's column twice": ("group-twice", by('group_by=("name", "name")', LIST)),
    "a number for a group": ("group-by-tuple-type", by("group_by=7", LIST)),
    "an order of numbers": ("order-form", by("order_by=7")),
    "an order of raw text": ("order-raw-sql", by('order_by=text("name")')),
    "an order that says where NULLs stand": ("order-nulls", by('order_by=column("name").nulls_first()')),
    "a walk by an expression": ("order-expression", by('order_by=func.lower(column("name"))')),
    "a lookup in SQL": ("lookup-in-sql", by('lookups={"found": select(orders.c.id)}', SQL)),
    "a text for a lookup": ("lookups-form", by('lookups={"name": "SELECT 1"}')),
    "a lookup without a field": ("lookup-field", by(f'lookups={{"found": {TIED}}}')),
    "an expression for a lookup": ("lookup-form", looks_up("found: int", "func.now()")),
    "a lookup of two columns": ("lookup-columns", looks_up("found: int", "select(orders.c.id, orders.c.cents)")),
    "a lookup that lacks a column": ("lookup-lacks", looks_up("found: list[Order]", "select(orders.c.id)")),
    "a list that is limited": ("lookup-combines", looks_up("found: list[int]", f"{TIED}.limit(1)")),
    "a list that is counted": ("lookup-combines", looks_up("found: list[int]", "select(func.count(orders.c.id))")),
    "a lookup that is not tied": ("select-loose", looks_up("found: list[int]", "select(orders.c.cents)")),
}

CHANGES = {
    "a link in SQL": ("link-in-sql", returns('{"nickname": Insert("orders", {"id": 1})}')),
    "nothing returned": ("returned-nothing", returns("{}")),
    "a list of nothing": ("returned-nothing", returns("[]")),
    "a number returned": ("returned-form", returns("7")),
    "columns for keys": ("returned-form", returns('{column("nickname"): "x"}')),
    "an update that means no row": ("function-failed|update-of-none", returns('Update("orders", {"cents": 1})')),
    "a deletion without a table": ("delete-of-what", returns("Delete(id=1)")),
    "a deletion of a whole table": ("delete-of-what", returns('Delete("orders")')),
    "an update without a match": ("update-without-match", returns('Insert("orders", {"id": 1}, update="id")')),
    "a match that is not given": ("match-not-given", returns('Insert("orders", {"id": 1}, match="cents")')),
    "an insert from a union": (
        "insert-form",
        returns('Insert("orders", select(people.c.id).union(select(people.c.id)))'),
    ),
    "an insert of distinct rows": ("insert-distinct", returns('Insert("orders", select(people.c.id).distinct())')),
    "an insert of counted rows": (
        "needs-groups",
        returns('Insert("orders", select(func.count(people.c.id).label("id")))'),
    ),
    "a window": ("needs-groups", returns('{"nickname": cast(func.row_number().over(), String)}')),
    "a statement for a value": ("value-form", returns('{"nickname": update(orders)}')),
    "raw text for a value": ("value-raw-sql", returns('{"nickname": text("upper(name)")}')),
    "raw text inside a value": ("raw-sql", returns('{"nickname": func.upper(text("name"))}')),
    "another table's column": ("other-table", returns('{"nickname": orders.c.cents}')),
    "a mistake in the function": ("function-failed", returns("1 / 0")),
    "a column that is misspelt": ("function-column", returns('{"nickname": people.c.nmae}', extra="del people")),
    "a value of the wrong type": ("writes-type", returns('{"small": "many"}')),
    "a value that is too long": ("writes-length", returns(f'{{"nickname": "{"x" * 61}"}}')),
    "NULL for a column that takes none": ("writes-null", returns('{"name": None}')),
    "a column that is not there": ("writes-unknown", returns('{"nickmane": "x"}')),
    "the key": ("writes-key", returns('{"id": 7}')),
    "a generated column": ("writes-generated", returns('{"shout": "X"}')),
    "a seed's table that is not there": (
        "no-table",
        declared("() -> list[Change]", 'return [Insert("nowhere", {"id": 1})]', by="seed()"),
    ),
    "a seed without what is needed": (
        "insert-missing",
        declared("() -> list[Change]", 'return [Insert("orders", {"cents": 1})]', by="seed()"),
    ),
    "a column that is walked by": (
        "writes-walked",
        declared(
            "(people: list[Person]) -> list[Named | None]",
            by='transform("people", group_by="name")',
            extra="class Named(BaseModel):\n    name: str",
        ),
    ),
}

CONDITIONS = {
    "a text": ("where-form", where('"name IS NULL"')),
    "a boolean": ("where-form", where("True")),
    "a function": ("where-form", where("lambda people: people.c.id == 1")),
    "a statement": ("where-form", where("select(people.c.id)")),
    **{
        f"raw text {text!r}": ("where-raw-sql", where(f"text({text!r})"))
        for text in (
            "a=1 OR a=2",
            "a=1) OR (1=1",
            "1=1 --",
            "1=1 /*",
            "/*!50000 1=1 */",
            "1=1; DROP TABLE people",
            "$$",
            "name = 'x",
            "name = '\\'",
            "name = :x",
            "name LIKE '10%'",
            "name = 'it''s:time'",
            "id IN (SELECT id FROM orders)",
            "random() < 0.5",
            "pg_sleep(9) IS NULL",
            "load_file('/etc/passwd') = ''",
            "x" * 1_000_000,
        )
    },
    "raw text in an OR": ("where-raw-sql", where('or_(column("id") == 1, text("1=1"))')),
    "a literal column": ("where-raw-sql", where('literal_column("1=1 OR id") == 1')),
    "an operator of raw text": ("where-raw-sql", where('column("id").op("= 1 OR 1 =")(1)')),
    "a function's name of raw text": ("statement", where('getattr(func, "lower(name) OR 1=1 --")() == ""')),
    "a prefix": ("where-raw-sql", where('select(literal(1)).prefix_with("/*").select_from(orders).exists()')),
    "a hint": ("where-raw-sql", where('select(orders.c.id).with_hint(orders, "x").exists()')),
    "a collation of raw text": ("statement", where('column("name").collate("x\\" OR 1=1 --") == ""')),
    "a cast to raw text": ("statement", where('cast(column("name"), String(collation="x OR 1=1")) == ""')),
    "random numbers": ("where-volatile", where("func.random() > 0")),
    "the time": ("where-volatile", where("column('seen') < func.now()")),
    "the date": ("where-volatile", where("column('seen') < func.current_timestamp()")),
    "a number of a sequence": ("where-volatile", where("func.nextval('x') > 0")),
    "a wait": ("where-volatile", where("func.pg_sleep(9).is_(None)")),
    "a wait on MariaDB": ("where-volatile", where("func.sleep(9) == 0")),
    "a file": ("where-volatile", where("func.load_file('/etc/passwd') == ''")),
    "a file of PostgreSQL": ("where-volatile", where("func.pg_read_file('/etc/passwd') == ''")),
    "another server": ("where-volatile", where("func.dblink('x', 'y').is_(None)")),
    "an extension": ("where-volatile", where("func.load_extension('x').is_(None)")),
    "a random identifier": ("where-volatile", where("column('name') == func.gen_random_uuid()")),
    "a column that is not there": ("unknown-column", where('column("nmae") == "x"')),
    "a column that is not there, missing": ("unknown-column", where('is_missing("nicknmae")')),
    "a column with a quote": ("unknown-column", where("""column('x"; drop table people; --') == 1""")),
    "a column that is a format": ("unknown-column", where('column("%s") == 1')),
    "a column that is a parameter": ("unknown-column", where('column(":x") == 1')),
    "a look-alike": ("unknown-column", where('column("n\\u0430me") == "x"')),
    "another table": ("other-table", where("orders.c.cents > 1")),
    "an EXISTS that is not tied": ("exists-loose", where("select(orders.c.id).exists()")),
    "a subquery with a join": (
        "subquery-joins",
        where("select(func.max(orders.c.cents)).join(people, people.c.id == orders.c.person_id).scalar_subquery() > 1"),
    ),
    "a bare column in a subquery": (
        "bare-column",
        where('select(orders.c.id).where(orders.c.person_id == column("id")).exists()'),
    ),
    "a looked-up column that is not there": (
        "unknown-looked-up",
        where('select(literal(1)).where(table("orders", column("person")).c.person == people.c.id).exists()'),
    ),
    "a number for a text": ("compared-type", where('column("name") == 7')),
    "a text for a number": ("compared-type", where('column("small") == "many"')),
    "a text for a date": ("compared-type", where('column("seen") > "some day"')),
    "true for a text": ("compared-type", where('column("name") == true()')),
    "a document as a whole": ("compared-document", where('column("document") == {"a": 1}')),
    "a sum": ("statement", where('func.sum(column("small")) > 1')),
    "a window": ("statement", where("func.row_number().over() == 1")),
    "a function that is not there": ("statement", where("func.no_such_function(column('id')) == 1")),
}

READS = {
    "a column that is misspelt": ("reads-unknown", reads("nmae: str")),
    "a NULL for a text": ("reads-null", reads("nickname: str")),
    "a model in a text": ("writes-type", writes("nickname: Count")),
    "a list in a number": ("writes-type", writes("small: list[int]")),
    "a date in a number": ("writes-type", writes("small: date")),
    "a fraction in a number": ("writes-type", writes("small: float")),
    "a text in a date": ("writes-type", writes("seen: str")),
    "too many characters": ("writes-length", writes("nickname: str = Field(max_length=61)")),
    "a choice that is too long": ("writes-length", writes(f'nickname: Literal["{"x" * 61}"]')),
    "None in a column that takes none": ("writes-null", writes("name: str | None")),
    "a written column that is misspelt": ("writes-unknown", writes("nickmane: str")),
    "a written key": ("writes-key", writes("id: int")),
    "a generated column in a model": ("writes-generated", writes("shout: str")),
    "a table that is not there": ("no-table", declared(by='transform("poeple")')),
    "a table with a quote": ("no-table", declared(by="""transform('x"; drop table people; --')""")),
    "a reserved word": ("no-table", declared(by='transform("select")')),
    "a group's column that is misspelt": ("walked-unknown", by('group_by="nmae"', LIST)),
    "an order's column that is misspelt": ("walked-unknown", by('order_by="nmae"')),
    "an order by what may be NULL": ("walked-null", by('order_by="nickname"')),
}
DEFINITIONS = {
    f"{kind}: {name}": case
    for kind, cases in {
        "signature": SIGNATURES,
        "option": OPTIONS,
        "change": CHANGES,
        "condition": CONDITIONS,
        "column": READS,
    }.items()
    for name, case in cases.items()
}
