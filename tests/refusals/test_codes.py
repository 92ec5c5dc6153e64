"""Every refusal has a code, and every code is documented."""

from tests.refusals.codes import PAGE, coded, page, uncoded


def test_the_page_is_what_the_source_says() -> None:
    """After a change: python -m tests.refusals."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_there_are_many() -> None:
    """And each is one word of the same kind."""
    assert len(coded()) > 100
    assert [code for code in coded() if not code.replace("-", "").isalnum() or code != code.lower()] == []


def test_no_refusal_goes_without() -> None:
    """Where the class alone does not say what is wrong, a code does."""
    assert uncoded() == []
