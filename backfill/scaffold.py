"""Scaffold: the files that a new project and a new transform begin with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from backfill.definition import Name
from backfill.errors import Refused

_ROW = '''"""Fill {table}.{column}."""

from pydantic import BaseModel

import backfill
from backfill import is_missing


class Read(BaseModel):
    """Columns read."""

    id: int


class Written(BaseModel):
    """Columns written."""

    {column}: str


@backfill.transform("{table}", where=is_missing("{column}"))
def {name}(row: Read) -> Written | None:
    """Say in one sentence what {column} becomes; None leaves the row."""
    return Written({column}=str(row.id))
'''

_SQL = '''"""Fill {table}.{column}."""

from typing import Any

from sqlalchemy import String, cast

import backfill
from backfill import Rows, is_missing


@backfill.transform("{table}", where=is_missing("{column}"))
def {name}(rows: Rows) -> dict[str, Any]:
    """Say in one sentence what {column} becomes."""
    return {{"{column}": cast(rows.c.id, String)}}
'''


def write_project(root: Path) -> Iterator[str]:
    """Write what is not there yet, and tell what comes next."""
    yield _write(
        root / "transforms" / "__init__.py",
        '"""The project\'s transforms: one file each, kept as long as its revision."""\n',
    )
    if not any((root / name).exists() for name in ("alembic.ini", "migrations")):
        yield "There is no Alembic environment here yet:  alembic init migrations"
    yield "Next:  backfill new NAME --table TABLE --column COLUMN"


def write_transform(package: str, name: str, table: str, column: str, *, sql: bool) -> Iterator[str]:
    """Write a transform that runs as it stands; what it computes is for the author to say."""
    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError:
        raise Refused(
            f"{name!r} is no name for a transform: lower-case letters, digits and _, such as fill_skills"
        ) from None
    if not column.isidentifier():
        raise Refused(f"{column!r} is no name for a field; write the model by hand and give the field an alias")
    folder = Path(*package.split("."))
    if not folder.is_dir():
        raise Refused(f"there is no folder {folder}/. Make it with: backfill init")
    template = _SQL if sql else _ROW
    yield _write(folder / f"{name}.py", template.format(name=name, table=table, column=column))
    yield f"Next: say what {column} becomes, then:  backfill plan {name}"


def _write(path: Path, text: str) -> str:
    if path.exists():
        return f"kept     {path.name}, which is there already"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return f"written  {path.parent.name}/{path.name}"
