"""Links: an Insert may stand where the key is wanted that the database gives its row."""

from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import BaseModel
from sqlalchemy import column

import backfill
from backfill import Change, Insert, Update, is_missing
from tests.forms.library import THERE, Author, Book, authors, books, genres, marks, values
from tests.refusal import fill

EACH_SIZE = pytest.mark.parametrize("rows", [1, 2, 9])


class Linked(BaseModel):
    """Written."""

    author_id: Insert[Author] | int | None


class LinkedMark(BaseModel):
    """Inserted; its own parent first."""

    name: str
    author_id: Insert[Author]


class Marked(BaseModel):
    """Written."""

    sequel_id: Insert[LinkedMark]


def names(library: sa.Engine, of: sa.Table = authors) -> dict[int, str]:
    """Give the authors' names by id."""
    return dict(values(library, of, "id", "name"))


@EACH_SIZE
@pytest.mark.parametrize("table", [authors, genres], ids=["without a unique constraint", "with one"])
def test_a_parent_for_each_and_match_makes_it_one(library: sa.Engine, table: sa.Table, rows: int) -> None:
    """The row that is there is linked to, and a new one is made once for all that want it."""

    @backfill.transform("books", where=column("writer").is_not(None))
    def link(book: Book) -> Linked:
        """By name."""
        return Linked(author_id=Insert(table.name, Author(name=book.writer or ""), match="name"))

    fill(library, link, rows=rows)
    by_id = names(library, table)
    linked = values(library, books, "author_id")
    assert [by_id[each] for each in linked[:4]] == ["Austen", "Austen", "Eliot", "Joyce"]
    assert (linked[2], linked[4], len(by_id)) == (THERE, None, 3)


def test_one_object_is_one_row_and_equal_objects_are_two(library: sa.Engine) -> None:
    """Without match nothing is asked but which object it is."""
    shared = Insert("authors", Author(name="shared"))

    @backfill.transform("books", where=column("id") < 5)
    def link(book: Book) -> Linked:
        """The first two share one."""
        return Linked(author_id=shared if book.id < 3 else Insert("authors", Author(name="own")))

    fill(library, link, rows=9)
    by_id = names(library)
    first, second, third, fourth, _ = values(library, books, "author_id")
    assert [by_id[each] for each in (first, second, third, fourth)] == ["shared", "shared", "own", "own"]
    assert first == second
    assert third != fourth


def test_links_nest(library: sa.Engine) -> None:
    """To any depth: the parent's parent is inserted first."""

    @backfill.transform("books", where=column("id") < 3)
    def mark(book: Book) -> Marked:
        """An author, a mark of it, and the book knows the mark."""
        author = Insert("authors", Author(name=book.title))
        return Marked(sequel_id=Insert("marks", LinkedMark(name=book.title, author_id=author)))

    fill(library, mark, rows=9)
    by_id, found = (
        names(library),
        {key: (name, of) for key, name, of in values(library, marks, "id", "name", "author_id")},
    )
    linked = [found[key] for key in values(library, books, "sequel_id")[:2]]
    assert [(name, by_id[of]) for name, of in linked] == [("Emma", "Emma"), ("Persuasion", "Persuasion")]


def test_a_self_referencing_table(library: sa.Engine) -> None:
    """A new row of the walked table, to which the old one points; `where` leaves the new one out."""

    class Sequel(BaseModel):
        """Inserted, with a key of its own making."""

        id: int
        title: str
        year: int

    class Followed(BaseModel):
        """Written."""

        sequel_id: Insert[Sequel]

    @backfill.transform("books", where=is_missing("sequel_id") & column("writer").is_not(None))
    def follow(book: Book) -> Followed:
        """Volume two."""
        return Followed(sequel_id=Insert("books", Sequel(id=book.id + 10, title=f"{book.title} II", year=2000)))

    fill(library, follow)
    assert values(library, books, "id", "sequel_id") == [
        *((n, n + 10) for n in range(1, 5)),
        (5, None),
        *((n, None) for n in range(11, 15)),
    ]


def test_links_in_every_change(library: sa.Engine) -> None:
    """In an Update's values, in an Insert's, beside plain keys and None; the parents come first of all."""

    @backfill.seed()
    def link() -> list[Change]:
        """One author for a mark and for two books, another book loses its own."""
        author = Insert("authors", Author(name="new"))
        return [
            Update("books", Linked(author_id=author), title="Emma"),
            Update("books", {"author_id": author}, title="Ulysses"),
            Update("books", Linked(author_id=None), title="Beowulf"),
            Update("books", Linked(author_id=THERE), title="Middlemarch"),
            Insert("marks", LinkedMark(name="x", author_id=author)),
        ]

    fill(library, link)
    (new,) = (key for key, name in names(library).items() if name == "new")
    assert values(library, books, "author_id") == [new, None, THERE, new, None]
    assert (new, "x") in values(library, marks, "author_id", "name")


@EACH_SIZE
def test_a_link_in_a_list(library: sa.Engine, rows: int) -> None:
    """Rows of one batch or group may share it."""

    @backfill.transform("books", where=column("writer").is_not(None), group_by="writer")
    def link(books: list[Book]) -> list[Linked]:
        """One author for each group."""
        author = Insert("authors", Author(name=books[0].writer or ""))
        return [Linked(author_id=author) for _ in books]

    fill(library, link, rows=rows)
    by_id = names(library)
    assert [by_id[key] for key in values(library, books, "author_id")[:4]] == ["Austen", "Austen", "Eliot", "Joyce"]
    assert len(by_id) == 4


def test_many_links_keep_their_rows(library: sa.Engine) -> None:
    """Every row finds the key of its own parent, however the database orders what it gives back."""
    with library.begin() as connection:
        more = [{"id": n, "title": f"t{n}", "writer": f"w{n * 7919 % 1000}", "year": 1} for n in range(1_000, 1_400)]
        connection.execute(books.insert(), more)

    @backfill.transform("books", where=column("id") >= THERE)
    def link(book: Book) -> Linked:
        """Half by match, half without."""
        match: Any = ("name",) if book.id % 2 else ()
        return Linked(author_id=Insert("authors", Author(name=book.writer or ""), match=match))

    fill(library, link, rows=500)
    by_id = names(library)
    written = [(writer, by_id[key]) for writer, key in values(library, books, "writer", "author_id")[5:]]
    assert [writer for writer, name in written if writer != name] == []
