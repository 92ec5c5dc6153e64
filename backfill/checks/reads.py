"""Every field of the input model is a column, and takes the NULLs that the column may hold."""

from collections.abc import Iterator

from pydantic import BaseModel

from backfill.declaration.conditions import requires_present, suggest
from backfill.declaration.models import columns_of_model, takes_none
from backfill.finding import Finding
from backfill.rows.target import Target


def check_reads(target: Target) -> Iterator[Finding]:
    """Columns that are not there, and NULL that a field would refuse at the first row that has it."""
    model = target.transform.form.reads
    if model is None:
        return
    for field, column in columns_of_model(model).items():
        if field in target.transform.form.lookups:
            continue
        if column not in target.table.c:
            yield _unknown(target, column)
        elif not takes_none(model, field):
            yield from _nullable(target, model, field, column)


def _unknown(target: Target, column: str) -> Finding:
    hint = suggest(column, target.table.c.keys())
    return Finding(
        "reads-unknown",
        f"{target.transform.name} reads {target.name}.{column}; {target.name} has no such column.{hint} "
        "(a field that is no column needs an entry in lookups=)",
    )


def _nullable(target: Target, model: type[BaseModel], field: str, column: str) -> Iterator[Finding]:
    where = target.transform.definition.where
    present = requires_present(where) if where is not None else frozenset()
    if target.table.c[column].nullable and column not in present and column not in target.key:
        annotation = model.model_fields[field].annotation
        kind = annotation.__name__ if isinstance(annotation, type) else str(annotation)
        yield Finding(
            "reads-null",
            f"{target.name}.{column} may be NULL but {model.__name__}.{field} is {kind}: "
            f"write '{kind} | None', or where=column(\"{column}\").is_not(None)",
        )
