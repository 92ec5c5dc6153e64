"""Text that commands a terminal, forges a line or turns one around: harmless in every sink."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backfill.alembic import BackfillCommandError
from backfill.batch import Tally
from backfill.command.exits import exit_codes
from backfill.command.pages import status_json, status_page, undo_page
from backfill.declaration.rejection import reason_of
from backfill.errors import ChecksFailed, Refused, Rejected
from backfill.escaping import MOST_CHARACTERS, excerpt, one_line, safe_text
from backfill.fault import Fault, Faulted
from backfill.finding import Finding
from backfill.phrase import phrased
from backfill.run import Run
from backfill.running.progress import log
from backfill.status import Status
from tests.quiet.canaries import hostile
from tests.quiet.modules import rowwise
from tests.quiet.sinks import listening
from tests.quiet.stage import SERVERS, ErrorPath, Stage, walk

HOSTILE = {
    "a title and a cleared screen": "\x1b]0;x\x07\x1b[2J",
    "a line of its own": "x\r\nERROR forged",
    "a carriage return": "x\rforged",
    "C1": "\x9b31mx\x85y",
    "DEL and NUL": "x\x7f\x00",
    "turned around": "\u202egnp.exe",
    "isolated": "\u2066x\u2069",
    "line and paragraph separators": "x\u2028y\u2029z",
    "no width": "x\u200b\ufeffy",
    "half a character": "x\ud800y",
    "a tag": "x\U000e0041y",
    "formats": "%s %(x)s {0} {x}",
    "markup": "<script>alert(1)</script>",
    "a formula": "=cmd|'/C calc'!A0",
    "everything": hostile("x"),
    "a very long line": "x" * 1_000_000,
}

MOMENT = datetime(2026, 1, 1)  # noqa: DTZ001  # as the ledger keeps it
RUN = Run(
    id=1,
    name="fill",
    status=Status.FAILED,
    reason="x",
    fingerprint="",
    rows_estimated=None,
    rows_read=0,
    tally=Tally(),
    rows_per_second=None,
    created_at=MOMENT,
    started_at=MOMENT,
    updated_at=MOMENT,
    completed_at=None,
    owner=None,
    lease_left=None,
    keeps_undo=False,
)

ONE_LINE: dict[str, Callable[[str], str]] = {
    "a reason": lambda text: reason_of(Rejected(text)),
    "what the database names": lambda text: str(Faulted(Fault.ROW, "23505", text)),
    "a finding": lambda text: str(ChecksFailed("fill", [Finding("x", text)])).partition("\n")[2],
    "the name in a page": lambda text: status_page([replace(RUN, name=text, reason="")]).splitlines()[1],
    "a name that has no run": lambda text: status_page([], text),
    "a name that has nothing to undo": lambda text: undo_page(text, []),
    "JSON": lambda text: json.dumps(json.loads(status_json([replace(RUN, reason=text)]))),
}
LINES: dict[str, Callable[[str], str]] = {
    "whatever is told": phrased,
    "a revision's error": lambda text: str(BackfillCommandError(text)),
    "the reason in a page": lambda text: status_page([replace(RUN, reason=text)]),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("sink", ONE_LINE.values(), ids=ONE_LINE)
def test_a_piece_of_somebody_elses_text_is_one_harmless_line(sink: Callable[[str], str], text: str) -> None:
    """Its line breaks are escaped too."""
    assert sink(text).isprintable()


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("sink", LINES.values(), ids=LINES)
def test_lines_of_ours_are_harmless(sink: Callable[[str], str], text: str) -> None:
    """A message may have lines, and nothing else that commands."""
    assert sink(text).replace("\n", "").isprintable()


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_record_is_one_harmless_line(text: str, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever logs it, and whether it comes as a message or as its argument."""
    with caplog.at_level(logging.INFO, log.name):
        log.info("%s: %s", "fill", text)
        log.warning(text.replace("%", "%%"))
    assert all(record.getMessage().isprintable() for record in caplog.records)
    assert len(caplog.records) == 2


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_command_ends_harmlessly(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With whatever message."""
    with pytest.raises(SystemExit), exit_codes():
        raise Refused(text)
    assert capsys.readouterr().err.replace("\n", "").isprintable()


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_piece_has_an_end(text: str) -> None:
    """Every character takes six at most."""
    assert len(excerpt(text)) <= 6 * (MOST_CHARACTERS + 1)


@given(st.text())
def test_printable_text_stays_as_it_is(text: str) -> None:
    """Nothing else is touched, and nothing else is left."""
    assert one_line(text).isprintable()
    assert safe_text(text).replace("\n", "").isprintable()
    assert one_line(text) == text or not text.isprintable()


ESCAPE = "\x1b[2J"
NAMED = [
    f'CREATE UNIQUE INDEX "one{ESCAPE}" ON people (nickname)',
    f'ALTER TABLE people ADD COLUMN "c{ESCAPE}" INTEGER',
]
TICKED = [statement.replace('"', "`") for statement in NAMED]
TAKEN = 'return Nickname(nickname="taken")'
PATHS = [
    ErrorPath(
        "an index's name",
        "the database refuses",
        rowwise(TAKEN),
        schema={"postgresql": NAMED, "mariadb": TICKED},
        databases=SERVERS,
    ),
    ErrorPath(
        "a column's name",
        "reads-unknown",
        rowwise(TAKEN, extra=f"class Odd(BaseModel):\n    x: int = Field(alias={ESCAPE + chr(10)!r})", reads="Odd"),
    ),
    ErrorPath(
        "a column's name in a condition",
        "unknown-column",
        rowwise(TAKEN, options=f", where=is_missing({ESCAPE + chr(10)!r})"),
    ),
    ErrorPath(
        "a column's name in a plan",
        "Nothing was written",
        rowwise(
            "return Odd(x=1)",
            extra=f"class Odd(BaseModel):\n    model_config = {{'populate_by_name': True}}\n    "
            f"x: int = Field(alias={'c' + ESCAPE!r})",
            writes="Odd",
            reads="Id",
        ).replace("class Odd", "class Id(BaseModel):\n    id: int\n\n\nclass Odd", 1),
        verb="plan",
        schema={"sqlite": NAMED, "postgresql": NAMED, "mariadb": TICKED},
    ),
]


@pytest.mark.parametrize(
    ("stage", "path"),
    [
        pytest.param(f"{name}_url", path, marks=getattr(pytest.mark, name), id=f"{path.name}-{name}")
        for path in PATHS
        for name in path.databases
    ],
    indirect=["stage"],
)
def test_names_are_harmless(stage: Stage, path: ErrorPath, capfd: pytest.CaptureFixture[str]) -> None:
    """Names of constraints, columns and tables come from whoever may create them."""
    stage.set_up(path)
    with listening(stage.sinks, capfd):
        walk(stage, path)
    assert stage.sinks.leaks() == {}
    assert path.told in stage.sinks.text
    assert re.search(r"\\u?001[bB]\[2J", stage.sinks.text)  # MariaDB escapes names by itself
