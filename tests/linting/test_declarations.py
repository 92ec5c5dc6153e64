"""Each rule of transforms: what it finds, what it leaves alone, and what comes near it."""

import pytest

from tests.linting.pages import Pages

HEAD = """
from typing import Any

from pydantic import BaseModel
from sqlalchemy import column

import backfill
from backfill import Rows, is_missing


class Price(BaseModel):
    price: int


class Label(BaseModel):
    label: str


"""

FOUND = {
    "refilters: in SQL": (
        "refilters",
        '@backfill.transform("items", where=column("price") < 100)\n'
        'def raise_price(items: Rows) -> dict[str, Any]:\n    return {"price": items.c.price * 2}\n',
    ),
    "refilters: by models": (
        "refilters",
        '@backfill.transform("items", where=column("price").between(1, 9))\n'
        "def raise_price(item: Price) -> Price:\n    return Price(price=item.price * 2)\n",
    ),
    "unindexed order": (
        "unindexed",
        '@backfill.transform("items", order_by=column("at").desc())\n'
        "def label(item: Price) -> Label:\n    return Label(label=str(item.price))\n",
    ),
    "unindexed group": (
        "unindexed",
        '@backfill.transform("items", group_by="at")\ndef label(items: list[Price]) -> list[Label]:\n    return []\n',
    ),
}

LEFT_ALONE = {
    "refilters: what is missing": (
        '@backfill.transform("items", where=is_missing("price"))\n'
        'def fill_price(items: Rows) -> dict[str, Any]:\n    return {"price": items.c.cost * 2}\n'
    ),
    "refilters: a constant": (
        '@backfill.transform("items", where=column("label") == "old")\n'
        'def relabel(items: Rows) -> dict[str, Any]:\n    return {"label": "new"}\n'
    ),
    "refilters: another column": (
        '@backfill.transform("items", where=column("price") < 100)\n'
        "def label(item: Price) -> Label:\n    return Label(label=str(item.price))\n"
    ),
    "unindexed: the key": (
        '@backfill.transform("items", order_by=column("id"))\n'
        "def label(item: Price) -> Label:\n    return Label(label=str(item.price))\n"
    ),
    "unindexed: an index": (
        '@backfill.transform("items", order_by=(column("label"), column("at")))\n'
        "def label(item: Price) -> Label:\n    return Label(label=str(item.price))\n"
    ),
    "unindexed: an unknown table": (
        '@backfill.transform("others", order_by=column("at"))\n'
        "def label(item: Price) -> Label:\n    return Label(label=str(item.price))\n"
    ),
    "unindexed: a condition": (
        '@backfill.transform("items", where=column("at") > 3)\n'
        "def label(item: Price) -> Label:\n    return Label(label=str(item.price))\n"
    ),
}


@pytest.fixture
def items(pages: Pages) -> Pages:
    """Give a project whose revisions make the table."""
    pages.revise(
        """
        op.create_table("items", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("at", sa.Integer()))
        op.add_column("items", sa.Column("label", sa.String(), index=True))
        """
    )
    return pages


@pytest.mark.parametrize(("code", "text"), FOUND.values(), ids=FOUND)
def test_is_found(items: Pages, code: str, text: str) -> None:
    """The mistake is found where the transform is declared, under its name."""
    path = items.write("transforms/one.py", HEAD + text)
    (found,) = items.findings()
    assert (found.code, found.path) == (code, path)
    assert path.read_text().splitlines()[found.line - 1].startswith("@backfill.transform")
    assert found.subject in text


@pytest.mark.parametrize("text", LEFT_ALONE.values(), ids=LEFT_ALONE)
def test_is_left_alone(items: Pages, text: str) -> None:
    """What is right, what only comes near, and what reading cannot tell."""
    items.write("transforms/one.py", HEAD + text)
    assert items.codes() == []


def test_an_index_that_comes_later_counts(items: Pages) -> None:
    """Any revision may make it."""
    items.write("transforms/one.py", HEAD + FOUND["unindexed order"][1])
    items.revise("op.create_index('ix_items_at', 'items', ['at', 'id'])", name="two")
    assert items.codes() == []
