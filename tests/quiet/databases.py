"""Error paths in which the database says no, in its own words, which hold the values of the row."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import sqlalchemy as sa

from tests.quiet.canaries import MARK
from tests.quiet.modules import at_fault, in_sql, rowwise, with_changes
from tests.quiet.stage import SERVERS, ErrorPath, Stage

REFUSED = "row 4: the database refuses what is written for it"
OWN_NAME = "return Nickname(nickname=person.name)"
SMALL = {"writes": "Small"}

# ── values ──────────────────────────────────────────────────────────────────────────────────────────────────────────

TWICE = at_fault("return Nickname(nickname='kanarieTaken')")
UNIQUE = [
    "CREATE UNIQUE INDEX one_nickname ON people (nickname)",
    "UPDATE people SET nickname = 'kanarieTaken' WHERE id = 6",
]
CHECKED = """CREATE TABLE checked (id INTEGER PRIMARY KEY, name VARCHAR(200) NOT NULL,
    CONSTRAINT no_canary CHECK (name NOT LIKE 'kanarie%'))"""
REFERRING = """CREATE TABLE referring (id INTEGER PRIMARY KEY, name VARCHAR(190),
    CONSTRAINT to_owner FOREIGN KEY (name) REFERENCES owners (name))"""
OWNERS = "CREATE TABLE owners (name VARCHAR(190) PRIMARY KEY)"

VALUES = [
    ErrorPath("a unique index", f"{REFUSED} .*(one_nickname|people.nickname)", rowwise(TWICE), schema=UNIQUE),
    ErrorPath(
        "too long for its column",
        "too long|1406",
        rowwise(at_fault("return Nickname(nickname=person.name * 20)")),
        databases=SERVERS,
    ),
    ErrorPath(
        "out of its column's range",
        "out of its column's range|1264|OverflowError",
        rowwise("return Small(small=person.score * 10 ** 16)", **SMALL),
    ),
    ErrorPath(
        "a check",
        "no_canary|4025",
        with_changes('return [Insert("checked", {"id": person.id, "name": person.name})]'),
        schema=[CHECKED],
    ),
    ErrorPath(
        "a NULL",
        "checked|name|1048",
        with_changes('return [Insert("checked", {"id": person.id, "name": None})]'),
        schema=[CHECKED],
    ),
    ErrorPath(
        "a foreign key",
        "to_owner|1452",
        with_changes('return [Insert("referring", {"id": person.id, "name": person.name})]'),
        schema=[OWNERS, REFERRING],
        databases=SERVERS,
    ),
    ErrorPath(
        "a NUL character",
        "the database refuses",
        rowwise(at_fault("return Nickname(nickname=person.name + chr(0))")),
        databases=["postgresql"],
    ),
    ErrorPath(
        "half a character",
        "the database refuses",
        rowwise(at_fault("return Nickname(nickname=person.name + chr(0xd800))")),
    ),
    ErrorPath(
        "a number of a thousand digits",
        "the database refuses|OverflowError",
        rowwise(at_fault("return Small(small=person.score ** 999)", "return None"), **SMALL),
    ),
    ErrorPath(
        "a text that is no number", "22P02|1292", in_sql('{"small": cast(people.c.name, Integer)}'), databases=SERVERS
    ),
    ErrorPath(
        "a text that is no number, with the word column",
        "22P02|1292",
        in_sql('{"small": cast(people.c.hostile, Integer)}'),
        databases=SERVERS,
    ),
    ErrorPath(
        "a text that is no date",
        "22007|1292",
        in_sql('{"birthday": cast(people.c.name, Date)}'),
        databases=["postgresql"],
    ),
    ErrorPath(
        "a text in a column of dates", "1292|22007", in_sql('{"birthday": people.c.name}'), databases=["mariadb"]
    ),
    ErrorPath(
        "a division by nothing", "22012|1365", in_sql('{"small": people.c.id / (people.c.id - 4)}'), databases=SERVERS
    ),
    ErrorPath(
        "too long in SQL",
        "22001|1406",
        in_sql('{"nickname": people.c.hostile + people.c.hostile}'),
        databases=["postgresql"],
    ),
    ErrorPath(
        "a subquery of several rows",
        "21000|1242|completed",
        in_sql(
            '{"nickname": select(other.c.name).where(other.c.id != people.c.id).scalar_subquery()}',
            extra='other = table("people", column("id"), column("name")).alias("other")',
        ),
        databases=SERVERS,
    ),
    ErrorPath(
        "a text in a column of dates that is read",
        "the database refuses a row|ValueError",
        rowwise("return None", extra="class Born(BaseModel):\n    id: int\n    born: date | None", reads="Born"),
        schema=["UPDATE people SET born = 'kanarieBorn' WHERE id = 4"],
        databases=["sqlite"],
    ),
    ErrorPath(
        "a broken document that is read",
        "the database refuses a row|JSONDecodeError",
        rowwise("return None"),
        schema=["UPDATE people SET document = '{kanarie' WHERE id = 4"],
        databases=["sqlite"],
    ),
    ErrorPath(
        "bytes that are no text",
        "the database refuses",
        rowwise("return None"),
        schema=["UPDATE people SET name = CAST(x'ff6b616e61726965' AS TEXT) WHERE id = 4"],
        databases=["sqlite"],
    ),
    ErrorPath(
        "a text in a column of decimals",
        "the database refuses a row|InvalidOperation|completed",
        rowwise("return None", extra="class Paid(BaseModel):\n    id: int\n    amount: Decimal", reads="Paid"),
        schema=["UPDATE people SET amount = 'kanarieAmount' WHERE id = 4"],
        databases=["sqlite"],
    ),
    ErrorPath(
        "a key of text",
        "mails row #[0-9a-f]{12}: ValueError at",
        rowwise("raise ValueError(person.name)", extra="class Mail(BaseModel):\n    name: str", reads="Mail").replace(
            'transform("people"', 'transform("mails"'
        ),
        schema=[
            "CREATE TABLE mails (address VARCHAR(100) PRIMARY KEY, name VARCHAR(200) NOT NULL, nickname VARCHAR(60))",
            f"INSERT INTO mails VALUES ('{MARK}@example.org', '{MARK}', NULL)",
        ],
    ),
    ErrorPath(
        "a key of two columns",
        "mails row 7, #[0-9a-f]{12}: ValueError at",
        rowwise("raise ValueError(person.name)", extra="class Mail(BaseModel):\n    name: str", reads="Mail").replace(
            'transform("people"', 'transform("mails"'
        ),
        schema=[
            "CREATE TABLE mails (n INTEGER, address VARCHAR(100), name VARCHAR(200) NOT NULL, nickname VARCHAR(60), "
            "PRIMARY KEY (n, address))",
            f"INSERT INTO mails VALUES (7, '{MARK}@example.org', '{MARK}', NULL)",
        ],
    ),
]

# ── the database's own codes, with a value in every message ─────────────────────────────────────────────────────────

_RAISES = """CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF OLD.id = 4 THEN RAISE EXCEPTION USING ERRCODE = '{code}', MESSAGE = OLD.hostile || ' column ' || OLD.name,
        DETAIL = OLD.email, HINT = OLD.name, COLUMN = OLD.name, CONSTRAINT = OLD.name, TABLE = OLD.name; END IF;
    RETURN NEW; END $$"""
_SIGNALS = """CREATE TRIGGER refuse BEFORE UPDATE ON people FOR EACH ROW IF OLD.id = 4 THEN
    SET @told = concat('for column ', OLD.name); SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = {code}, MESSAGE_TEXT = @told;
    END IF"""
_ABORTS = """CREATE TRIGGER refuse BEFORE UPDATE ON people WHEN OLD.id = 4
    BEGIN SELECT RAISE(ABORT, 'UNIQUE constraint failed: kanarieRaised kanarie'); END"""


def coded(postgresql: str, mariadb: int | None, meaning: str, told: str) -> list[ErrorPath]:
    """A trigger that refuses row 4 by the code of another error, on each server; its message holds the row's values."""
    raising = [
        _RAISES.format(code=postgresql),
        "CREATE TRIGGER refuse BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION refuse()",
    ]
    schemas: dict[str, Sequence[str]] = {"postgresql": raising}
    if mariadb:
        schemas["mariadb"] = [_SIGNALS.format(code=mariadb)]
    module = rowwise('return Nickname(nickname=f"u{person.id}")')
    return [ErrorPath(meaning, told, module, schema=schemas, databases=tuple(schemas), accept=["trigger"])]


CODES = [
    *coded("40P01", 1213, "a deadlock", "stayed busy through every attempt"),
    *coded("40001", 1020, "a serialization failure", "stayed busy through every attempt"),
    *coded("55P03", 1205, "a lock that is not given", "stayed busy through every attempt"),
    *coded("57014", 1969, "a statement that takes too long", "longer than the statement limit"),
    *coded("25006", 1290, "a server that is read-only", "cannot be written now"),
    *coded("53100", 1021, "a full disk", "cannot be written now"),
    *coded("42501", 1142, "a right that is missing", "the database refuses the batch"),
    *coded("42703", 1054, "a column that is gone", "a table or column is not there"),
    *coded("42601", 1064, "a mistake in SQL", "the database refuses the batch"),
    *coded("23505", 1062, "a duplicate", REFUSED),
    *coded("23514", 4025, "a check that fails", REFUSED),
    *coded("23502", 1048, "a NULL that is refused", REFUSED),
    *coded("22P02", 1366, "a value that is refused", REFUSED),
    *coded("22001", 1406, "a length that is refused", REFUSED),
    *coded("P0001", 1644, "an error of the team's own", "the database refuses the batch"),
    *coded("XX000", 1105, "an error that nobody knows", "the database refuses the batch"),
    *coded("57P01", 1053, "a server that shuts down", "the connection to the database is gone"),
    ErrorPath(
        "a trigger that aborts",
        "SQLITE_CONSTRAINT_TRIGGER",
        rowwise("return Nickname(nickname='u')"),
        schema=[_ABORTS],
        databases=["sqlite"],
        accept=["trigger"],
    ),
]

# ── what others do meanwhile ────────────────────────────────────────────────────────────────────────────────────────

LOCKING = {"sqlite": "UPDATE people SET small = 1", "postgresql": "UPDATE people SET small = 1 WHERE id = 4"}


@contextlib.contextmanager
def locked(stage: Stage) -> Iterator[None]:
    """Somebody changes a row, and takes long to say whether it stays so."""
    with stage.engine.connect() as connection:
        connection.exec_driver_sql(LOCKING.get(stage.dialect, LOCKING["postgresql"]))
        yield
        connection.rollback()


def full(stage: Stage) -> AbstractContextManager[None]:
    """There is no room left in the file, but for a few pages."""
    return _connecting(
        lambda cursor: f"PRAGMA max_page_count = {cursor.execute('PRAGMA page_count').fetchone()[0] + 16}"
    )


def read_only(stage: Stage) -> AbstractContextManager[None]:
    """The file may not be written."""
    return _connecting(lambda _: "PRAGMA query_only = 1")


@contextlib.contextmanager
def _connecting(pragma: Callable[[Any], str]) -> Iterator[None]:
    """Every new connection to SQLite begins with a PRAGMA."""

    def begin(connection: Any, _: object) -> None:
        connection.execute(pragma(connection))

    sa.event.listen(sa.Engine, "connect", begin)
    try:
        yield
    finally:
        sa.event.remove(sa.Engine, "connect", begin)


@contextlib.contextmanager
def severing(stage: Stage) -> Iterator[None]:
    """The server ends every session of the run again and again."""
    over = threading.Event()

    def sever() -> None:
        with stage.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            while not over.wait(0.02):
                for session in connection.exec_driver_sql(_SESSIONS[stage.dialect]).scalars().all():
                    with contextlib.suppress(sa.exc.DBAPIError):
                        connection.exec_driver_sql(_KILLS[stage.dialect].format(session))

    thread = threading.Thread(target=sever)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


_SESSIONS = {
    "postgresql": "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    "mariadb": "SELECT id FROM information_schema.processlist WHERE db = database() AND id <> connection_id()",
}
_KILLS = {"postgresql": "SELECT pg_terminate_backend({})", "mariadb": "KILL {}"}
SLOWLY = rowwise("__import__('time').sleep(0.05)\nreturn Nickname(nickname=f'u{person.id}')")

MEANWHILE = [
    ErrorPath(
        "a lock that stays", "stayed busy through every attempt|ledger stayed locked", rowwise(OWN_NAME), during=locked
    ),
    ErrorPath(
        "no room in the file",
        "read-only, full or out of memory|SQLITE_FULL",
        rowwise("return Nickname(nickname=person.hostile * 20_000)"),
        during=full,
        databases=["sqlite"],
    ),
    ErrorPath(
        "a file that may not be written",
        "cannot be written|SQLITE_READONLY|read-only",
        rowwise(OWN_NAME),
        during=read_only,
        databases=["sqlite"],
    ),
    ErrorPath(
        "a statement that runs too long",
        "longer than the statement limit",
        in_sql('{"nickname": case((func.length(cast(func.pg_sleep(2), String)) > 9, "a"), else_=people.c.name)}'),
        settings={"STATEMENT_SECONDS": "0.2"},
        databases=["postgresql"],
    ),
    ErrorPath(
        "a statement that sleeps too long",
        "longer than the statement limit",
        in_sql('{"nickname": case((func.sleep(2) > 9, "a"), else_=people.c.name)}'),
        settings={"STATEMENT_SECONDS": "0.2"},
        databases=["mariadb"],
    ),
    ErrorPath(
        "sessions that are ended",
        "the connection to the database is gone|could not be reached",
        SLOWLY,
        during=severing,
        databases=SERVERS,
    ),
]

DATABASES = [*VALUES, *CODES, *MEANWHILE]
