"""Default skills, in one statement."""

from typing import Any

from delembic import DataMigration

from benchmarks.tables import Kind, users_of
from benchmarks.transforms.default_skills import SKILLS


class OneUpdate(DataMigration):  # type: ignore[misc, unused-ignore]  # it brings no types
    """Default skills."""

    revision = "one_update"

    def upgrade(self, conn: Any) -> None:
        """Update all rows."""
        users = users_of(Kind.DENSE)
        conn.execute(users.update().where(users.c.skills.is_(None)).values(skills=SKILLS))
