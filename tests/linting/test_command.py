"""`backfill check` and `backfill split`, as they are typed."""

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from flask import Flask

from backfill.cli import cli
from backfill.command.review import FORMATS
from backfill.flask import cli as flask_cli
from backfill.linting.reports import REPORTS
from tests.linting.pages import Pages

DATA = "op.execute('DELETE FROM a')"


def call(*words: str, command: click.Command = cli) -> Result:
    """Type a command."""
    return CliRunner().invoke(command, words)


def test_clean(pages: Pages) -> None:
    """Nothing found is exit code 0, and one line that says how much was read."""
    pages.revise("op.drop_table('a')")
    result = call("check")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "0 found in 1 revisions and 0 transforms\n"


def test_found(pages: Pages) -> None:
    """Something found is exit code 1."""
    pages.revise(DATA)
    result = call("check")
    assert result.exit_code == 1
    assert result.stdout.startswith("migrations/versions/one.py:")
    assert "1 found in 1 revisions" in result.stderr


def test_paths(pages: Pages) -> None:
    """Files that are named are read, whatever else there is; what is neither revision nor transform is passed over."""
    pages.revise(DATA)
    other = pages.write("other.py", "x = 1\n")
    assert call("check", str(other)).exit_code == 0
    assert call("check", str(other), "migrations/versions/one.py").exit_code == 1


def test_nothing_to_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bad usage is exit code 2, in a sentence that says what to type."""
    monkeypatch.chdir(tmp_path)
    nowhere, missing = call("check"), call("check", "nothing")
    assert (nowhere.exit_code, missing.exit_code) == (2, 2)
    assert "backfill check FOLDER" in nowhere.stderr
    assert "nothing does not exist" in missing.stderr
    assert call("check", "--format", "xml").exit_code == 2


def test_broken_file(pages: Pages) -> None:
    """A file that is no Python stops nobody: other tools say so."""
    pages.write("migrations/versions/broken.py", "def upgrade(:\n")
    pages.revise(DATA)
    assert call("check").exit_code == 1


def test_formats() -> None:
    """What the option offers is what there is."""
    assert tuple(REPORTS) == FORMATS


@pytest.mark.parametrize("name", ["json", "sarif"])
def test_programs_get_a_document(pages: Pages, name: str) -> None:
    """The output is the document alone."""
    pages.revise(DATA)
    assert json.loads(call("check", "--format", name).stdout)


def test_baseline(pages: Pages) -> None:
    """What was there counts no more, wherever its line moves; one more of it, and anything new, does."""
    first = pages.revise(f"{DATA}\n{DATA}")
    written = call("check", "--write-baseline", "--baseline", "known.json")
    assert (written.exit_code, "2 findings" in written.stdout) == (0, True)
    assert call("check", "--baseline", "known.json").exit_code == 0
    first.path.write_text(first.module.text.replace("def upgrade", "\n\n\ndef upgrade"))
    assert call("check", "--baseline", "known.json").exit_code == 0
    pages.revise(DATA, name="two")
    assert "1 found" in call("check", "--baseline", "known.json").stderr
    assert "3 found" in call("check").stderr


def test_the_usual_baseline_is_read_wherever_it_is(pages: Pages) -> None:
    """Writing one is enough; no option and no setting need name it."""
    pages.revise(DATA)
    assert call("check").exit_code == 1
    assert call("check", "--write-baseline").exit_code == 0
    assert call("check").exit_code == 0


def test_broken_baseline(pages: Pages) -> None:
    """A file that is no baseline is refused, with the command that writes one."""
    pages.revise(DATA)
    pages.write("known.json", "{}[")
    result = call("check", "--baseline", "known.json")
    assert result.exit_code == 2
    assert "backfill check --write-baseline --baseline known.json" in result.stderr


def test_configuration(pages: Pages) -> None:
    """[tool.backfill.check] says where to look, what to do without, and which baseline; settings stand beside it."""
    pages.revise(DATA)
    pages.write("pyproject.toml", '[tool.backfill]\nbatch_size = 5\n[tool.backfill.check]\ndisable = ["unbatched"]\n')
    assert call("check").exit_code == 0
    pages.write("pyproject.toml", '[tool.backfill.check]\npaths = ["migrations"]\nbaseline = "known.json"\n')
    assert call("check", "--write-baseline").exit_code == 0
    assert (pages.root / "known.json").exists()
    assert call("check").exit_code == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[tool.backfill.check]\npath = "a"\n', "Known options: paths, disable, baseline"),
        ("[tool.backfill]\ncheck = 3\n", "[tool.backfill.check] is a table"),
    ],
)
def test_broken_configuration(pages: Pages, text: str, words: str) -> None:
    """An option that means nothing is refused, with those that do."""
    pages.write("pyproject.toml", text)
    result = call("check")
    assert result.exit_code == 2
    assert words in result.stderr


def test_transforms_are_read_too(pages: Pages) -> None:
    """Without paths, the transforms are part of the project."""
    pages.revise("op.drop_table('a')")
    pages.write(
        "transforms/double.py",
        "import backfill\nfrom sqlalchemy import column\n\n"
        '@backfill.transform("items", where=column("price") < 9)\n'
        'def double(items: backfill.Rows) -> dict[str, object]:\n    return {"price": items.c.price * 2}\n',
    )
    result = call("check")
    assert "[refilters] double computes price from itself" in result.stdout


def test_under_flask(pages: Pages) -> None:
    """`flask backfill check` is the same command, and says so where it names one."""
    pages.revise(DATA)
    runner = Flask("app").test_cli_runner()
    assert runner.invoke(flask_cli, ["check"]).exit_code == 1
    result = runner.invoke(flask_cli, ["check", "nothing"])
    assert result.exit_code == 2
    assert "flask backfill check migrations" in result.stderr


def test_split_needs_one_revision(pages: Pages) -> None:
    """Neither its id nor a file: the command says how to name one."""
    pages.revise(DATA)
    result = call("split", "unknown")
    assert result.exit_code == 2
    assert "backfill split FILE" in result.stderr


def test_no_database_is_imported() -> None:
    """Reading needs neither SQLAlchemy nor Alembic."""
    modules = ("linter", "configuration", "reports", "splitting", "baseline")
    imports = "; ".join(f"import backfill.linting.{name}" for name in modules)
    program = f"{imports}; import sys; sys.exit(bool({{'sqlalchemy', 'alembic'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
