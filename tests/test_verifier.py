"""Computes again and compares; a second pass must change nothing."""

import pytest

from backfill import verifier
from backfill.command.pages import verdict_page
from backfill.errors import ChecksFailed, Refused, RowRejected
from backfill.verifier import Verdict, verify
from tests.workspace import Workspace

EVERY_ROW = '''
    from typing import Any

    from sqlalchemy import func

    import backfill
    from backfill import Rows


    @backfill.transform("users")
    def fill_nickname(users: Rows) -> dict[str, Any]:
        """Of every row, so that filled rows are compared too."""
        return {"nickname": func.upper(users.c.name)}
'''


def verdict_of(workspace: Workspace) -> Verdict:
    """Verify, and see that nothing was written."""
    before = workspace.rows()
    with workspace.open() as database:
        verdict = verify(database, workspace.find())
    assert workspace.rows() == before
    return verdict


@pytest.fixture
def filled(workspace: Workspace) -> Workspace:
    """Give a project whose every row was filled by an expression."""
    workspace.add_users(20)
    workspace.write("transforms/__init__.py", "")
    workspace.write("transforms/fill_nickname.py", EVERY_ROW)
    assert workspace.run("run", "fill_nickname").exit_code == 0
    return workspace


def test_rows_that_hold_what_they_should(filled: Workspace) -> None:
    """Nothing would change, and every row was compared."""
    verdict = verdict_of(filled)
    assert (list(verdict.mismatches), verdict.is_counted, list(verdict.not_compared)) == ([], True, [])
    assert verdict_page(verdict) == "fill_nickname: a second pass would change nothing."


@pytest.mark.parametrize("value", ["'other'", "'canary6'", "NULL", "''"])
def test_a_row_that_was_changed_is_found(value: str, filled: Workspace) -> None:
    """Whatever else it holds, a difference in case alone included."""
    filled.execute(f"UPDATE users SET nickname = {value} WHERE id = 7")
    verdict = verdict_of(filled)
    assert [(mismatch.table, mismatch.key) for mismatch in verdict.mismatches] == [("users", (7,))]
    assert verdict_page(verdict) == "fill_nickname: 1 row would still change, first: users 7"


def test_so_many_that_they_are_not_counted(filled: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit the exact number helps nobody, and is not claimed."""
    monkeypatch.setattr(verifier, "LIMIT", 6)
    filled.execute("UPDATE users SET nickname = 'x' WHERE id <= 6")
    assert verdict_page(verdict_of(filled)).startswith("fill_nickname: 6 rows would still change, first: users 1, ")
    filled.execute("UPDATE users SET nickname = 'x' WHERE id <= 7")
    verdict = verdict_of(filled)
    assert (len(verdict.mismatches), verdict.is_counted) == (6, False)
    assert verdict_page(verdict).startswith("fill_nickname: more than 6 rows would still change")


def test_what_was_not_compared_is_said(workspace: Workspace) -> None:
    """Where the condition asks about what is written, filled rows are not taken again."""
    workspace.add_users(5)
    workspace.write_fill()
    workspace.run("run", "fill_nickname")
    workspace.execute("UPDATE users SET nickname = 'wrong' WHERE id = 2")
    verdict = verdict_of(workspace)
    assert (list(verdict.mismatches), len(verdict.not_compared)) == ([], 1)
    assert "Not compared: rows that are filled already: no image of what they held before is kept." in verdict_page(
        verdict
    )


def test_before_the_run_every_row_would_change(workspace: Workspace) -> None:
    """Verifying first tells what is left."""
    workspace.add_users(5)
    workspace.write_fill()
    assert len(verdict_of(workspace).mismatches) == 5


def test_a_counter_cannot_be_verified(workspace: Workspace) -> None:
    """Computing again what reads itself proves nothing, and that is said."""
    workspace.add_users(5)
    workspace.write_fill()
    text = EVERY_ROW.replace('"nickname": func.upper(users.c.name)', '"score": users.c.score + 1')
    workspace.write("transforms/fill_nickname.py", text)
    with pytest.raises(Refused, match="it reads score, which it writes"):
        verdict_of(workspace)


def test_a_row_that_cannot_be_computed(workspace: Workspace) -> None:
    """A rejected row is told by its key."""
    workspace.add_users(5)
    workspace.write_fill(body='raise Rejected("no")')
    with pytest.raises(RowRejected, match="users row 1: no"):
        verdict_of(workspace)


def test_a_column_that_is_gone_is_named(filled: Workspace) -> None:
    """Nothing can be compared with it, and that is no sign that all is well."""
    filled.execute("ALTER TABLE users RENAME COLUMN nickname TO alias")
    with filled.open() as database, pytest.raises(ChecksFailed, match="nickname"):
        verify(database, filled.find())
