"""Split names: all rows are read, and all are written by one executemany."""

from typing import Any

from delembic import DataMigration
from sqlalchemy import bindparam, select

from benchmarks.tables import Kind, users_of


class Executemany(DataMigration):  # type: ignore[misc, unused-ignore]  # it brings no types
    """Split names."""

    revision = "executemany"

    def upgrade(self, conn: Any) -> None:
        """Read, split, write."""
        users = users_of(Kind.DENSE)
        rows = conn.execute(select(users.c.id, users.c.full_name).where(users.c.first_name.is_(None)))
        split = [(key, *full_name.partition(" ")) for key, full_name in rows]
        named = [{"key": key, "first": first, "last": last} for key, first, _, last in split]
        by_key = users.update().where(users.c.id == bindparam("key"))
        conn.execute(by_key.values(first_name=bindparam("first"), last_name=bindparam("last")), named)
