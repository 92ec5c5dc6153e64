"""The commands that messages name are typed as they stand: they lead to the database that the user named."""

import json
import shlex

import pytest

from backfill.command.pages import status_json
from backfill.phrase import addressed, phrased, spelled
from tests.workspace import Workspace

PAUSED = "paused. To go on: backfill run greet"


@pytest.mark.parametrize(
    ("told", "typed"),
    [
        (PAUSED, "paused. To go on: backfill run --bind users greet"),
        ("`backfill list` and backfill status", "`backfill list` and backfill status --bind users"),
        ("to prove it: backfill revision greet --gate", "to prove it: backfill revision --bind users greet --gate"),
        ("the table backfill_run and the package backfill", "the table backfill_run and the package backfill"),
    ],
)
def test_commands_name_the_same_database(told: str, typed: str) -> None:
    """Those that go to one; a command that only looks at files takes no such option."""
    with addressed(["--bind", "users"]):
        assert phrased(told) == typed
    assert phrased(told) == told


def test_options_are_quoted_for_a_shell() -> None:
    """What has a blank in it is one word."""
    with addressed(["-x", "tenant=a b"]):
        assert shlex.split(spelled("backfill run greet")) == ["backfill", "run", "-x", "tenant=a b", "greet"]


def test_a_url_is_not_repeated(sqlite_workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have a password in it; that one was given is said."""
    sqlite_workspace.add_users(1)
    monkeypatch.delenv("BACKFILL_DATABASE_URL")
    url = sqlite_workspace.url.render_as_string(hide_password=False)
    told = sqlite_workspace.run("status", "greet", "--database", url).output
    assert "To see what there is:  backfill status --database URL" in told
    assert url not in told


def test_programs_read_the_same_command(sqlite_workspace: Workspace) -> None:
    """`status --json` stays JSON whatever an option holds."""
    sqlite_workspace.add_users(3)
    sqlite_workspace.write_fill(body='raise Rejected("no name")')
    assert sqlite_workspace.run("run", "fill_nickname").exit_code == 1
    with addressed(["-x", 'name="q"']):
        (run,) = json.loads(status_json([sqlite_workspace.status()]))
    assert run["reason"].endswith("""To go on: backfill run -x 'name="q"' fill_nickname""")


def test_an_environment_is_not_passed_over_for_a_url(sqlite_workspace: Workspace) -> None:
    """Which of two databases is meant, nobody can tell."""
    refused = sqlite_workspace.run("status", "--bind", "other", "-x", "tenant=two")
    assert refused.exit_code == 2
    assert "names a database, and --bind and -x may mean another: leave one of them out" in refused.stderr
