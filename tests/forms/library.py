"""A library: tables of books and of what belongs to them; what the tests of changes, look-ups and groups share."""

from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel
from sqlalchemy import column, table

metadata = sa.MetaData()
books = sa.Table(
    "books",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("title", sa.String(50), nullable=False),
    sa.Column("writer", sa.String(50)),
    sa.Column("shelf", sa.String(20)),
    sa.Column("year", sa.Integer, nullable=False),
    sa.Column("copies", sa.Integer, nullable=False, server_default="1"),
    sa.Column("author_id", sa.Integer),
    sa.Column("sequel_id", sa.Integer),
    sa.Column("note", sa.String(50)),
)
chapters = sa.Table(
    "chapters",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("book_id", sa.ForeignKey("books.id"), nullable=False),
)
authors = sa.Table(
    "authors",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(50), nullable=False),
    sa.Column("label", sa.String(50)),
)
genres = sa.Table(
    "genres",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(50), nullable=False, unique=True),
    sa.Column("label", sa.String(50)),
)
marks = sa.Table(
    "marks",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(50)),
    sa.Column("author_id", sa.Integer),
)
loans = sa.Table(
    "loans",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("book_id", sa.Integer),
    sa.Column("cents", sa.Integer),
    sa.Column("note", sa.String(50)),
)
stamps = sa.Table(
    "stamps",
    metadata,
    sa.Column("book_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
)
THERE = 1_000
"""The id of a row that is there already: no sequence of a test gets as far."""
ROWS: dict[sa.Table, list[dict[str, object]]] = {
    chapters: [],
    books: [
        {"id": 1, "title": "Emma", "writer": "Austen", "shelf": "b", "year": 1815},
        {"id": 2, "title": "Persuasion", "writer": "Austen", "shelf": "a", "year": 1817},
        {"id": 3, "title": "Middlemarch", "writer": "Eliot", "shelf": "b", "year": 1871},
        {"id": 4, "title": "Ulysses", "writer": "Joyce", "year": 1922},
        {"id": 5, "title": "Beowulf", "year": 1000},
    ],
    authors: [{"id": THERE, "name": "Eliot", "label": "old"}],
    genres: [{"id": THERE, "name": "Eliot", "label": "old"}],
    marks: [{"id": THERE, "name": None}],
    loans: [
        {"id": 1, "book_id": 1, "cents": 30},
        {"id": 2, "book_id": 1, "cents": 20},
        {"id": 3, "book_id": 3, "cents": 5},
    ],
    stamps: [],
}
book = table("books", column("id"), column("writer"), column("copies"), column("year"))
loan = table("loans", column("id"), column("book_id"), column("cents"))
author = table("authors", column("id"), column("name"))


class Book(BaseModel):
    """Columns read."""

    id: int
    title: str
    writer: str | None


class Key(BaseModel):
    """The least that is read of a row."""

    id: int


class Note(BaseModel):
    """A column written, of books or of loans."""

    note: str | None


class Copies(BaseModel):
    """A column written; read too."""

    copies: int


class Author(BaseModel):
    """Inserted into authors or genres."""

    name: str
    label: str | None = None


class Mark(BaseModel):
    """Inserted."""

    name: str | None


class Authored(BaseModel):
    """A column written, from a row that may have to be inserted first."""

    author_id: int | None


def values(engine: sa.Engine, of: sa.Table, *names: str) -> list[Any]:
    """Give the columns' values by key; one column comes without its tuple."""
    with engine.connect() as connection:
        found = connection.execute(sa.select(*(of.c[name] for name in names)).order_by(*of.primary_key)).all()
    return [row[0] if len(row) == 1 else tuple(row) for row in found]
