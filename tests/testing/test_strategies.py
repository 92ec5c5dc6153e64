"""`rows_of(Model)`: rows that the model takes, and that every database holds."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, StringConstraints, field_validator, model_validator

from backfill.testing import rehearse, rows_of
from transforms.split_full_name import FullName, split_full_name


class Colour(Enum):
    """A choice."""

    RED = "red"
    BLUE = "blue"


class Item(BaseModel):
    """A document."""

    code: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}-\d{1,3}$")]
    count: int = Field(gt=0, lt=10)


class Order(BaseModel):
    """Most of what a field may be."""

    number: Annotated[int, Field(ge=5, le=7)]
    name: str = Field(min_length=2, max_length=3)
    long: str = Field(min_length=40)
    price: Decimal = Field(ge=0, max_digits=12, decimal_places=2)
    rate: float = Field(gt=0, lt=1)
    state: Literal["open", "closed"]
    colour: Colour
    maybe: Annotated[int, Field(gt=100)] | None
    items: list[Item] = Field(min_length=1)
    counts: dict[str, Annotated[int, Field(ge=0)]]
    whatever: Any
    at: datetime
    day: date
    ident: UUID
    is_even: int
    named: bool = Field(alias="class")

    @field_validator("is_even")
    @classmethod
    def _require_even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("odd")
        return value

    @model_validator(mode="after")
    def _require_order(self) -> Order:
        if self.named and self.number == 5:
            raise ValueError("5 has no name")
        return self


@settings(max_examples=50, deadline=None, derandomize=True)
@given(rows_of(Order))
def test_the_model_takes_every_row(row: dict[str, Any]) -> None:
    """Whatever its fields and validators ask for; columns go by their aliases, documents are plain JSON."""
    order = Order.model_validate(row)
    assert "class" in row
    assert all(isinstance(item, dict) for item in row["items"])
    assert order.items[0].count < 10


def test_rows_are_of_all_kinds() -> None:
    """Both ends of a range, both members of a union, each choice, and more than letters."""
    rows: list[dict[str, Any]] = []

    @settings(max_examples=100, deadline=None, derandomize=True, database=None)
    @given(rows_of(Order))
    def collect(row: dict[str, Any]) -> None:
        rows.append(row)

    collect()
    assert {row["number"] for row in rows} == {5, 6, 7}
    assert {row["maybe"] is None for row in rows} == {True, False}
    assert {row["colour"] for row in rows} == {"red", "blue"}
    assert {row["name"].isascii() for row in rows} == {True, False}
    assert max(len(row["items"]) for row in rows) > 1


class Text(BaseModel):
    """Any text."""

    text: str
    number: int


@settings(max_examples=100, deadline=None, derandomize=True)
@given(rows_of(Text))
def test_every_database_holds_them(row: dict[str, Any]) -> None:
    """No NUL, no half of a pair, 32 bits."""
    assert "\0" not in row["text"]
    row["text"].encode("utf-8")
    assert abs(row["number"]) < 2**31


@settings(max_examples=5, deadline=None, derandomize=True)
@given(st.lists(rows_of(FullName), max_size=3))
def test_a_property_of_a_transform(rows: list[dict[str, Any]]) -> None:
    """As its author would write one: no letter of a name is lost."""
    for row in rehearse(split_full_name, rows):
        assert (
            f"{row['first_name']} {row['last_name']}".strip()
            == " ".join(row["full_name"].strip().split(" ", 1)).strip()
        )
