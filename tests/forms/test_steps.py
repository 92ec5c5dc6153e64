"""Steps: functions that perform instead of returning, once or for each batch, in the batch's transaction."""

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection, cast, column, func, insert, select, table, text
from sqlalchemy.orm import Session

import backfill
from backfill import BackfillError, Rejected, Rows
from backfill.database import Database
from backfill.errors import ForeignCommit, Refused, RowRejected
from backfill.planner import draft_plan
from backfill.running.runner import run
from backfill.settings import Settings
from backfill.telling import sentence_of
from backfill.verifier import verify
from tests.forms.library import Book, Key, authors, books, loan, marks, values
from tests.refusal import fill

EACH_SIZE = pytest.mark.parametrize("rows", [1, 2, 9])
log = table("marks", column("name"))


@backfill.step()
def log_once(connection: Connection) -> int:
    """One row."""
    return connection.execute(insert(log).values(name="once")).rowcount


def test_a_step_is_done_once(library: sa.Engine) -> None:
    """It says how many rows it has written; a completed one is not done again."""
    run = fill(library, log_once)
    fill(library, log_once)
    assert (run.status, run.rows_written) == ("completed", 1)
    assert sorted(map(str, values(library, marks, "name"))) == ["None", "once"]


@EACH_SIZE
def test_a_step_for_each_batch_of_columns(library: sa.Engine, rows: int) -> None:
    """Each row once, whatever the batch size; `where` has been asked."""

    @backfill.step("books", where=column("writer").is_not(None))
    def log_titles(books: Rows, *, connection: Connection) -> int:
        """From a select over the batch."""
        source = select(books.c.title + func.coalesce(cast(books.c.note, sa.String(9)), ""))
        return connection.execute(insert(log).from_select(["name"], source)).rowcount

    run = fill(library, log_titles, rows=rows)
    assert sorted(map(str, values(library, marks, "name"))) == ["Emma", "Middlemarch", "None", "Persuasion", "Ulysses"]
    assert run.rows_written == 4


@EACH_SIZE
def test_a_step_for_each_batch_of_models(library: sa.Engine, rows: int) -> None:
    """A list, in the order asked for."""
    seen: list[list[int]] = []

    @backfill.step("books", order_by=column("year").desc())
    def log_books(books: list[Key], connection: Connection) -> int:
        """One row a batch."""
        seen.append([book.id for book in books])
        return connection.execute(insert(log).values(name=str(len(books)))).rowcount

    run = fill(library, log_books, rows=rows)
    assert [book for batch in seen for book in batch] == [4, 3, 2, 1, 5]
    assert max(map(len, seen)) == min(rows, 5)
    assert run.rows_written == len(seen)


def test_a_step_is_not_called_for_a_batch_without_rows(library: sa.Engine) -> None:
    """`where` takes only the first book, so that is the only call."""
    seen: list[list[int]] = []

    @backfill.step("books", where=column("id") == 1)
    def look(books: list[Key], connection: Connection) -> None:
        """As a list."""
        seen.append([book.id for book in books])

    fill(library, look, rows=1)
    assert seen == [[1]]


def test_a_step_for_each_row(library: sa.Engine) -> None:
    """It may say nothing of what it wrote."""

    @backfill.step("books")
    def log_book(book: Book, connection: Connection) -> None:
        """One row a book."""
        connection.execute(insert(log).values(name=book.title))

    run = fill(library, log_book)
    assert (len(values(library, marks, "id")), run.rows_read, run.rows_written) == (6, 5, 0)


def test_a_session_is_given_too(library: sa.Engine) -> None:
    """Its own commit() is the end of a savepoint, inside the step's transaction."""

    @backfill.step("books")
    def log_book(book: Book, session: Session) -> None:
        """Stops in the second batch."""
        session.execute(insert(log).values(name=book.title))
        session.commit()
        if book.id == 4:
            raise Rejected("not this one")

    with pytest.raises(RowRejected, match=r"^log_book: not this one(\n|$)"):
        fill(library, log_book, rows=2)
    assert sorted(map(str, values(library, marks, "name"))) == ["Emma", "None", "Persuasion"]


def test_a_batch_of_a_step_is_all_or_nothing(library: sa.Engine) -> None:
    """What it did before it failed is taken back; the next run does it once."""
    refused = {3}

    @backfill.step("books")
    def log_book(book: Book, connection: Connection) -> None:
        """Writes first."""
        connection.execute(insert(log).values(name=book.title))
        if book.id in refused:
            raise Rejected("not yet")

    with pytest.raises(RowRejected):
        fill(library, log_book)
    refused.clear()
    fill(library, log_book)
    assert sorted(map(str, values(library, marks, "name"))) == [
        "Beowulf", "Emma", "Middlemarch", "None", "Persuasion", "Ulysses",
    ]  # fmt: skip


ENDINGS: dict[str, Callable[[Any], object]] = {
    "COMMIT": lambda given: given.execute(text("COMMIT")),
    "ROLLBACK": lambda given: given.execute(text("-- all\nrollback")),
    "BEGIN": lambda given: given.execute(text("BEGIN")),
    "commit()": lambda given: given.connection().commit() if isinstance(given, Session) else given.commit(),
    "rollback()": lambda given: given.rollback(),
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("by", [Connection, Session])
def test_a_step_cannot_end_the_transaction(library: sa.Engine, ending: str, by: type) -> None:
    """It is refused before it is done, by plan as well: nothing is left that a plan or a failed run has written."""

    def mistake(given: object) -> None:
        """Not its own affair."""
        assert isinstance(given, Connection | Session)
        given.execute(insert(log).values(name="x"))
        ENDINGS[ending](given)

    mistake.__annotations__["given"] = by
    step = backfill.step()(mistake)
    told = rf"mistake: {re.escape(ending)} ends the batch's transaction"
    with Database.of(library) as database, pytest.raises(RowRejected, match=told):
        draft_plan(database, step, Settings())
    with pytest.raises(RowRejected, match=told):
        fill(library, step)
    assert "x" not in values(library, marks, "name")


def test_a_savepoint_may_be_rolled_back(library: sa.Engine) -> None:
    """A part of a step is the step's affair."""

    @backfill.step()
    def half(session: Session) -> None:
        """One of two."""
        session.execute(insert(log).values(name="kept"))
        with suppress(Rejected), session.begin_nested():
            session.execute(insert(log).values(name="dropped"))
            raise Rejected("changed its mind")

    fill(library, half)
    assert sorted(map(str, values(library, marks, "name"))) == ["None", "kept"]


def test_a_step_that_ends_the_transaction_by_the_driver(library: sa.Engine) -> None:
    """Its rows and the checkpoint are not one unit any more: told, and the step counts as not done."""

    @backfill.step()
    def commit(connection: Connection) -> None:
        """Behind SQLAlchemy's back."""
        connection.execute(insert(log).values(name="x"))
        connection.connection.driver_connection.cursor().execute("COMMIT")  # type: ignore[union-attr]

    with pytest.raises(ForeignCommit, match=r"^something inside the batch committed or rolled back"):
        fill(library, commit)


HIDDEN = {
    "sqlite": lambda given: given.connection.driver_connection.commit(),
    "postgresql": lambda given: given.connection.driver_connection.commit(),
    "mysql": lambda given: given.exec_driver_sql("ANALYZE TABLE marks"),
}


@pytest.mark.parametrize("by", [Connection, Session])
@pytest.mark.parametrize("fails", ["by itself", "by the database"])
def test_an_error_does_not_hide_who_ended_the_transaction(library: sa.Engine, by: type, fails: str) -> None:
    """Told instead of the error, and no other batch is tried: what was committed would be written again."""

    def mistake(row: Book, given: object) -> None:
        """Not seen by its first word."""
        assert isinstance(given, Connection | Session)
        given.execute(insert(log).values(name="x"))
        HIDDEN[library.dialect.name](given.connection() if isinstance(given, Session) else given)
        if fails == "by itself":
            raise Rejected("not this one")
        given.execute(text("INSERT INTO marks (id) SELECT id FROM marks"))

    mistake.__annotations__["given"] = by
    step = backfill.step("books")(mistake)
    with Database.of(library) as database, pytest.raises(ForeignCommit):
        draft_plan(database, step, Settings())
    assert values(library, marks, "name").count("x") == 1
    with Database.of(library) as database, pytest.raises(ForeignCommit):
        run(database, step, Settings(max_rejections="100%"))
    assert values(library, marks, "name").count("x") == 2


@pytest.mark.parametrize("hidden", ["COMMIT", "CREATE TABLE more (id INT)"])
def test_what_stands_behind_a_semicolon_is_seen(library: sa.Engine, hidden: str) -> None:
    """Some drivers send several statements at once; one in a literal is none."""
    shown = "a; COMMIT"

    @backfill.step()
    def mistake(connection: Connection) -> None:
        """Two in one."""
        connection.exec_driver_sql(f"INSERT INTO marks (name) VALUES ('{shown}')")
        connection.exec_driver_sql(f"SELECT 1; {hidden}")

    with pytest.raises(RowRejected, match=rf"mistake: {hidden.split(maxsplit=1)[0]} (ends|is for a revision)"):
        fill(library, mistake)
    assert shown not in values(library, marks, "name")


@pytest.mark.parametrize("by", [Connection, Session])
def test_a_step_begins_nothing(library: sa.Engine, by: type) -> None:
    """It stands in a transaction, and is told so."""

    def mistake(given: object) -> None:
        """As it is written elsewhere."""
        assert isinstance(given, Connection | Session)
        with given.begin():
            given.execute(insert(log).values(name="x"))

    mistake.__annotations__["given"] = by
    with pytest.raises(RowRejected, match=r"mistake: begin\(\) is not needed") as refused:
        fill(library, backfill.step()(mistake))
    assert "--max-rejections" not in sentence_of(refused.value)  # no row is at fault
    assert "x" not in values(library, marks, "name")


def test_a_block_is_one_statement(postgresql_url: sa.URL) -> None:
    """The END in it ends the block and no transaction."""
    engine = sa.create_engine(postgresql_url, poolclass=sa.NullPool)
    marks.metadata.create_all(engine)

    @backfill.step()
    def in_a_block(connection: Connection) -> None:
        """As an anonymous procedure."""
        connection.exec_driver_sql("DO $do$ BEGIN INSERT INTO marks (name) VALUES ('x'); END $do$")

    fill(engine, in_a_block)
    assert values(engine, marks, "name") == ["x"]


CLOSINGS: dict[str, Callable[[Session], object]] = {
    "close": lambda session: session.close(),
    "reset": lambda session: session.reset(),
    "with": lambda session: session.__exit__(None, None, None),
}


@pytest.mark.parametrize("closing", CLOSINGS)
def test_a_session_is_not_closed_on_what_it_wrote(library: sa.Engine, closing: str) -> None:
    """It would take it back without a word; behind commit() there is nothing to take back."""
    is_committed = False

    @backfill.step()
    def tidy(session: Session) -> None:
        """Tidies up behind itself."""
        session.execute(insert(log).values(name="x"))
        if is_committed:
            session.commit()
        CLOSINGS[closing](session)

    with pytest.raises(RowRejected, match=r"tidy: (close|reset)\(\), also at the end of `with session:`, takes back"):
        fill(library, tidy)
    is_committed = True
    fill(library, tidy)
    assert values(library, marks, "name").count("x") == 1


@pytest.mark.parametrize("call", ["begin", "commit", "rollback", "close"])
def test_a_connection_that_is_refused_an_end_stays_usable(library: sa.Engine, call: str) -> None:
    """So that the ledger says that the run failed, and why."""

    @backfill.step()
    def mistake(connection: Connection) -> None:
        """Ends what is not its own."""
        getattr(connection, call)()

    with pytest.raises(RowRejected):
        fill(library, mistake)
    with library.connect() as connection:
        (found,) = connection.execute(text("SELECT status, reason FROM backfill_run"))
    assert found.status == "failed"
    assert f"{call}() {'is not needed' if call == 'begin' else 'ends the batch'}" in found.reason


def test_a_step_returns_a_number(library: sa.Engine) -> None:
    """Or nothing."""

    @backfill.step()
    def say(connection: Connection) -> Any:
        """Something else."""
        return "three"

    with pytest.raises(RowRejected, match=r"the step returned str; it returns how many rows it wrote, or nothing"):
        fill(library, say)


DEFINITIONS = {
    "alter": "ALTER TABLE marks ADD COLUMN more INTEGER",
    "create": "CREATE TABLE more (id INTEGER)",
    "create or replace": "create or replace view more AS SELECT 1 AS one",
    "drop": "DROP TABLE stamps",
    "truncate": "TRUNCATE TABLE stamps",
}


@pytest.mark.parametrize("statement", DEFINITIONS.values(), ids=DEFINITIONS.keys())
@pytest.mark.parametrize("by", [Connection, Session])
def test_a_step_leaves_the_schema_alone(library: sa.Engine, statement: str, by: type) -> None:
    """On PostgreSQL too, where DDL could be taken back, a data step is no place for it; nothing is sent."""

    def mistake(given: object) -> None:
        """Mixes schema and data."""
        assert isinstance(given, Connection | Session)
        given.execute(insert(log).values(name="x"))
        given.execute(text(statement))

    mistake.__annotations__["given"] = by
    with pytest.raises(RowRejected, match=r"mistake: \w+ is for a revision of its own; a step changes rows"):
        fill(library, backfill.step()(mistake))
    assert "x" not in values(library, marks, "name")


def test_a_step_may_keep_a_table_to_itself(library: sa.Engine) -> None:
    """A temporary table is no part of the schema."""

    @backfill.step()
    def collect(connection: Connection) -> None:
        """By way of a temporary table."""
        connection.exec_driver_sql("CREATE TEMPORARY TABLE aside (name VARCHAR(20))")
        connection.exec_driver_sql("INSERT INTO aside VALUES ('DROP TABLE x')")
        connection.exec_driver_sql("INSERT INTO marks (name) SELECT name FROM aside")

    fill(library, collect)
    assert "DROP TABLE x" in values(library, marks, "name")


def test_a_plan_of_a_step_does_it_and_takes_it_back(library: sa.Engine) -> None:
    """How much it would write is known from that."""
    with Database.of(library) as database:
        plan = draft_plan(database, log_once, Settings())
    (shown,) = plan.tables
    assert shown.tally is not None
    assert (shown.tally.written, plan.repeatability.reason) == (1, "what a step does is known to its run alone")
    assert len(values(library, marks, "id")) == 1


def test_a_step_cannot_be_verified(library: sa.Engine) -> None:
    """Doing it again proves nothing."""
    fill(library, log_once)
    with Database.of(library) as database, pytest.raises(Refused) as refusal:
        verify(database, log_once)
    assert str(refusal.value) == (
        "log_once cannot be verified by computing again: what a step does is known to its run alone. "
        "What the ledger knows of it: backfill status log_once"
    )


def test_a_transform_sees_batches_before_but_not_its_own(library: sa.Engine) -> None:
    """Its connection reads in the batch's transaction, before anything of the batch is written."""
    seen: list[int] = []

    @backfill.transform("books")
    def count(book: Book, *, connection: Connection) -> backfill.Insert:
        """How many authors there are."""
        found = connection.execute(text("SELECT count(*) FROM authors")).scalar_one()
        seen.append(found)
        return backfill.Insert("authors", {"name": book.title})

    fill(library, count, rows=2)
    assert seen == [1, 1, 3, 3, 5]
    assert len(values(library, authors, "id")) == 6


WRITES = {
    "insert": "INSERT INTO marks (name) VALUES ('x')",
    "update": "UPDATE books SET note = 'x'",
    "delete": "delete from loans",
    "create": "CREATE TABLE more (id INTEGER)",
    "drop": "DROP TABLE stamps",
    "end": "COMMIT",
    "with a comment before": "/* SELECT */ DELETE FROM loans",
}


@pytest.mark.parametrize("statement", WRITES.values(), ids=WRITES.keys())
def test_a_transform_only_reads_through_its_connection(library: sa.Engine, statement: str) -> None:
    """Whatever would write is refused before it is sent."""

    @backfill.transform("books")
    def mistake(book: Book, *, connection: Connection) -> backfill.Insert | None:
        """Writes by itself."""
        connection.exec_driver_sql(statement)
        return None

    with pytest.raises(BackfillError) as failure:
        fill(library, mistake, rows=1)
    assert "a transform returns its changes; connection only reads." in str(failure.value)
    assert (len(values(library, marks, "id")), values(library, books, "note")) == (1, [None] * 5)


READS = {
    "select": "SELECT count(*) FROM books",
    "with": "WITH found AS (SELECT id FROM books) SELECT count(*) FROM found",
    "a word in a text": "SELECT count(*) FROM books WHERE title = 'DELETE FROM books'",
    "in parentheses": "(SELECT count(*) FROM books)",
    "a comment before": "/* how many */ SELECT count(*) FROM books",
    "a remark before": "-- how many\nSELECT count(*) FROM books",
}


@pytest.mark.parametrize("statement", READS.values(), ids=READS.keys())
def test_what_reads_is_let_through(library: sa.Engine, statement: str) -> None:
    """However it begins."""
    if statement.startswith("(") and library.dialect.name == "sqlite":
        pytest.skip("SQLite does not know it")

    @backfill.transform("books", where=column("id") == 1)
    def count(book: Book, *, connection: Connection) -> backfill.Insert:
        """How many books."""
        return backfill.Insert("marks", {"name": str(connection.exec_driver_sql(statement).scalar())})

    fill(library, count)
    assert len(values(library, marks, "name")) == 2


def test_look_ups_by_hand_join_tables(library: sa.Engine) -> None:
    """With SQLAlchemy's own expressions."""

    @backfill.transform("books")
    def cents(books: list[Key], *, connection: Connection) -> list[backfill.Insert | None]:
        """The sum of each book's loans."""
        wanted = loan.c.book_id.in_([book.id for book in books])
        sums = select(loan.c.book_id, func.sum(loan.c.cents)).where(wanted).group_by(loan.c.book_id)
        found = {row[0]: row[1] for row in connection.execute(sums)}
        return [backfill.Insert("marks", {"name": str(found[b.id])}) if b.id in found else None for b in books]

    fill(library, cents)
    assert sorted(map(str, values(library, marks, "name"))) == ["5", "50", "None"]
