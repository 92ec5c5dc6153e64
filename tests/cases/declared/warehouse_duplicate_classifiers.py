"""Classifiers of releases: each only once, in a table without a key."""

from sqlalchemy import Connection, bindparam, column, delete, func, insert, select, table

import backfill

classifier = table("release_classifiers", column("release_id"), column("trove_id"))


@backfill.step()
def drop_duplicate_classifiers(connection: Connection) -> int:
    """Equal rows cannot be told apart, so all are deleted and one comes back; without a trove id none is equal."""
    doubles = (
        select(classifier)
        .where(classifier.c.trove_id.is_not(None))
        .group_by(classifier.c.release_id, classifier.c.trove_id)
        .having(func.count() > 1)
    )
    rows = [dict(row) for row in connection.execute(doubles).mappings()]
    equal = (classifier.c[name] == bindparam(f"its_{name}") for name in ("release_id", "trove_id"))
    if rows:
        keys = [{f"its_{name}": value for name, value in row.items()} for row in rows]
        connection.execute(delete(classifier).where(*equal), keys)
        connection.execute(insert(classifier), rows)
    return len(rows)


STEPS = (drop_duplicate_classifiers,)
