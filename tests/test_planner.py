"""What a run would do, by doing its first batch and taking it back."""

from typing import Any

import pytest

from backfill.command.pages import plan_page
from backfill.errors import ChecksFailed, RowRejected
from backfill.planner import SAMPLES, Plan, draft_plan
from backfill.settings import Settings
from tests.workspace import Workspace

EXPRESSION = '''
    from typing import Any

    from sqlalchemy import func

    import backfill
    from backfill import Rows, is_missing


    @backfill.transform("users", where={where})
    def fill_nickname(users: Rows) -> dict[str, Any]:
        """In SQL."""
        return {{{values}}}
'''


def plan(workspace: Workspace, **settings: Any) -> Plan:
    """Draft the plan of the project's transform, and see that it left everything as it was."""
    before = workspace.rows()
    with workspace.open() as database:
        drafted = draft_plan(database, workspace.find(), Settings(**settings))
    assert workspace.rows() == before
    assert workspace.tables() == {"users"}
    return drafted


def write_expression(workspace: Workspace, values: str, where: str = "None") -> None:
    """Write a transform whose rows never leave the database."""
    workspace.write("transforms/__init__.py", "")
    workspace.write("transforms/fill_nickname.py", EXPRESSION.format(where=where, values=values))


@pytest.fixture
def users(workspace: Workspace) -> Workspace:
    """Give a project with 30 users."""
    workspace.add_users(30)
    return workspace


def test_a_plan_of_rows(users: Workspace) -> None:
    """The first rows in the order of their key, with what is read and what would be written."""
    users.write_fill()
    drafted = plan(users)
    (table,) = drafted.tables
    assert (drafted.reads, list(drafted.writes)) == (["id", "name"], ["nickname"])
    assert drafted.repeatability.by_nature
    assert table.table == "users"
    assert [sample.key for sample in table.samples] == [(n,) for n in range(1, SAMPLES + 1)]
    assert table.samples[0].before == {"id": 1, "name": "canary0", "nickname": None}
    assert table.samples[0].after == {"nickname": "u1"}


def test_a_plan_of_expressions(users: Workspace) -> None:
    """What the database computes is shown as the database computed it."""
    write_expression(users, '"nickname": func.upper(users.c.name)', 'is_missing("nickname")')
    (table,) = plan(users).tables
    assert table.samples[0].after == {"nickname": "CANARY0"}


def test_a_plan_shows_the_whole_table_page(users: Workspace) -> None:
    """People read the condition, the nature and the command to type."""
    users.write_fill()
    page = plan_page(plan(users))
    assert "where       nickname IS MISSING" in page
    assert "repeatable  by nature: it reads nothing that it writes" in page
    assert page.endswith("Nothing was written. To run it:  backfill run fill_nickname")


def test_rows_that_are_filled_are_passed_over(users: Workspace) -> None:
    """The first batch is that of the first rows that wait, wherever they stand."""
    users.execute("UPDATE users SET nickname = 'x' WHERE id < 25")
    users.write_fill()
    (table,) = plan(users, batch_size=3).tables
    assert [sample.key for sample in table.samples] == [(25,), (26,), (27,)]


def test_an_empty_table(workspace: Workspace) -> None:
    """Without a row there is neither a sample nor a forecast."""
    workspace.users.create(workspace.engine)
    workspace.write_fill()
    (table,) = plan(workspace).tables
    assert (list(table.samples), table.seconds_estimated) == ([], None)


def test_a_forecast_grows_with_the_table(sqlite_workspace: Workspace) -> None:
    """Seconds by the rate of the first batch, for about as many rows as there are."""
    sqlite_workspace.add_users(500)
    body = 'time.sleep(0.001); return Written(nickname="x")'
    sqlite_workspace.write_fill(body=body)
    (table,) = plan(sqlite_workspace, batch_size=20).tables
    assert table.rows_estimated == 500
    assert table.seconds_estimated is not None
    assert 0.5 < table.seconds_estimated < 50


def test_a_counter_is_told_to_be_one(users: Workspace) -> None:
    """What must not be applied twice is said before it is run."""
    write_expression(users, '"score": users.c.score + 1')
    drafted = plan(users)
    assert not drafted.repeatability.by_nature
    assert "by its checkpoint only: it reads score, which it writes" in plan_page(drafted)
    assert drafted.tables[0].samples[0].after == {"score": 2}


def test_a_value_that_is_fresh_every_time_is_noted(users: Workspace) -> None:
    """A random value cannot be verified by computing it again."""
    users.write_fill(body="import uuid; return Written(nickname=uuid.uuid4().hex)")
    assert [finding.code for finding in plan(users).findings] == ["fresh-values"]


def test_rows_that_stay_are_noted(users: Workspace) -> None:
    """A written row that still matches `where` would be taken for ever."""
    write_expression(users, '"nickname": func.nullif(users.c.name, users.c.name)', 'is_missing("nickname")')
    notes = {finding.code: finding.message for finding in plan(users).findings}
    assert "30 rows of the first batch still match where" in notes["rows-stay"]


def test_a_row_that_cannot_be_filled(users: Workspace) -> None:
    """It is known before the run, and by its key only."""
    users.write_fill(body='raise Rejected("no")')
    with pytest.raises(RowRejected, match="users row 1: no"):
        plan(users)
    assert users.tables() == {"users"}


def test_a_table_that_does_not_fit(users: Workspace) -> None:
    """A plan is refused for the same reasons as a run."""
    write_expression(users, '"no_such_column": 1')
    with pytest.raises(ChecksFailed, match="no_such_column"):
        plan(users)


def test_values_are_shown_in_one_short_line(users: Workspace) -> None:
    """A value that a terminal would obey is escaped, and a long one is cut."""
    users.write_fill(body=r'return Written(nickname="\x1b[31m\n" + "n" * 40)')
    page = plan_page(plan(users))
    assert "\x1b" not in page
    assert r"nickname='\x1b[31m\nnnnn" in page
    users.execute("UPDATE users SET name = 'a long name of fifty characters, which is the most'")
    assert all(len(line) < 250 for line in page.splitlines())
