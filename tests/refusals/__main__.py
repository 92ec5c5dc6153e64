"""Write docs/codes.md, the list of every code that a refusal may have: `python -m tests.refusals`."""

from tests.refusals.codes import PAGE, page

PAGE.write_text(page(), encoding="utf-8")
