"""Error paths of definitions, of the ledger and of the command: what a project or an operator can get wrong."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator

from tests.quiet.canaries import MARK
from tests.quiet.modules import at_fault, in_batches, in_sql, rowwise
from tests.quiet.stage import SERVERS, ErrorPath, Stage

FILLS = rowwise('return Nickname(nickname=f"u{person.id}")')
FILLS_EMPTY = rowwise('return Nickname(nickname=f"u{person.id}")', options=', where=is_missing("nickname")')
FAILS = rowwise(at_fault("raise ValueError(person.name)"), options=', where=is_missing("nickname")')

FAILS_ANYWHERE = rowwise(
    at_fault("raise ValueError(person.name)"),
    options=', where=is_missing("nickname")',
    extra="from backfill.running import pieces\npieces.FEWEST_BATCHES = 1",
)
RENAMES = in_sql('{"name": literal("nobody ") + cast(people.c.id, String)}')
OTHER_PERSON = (
    f"9, '{MARK}Name3', email, hostile, score, amount, born, seen, document, photo, nickname, small, birthday"
)

# ── what is asked of the rows ───────────────────────────────────────────────────────────────────────────────────────


def cast_for(verb: str, database: str, values: str, told: str) -> ErrorPath:
    """A comparison of rows that the database cannot make."""
    return ErrorPath(f"{verb}: a value that cannot be compared", told, in_sql(values), verb=verb, databases=[database])


ASKED = [
    ErrorPath("plan: a row at fault", "people row 4: ValueError", FAILS, verb="plan"),
    ErrorPath("verify: a row at fault", "people row 4: ValueError", FAILS, verb="verify"),
    ErrorPath(
        "verify: rows that differ", r"6 rows would still change, first: people 1, people 2", FILLS_EMPTY, verb="verify"
    ),
    ErrorPath("gate: rows that wait", "6 rows of people still wait for fill", FILLS_EMPTY, verb="gate"),
    ErrorPath("gate: a row at fault", "people row 4: ValueError", FAILS, verb="gate"),
    cast_for("plan", "postgresql", '{"small": cast(people.c.name, Integer)}', "22P02"),
    cast_for("verify", "postgresql", '{"small": cast(people.c.name, Integer)}', "22P02"),
    ErrorPath(
        "gate: a value that cannot be compared",
        "22P02",
        in_sql('{"small": cast(people.c.name, Integer)}', options=', where=is_missing("small")'),
        verb="gate",
        databases=["postgresql"],
    ),
    ErrorPath(
        "gate: a lock that stays", "stayed busy|still wait|55P03|1205", FILLS_EMPTY, verb="gate", databases=SERVERS
    ),
    ErrorPath(
        "a group that is too large",
        "has 6 rows; at most 3",
        in_batches(
            "return [None for _ in people]",
            options=", group_by=()",
            extra="from backfill.rows import cutter\ncutter.MOST_IN_GROUPS = 3",
        ),
    ),
    ErrorPath("a column that is not there", "has no such column", FILLS.replace("email: str", "emial: str")),
    ErrorPath("a table that is not there", "no-table", FILLS.replace('transform("people"', 'transform("poeple"')),
    ErrorPath("a type that does not fit", "writes-type", FILLS.replace("nickname: str | None", "nickname: list[str]")),
    ErrorPath(
        "a mistake in the module",
        "cannot be imported: transforms/fill.py, line .*: ValueError",
        FILLS + f"\nint('{MARK}Import')\n",
    ),
    ErrorPath("a mistake in the module about its types", "NameError", FILLS + "\nnowhere\n"),
    ErrorPath("no Python", "SyntaxError", FILLS + "\ndef (:\n"),
]

# ── the ledger ──────────────────────────────────────────────────────────────────────────────────────────────────────


def changed(stage: Stage) -> None:
    """The function changes after its first batches."""
    stage.command("run", "fill")
    (stage.workspace.folder / "transforms" / "fill.py").write_text(FILLS_EMPTY, encoding="utf-8")
    stage.command("run", "fill")
    stage.library("run", ())
    stage.sinks.catch_ledger(stage.engine)


def forged(statement: str) -> Callable[[Stage], None]:
    """Somebody writes into the ledger what does not belong there."""

    def act(stage: Stage) -> None:
        stage.command("run", "fill")
        stage.execute(statement)
        for words in (("run", "fill"), ("status",), ("status", "--json"), ("plan", "fill"), ("cancel", "fill")):
            stage.command(*words)
        stage.library("run", ())
        stage.revision("run", ())

    return act


def moved(*verbs: str) -> Callable[[Stage], None]:
    """An operator asks for moves that the run does not allow."""

    def act(stage: Stage) -> None:
        stage.command("run", "fill")
        for verb in verbs:
            stage.command(verb, "fill")
        stage.command("status", "--json")
        stage.sinks.catch_ledger(stage.engine)

    return act


def never_started(stage: Stage) -> None:
    """An operator asks for a run that nobody has started."""
    for verb in ("pause", "cancel", "undo", "forget"):
        stage.command(verb, "fill")


def undone(stage: Stage) -> None:
    """Rows are put back of which one was changed since, and another cannot be what it was any more."""
    stage.command("run", "fill", "--keep-undo")
    stage.execute(f"UPDATE people SET name = '{MARK}Edited' WHERE id = 2")
    stage.execute("CREATE UNIQUE INDEX lone_name ON people (name)")
    stage.execute(f"INSERT INTO people SELECT {OTHER_PERSON} FROM people WHERE id = 3")
    for words in (("undo", "fill"), ("status",), ("status", "fill", "--json"), ("undo", "fill"), ("forget", "fill")):
        stage.command(*words)
    stage.sinks.catch_ledger(stage.engine)


def rejected(stage: Stage) -> None:
    """Rows are kept out, listed, tried again and accepted."""
    stage.command("run", "fill", "--max-rejections", "3")
    for words in ((), ("--json",), ("retry",), ("accept",)):
        stage.command("rejections", "fill", *words)
        stage.command("run", "fill", "--max-rejections", "3")
    stage.command("status", "--json")
    stage.sinks.catch_ledger(stage.engine)


def together(stage: Stage) -> None:
    """Several processes walk the rows, and one of them meets the row at fault."""
    stage.command("run", "fill", "--workers", "2", "--batch-size", "1")
    stage.command("status", "--json")
    stage.sinks.catch_ledger(stage.engine)


LEDGER = [
    ErrorPath("a row at fault of one of several workers", "row 4: ValueError", FAILS_ANYWHERE, act=together),
    ErrorPath("undo of rows that others need", "4 rows put back; 2 rows stay as they are", RENAMES, act=undone),
    ErrorPath("rejected rows", "ValueError", FAILS, act=rejected),
    ErrorPath("a changed definition", "changed since its checkpoint", FAILS, act=changed, settings={"BATCH_SIZE": "2"}),
    ErrorPath(
        "a forged checkpoint",
        "the database refuses|unexpected|Error",
        FAILS,
        act=forged(f"UPDATE backfill_slice SET checkpoint = '[{MARK}'"),
    ),
    ErrorPath("a forged status", "Error", FAILS, act=forged(f"UPDATE backfill_run SET status = '{MARK}'")),
    ErrorPath(
        "a forged owner",
        "Error",
        FAILS,
        act=forged(f"UPDATE backfill_slice SET owner = '{MARK}', lease_until = '2000-01-01 00:00:00'"),
    ),
    ErrorPath(
        "a ledger of the future",
        "the ledger in this database has version 99",
        FAILS,
        act=forged("UPDATE backfill_version SET version = 99"),
    ),
    ErrorPath("a ledger without a column", "Error", FAILS, act=forged("ALTER TABLE backfill_run DROP COLUMN reason")),
    ErrorPath("moves that are not allowed", "cannot become", FAILS, act=moved("cancel", "pause", "cancel")),
    ErrorPath("undo without images", "Error", FAILS, act=moved("undo", "forget")),
    ErrorPath(
        "a run that nobody started",
        "has no run in this database",
        FAILS,
        act=never_started,
    ),
]

# ── the URL, the settings and env.py ────────────────────────────────────────────────────────────────────────────────

SECRET = f"{MARK}Secret"


def at(url: str) -> Callable[[Stage], None]:
    """Every command that opens a database, at a URL that is wrong."""

    def act(stage: Stage) -> None:
        with _environment(stage, BACKFILL_DATABASE_URL=url):
            for words in (("plan", "fill"), ("run", "fill"), ("status",), ("pause", "fill"), ("verify", "fill")):
                stage.command(*words)
        stage.command("status", "--database", url)

    return act


def with_file(name: str, text: str, **environment: str) -> Callable[[Stage], None]:
    """A file of the project that cannot be read, or an env.py that fails."""

    def act(stage: Stage) -> None:
        for file, content in {name: text, "migrations/script.py.mako": "", "migrations/versions/x": ""}.items():
            path = stage.workspace.folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        ini = stage.workspace.folder / "alembic.ini"
        if not ini.exists():
            ini.write_text("[alembic]\nscript_location = migrations\n", encoding="utf-8")
        with _environment(stage, **environment):
            for words in (("run", "fill"), ("status",), ("list",)):
                stage.command(*words)

    return act


@contextlib.contextmanager
def _environment(stage: Stage, **variables: str) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.pop("BACKFILL_DATABASE_URL", None)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


LONE = ["sqlite"]
"""They are alike on every database."""

URLS = {
    "no URL": f"{SECRET}",
    "a port that is none": f"postgresql+psycopg://u:{SECRET}@localhost:{SECRET}/db",
    "a driver that nobody knows": f"{SECRET}://u:{SECRET}@localhost/db",
    "a driver that is not installed": f"postgresql+pg8000://u:{SECRET}@localhost/db",
    "an asynchronous driver": f"postgresql+asyncpg://u:{SECRET}@localhost/db?password={SECRET}",
    "a host that is not there": f"postgresql+psycopg://u:{SECRET}@{MARK}.invalid/db?sslpassword={SECRET}&connect_timeout=2",
    "nobody at the port": f"postgresql+psycopg://u:{SECRET}@127.0.0.1:1/db?sslpassword={SECRET}&connect_timeout=2",
    "an option that nobody knows": f"postgresql+psycopg://u:{SECRET}@127.0.0.1:1/db?{SECRET}={SECRET}",
    "a socket that is not there": f"mysql+pymysql://u:{SECRET}@localhost/db?unix_socket=/nowhere/{SECRET}",
    "an option of the wrong type": f"mysql+pymysql://u:{SECRET}@localhost/db?charset={SECRET}",
    "no such file": f"sqlite:///{SECRET}.db?password={SECRET}",
    "an option that SQLite does not know": f"sqlite:///transforms/fill.py?unknown={SECRET}",
    "a file that is no database": "sqlite:///transforms/fill.py",
}

COMMANDS = [
    *(ErrorPath(name, "Error", FAILS, act=at(url), databases=LONE) for name, url in URLS.items()),
    ErrorPath(
        "a wrong password",
        "could not be reached",
        FAILS,
        databases=["mariadb"],
        act=lambda stage: at(stage.workspace.url.set(password=SECRET).render_as_string(hide_password=False))(stage),
    ),
    ErrorPath(
        "a pyproject.toml that cannot be read",
        "pyproject.toml cannot be read",
        FAILS,
        databases=LONE,
        act=with_file("pyproject.toml", f'[tool.backfill]\nurl = "{SECRET}\n'),
    ),
    ErrorPath(
        "a setting that has no meaning",
        "batch_size",
        FAILS,
        databases=LONE,
        act=with_file("pyproject.toml", f'[tool.backfill]\nbatch_size = "{SECRET}"\n'),
    ),
    ErrorPath(
        "a variable that has no meaning",
        "batch_size",
        FAILS,
        databases=LONE,
        act=with_file("x.txt", "", BACKFILL_BATCH_SIZE=SECRET),
    ),
    ErrorPath(
        "an alembic.ini without sections",
        "alembic.ini cannot be read",
        FAILS,
        databases=LONE,
        act=with_file("alembic.ini", f"sqlalchemy.url = postgresql://u:{SECRET}@localhost/db\n"),
    ),
    ErrorPath(
        "an alembic.ini with a line that says nothing",
        "alembic.ini cannot be read",
        FAILS,
        databases=LONE,
        act=with_file("alembic.ini", f"[alembic]\nscript_location = migrations\n{SECRET}\n"),
    ),
    ErrorPath(
        "an alembic.ini with a percent sign",
        "env.py cannot be run",
        FAILS,
        databases=LONE,
        act=with_file(
            "migrations/env.py",
            "from alembic import context\ncontext.config.set_main_option('sqlalchemy.url', "
            f"'postgresql://u:%{SECRET}@localhost/db')\ncontext.config.get_main_option('sqlalchemy.url')\n",
        ),
    ),
    *(
        ErrorPath(
            f"an env.py with {kind}",
            "env.py cannot be run|no URL of a database|cannot be run",
            FAILS,
            databases=LONE,
            act=with_file("migrations/env.py", f"SECRET = 'postgresql://u:{SECRET}@localhost/db'\n{statement}\n"),
        )
        for kind, statement in {
            "a value error": "raise ValueError(SECRET)",
            "a type error": "raise TypeError(SECRET)",
            "an import error": "raise ImportError(SECRET)",
            "an attribute error": "getattr(object(), SECRET)",
            "a key error": "{}[SECRET]",
            "a broken URL": "import sqlalchemy; sqlalchemy.create_engine(SECRET.replace('://', ':'))",
        }.items()
    ),
]

PROJECTS = [*ASKED, *LEDGER, *COMMANDS]
