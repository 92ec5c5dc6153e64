"""Each law holds of sound transforms, and is broken by a faulty one in words that somebody new understands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from backfill import schema
from backfill.declaration.decorator import Transform
from backfill.testing import LawBroken, rehearse
from backfill.testing.end import Row
from backfill.testing.law import Law
from backfill.testing.proofs import LAWS, crashes
from backfill.testing.rehearsal import staged
from tests.faults.mutants import planted
from tests.faults.workloads import count_by_row
from tests.testing import faulty

USERS: list[Row] = [{"id": 1, "name": "Ada King"}, {"id": 2, "name": "Cher"}, {"id": 3, "name": "Bob Ross"}]


def users(**more: Any) -> list[Row]:
    """The users, each with some more columns."""
    return [{**user, **more} for user in USERS]


BREACHES: list[tuple[Transform[..., Any], list[Row], str]] = [
    (
        faulty.number,
        USERS,
        """number breaks a law (sameness): the same rows get the same values.
Seen: in users, the row id = 1 has label = 'u4' when it is run again on the same rows, and 'u1' the first time.
Look for what is not in the row: a counter, a clock, a random number; if a column is meant to be new each time, \
name it in fresh=[...].""",
    ),
    (
        faulty.grade,
        USERS,
        """grade breaks a law (outputs): what is written can be read back through the output model.
Seen: in users, the row id = 1 has level = 'guru' afterwards: Level says: Input should be 'beginner' or 'expert'.
A model is checked when it is made: look for model_construct, for a field that is set afterwards, and for a column \
that keeps another value than it was given.""",
    ),
    (
        faulty.split,
        users(last_name=""),
        """split breaks a law (pending): a row that was written is not pending any more.
Seen: in users, the row id = 2 is written, and still taken by where (last_name = ''): \
{'id': 2, 'name': 'Cher', 'first_name': 'Cher', 'last_name': ''}.
The gate before the next schema revision asks where: let it ask for what no written row has, such as NULL in a column \
that is never written as NULL.""",
    ),
    (
        faulty.double,
        users(price=5),
        """double breaks a law (second run): running it again changes nothing.
Seen: in users, the row id = 1 has price = 20 after a second run, and 10 after the first.
It reads what it writes without saying so: read it as a field of the input model, or let where= leave out the rows \
that are done.""",
    ),
    (
        faulty.share_out,
        USERS,
        """share_out breaks a law (batches): in batches of one row it ends as in one batch of all rows.
Seen: in users, the row id = 1 has share = 100 in batches of one row, and 33 when all rows are one batch.
Which rows make a batch is chance: rows that belong together are a group (group_by=), and what goes from row to row \
is a state.""",
    ),
    (
        faulty.add_up,
        [{"id": 1, "amount": 5}, {"id": 2, "amount": 7}],
        """add_up breaks a law (crashes): a run that is killed at any moment and taken up again ends as one that is not.
Seen: in users, the row id = 2 has total = 7 after 7 crashes, one before each COMMIT, and 12 without a crash.
What a batch does must be undone with its transaction: look for a variable that lives longer than a call, another \
connection, a file.""",
    ),
    (
        faulty.remember,
        USERS,
        """remember breaks a law (edits): what the application writes during the run is kept.
Seen: in users, the row id = 3 waits, the application sets its name to 'Ada King', and it ends as \
{'id': 3, 'name': 'Ada King', 'label': 'BOB ROSS'}; had that been set before the run, as \
{'id': 3, 'name': 'Ada King', 'label': 'ADA KING'}.
A batch knows the rows that it has locked and no others: look for rows that are read ahead or remembered, and for an \
UPDATE that reaches beyond the batch.""",
    ),
    (
        faulty.upper_all,
        users(label=None),
        """upper_all breaks a law (edits): what the application writes during the run is kept.
Seen: in users, the row id = 1 is done, the application sets its label to 'CHER', and the run makes it 'ADA KING'.
A batch knows the rows that it has locked and no others: look for rows that are read ahead or remembered, and for an \
UPDATE that reaches beyond the batch.""",
    ),
    (
        faulty.default_skills,
        [{"skills": None}, {"skills": ["flying"]}],
        """default_skills breaks a law (nulls): JSON null and SQL NULL end alike, since is_missing takes both.
Seen: in users, the row id = 1 has skills = None where it held JSON null before, and [] where it held SQL NULL.
coalesce() and IS NULL know SQL NULL alone: say the new value itself, where= has chosen the rows already.""",
    ),
]


@pytest.mark.parametrize(("transform", "rows", "words"), BREACHES, ids=[transform.name for transform, *_ in BREACHES])
def test_a_faulty_transform_breaks_its_law(transform: Transform[..., Any], rows: list[Row], words: str) -> None:
    """The message says the law, the row and its column, and where to look."""
    faulty.begin_anew()
    with pytest.raises(LawBroken) as caught:
        rehearse(transform, rows)
    assert str(caught.value) == words
    assert isinstance(caught.value, AssertionError)


@pytest.mark.parametrize(("transform", "rows", "words"), BREACHES, ids=[transform.name for transform, *_ in BREACHES])
def test_it_breaks_no_other_law(transform: Transform[..., Any], rows: list[Row], words: str) -> None:
    """So each law is needed, and whichever is proved, the one is named that is broken."""
    own = words.partition("(")[2].partition(")")[0]
    assert {name for law in LAWS if (name := broken(law, transform, rows))} == {own}


def broken(law: Law, transform: Transform[..., Any], rows: list[Row]) -> str | None:
    """Prove one law alone; gives the name of the law that is told to be broken."""
    faulty.begin_anew()
    with staged(transform, {"users": rows}) as stage:
        try:
            law.require(stage)
        except LawBroken as error:
            return error.law.name
    return None


def test_what_undo_does_not_restore(sqlite_url: sa.URL) -> None:
    """A trigger's writes are nobody's."""
    engine = sa.create_engine(sqlite_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        for statement in faulty.TRIGGERED:
            connection.exec_driver_sql(statement)
    with pytest.raises(LawBroken) as caught:
        rehearse(faulty.call_by_name, USERS, engine=engine, accept=["trigger"])
    assert str(caught.value) == UNDO
    names = sa.inspect(engine).get_table_names()
    assert {name for name in names if not schema.owns(name)} == {"users"}
    assert [name for name in names if name.startswith(schema.IMAGE_PREFIX)] == []


UNDO = """call_by_name breaks a law (undo): undo restores what the rows held.
Seen: in users, the row id = 1 has edits = 2 after the run and its undo, and 0 before the run.
Only what the run itself writes is kept: look for a trigger, and for foreign keys that carry a write on to other \
rows."""


@pytest.mark.parametrize("law", LAWS, ids=[law.name for law in LAWS])
def test_there_is_a_faulty_transform_for_each(law: Law) -> None:
    """No law is without one."""
    assert any(f"({law.name})" in words for words in (UNDO, *(words for *_, words in BREACHES)))


@pytest.mark.parametrize("law", LAWS, ids=[law.name for law in LAWS])
def test_each_is_documented_with_what_is_said_of_a_breach(law: Law) -> None:
    """In the words that are said."""
    _, found, section = DOCUMENT.partition(f"\n### {law.name.capitalize()}: {law.sentence.removesuffix('.')}\n")
    assert found
    (shown,) = re.findall(r"```text\n(.*?)\n```", section.partition("\n### ")[0], re.DOTALL)
    assert shown in (UNDO, *(words for *_, words in BREACHES))
    assert f"breaks a law ({law.name}): " in shown


DOCUMENT = (Path(__file__).parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("mutant", ["checkpoint-before-data", "checkpoint-after-data"])
def test_a_wrong_protocol_does_not_survive_the_crashes(mutant: str) -> None:
    """They are real: a checkpoint that is not in the rows' own transaction shows, without a process of its own."""
    with planted(mutant), pytest.raises(LawBroken, match=r"\(crashes\)"):
        rehearse(count_by_row, [{"n": 1}, {"n": 2}, {"n": 3}])


def test_there_is_a_crash_before_every_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a batch, and of the transactions around: the run is entered, resumed, claimed, given back and completed."""
    died: list[str] = []
    monkeypatch.setattr(crashes._Deaths, "is_due", noting(died))
    with staged(count_by_row, {"people": [{"n": 1}, {"n": 2}, {"n": 3}]}) as stage:
        assert crashes.LAW.require(stage) is None
    assert [statement.split()[0:4:1][-1] for statement in died if "checkpoint=" in statement] == ["checkpoint=?,"] * 3
    assert len(died) == 8


def noting(died: list[str]) -> Any:
    """The original, which notes what was sent before each COMMIT that did not come."""
    original = crashes._Deaths.is_due

    def is_due(deaths: Any, commit: Any) -> bool:
        due = original(deaths, commit)
        if due:
            died.append(commit.statement)
        return due

    return is_due


@pytest.fixture(autouse=True)
def _anew() -> Iterator[None]:
    """Let no test see what a faulty transform has remembered in another."""
    faulty.begin_anew()
    yield
    faulty.begin_anew()
