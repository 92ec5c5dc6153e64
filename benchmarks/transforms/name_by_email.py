"""Fill bench_users.first_name where it is missing."""

from typing import Any

import backfill
from backfill import Rows, is_missing


@backfill.transform("bench_users", where=is_missing("first_name"))
def name_by_email(users: Rows) -> dict[str, Any]:
    """Who has no name is called by the address."""
    return {"first_name": users.c.email}
