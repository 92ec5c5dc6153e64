"""What a revision is split into, and when it is left to its author."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from backfill.cli import cli
from backfill.linting.shape import NotPlain
from backfill.linting.splitting import split
from tests.linting.pages import Pages

ADD = "op.add_column('users', sa.Column('role', sa.String(20)))\n"
NOT_NULL = "op.alter_column('users', 'role', nullable=False)\n"


def transform_of(pages: Pages, upgrade: str, *, above: str = "") -> tuple[str, str]:
    """Give the file of the only transform that a revision is split into."""
    ((name, text),) = split(pages.revise(upgrade, above=above)).transforms.items()
    return name, text


CONSTANTS = {
    "SQL": ("", "op.execute(\"UPDATE users SET role = 'user'\")", {"role": None}, {"role": "user"}),
    "IS NULL": (
        "",
        "op.execute(\"UPDATE users SET role = 'it''s' WHERE role IS NULL\")",
        {"role": None},
        {"role": "it's"},
    ),
    "text()": ("", "op.execute(sa.text('UPDATE users SET role = 7'))", {"role": None}, {"role": 7}),
    "a condition": (
        "",
        "op.execute(\"UPDATE users SET role = 'admin' WHERE is_admin = true AND role IS NULL\")",
        {"is_admin": True, "role": None},
        {"role": "admin"},
    ),
    "Core": (
        "users = table('users', column('role'))",
        "op.get_bind().execute(users.update().where(users.c.role.is_(None)).values({'role': 'user'}))",
        {"role": None},
        {"role": "user"},
    ),
    "update()": (
        "users = table('users', column('role'))",
        "op.execute(update(users).where(users.c.role == None).values(role=[{'a': 1}]))",
        {"role": None},
        {"role": [{"a": 1}]},
    ),
}


@pytest.mark.parametrize(("above", "fill", "where", "values"), CONSTANTS.values(), ids=CONSTANTS)
def test_constants_become_data(pages: Pages, above: str, fill: str, where: object, values: object) -> None:
    """A constant UPDATE is a transform without Python, with the user's table, columns and value."""
    name, text = transform_of(pages, ADD + fill, above=above)
    assert name == "fill_users_role.json"
    assert json.loads(text) == {"table": "users", "where": where, "set": values}


def test_other_columns_become_expressions(pages: Pages) -> None:
    """A copy from the same row stays in SQL."""
    name, text = transform_of(pages, ADD + "op.execute('UPDATE users SET role = kind, n = 1 WHERE role IS NULL')")
    assert name == "fill_users_role.py"
    assert 'where=is_missing("role")' in text
    assert 'return {"role": rows.c["kind"], "n": literal(1)}' in text
    compile(text, name, "exec")


def test_no_condition_where_a_default_fills(pages: Pages) -> None:
    """A column with a server default is never NULL: every row is written."""
    add = "op.add_column('users', sa.Column('role', sa.String(20), server_default='x'))\n"
    _, text = transform_of(pages, add + "op.execute(\"UPDATE users SET role = 'user'\")")
    assert json.loads(text) == {"table": "users", "set": {"role": "user"}}


def test_three_files_in_a_row(pages: Pages) -> None:
    """Expand, fill and contract follow one another; the last keeps the id, so that nothing behind it changes."""
    pages.revise("op.drop_table('old')", name="zero")
    revision = pages.revise(
        ADD + "op.execute(\"UPDATE users SET role = 'user'\")\n" + NOT_NULL, "op.drop_column('users', 'role')"
    )
    made = split(revision).revisions
    assert [path.name for path in made] == ["one_expand.py", "one_fill.py", "one.py"]
    spaces = {path.stem: run(text) for path, text in made.items()}
    chain = [(each["revision"], each["down_revision"]) for each in spaces.values()]
    assert chain == [("one_expand", "zero"), ("one_fill", "one_expand"), ("one", "one_fill")]
    expand, fill, contract = made.values()
    assert "op.add_column('users'" in expand
    assert "op.drop_column('users', 'role')" in expand
    assert 'run_backfill("fill_users_role")' in fill
    assert 'reset_backfill("fill_users_role")' in fill
    assert contract.index('require_backfill("fill_users_role")') < contract.index("nullable=False")
    assert "op.alter_column('users', 'role', nullable=True)" in contract


def run(text: str) -> dict[str, object]:
    """Execute a revision's file, without its functions."""
    space: dict[str, object] = {}
    exec(compile(text, "revision", "exec"), space)
    return space


def test_only_what_is_needed_is_kept(pages: Pages) -> None:
    """Imports, constants and variables go where they are used; comments stay above their statement."""
    revision = pages.revise(
        "length = LONG\n# as long as a role\nop.add_column('users', sa.Column('role', sa.String(length)))\n"
        "value = 'user'\nop.execute(table('users').update().values(role=value))",
        above="LONG = 20\nSHORT = 2\n",
    )
    expand, fill, _ = split(revision).revisions.values()
    assert "LONG = 20" in expand
    assert "    # as long as a role\n    op.add_column" in expand
    assert "SHORT" not in expand
    assert "value = " not in expand + fill
    assert "sqlalchemy" not in fill


def test_long_ids_are_shortened(pages: Pages) -> None:
    """Alembic's table has 32 characters for an id."""
    name = "a_revision_with_quite_a_long_name"
    made = split(pages.revise(ADD + "op.execute('UPDATE users SET role = 1')", name=name)).revisions
    assert all(len(str(run(text)["revision"])) <= 32 for path, text in made.items() if path.stem != name)


NOT_PLAIN = {
    "not mixed": "op.execute('UPDATE users SET role = 1')",
    "an INSERT": ADD + "op.execute('INSERT INTO roles VALUES (1)')",
    "a DELETE": ADD + "op.execute('DELETE FROM users')",
    "an expression": ADD + "op.execute('UPDATE users SET role = lower(kind)')",
    "a join": ADD + "op.execute('UPDATE users SET role = r.name FROM roles r WHERE r.id = users.role_id')",
    "a hard condition": ADD + "op.execute('UPDATE users SET role = 1 WHERE a = 1 OR b = 2')",
    "a loop": ADD + "for n in range(3):\n    op.execute('UPDATE users SET role = 1')",
    "a read": ADD + "op.get_bind().execute(select(1))\nop.execute('UPDATE users SET role = 1')",
    "an unknown table": ADD + "op.execute(f'UPDATE {op.get_bind()} SET role = 1')",
    "a parameter": ADD + "op.execute(sa.text('UPDATE users SET role = :role'))",
    "more than NOT NULL": ADD + "op.execute('UPDATE users SET role = 1')\nop.drop_column('users', 'kind')",
    "one of several": ADD + "op.execute('UPDATE users SET role = 1; DELETE FROM a')",
    "twice the same": ADD
    + "op.execute('UPDATE users SET role = 1')\nop.execute('UPDATE users SET role = 2 WHERE a = 1')",
}


@pytest.mark.parametrize("upgrade", NOT_PLAIN.values(), ids=NOT_PLAIN)
def test_is_left_to_its_author(pages: Pages, upgrade: str) -> None:
    """Whatever is not plain is not guessed at; the command says why, and nothing is written."""
    revision = pages.revise(upgrade)
    with pytest.raises(NotPlain):
        split(revision)
    before = snapshot(pages.root)
    result = CliRunner().invoke(cli, ["split", "one"])
    assert result.exit_code == 2
    assert "was left as it is" in result.stderr
    assert snapshot(pages.root) == before


def snapshot(root: Path) -> dict[Path, str]:
    """Give every file's text."""
    return {path: path.read_text() for path in root.rglob("*") if path.is_file()}


BOUND = {
    "branch labels": ('branch_labels = ("accounts",)', "def upgrade():"),
    "depends_on": ('depends_on = "other"', "def upgrade():"),
    "an engine": ("", "def upgrade(engine_name):"),
    "a decorator": ("guarded = lambda f: f", "@guarded\ndef upgrade():"),
}


@pytest.mark.parametrize(("above", "head"), BOUND.values(), ids=BOUND)
def test_what_is_bound_to_it_is_not_lost(pages: Pages, above: str, head: str) -> None:
    """A revision on which more hangs than its parents is left to its author."""
    revision = pages.revise(ADD + "op.execute('UPDATE users SET role = 1')", above=above)
    revision.path.write_text(revision.module.text.replace("def upgrade():", head))
    result = CliRunner().invoke(cli, ["split", "one"])
    assert result.exit_code == 2
    assert "was left as it is" in result.stderr


def test_texts_of_several_lines_are_moved_whole(pages: Pages) -> None:
    """SQL that stands at the margin stays a text, and the file stays Python."""
    text = 'op.execute("""\nALTER TABLE users\nADD role text\n""")\nop.execute("UPDATE users SET role = \'a\'")'
    revision = pages.revise("pass")
    body = text.replace("op.execute", "    op.execute")
    revision.path.write_text(revision.module.text.replace("def upgrade():\n    pass", f"def upgrade():\n{body}"))
    result = CliRunner().invoke(cli, ["split", "one"])
    assert result.exit_code == 0, result.output
    expand = (pages.root / "migrations/versions/one_expand.py").read_text()
    assert "ADD role text" in expand
    run(expand)


def test_another_functions_work_is_left(pages: Pages) -> None:
    """What a function of the revision does is not taken apart."""
    with pytest.raises(NotPlain, match="another function"):
        split(pages.revise(ADD + "fill()", above="def fill():\n    op.execute('UPDATE users SET role = 1')"))


def test_nothing_is_overwritten(pages: Pages) -> None:
    """A file that is there already stops the split before anything is written."""
    pages.revise(ADD + "op.execute('UPDATE users SET role = 1')")
    pages.write("transforms/fill_users_role.json", "{}")
    before = snapshot(pages.root)
    result = CliRunner().invoke(cli, ["split", "one"])
    assert result.exit_code == 2
    assert "fill_users_role.json is there already, and nothing was written" in result.stderr
    assert snapshot(pages.root) == before


def test_a_split_project_is_clean(pages: Pages) -> None:
    """What was written is found to be right, by id and by file."""
    pages.revise(ADD + "op.execute('UPDATE users SET role = 1')\n" + NOT_NULL)
    result = CliRunner().invoke(cli, ["split", "migrations/versions/one.py"])
    assert result.exit_code == 0, result.output
    assert pages.codes() == []


def test_fix_leaves_what_it_cannot_split(pages: Pages) -> None:
    """`--fix` splits what is plain, says why of the others, and still finds them."""
    pages.revise(ADD + "op.execute('UPDATE users SET role = 1')")
    pages.revise(ADD + "op.execute('DELETE FROM users WHERE a > 1')", name="two")
    result = CliRunner().invoke(cli, ["check", "--fix"])
    assert result.exit_code == 1
    assert "kept     migrations/versions/two.py: line" in result.stderr
    assert {each.subject for each in pages.findings()} == {"two"}
