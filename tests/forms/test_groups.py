"""Lists of rows: a batch, or with group_by whole groups; and the order in which rows come."""

from contextlib import nullcontext
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import BaseModel
from sqlalchemy import case, column, func
from sqlalchemy.exc import OperationalError

import backfill
from backfill import Delete, Rows, is_missing
from backfill.database import Database
from backfill.errors import DeclarationError, GroupTooLarge
from backfill.planner import draft_plan
from backfill.settings import Settings
from tests.forms.library import Book, Copies, Note, books, values
from tests.refusal import execute, fill, find

EACH_SIZE = pytest.mark.parametrize("rows", [1, 2, 9])


class Shelved(BaseModel):
    """Read."""

    id: int
    shelf: str | None


class Shelf(BaseModel):
    """Written."""

    shelf: str


class Title(BaseModel):
    """Written."""

    title: str


@pytest.fixture
def seen(library: sa.Engine) -> list[list[int]]:
    """Give what a function that notes its groups has seen."""
    return []


def grouping(seen: list[list[int]], **options: Any) -> Any:
    """Declare a transform that notes the ids of each group, and counts within it."""

    @backfill.transform("books", **options)
    def count(books: list[Shelved]) -> list[Copies]:
        """One after the other."""
        seen.append([book.id for book in books])
        return [Copies(copies=number) for number, _ in enumerate(books, 1)]

    return count


GROUPS: dict[str, tuple[dict[str, Any], list[list[int]]]] = {
    "by a column, NULLs are one group and the last": ({"group_by": "shelf"}, [[2], [1, 3], [4, 5]]),
    "by two columns": ({"group_by": ("shelf", "writer")}, [[2], [1], [3], [4], [5]]),
    "by two columns, the other way": ({"group_by": ("writer", "shelf")}, [[2], [1], [3], [4], [5]]),
    "in an order of their own": (
        {"group_by": "shelf", "order_by": column("year").desc()},
        [[2], [3, 1], [4, 5]],
    ),
    "in an order by an expression, then by key": (
        {"group_by": "shelf", "order_by": case((column("id") == 5, 0), else_=1)},
        [[2], [1, 3], [5, 4]],
    ),
    "only of rows that where takes": ({"group_by": "shelf", "where": column("id") != 3}, [[2], [1], [4, 5]]),
    "all rows": ({"group_by": ()}, [[1, 2, 3, 4, 5]]),
    "all rows in order": ({"group_by": (), "order_by": "year"}, [[5, 1, 2, 3, 4]]),
}


@EACH_SIZE
@pytest.mark.parametrize(("options", "wanted"), GROUPS.values(), ids=GROUPS.keys())
def test_groups_come_whole(
    library: sa.Engine, seen: list[list[int]], options: dict[str, Any], wanted: list[list[int]], rows: int
) -> None:
    """In the order of their columns, whatever the batch size, each once; the answers are those of the rows."""
    run = fill(library, grouping(seen, **options), rows=rows)
    assert seen == wanted
    place = {book: n for group in wanted for n, book in enumerate(group, 1)}
    assert dict(values(library, books, "id", "copies")) == {n: place.get(n, 1) for n in range(1, 6)}
    assert run.rows_written == len(place)


def test_the_database_says_what_is_equal(mariadb_url: sa.URL) -> None:
    """Under its collation "B" and "b" are one group."""
    engine = sa.create_engine(mariadb_url, poolclass=sa.NullPool)
    execute(
        engine,
        "CREATE TABLE books (id INT PRIMARY KEY, copies INT NOT NULL, shelf VARCHAR(9) COLLATE utf8mb4_general_ci)",
        "INSERT INTO books VALUES (1, 0, 'b'), (2, 0, 'a'), (3, 0, 'B')",
    )
    groups: list[list[int]] = []
    fill(engine, grouping(groups, group_by="shelf"), rows=1)
    assert groups == [[2], [1, 3]]


def test_a_row_that_joins_a_group_meanwhile_is_not_seen(library: sa.Engine) -> None:
    """Rows of a group are locked, a row that is not there cannot be; it stays as it came, and plan says so.

    SQLite alone keeps it out: there a batch is the only writer.
    """
    is_alone = library.dialect.name == "sqlite"
    late = {"id": 9, "title": "Sanditon", "writer": "Austen", "shelf": "b", "year": 1925, "copies": 7}
    other = sa.create_engine(library.url, poolclass=sa.NullPool, connect_args={"timeout": 0} if is_alone else {})
    met: list[list[int]] = []

    def join() -> None:
        with other.begin() as connection:
            connection.execute(books.insert().values(late))

    @backfill.transform("books", group_by="shelf")
    def count(rows: list[Shelved]) -> list[Copies]:
        """One after the other; another session adds a row to the group."""
        met.append([row.id for row in rows])
        if met[-1] == [1, 3]:
            with pytest.raises(OperationalError) if is_alone else nullcontext():
                join()
        return [Copies(copies=number) for number, _ in enumerate(rows, 1)]

    with Database.of(library) as database:
        plan = draft_plan(database, grouping(met, group_by="shelf"), Settings())
    assert plan.arrival.endswith("all rows with the same shelf; one that is added to a group meanwhile is not seen")
    met.clear()
    fill(library, count, rows=9)
    assert met == [[2], [1, 3], [4, 5]]
    assert dict(values(library, books, "id", "copies")).get(9) == (None if is_alone else 7)


@EACH_SIZE
def test_the_first_of_a_group_stays(library: sa.Engine, rows: int) -> None:
    """Deleting what was met does not move what comes."""

    @backfill.transform("books", group_by="writer", order_by=column("year").desc())
    def newest(books: list[Book]) -> list[Delete | None]:
        """Of each writer."""
        return [None, *(Delete() for _ in books[1:])]

    fill(library, newest, rows=rows)
    assert values(library, books, "id") == [2, 3, 4, 5]


def test_a_group_that_is_too_large(library: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused with its size before any other group is worked on."""
    monkeypatch.setattr("backfill.rows.cutter.MOST_IN_GROUPS", 1)
    groups: list[list[int]] = []
    assert find(library, grouping(groups, group_by="shelf"), "group-too-large").message == (
        "a group of books by shelf has 2 rows; at most 1 are taken into memory at once. Narrow it with where=, or let "
        "SQL see the group: take Rows"
    )
    assert groups == []


def test_a_group_that_has_grown_too_large(library: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Since it was looked at: the run fails when it comes to it; groups that fit are taken one by one."""
    monkeypatch.setattr("backfill.rows.cutter.MOST_IN_GROUPS", 1)
    monkeypatch.setattr("backfill.rows.target.Target.oversized_group", lambda _: None)
    groups: list[list[int]] = []
    with pytest.raises(GroupTooLarge, match=r"^a group of books by shelf has 2 rows; at most 1 are taken"):
        fill(library, grouping(groups, group_by="shelf"), rows=9)
    assert groups == [[2]]


def test_all_rows_may_be_too_large_a_group(library: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused before the function is called."""
    monkeypatch.setattr("backfill.rows.cutter.MOST_IN_GROUPS", 4)
    groups: list[list[int]] = []
    finding = find(library, grouping(groups, group_by=()), "group-too-large")
    assert finding.message.startswith("books, all one group, has 5 rows; at most 4 ")
    assert groups == []


def test_only_rows_that_where_takes_count_for_the_size(library: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the message says, `where` narrows a group."""
    monkeypatch.setattr("backfill.rows.cutter.MOST_IN_GROUPS", 1)
    groups: list[list[int]] = []
    fill(library, grouping(groups, group_by="shelf", where=column("id").in_([1, 2, 4])), rows=9)
    assert groups == [[2], [1], [4]]


def test_columns_it_walks_by_are_not_written(library: sa.Engine) -> None:
    """A row could be met again in its new place, be it among groups or in another order."""

    @backfill.transform("books", group_by="shelf")
    def move(books: list[Shelved]) -> list[Shelf]:
        """To one shelf."""
        return [Shelf(shelf="x") for _ in books]

    @backfill.transform("books", order_by="title")
    def rename(book: Book) -> Title:
        """To one name."""
        return Title(title="x")

    for transform, what in ((move, "move writes books.shelf"), (rename, "rename writes books.title")):
        assert find(library, transform, "writes-walked").message == (
            f"{what}, by which it walks: a row could be met again in its new place. Small table: group_by=(). "
            "Else: step"
        )


def test_group_columns_may_be_written_where_all_rows_are_one_group(library: sa.Engine) -> None:
    """There is no place to be met again."""

    @backfill.transform("books", group_by=())
    def move(books: list[Shelved]) -> list[Shelf]:
        """To one shelf."""
        return [Shelf(shelf="x") for _ in books]

    fill(library, move)
    assert values(library, books, "shelf") == ["x"] * 5


ORDERS: dict[str, tuple[Any, list[int]]] = {
    "by key": ((), [1, 2, 3, 4, 5]),
    "by a column": ("year", [5, 1, 2, 3, 4]),
    "the other way": (column("year").desc(), [4, 3, 2, 1, 5]),
    "equal ones by key": (("copies",), [1, 2, 3, 4, 5]),
    "by two columns": (("copies", column("title").desc()), [4, 2, 3, 1, 5]),
    "the key the other way": (column("id").desc(), [5, 4, 3, 2, 1]),
}


@EACH_SIZE
@pytest.mark.parametrize(("order", "wanted"), ORDERS.values(), ids=ORDERS.keys())
def test_rows_are_walked_in_order(library: sa.Engine, order: Any, wanted: list[int], rows: int) -> None:
    """Each once, in every batch size."""
    seen: list[int] = []

    @backfill.transform("books", order_by=order)
    def note(book: Book) -> Note:
        """As seen."""
        seen.append(book.id)
        return Note(note=book.title)

    fill(library, note, rows=rows)
    assert seen == wanted


def test_an_order_by_a_column_that_may_be_null(library: sa.Engine) -> None:
    """Databases put NULLs in different places, so such a walk is refused."""
    told = find(library, grouping([], order_by="shelf"), "walked-null").message
    assert told == (
        "it walks books by shelf, which may be NULL, and NULLs have no order that all databases share: leave such "
        "rows out with where=..., and let the column be NOT NULL; or take group_by=()"
    )


@pytest.mark.parametrize("options", [{"group_by": "shlef"}, {"order_by": "shlef"}], ids=["group_by", "order_by"])
def test_a_column_that_is_not_there(library: sa.Engine, options: dict[str, str]) -> None:
    """With the nearest name."""
    told = find(library, grouping([], **options), "walked-unknown").message
    assert told == "it walks books by shlef; books has no such column. Did you mean shelf?"


@EACH_SIZE
def test_window_functions_see_whole_groups(library: sa.Engine, rows: int) -> None:
    """From columns, with group_by; NULLs are a group here too."""

    @backfill.transform("books", group_by="shelf")
    def count(books: Rows) -> dict[str, Any]:
        """On each shelf, the oldest first."""
        return {"copies": func.row_number().over(partition_by=books.c.shelf, order_by=books.c.year)}

    fill(library, count, rows=rows)
    assert values(library, books, "copies") == [1, 1, 2, 2, 1]


def test_window_functions_without_groups(library: sa.Engine) -> None:
    """They would see one batch: refused."""

    @backfill.transform("books", where=is_missing("note"))
    def count(books: Rows) -> dict[str, Any]:
        """Whatever is in the batch."""
        return {"copies": func.row_number().over(order_by=books.c.year)}

    assert find(library, count, "needs-groups").message == (
        "a window function looks at other rows, of which a batch holds only some: say group_by=, so that a batch "
        "holds whole groups"
    )


def test_a_list_is_one_batch_without_groups(library: sa.Engine, seen: list[list[int]]) -> None:
    """As many rows as a batch has."""
    fill(library, grouping(seen), rows=2)
    assert seen == [[1, 2], [3, 4], [5]]


def test_options_that_contradict_themselves() -> None:
    """Told when it is declared."""
    with pytest.raises(DeclarationError, match="group_by: it names a column twice"):
        grouping([], group_by=("shelf", "shelf"))
    with pytest.raises(DeclarationError, match="a table is walked by columns; an expression may only sort the rows"):
        grouping([], order_by=func.lower(column("title")))
