"""Each rule of revisions: what it finds, what it leaves alone, and what comes near it; the remedy has their names."""

import inspect
from collections.abc import Callable
from pathlib import Path

import pytest

from backfill.linting.linter import lint
from tests.cases import loops
from tests.linting.pages import Pages

PAGED = """
conn = op.get_bind()
offset = 0
while True:
    page = sa.text("SELECT id FROM users WHERE role IS NULL ORDER BY {order} LIMIT 100 {offset}")
    rows = conn.execute(page).fetchall()
    if {end}:
        break
    for row in rows:
        conn.execute(sa.text("UPDATE users SET {column} = 'x' WHERE id = :id"))
    offset += 100
"""


def paged(order: str = "id", offset: str = "", end: str = "not rows", column: str = "role") -> str:
    """Give a loop over pages, as people write it."""
    return PAGED.format(order=order, offset=offset, end=end, column=column)


SESSION = "session = Session(bind=op.get_bind())\n"

FOUND = {
    "mixed: schema, then rows": (
        "mixed",
        "",
        "op.add_column('users', sa.Column('role', sa.String()))\nop.execute(\"UPDATE users SET role = 'user'\")",
        ['"users", "where": {"role": null}, "set": {"role": "user"}', 'run_backfill("fill_users_role")'],
    ),
    "mixed: a transform beside schema": (
        "mixed",
        "",
        "run_backfill('fill_role')\nop.drop_index('ix')",
        ['run_backfill("fill_role")', 'require_backfill("fill_role")', "op.drop_index('ix')"],
    ),
    "unbatched UPDATE": (
        "unbatched",
        "",
        "op.execute('UPDATE users SET n = n + 1')",
        ['transform("users"', '{"n": ...}'],
    ),
    "unbatched constant": ("unbatched", "", "op.execute('UPDATE users SET n = 1')", ['"set": {"n": 1}']),
    "unbatched DELETE": ("unbatched", "", "op.execute('DELETE FROM old WHERE a < 3')", ["def delete_old(", "Delete()"]),
    "unbatched Core": ("unbatched", "users = table('users')", "op.execute(users.delete())", ["delete_users"]),
    "offset": ("offset", "", paged(offset="OFFSET :offset"), ['run_backfill("fill_users_role")']),
    "offset of a query": (
        "offset",
        "",
        SESSION + "for page in range(9):\n    users = session.query(User).filter(User.role == None).order_by(User.id)"
        ".limit(10).offset(page).all()\n    for user in users:\n        user.role = 1",
        ["run_backfill("],
    ),
    "ties": ("ties", "", paged(order="created_at", offset="OFFSET :offset", column="other"), ["fill_users_other"]),
    "stops at a short page": ("stops-early", "", paged(end="len(rows) < 100"), ['transform("users"']),
    "stops by rowcount": (
        "stops-early",
        "",
        "while True:\n    done = op.get_bind().execute(sa.text('UPDATE users SET n = 1 WHERE n IS NULL LIMIT 9'))\n"
        "    if done.rowcount <= 9:\n        break",
        ["fill_users_n"],
    ),
    "loads all": (
        "load-all",
        "",
        "conn = op.get_bind()\nfor row in conn.execute(sa.text('SELECT id FROM users')).fetchall():\n"
        "    conn.execute(sa.text('UPDATE users SET n = 1 WHERE id = :id'))",
        ["fill_users_n"],
    ),
    "loads all objects": (
        "load-all",
        "",
        SESSION + "users = session.query(User).all()\nfor user in users:\n    user.role = 1",
        ["run_backfill("],
    ),
    "commits a connection": (
        "commit",
        "",
        "conn = op.get_bind()\nconn.execute('DELETE FROM a')\nconn.commit()",
        ["delete_a"],
    ),
    "commits by SQL": ("commit", "", "op.execute('DELETE FROM a')\nop.execute('COMMIT')", ["delete_a"]),
    "commits a session": ("commit", "", SESSION + "session.add(1)\nsession.commit()", ["run_backfill("]),
    "the application's model": (
        "models",
        "from app.models import User",
        SESSION + "session.query(User).update({'role': 1})",
        ["run_backfill("],
    ),
    "NOT NULL without a gate": (
        "ungated",
        "",
        "op.alter_column('users', 'role', nullable=False)",
        ['require_backfill("fill_users_role")'],
    ),
    "NOT NULL before the gate": (
        "ungated",
        "",
        "op.alter_column('users', 'role', nullable=False)\nrequire_backfill('fill_role')",
        ["require_backfill("],
    ),
    "the downgrade forgets": ("forgets", "", "run_backfill('fill_role')", ['reset_backfill("fill_role")']),
}

LEFT_ALONE = {
    "mixed: schema alone": ("mixed", "", "op.add_column('users', sa.Column('role', sa.String()))"),
    "mixed: rows alone": ("mixed", "", "op.execute('DELETE FROM a')"),
    "mixed: the gate beside schema": ("mixed", "", "require_backfill('fill_role')\nop.drop_index('ix')"),
    "unbatched: INSERT": ("unbatched", "", "op.execute('INSERT INTO a VALUES (1)')"),
    "unbatched: one row by its key": ("unbatched", "", 'op.execute("UPDATE users SET n = 1 WHERE id = 7")'),
    "unbatched: with LIMIT": ("unbatched", "", "op.execute('DELETE FROM a LIMIT 100')"),
    "unbatched: ranges of keys": (
        "unbatched",
        "",
        "for lo in range(0, 900, 100):\n    op.execute(sa.text('UPDATE a SET n = 1 WHERE id BETWEEN :lo AND :hi'))",
    ),
    "offset: no OFFSET": ("offset", "", paged()),
    "offset: writes another column": ("offset", "", paged(offset="OFFSET :offset", column="other")),
    "ties: by the key": ("ties", "", paged(offset="OFFSET :offset")),
    "ties: the key last": ("ties", "", paged(order="created_at, id", offset="OFFSET :offset")),
    "ties: pages that shrink need no order": ("ties", "", paged(order="created_at")),
    "stops-early: at an empty page": ("stops-early", "", paged(end="len(rows) == 0")),
    "stops-early: when nothing was written": (
        "stops-early",
        "",
        "while True:\n    done = op.get_bind().execute(sa.text('DELETE FROM a LIMIT 9'))\n"
        "    if done.rowcount == 0:\n        break",
    ),
    "load-all: with LIMIT": ("load-all", "", paged()),
    "load-all: nothing is written": (
        "load-all",
        "",
        "for row in op.get_bind().execute(sa.text('SELECT id FROM users')).fetchall():\n    print(row)",
    ),
    "load-all: a list that is written down": (
        "load-all",
        "",
        "for name in list('ab'):\n    op.execute('DELETE FROM a')",
    ),
    "commit: before an index is made concurrently": (
        "commit",
        "",
        "op.execute('COMMIT')\nop.create_index('ix', 'users', ['a'], postgresql_concurrently=True)",
    ),
    "models: a frozen one": (
        "models",
        "class User(sa.orm.DeclarativeBase):\n    __tablename__ = 'users'",
        SESSION + "session.query(User).update({'role': 1})",
    ),
    "models: for its type alone": (
        "models",
        "from app.types import Kind",
        "op.execute(table('a').update().values(kind=Kind.ADMIN.value))",
    ),
    "models: an enum's member among arguments": (
        "models",
        "from app.types import Kind\nimport requests",
        "requests.get('a', Kind.ADMIN.value)\nop.execute(table('a').delete().where(column('k') == Kind.ADMIN.value))",
    ),
    "ungated: behind the gate": (
        "ungated",
        "",
        "require_backfill('fill_role')\nop.alter_column('users', 'role', nullable=False)",
    ),
    "ungated: a new column": ("ungated", "", "op.add_column('users', sa.Column('n', sa.Integer(), nullable=False))"),
    "ungated: becomes nullable": ("ungated", "", "op.alter_column('users', 'role', nullable=True)"),
    "ungated: drops what nobody filled": ("ungated", "", "op.drop_column('users', 'role')"),
}


@pytest.mark.parametrize(("code", "above", "upgrade", "names"), FOUND.values(), ids=FOUND)
def test_is_found(pages: Pages, code: str, above: str, upgrade: str, names: list[str]) -> None:
    """The mistake is found in its line, says why in one sentence, and the remedy has the user's own names."""
    revision = pages.revise(upgrade, above=above)
    (found,) = [each for each in pages.findings() if each.code == code][:1]
    assert found.path == revision.path
    assert 1 < found.line <= len(revision.module.text.splitlines())
    assert "\n" not in found.why
    assert not found.why.endswith(".")
    for name in names:
        assert name in found.remedy


@pytest.mark.parametrize(("code", "above", "upgrade"), LEFT_ALONE.values(), ids=LEFT_ALONE)
def test_is_left_alone(pages: Pages, code: str, above: str, upgrade: str) -> None:
    """What is right, or only comes near, is not found."""
    pages.revise(upgrade, above=above)
    assert code not in pages.codes()


def test_forgets_nothing(pages: Pages) -> None:
    """A downgrade that resets, undoes or refuses has not forgotten."""
    pages.revise("run_backfill('a')", "reset_backfill('a')", name="reset")
    pages.revise(
        "run_backfill('b')", "undo_backfill('b')", name="undone", above="from backfill.alembic import undo_backfill"
    )
    pages.revise("run_backfill('c')", "raise NotImplementedError", name="refused")
    assert pages.codes() == []
    pages.revise("run_backfill('d')", "reset_backfill('other')", name="wrong")
    assert pages.codes() == ["forgets"]


def test_dropped_right_after_it_was_copied(pages: Pages) -> None:
    """A column that goes in the revision after the fill needs the gate; one revision later it is told apart no more."""
    pages.revise("run_backfill('split_name')", "reset_backfill('split_name')", name="fill")
    pages.revise("op.drop_column('users', 'full_name')", name="drop")
    assert pages.codes() == ["ungated"]
    assert "users.full_name is dropped" in pages.findings()[0].why


def test_lines_are_those_of_the_statement(pages: Pages) -> None:
    """A finding points at the statement, also where a function of the revision executes it."""
    revision = pages.revise("fill()", above="def fill():\n    op.execute('DELETE FROM users')")
    (found,) = pages.findings()
    assert revision.module.text.splitlines()[found.line - 1].strip() == "op.execute('DELETE FROM users')"


SHIPPED = {
    loops.offset_over_a_shrinking_set: "offset",
    loops.end_at_a_full_batch: "stops-early",
    loops.offset_for_each_row: "offset",
}


@pytest.mark.parametrize(("loop", "code"), SHIPPED.items(), ids=lambda value: getattr(value, "__name__", value))
def test_shipped_defects_are_found(pages: Pages, loop: Callable[..., None], code: str) -> None:
    """The loops that lost rows in real projects, as the tests of cases know them."""
    tables = inspect.getsource(loops).partition("class Base")[0].replace("from __future__ import annotations", "")
    pages.revise(f"{loop.__name__}(op.get_bind())", above=f"{tables}\n{inspect.getsource(loop)}")
    assert code in pages.codes()


def test_our_own_migrations_are_clean() -> None:
    """Expand, fill, contract, as the README teaches it, is the right way."""
    root = Path(__file__).parents[2]
    reading = lint([root / "migrations", root / "transforms"])
    assert (len(reading.revisions), len(reading.declarations)) == (8, 2)
    assert list(reading.findings) == []
