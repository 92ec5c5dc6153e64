"""Comments that say that a finding is meant."""

import pytest

from tests.linting.pages import Pages

MEANT = {
    "in the line": "op.execute('DELETE FROM a')  # backfill: ignore[unbatched] forty rows",
    "above it": "# backfill: ignore[unbatched] forty rows, and never more\nop.execute('DELETE FROM a')",
    "among others": "op.execute('DELETE FROM a')  # backfill: ignore[commit, unbatched] forty rows",
}
NOT_MEANT = {
    "another code": ("op.execute('DELETE FROM a')  # backfill: ignore[commit] forty rows", ["unbatched"]),
    "no reason": ("op.execute('DELETE FROM a')  # backfill: ignore[unbatched]", ["ignore", "unbatched"]),
    "no code": ("op.execute('DELETE FROM a')  # backfill: ignore", ["ignore", "unbatched"]),
    "an unknown code": ("op.execute('DELETE FROM a')  # backfill: ignore[unbatch] forty rows", ["ignore", "unbatched"]),
    "another line": ("x = 1  # backfill: ignore[unbatched] forty rows\nop.execute('DELETE FROM a')", ["unbatched"]),
    "a text": ("x = '# backfill: ignore[unbatched] forty'\nop.execute('DELETE FROM a')", ["unbatched"]),
}


@pytest.mark.parametrize("upgrade", MEANT.values(), ids=MEANT)
def test_is_meant(pages: Pages, upgrade: str) -> None:
    """A code and a reason, in the line or right above it."""
    pages.revise(upgrade)
    assert pages.codes() == []


@pytest.mark.parametrize(("upgrade", "codes"), NOT_MEANT.values(), ids=NOT_MEANT)
def test_is_not_meant(pages: Pages, upgrade: str, codes: list[str]) -> None:
    """Anything else ignores nothing; a comment that is wrong is found itself."""
    pages.revise(upgrade)
    assert sorted(pages.codes()) == codes


def test_the_codes_are_told(pages: Pages) -> None:
    """Whoever mistypes a code reads which there are."""
    pages.revise("op.execute('DELETE FROM a')  # backfill: ignore[unbatch] forty rows")
    (found,) = [each for each in pages.findings() if each.code == "ignore"]
    assert "unbatch; the codes are mixed, unbatched" in found.why
