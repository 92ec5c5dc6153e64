"""Which revisions have a data step: what is found behind names, and what only looks like one."""

import pytest

from tests.linting.pages import Pages

UPDATE = "UPDATE users SET role = 'user'"

DATA_STEPS = {
    "a text": ("", f'op.execute("{UPDATE}")'),
    "text()": ("", f'op.get_bind().execute(sa.text("{UPDATE}"))'),
    "a constant": (f'SQL = "{UPDATE}"', "op.execute(SQL)"),
    "an f-string": ("", 'name = "users"\nop.execute(f"UPDATE {name} SET role = 1")'),
    "format": ("", 'op.execute("UPDATE {} SET role = {value}".format("users", value=1))'),
    "a concatenation": ("", 'op.execute("UPDATE " + "users" + " SET role = 1")'),
    "joined lines": ("", 'op.execute(" ".join(["UPDATE users", "SET role = 1"]))'),
    "a list of texts": (f'ALL = ["{UPDATE}", "SELECT 1"]', "for sql in ALL:\n    op.execute(sql)"),
    "pairs": ("", 'for old, sql in [("a", "DELETE FROM users")]:\n    op.execute(sql)'),
    "by dialect": ("", 'op.execute({"sqlite": "DELETE FROM users"}[op.get_bind().dialect.name])'),
    "a local function": (f'def fill(conn):\n    conn.execute("{UPDATE}")', "fill(op.get_bind())"),
    "a function's argument": ("def run(sql):\n    op.execute(sql)", f'run("{UPDATE}")'),
    "a nested function": ("", f'def fill():\n    op.execute("{UPDATE}")\nfill()'),
    "a callback": (f'def fill(conn):\n    conn.execute("{UPDATE}")', "op.run_async(fill)"),
    "a method": (f'class Fill:\n    def run(self):\n        op.execute("{UPDATE}")', "Fill().run()"),
    "Core": ("users = table('users', column('role'))", "op.execute(users.update().values(role='user'))"),
    "Core in steps": ("users = table('users')", "q = sa.delete(users)\nq = q.where(users.c.id == 1)\nop.execute(q)"),
    "insert from select": ("users = table('users')", "op.execute(users.insert().from_select(['id'], select(users)))"),
    "bulk_insert": ("users = table('users')", "op.bulk_insert(users, [{'id': 1}])"),
    "imported execute": ("from alembic.op import execute", f'execute("{UPDATE}")'),
    "a session adds": ("", "session = Session(bind=op.get_bind())\nsession.add(object())"),
    "an attribute": ("", "session = Session(op.get_bind())\nfor user in session.query(User):\n    user.role = 1"),
    "an attribute's attribute": (
        "",
        "db = Session(op.get_bind())\nfor a in db.scalars(select(A)):\n    a.owner.role = 1",
    ),
    "a relation": ("", "db = Session(op.get_bind())\nfor a in db.scalars(select(A)):\n    a.members.append(1)"),
    "a deleted key": ("", "db = Session(op.get_bind())\nfor a in db.query(A):\n    del a.extra['key']"),
    "query().update()": ("", "Session(op.get_bind()).query(User).update({'role': 1})"),
    "WITH … UPDATE": ("", 'op.execute("WITH x AS (SELECT 1) UPDATE users SET role = 1")'),
    "a DELETE within WITH": ("", 'op.execute("WITH x AS (DELETE FROM users RETURNING id) SELECT * FROM x")'),
    "a DO block": ("", "op.execute('DO $$ BEGIN UPDATE users SET role = 1; END $$')"),
    "what a DO block executes": ("", "op.execute(\"DO $$ BEGIN EXECUTE 'DELETE FROM users'; END $$\")"),
    "the second statement": ("", "op.execute('SELECT 1; -- then\\nDELETE FROM users;')"),
    "TRUNCATE": ("", "op.execute('TRUNCATE users')"),
    "each engine": ("def upgrade_main():\n    op.execute('DELETE FROM users')", "globals()['upgrade_%s' % 'main']()"),
}

NO_DATA_STEPS = {
    "a trigger's body": ("", 'op.execute("CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE b SET c = 1; END")'),
    "a function's body": ("", 'op.execute("CREATE FUNCTION f() RETURNS trigger AS $$ BEGIN DELETE FROM a; END $$")'),
    "a read": ("", 'op.get_bind().execute("SELECT count(*) FROM users")'),
    "a word in a text": ("", "op.execute(\"COMMENT ON TABLE a IS 'DELETE FROM it by hand'\")"),
    "a dictionary's update": ("", "options = {}\noptions.update(a=1)\nop.get_bind().execute(select(1), options)"),
    "a list's insert": ("", "names = []\nnames.insert(0, 'a')"),
    "a set's add": ("", "seen = set()\nseen.add(1)"),
    "never executed": ("SQL = 'DELETE FROM users'", "op.add_column('users', sa.Column('a', sa.Integer()))"),
    "a function nobody calls": ("def fill():\n    op.execute('DELETE FROM users')", "op.drop_table('old')"),
    "a temporary table": ("", "op.execute('CREATE TEMP TABLE t (id int)')\nop.execute('INSERT INTO t VALUES (1)')"),
    "the system's tables": ("", "op.execute(\"DELETE FROM pg_enum WHERE enumlabel = 'x'\")"),
    "a sequence": ("", "op.execute(\"SELECT setval('users_id_seq', 10)\")"),
    "a conversion": ("", "op.execute('ALTER TABLE a ALTER COLUMN b TYPE int USING b::int')"),
    "a rebuilt table": (
        "",
        """
        op.create_table("new_users", sa.Column("id", sa.Integer()))
        op.execute("INSERT INTO new_users SELECT id FROM users")
        op.drop_table("users")
        op.rename_table("new_users", "users")
        """,
    ),
    "a rebuilt table in SQL": (
        "",
        """
        op.execute("ALTER TABLE users RENAME TO old_users")
        op.execute("CREATE TABLE users (id INTEGER)")
        op.execute("INSERT INTO users SELECT id FROM old_users")
        """,
    ),
}


@pytest.mark.parametrize(("above", "upgrade"), DATA_STEPS.values(), ids=DATA_STEPS)
def test_data_step(pages: Pages, above: str, upgrade: str) -> None:
    """Rows that change are found, however the statement is made."""
    revision = pages.revise(upgrade, above=above)
    assert revision.has_data_step
    assert not revision.is_mixed


@pytest.mark.parametrize(("above", "upgrade"), NO_DATA_STEPS.values(), ids=NO_DATA_STEPS)
def test_no_data_step(pages: Pages, above: str, upgrade: str) -> None:
    """What only looks like a change of rows is none."""
    assert not pages.revise(upgrade, above=above).has_data_step


def test_downgrade_is_not_the_upgrade(pages: Pages) -> None:
    """Rows that only the downgrade changes are no data step."""
    revision = pages.revise("op.drop_table('a')", "op.execute('DELETE FROM b')")
    assert not revision.has_data_step
    assert [each.table for each in revision.downgrade] == ["b"]


def test_imported_helpers_are_followed(pages: Pages) -> None:
    """A module of the project that the revision imports is read, and what it imports in its turn."""
    pages.write("app/__init__.py", "")
    pages.write("app/fills.py", "from app.texts import SQL\n\ndef fill(conn):\n    conn.execute(SQL)\n")
    pages.write("app/texts.py", "SQL = 'DELETE FROM users'\n")
    revision = pages.revise("fill(op.get_bind())", above="from app.fills import fill")
    assert [(each.verb, each.table, each.place.path.name) for each in revision.writes] == [
        ("DELETE", "users", "fills.py")
    ]
    other = pages.revise("fills.fill(op.get_bind())", above="from app import fills", name="two")
    assert other.has_data_step


def test_sql_files_are_read(pages: Pages) -> None:
    """The text of an .sql file that the revision names."""
    pages.write("migrations/versions/fill.sql", "DELETE FROM users;\n")
    revision = pages.revise(
        "op.execute(Path(__file__).with_name('fill.sql').read_text())", above="from pathlib import Path"
    )
    assert [each.table for each in revision.writes] == ["users"]


def test_recursion_ends(pages: Pages) -> None:
    """Functions that call one another, and names that are made of themselves, are read once."""
    above = "def a(x):\n    b(x)\n\ndef b(x):\n    a(x)\n    op.execute('DELETE FROM users')\n"
    grown = "\n".join("name = name.replace('a', 'b') + name" for _ in range(30))
    revision = pages.revise(f"name = 'a'\n{grown}\nop.execute(name)\na(1)", above=above)
    assert [each.table for each in revision.writes] == ["users"]


MIXED = {
    "op": "op.add_column('users', sa.Column('role', sa.String()))",
    "batch": "with op.batch_alter_table('users') as users:\n    users.add_column(sa.Column('role', sa.String()))",
    "SQL": "op.execute('ALTER TABLE users ADD role text')",
    "an index": "op.create_index('ix', 'users', ['role'])",
    "a type": "sa.Enum('a', name='kind').create(op.get_bind())",
}


@pytest.mark.parametrize("schema", MIXED.values(), ids=MIXED)
def test_mixed(pages: Pages, schema: str) -> None:
    """Rows beside any change of the schema."""
    assert pages.revise(f"{schema}\nop.execute({UPDATE!r})").is_mixed


@pytest.mark.parametrize("other", ["op.execute('SET lock_timeout = 1')", "op.execute('CREATE TEMP TABLE t (id int)')"])
def test_not_mixed(pages: Pages, other: str) -> None:
    """What ends with the session is no change of the schema."""
    assert not pages.revise(f"{other}\nop.execute({UPDATE!r})").is_mixed
