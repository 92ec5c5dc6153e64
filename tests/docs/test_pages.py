"""Every page is followed, on each database that it speaks of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from backfill.cli import cli
from tests.docs.page import Page
from tests.docs.scratch import PROJECT, Scratch
from tests.docs.starts import start

DOCS = PROJECT / "docs"
PAGES = {str(path.relative_to(DOCS)): Page.read(path) for path in sorted(DOCS.rglob("*.md"))}
FOLLOWED = [
    pytest.param(name, database, id=f"{name}-{database}", marks=getattr(pytest.mark, database))
    for name, page in PAGES.items()
    if page.blocks()
    for database in page.matter("databases", "sqlite")
]


def typed() -> set[str]:
    """The commands of ours that a reader types somewhere."""
    lines = (
        each.command for page in PAGES.values() for block in page.blocks("console", "sh") for each in block.commands()
    )
    return {match[1] for line in lines for match in re.finditer(r"\bbackfill ([a-z]+)\b", line)}


def test_no_command_is_shown_where_nobody_types_it() -> None:
    """What stands as plain text is output, or a part of somebody else's file."""
    shown = [block.text for page in PAGES.values() for block in page.blocks("text", "")]
    assert not [text for text in shown if re.search(r"^(\$ |backfill |alembic |flask |pip )", text, re.M)]


def test_every_command_is_typed_on_some_page() -> None:
    """So each of them is run by these tests, as the pages show it."""
    assert set(cli.commands) - typed() == set()


@pytest.mark.parametrize(("name", "database"), FOLLOWED)
def test_a_page_does_what_it_says(name: str, database: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """From its first block to its last, in a folder of its own."""
    page = PAGES[name]
    url: sa.URL = request.getfixturevalue(f"{database}_url")
    scratch = Scratch(tmp_path / "project", {"DATABASE_URL": url.render_as_string(hide_password=False)})
    for word in page.matter("start", "empty"):
        start(word, scratch)
    scratch.follow(page)
