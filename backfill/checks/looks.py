"""What a row becomes should not depend on which rows were written before it."""

from collections.abc import Iterator

from backfill.declaration.adaptation import tables_of
from backfill.declaration.repeatability import looks_at_its_own
from backfill.finding import Finding, Severity
from backfill.rows.target import Target


def check_looks(target: Target) -> Iterator[Finding]:
    """Rows of the walked table that are looked up, or asked for by `where`, and written too."""
    if looks_at_its_own(target.bound, tables_of(target.where, target.table), target.name):
        yield Finding(
            "looks-at-written",
            f"{target.transform.name} looks at other rows of {target.name}, which it writes: what becomes of a row "
            "depends on those written before it, and so on the size of batches",
            Severity.WARNING,
        )
