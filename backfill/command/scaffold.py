"""Scaffold: the files that a new project and a new transform begin with."""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, TypeAdapter, ValidationError

from backfill.declaration.definition import Name
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

_TEST = '''"""What {name} makes of rows."""

from backfill.testing import rehearse
from {package}.{name} import {name}


def test_{name}() -> None:
    """The rows end like this, also when a run is killed, repeated, or goes row by row."""
    assert rehearse({name}, [{{"id": 7, "{column}": None}}]) == [{{"id": 7, "{column}": "7"}}]
'''


_IMPORTED = frozenset({"backfill", "cast", "is_missing"})
"""What the templates call by these names."""


def write_project(package: str) -> Iterator[str]:
    """Write what is not there yet, and tell what comes next."""
    yield _write_once(
        _folder(package) / "__init__.py",
        '"""The project\'s transforms: one file each, kept as long as its revision."""\n',
    )
    if not any(Path(name).exists() for name in ("alembic.ini", "migrations")):
        yield "There is no Alembic environment here yet:  alembic init migrations"
    yield "Next:  backfill new NAME --table TABLE --column COLUMN"


def write_transform(package: str, name: str, table: str, column: str, *, sql: bool) -> Iterator[str]:
    """Write a transform that runs as it stands, and its test; what it computes is for the author to say.

    Raises:
        Refused: a name is none, or there is a file of that name.
    """
    _require_name(name)
    _require_text(table, "table")
    _require_text(column, "column")
    if not sql and (not column.isidentifier() or keyword.iskeyword(column) or column.startswith("_")):
        raise Refused(
            f"{column} is no name for a field in Python: take --sql, or write the model with an alias",
            code="new-no-field",
        )
    if not sql and hasattr(BaseModel, column):
        raise Refused(
            f"{column} means something else in a pydantic model: take --sql, or write the model with an alias",
            code="new-reserved-field",
        )
    folder = _folder(package)
    if not folder.is_dir():
        raise Refused(f"there is no folder {folder}/. Make it with: backfill init", code="new-no-folder")
    for file in (folder / f"{name}.py", folder / f"{name}.json"):
        if file.exists():
            raise Refused(f"{file} is there already, and was left as it is", code="new-exists")
    said = {"package": package, "name": name, "table": table, "column": column}
    yield _write(folder / f"{name}.py", (_SQL if sql else _ROW).format(**said))
    yield _write_once(Path("tests") / f"test_{name}.py", _TEST.format(**said))
    yield f"Next: say what {column} becomes, then:  backfill plan {name}"


def _require_name(name: str) -> None:
    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError:
        raise Refused(
            f"{name!r} is no name for a transform: lower-case letters, digits and _, such as fill_skills",
            code="new-name",
        ) from None
    if keyword.iskeyword(name) or hasattr(builtins, name) or name in _IMPORTED:
        raise Refused(
            f"{name} means something else in Python already; say what it does, such as fill_{name}",
            code="new-reserved-name",
        )


def _require_text(text: str, what: str) -> None:
    if not text or not text.isprintable() or {'"', "\\"} & set(text):
        raise Refused(f"{text!r} cannot be written into a file as the name of a {what}", code="new-text")


def _folder(package: str) -> Path:
    return Path(*package.split("."))


def _write_once(path: Path, text: str) -> str:
    return f"kept     {path}, which is there already" if path.exists() else _write(path, text)


def _write(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return f"written  {path}"
