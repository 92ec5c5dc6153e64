"""Every page is followed, on each database that it speaks of."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.docs.page import Page
from tests.docs.scratch import PROJECT, Scratch
from tests.docs.starts import start

DOCS = PROJECT / "docs"
NOT_FOLLOWED_YET = ("testing.md",)
"""Its messages are compared in tests/testing; its blocks are parts of files."""

PAGES = {str(path.relative_to(DOCS)): Page.read(path) for path in sorted(DOCS.rglob("*.md"))}
FOLLOWED = [
    pytest.param(name, database, id=f"{name}-{database}", marks=getattr(pytest.mark, database))
    for name, page in PAGES.items()
    if page.blocks() and name not in NOT_FOLLOWED_YET
    for database in page.matter("databases", "sqlite")
]


@pytest.mark.parametrize(("name", "database"), FOLLOWED)
def test_a_page_does_what_it_says(name: str, database: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """From its first block to its last, in a folder of its own."""
    page = PAGES[name]
    url: sa.URL = request.getfixturevalue(f"{database}_url")
    scratch = Scratch(tmp_path / "project", {"DATABASE_URL": url.render_as_string(hide_password=False)})
    for word in page.matter("start", "empty"):
        start(word, scratch)
    scratch.follow(page)
