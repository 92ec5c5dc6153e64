"""Names of certificates: each only once."""

from typing import Any

from sqlalchemy import String, case, cast, func

import backfill
from backfill import Rows


@backfill.transform("certificates", group_by=())
def unique_names(certificates: Rows) -> dict[str, Any]:
    """The first keeps its name, the others get -1, -2 …; the name is the group, so all are one batch."""
    before = func.row_number().over(partition_by=certificates.c.name, order_by=certificates.c.id) - 1
    numbered = certificates.c.name.concat("-").concat(cast(before, String(20)))
    return {"name": case((before > 0, numbered), else_=certificates.c.name)}


STEPS = (unique_names,)
