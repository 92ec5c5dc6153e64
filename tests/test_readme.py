"""The README is executed: what it shows runs, what it names exists, what it quotes is said."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import sqlalchemy as sa

from backfill.cli import cli
from backfill.settings import Settings
from backfill.status import Status
from backfill.testing.proofs import LAWS
from tests.workspace import SLOWLY, Workspace

PROJECT = Path(__file__).parent.parent
README = (PROJECT / "README.md").read_text(encoding="utf-8")
TROUBLES = (PROJECT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
PROSE = re.sub(r"\s+", " ", README)


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def block(language: str, words: str) -> str:
    """The one block that holds these words."""
    (found,) = [text for text in blocks(language) if words in text]
    return found


def section(title: str) -> str:
    """A chapter, down to the next one."""
    return README.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


# ── what it shows runs ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def people(workspace: Workspace) -> Workspace:
    """Give a project with the tables that the README speaks of."""
    workspace.run("init")
    metadata = sa.MetaData()
    for name in ("users", "admins"):
        sa.Table(
            name,
            metadata,
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("email", sa.String(50)),
            *(sa.Column(column, sa.String(50)) for column in ("email_lower", "first_name", "last_name", "nickname")),
            sa.Column("full_name", sa.String(50), nullable=False),
            sa.Column("skills", sa.JSON(none_as_null=True)),
        )
    metadata.create_all(workspace.engine)
    with workspace.engine.begin() as connection:
        for table in metadata.sorted_tables:
            connection.execute(table.insert(), [{"email": f"A{n}@B.org", "full_name": "Ada King"} for n in range(9)])
    return workspace


def fill(people: Workspace, name: str) -> None:
    """Plan a transform, run it, and see that a second pass would change nothing."""
    for command in ("plan", "run", "verify"):
        result = people.run(command, name)
        assert result.exit_code == 0, result.output


def column(people: Workspace, table: str, *names: str) -> set[tuple[object, ...]]:
    """The different values of columns."""
    with people.engine.connect() as connection:
        return {tuple(row) for row in connection.exec_driver_sql(f"SELECT {', '.join(names)} FROM {table}")}


def test_the_first_transform_runs(people: Workspace) -> None:
    """The one at the top of the page, as it stands."""
    people.write("transforms/split_full_name.py", block("python", "# transforms/split_full_name.py"))
    fill(people, "split_full_name")
    assert column(people, "users", "first_name", "last_name") == {("Ada", "King")}


def test_the_transform_in_sql_runs(people: Workspace) -> None:
    """Over both of its tables."""
    people.write("transforms/lower_email.py", block("python", "def lower_email"))
    fill(people, "lower_email")
    for table in ("users", "admins"):
        assert column(people, table, "email_lower") == {(f"a{n}@b.org",) for n in range(9)}


SHOP = {
    "customers": "id INTEGER PRIMARY KEY, city VARCHAR(20) NOT NULL, city_id INTEGER, is_regular BOOLEAN",
    "cities": "id {serial}, name VARCHAR(20) UNIQUE",
    "orders": "id INTEGER PRIMARY KEY, customer_id INTEGER, cents INTEGER",
    "carts": "id INTEGER PRIMARY KEY, is_empty BOOLEAN",
    "logins": "id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, at INTEGER NOT NULL",
    "seen": "customer_id INTEGER PRIMARY KEY",
    "plans": "name VARCHAR(20) PRIMARY KEY",
}
SERIAL = {"sqlite": "INTEGER PRIMARY KEY", "postgresql": "SERIAL PRIMARY KEY"}
STOCK = (
    "INSERT INTO customers (id, city) VALUES (1, 'Rome'), (2, 'Oslo'), (3, 'Rome')",
    "INSERT INTO orders VALUES (1, 1, 500), (2, 2, 0)",
    "INSERT INTO carts VALUES (1, true), (2, false), (3, true)",
    "INSERT INTO logins VALUES (1, 1, 10), (2, 1, 30), (3, 2, 20), (4, 1, 20)",
)


@pytest.fixture
def shop(workspace: Workspace) -> Workspace:
    """Give a project with the shop's tables."""
    workspace.run("init")
    serial = SERIAL.get(workspace.engine.dialect.name, "INTEGER PRIMARY KEY AUTO_INCREMENT")
    with workspace.engine.begin() as connection:
        for name, columns in SHOP.items():
            connection.exec_driver_sql(f"CREATE TABLE {name} ({columns.format(serial=serial)})")
        for statement in STOCK:
            connection.exec_driver_sql(statement)
    return workspace


def test_every_rung_of_the_ladder_runs(shop: Workspace) -> None:
    """As they stand, in batches of one."""
    names = re.findall(r"^def (\w+)", block("python", "def keep_the_latest"), re.MULTILINE)
    assert len(names) == 5
    for name in names:
        shop.write(f"transforms/{name}.py", block("python", "def keep_the_latest"))
        for command in (["plan", name], ["run", name, "--batch-size", "1"]):
            result = shop.run(*command)
            assert result.exit_code == 0, result.output + result.stderr
    places = "customers JOIN cities ON customers.city_id = cities.id"
    assert column(shop, places, "customers.id", "name", "is_regular") == {
        (1, "Rome", 1),
        (2, "Oslo", 0),
        (3, "Rome", 0),
    }
    assert column(shop, "cities", "count(*)") == {(2,)}
    assert column(shop, "carts", "id") == {(2,)}
    assert column(shop, "logins", "id") == {(2,), (3,)}
    assert column(shop, "seen", "customer_id") == {(1,), (2,)}
    assert column(shop, "plans", "name") == {("free",), ("team",)}
    assert column(shop, "orders", "id") == {(1,)}


def test_the_json_runs(people: Workspace) -> None:
    """Constants without any Python."""
    (text,) = blocks("json")
    people.write("transforms/default_skills.json", text)
    fill(people, "default_skills")
    with people.engine.connect() as connection:
        values = list(connection.scalars(sa.select(sa.column("skills", sa.JSON)).select_from(sa.table("users"))))
    assert values == [json.loads(text)["set"]["skills"]] * 9


def test_the_unit_test_passes(sqlite_workspace: Workspace) -> None:
    """With every law, on throw-away tables, and it fails when the answer is another."""
    sqlite_workspace.write("transforms/__init__.py", "")
    sqlite_workspace.write("transforms/split_full_name.py", block("python", "# transforms/split_full_name.py"))
    sqlite_workspace.write("test_names.py", block("python", "def test_"))
    told = run_pytest(sqlite_workspace, "test_names.py")
    assert f"{len(LAWS)} passed, 1 skipped" in told
    wrong = block("python", "def test_").replace('last_name="King"', 'last_name="Kong"')
    sqlite_workspace.write("test_names.py", wrong)
    assert "1 failed" in run_pytest(sqlite_workspace, "test_names.py", "-k", "first_space")


def run_pytest(workspace: Workspace, *arguments: str) -> str:
    """Run the tests of a project with the plugin, whether it is installed or not; gives the last line."""
    plugin = ("-p", "no:backfill", "-p", "backfill.testing.plugin")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin, *arguments]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(PROJECT), str(workspace.folder)])}
    ended = subprocess.run(command, cwd=workspace.folder, env=environment, capture_output=True, text=True, check=False)
    return ended.stdout.splitlines()[-1]


def test_five_minutes(people: Workspace) -> None:
    """Its commands, one after the other."""
    lines = re.findall(r"^backfill (.*?)(?: {2,}#.*)?$", section("Five minutes"), re.MULTILINE)
    assert [line.split()[0] for line in lines] == ["init", "new", "plan", "run", "status"]
    for line in lines:
        result = people.run(*line.split())
        assert result.exit_code == 0, result.output
    assert column(people, "users", "nickname") == {(str(n),) for n in range(1, 10)}


def statements(text: str) -> set[str]:
    """Every statement inside the functions of a module, whatever its layout."""
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    return {ast.unparse(node) for function in functions for node in function.body}


def test_the_good_revisions_are_those_of_the_example() -> None:
    """Each statement that the README recommends stands in migrations/versions, and the bad one does not."""
    examples = [path.read_text(encoding="utf-8") for path in (PROJECT / "migrations" / "versions").glob("*.py")]
    real = set().union(*map(statements, examples))
    good, bad = statements(block("python", "# 0003: expand")), statements(block("python", "op.execute("))
    assert len(good) >= 5
    assert good - real == set()
    assert not any("op.execute(users.update()" in statement for statement in real)
    assert any("op.execute(users.update()" in statement for statement in bad)


# ── what it names exists ────────────────────────────────────────────────────────────────────────────────────────────


def mentioned() -> Iterator[list[str]]:
    """Every `backfill …` in code, as words."""
    spans = re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```$", "", README, flags=re.DOTALL | re.MULTILINE))
    lines = [line for text in blocks("sh") for line in text.splitlines()]
    for text in [*spans, *lines]:
        if match := re.match(r"(?:.*/)?(?:flask )?backfill +(\w.*)", re.sub(r"\s+", " ", text.partition(" #")[0])):
            yield match[1].split()


def options_of(command: click.Command) -> set[str]:
    """The options that a command takes."""
    return {option for parameter in command.params for option in parameter.opts if option.startswith("-")}


def test_every_command_that_is_named_exists() -> None:
    """With the options that are named beside it."""
    found = [words for words in mentioned() if words[0] != "…"]
    assert len(found) > 15
    for name, *words in found:
        assert name in cli.commands, name
        assert {word.strip("[]") for word in words if word.startswith(("-", "[-"))} <= options_of(cli.commands[name])


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_command_is_documented(name: str) -> None:
    """In the table of commands."""
    assert re.search(rf"^\| `backfill {name}\b", section("Commands"), re.MULTILINE)


def test_every_option_that_stands_alone_exists() -> None:
    """`--accept-change`, `--bind NAME` and the like belong to some command, or to Alembic."""
    every = set().union(*map(options_of, cli.commands.values()))
    alone = set(re.findall(r"`(--[a-z-]+)", README))
    assert len(alone) > 3
    assert alone <= every


def test_every_setting_is_documented() -> None:
    """With the default that it has."""
    told: dict[str, str] = {}
    for names, defaults in re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| ([^|]+) \|", section("Commands"), re.MULTILINE):
        values = [value.strip(" `") for value in defaults.split(",")]
        told |= dict(zip(re.findall(r"\w+", names), values, strict=True))
    assert told == {
        name: f"{field.default:g}" if isinstance(field.default, int | float) else field.default or "none"
        for name, field in Settings.model_fields.items()
    }


def test_the_statuses_are_those_there_are() -> None:
    """All of them, in their order."""
    (listed,) = re.findall(r"A status is (.*?)\.", PROSE)
    assert re.findall(r"`(\w+)`", listed) == list(Status)


def test_the_keys_of_the_json_are_those_there_are(people: Workspace) -> None:
    """All of them, in their order."""
    (listed,) = re.findall(r"is a list of objects with (.*?)\. A status", PROSE)
    people.run("new", "fill_nickname", "--table", "users", "--column", "nickname")
    people.run("run", "fill_nickname")
    (run,) = json.loads(people.run("status", "--json").stdout)
    assert re.findall(r"`(\w+)`", listed) == list(run)


def test_the_exit_codes_are_those_of_the_module() -> None:
    """The same words in both places."""
    import backfill.command.exits  # noqa: PLC0415

    (listed,) = re.findall(r"Exit codes: (.*?)\. `", PROSE)
    readme = dict(re.findall(r"(\d) (\w+)", listed))
    assert readme == dict(re.findall(r"(\d)  (\w+)", backfill.command.exits.__doc__ or ""))
    assert set(readme) == set("0123")


def test_the_two_set_up_commands_are_there() -> None:
    """Literally: they are what a newcomer types, and what CI runs."""
    assert "python3 -m venv .venv && .venv/bin/pip install -q -e . && .venv/bin/backfill demo\n" in README
    assert 'python3 -m venv .venv && .venv/bin/pip install -q -e ".[test]" && .venv/bin/pytest\n' in README


def test_it_can_be_read_in_one_sitting() -> None:
    """Fewer than 400 lines, and but for tables none of them too wide."""
    lines = README.splitlines()
    assert len(lines) < 400
    assert [line for line in lines if len(line) > 120 and not line.startswith("|")] == []


def test_its_links_lead_somewhere() -> None:
    """Files of the repository, at least."""
    targets = [target for target in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in target]
    assert len(targets) >= 4
    assert [target for target in targets if not (PROJECT / target).exists()] == []


# ── what it quotes is said ──────────────────────────────────────────────────────────────────────────────────────────


def quoted(words: str) -> None:
    """See that the documentation speaks of this message."""
    assert words in re.sub(r"\s+", " ", TROUBLES), words


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Give a copy of the worked example."""
    for name in ("migrations", "transforms"):
        shutil.copytree(PROJECT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    return tmp_path


def alembic(checkout: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run Alembic in the example."""
    return subprocess.run(
        [sys.executable, "-m", "alembic", *arguments],
        cwd=checkout,
        env={"DATABASE_URL": "sqlite:///example.db"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_gate_and_the_revision_after_it(checkout: Path) -> None:
    """The gate is closed as quoted; Alembic then wants the database up to date; the script holds both."""
    deferring = next(line for line in block("sh", "-x backfill=defer").splitlines() if "-x" in line)
    alembic(checkout, "upgrade", "0002")
    engine = sa.create_engine(f"sqlite:///{checkout}/example.db")
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO users (email, full_name) VALUES ('a', 'A B'), ('b', 'B C')")
    engine.dispose()
    gate = alembic(checkout, *deferring.partition(" #")[0].split()[1:])
    assert gate.returncode != 0
    assert re.search(r"2 rows of users still wait for default_skills \(.*\), so the schema must wait too", gate.stderr)
    quoted("… rows of users still wait for default_skills (…), so the schema must wait too")
    revision = alembic(checkout, "revision", "--autogenerate", "-m", "next")
    assert "Target database is not up to date" in revision.stderr + revision.stdout
    quoted("Target database is not up to date")
    script = alembic(checkout, "upgrade", "head", "--sql")
    assert "-- DATA STEP: stop here and run:  backfill run default_skills" in script.stdout


def test_a_changed_definition(workspace: Workspace) -> None:
    """The two options that it recommends are those that the message names, and both work."""
    workspace.add_users(9)
    for option in ("--accept-change", "--from-start"):
        workspace.write_fill(body='if user.id > 4: raise Rejected("no")\n        return Written(nickname="")')
        workspace.run("run", "fill_nickname", "--from-start", "--batch-size", "4")
        workspace.write_fill()
        refused = workspace.run("run", "fill_nickname")
        assert "fill_nickname changed since its checkpoint" in refused.stderr
        assert option in refused.stderr
        assert workspace.run("run", "fill_nickname", option).exit_code == 0
        workspace.execute("UPDATE users SET nickname = NULL")
        quoted(option)
    quoted("default_skills changed since its checkpoint")


def test_a_run_that_is_at_work(server_workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second one says who is at it, and leaves it alone."""
    workspace = server_workspace
    monkeypatch.setenv("BACKFILL_MAX_BATCH_SIZE", "20")
    workspace.add_users(1000)
    workspace.write_fill(body=SLOWLY)
    with workspace.start("run", "fill_nickname") as process:
        workspace.wait_for_progress()
        second = workspace.run("run", "fill_nickname")
        _, errors = process.communicate(timeout=30)
    assert second.exit_code == 2
    assert re.search(rf"is being run by process {process.pid} on \S+: see backfill status fill_nickname", second.stderr)
    assert process.returncode == 0, errors
    quoted("is being run by process 4711 on web-1")


def test_a_database_that_stays_busy(sqlite_workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run is paused, and the same command goes on when the lock is gone."""
    monkeypatch.setenv("BACKFILL_LOCK_SECONDS", "0.05")
    monkeypatch.setenv("BACKFILL_ATTEMPTS", "2")
    monkeypatch.setenv("BACKFILL_MAX_BATCH_SIZE", "3")
    sqlite_workspace.add_users(9)
    sqlite_workspace.write_fill(body='raise Rejected("no")')
    sqlite_workspace.run("run", "fill_nickname")
    sqlite_workspace.write_fill()
    with sqlite_workspace.engine.connect() as writer:
        writer.exec_driver_sql("BEGIN IMMEDIATE")
        stopped = sqlite_workspace.run("run", "fill_nickname", "--accept-change")
    assert stopped.exit_code == 3
    assert "the database stayed busy through every attempt" in stopped.stderr
    assert sqlite_workspace.run("run", "fill_nickname", "--accept-change").exit_code == 0
    quoted("the database stayed busy through every attempt")
    quoted("lock_seconds")


def test_a_trigger(sqlite_workspace: Workspace) -> None:
    """It is refused as quoted, and runs with the option that is recommended."""
    sqlite_workspace.add_users(3)
    sqlite_workspace.write_fill()
    sqlite_workspace.execute(
        "CREATE TRIGGER watch AFTER UPDATE ON users BEGIN UPDATE users SET score = 2 WHERE id = new.id; END"
    )
    refused = sqlite_workspace.run("run", "fill_nickname")
    assert refused.exit_code == 2
    assert re.search(r"cannot run, and nothing was written:\s+\[trigger\]", refused.stderr)
    assert sqlite_workspace.run("run", "fill_nickname", "--accept", "trigger").exit_code == 0
    quoted("cannot run, and nothing was written: [trigger]")
    quoted("--accept trigger")


@pytest.mark.parametrize(
    ("module", "words"),
    [("alembic.py", "env.py owns the transaction"), ("command/databases.py", "the database could not be reached")],
)
def test_other_messages_are_in_the_code(module: str, words: str) -> None:
    """Other tests trigger them; here only the wording is compared."""
    quoted(words)
    assert words in (PROJECT / "backfill" / module).read_text(encoding="utf-8")
