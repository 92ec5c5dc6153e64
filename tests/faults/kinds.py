"""Kinds: a small run of everything else that a function may return, each with the rows that must be there at its end.

None of them may be done twice: every row that is taken is counted, too, or it leaves a row that has no match.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel

import backfill
from backfill import Change, Delete, Insert, Rows
from backfill.declaration.decorator import Transform
from tests.faults.workloads import STEP, TRANSFORMS, Counted, Tally, forget_runs, seed, tally
from tests.faults.workloads import Counter as Counting

metadata = sa.MetaData()
_Key = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _walked(name: str) -> sa.Table:
    columns = (sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False), sa.Column("team", sa.String(9)))
    counted = (sa.Column("n", sa.BigInteger, nullable=False), sa.Column("place", sa.Integer))
    return sa.Table(name, metadata, *columns, *counted, sa.Column("house_id", sa.BigInteger), mysql_engine="InnoDB")


members, guests = _walked("members"), _walked("guests")
notes = sa.Table(
    "notes",
    metadata,
    sa.Column("id", _Key, primary_key=True),
    sa.Column("text", sa.String(20), nullable=False),
    mysql_engine="InnoDB",
)
houses = sa.Table(
    "houses",
    metadata,
    sa.Column("id", _Key, primary_key=True),
    sa.Column("name", sa.String(20), nullable=False, unique=True),
    sa.Column("n", sa.BigInteger, nullable=False, server_default="0"),
    mysql_engine="InnoDB",
)


class Member(BaseModel):
    """Read."""

    id: int
    n: int


class Note(BaseModel):
    """Inserted."""

    text: str


class House(BaseModel):
    """Inserted."""

    name: str
    n: int = 0


class Housed(BaseModel):
    """Written, with the key of what is inserted."""

    house_id: Insert[House]


class Placed(Counted):
    """Written with a number."""

    place: int


class Count(BaseModel):
    """Carried from batch to batch."""

    rows: int = 0


@backfill.transform("members")
def note_twice(member: Member) -> list[Insert[Note]]:
    """Two new rows for each, which nothing but the checkpoint keeps from being four."""
    return [Insert("notes", Note(text=f"{member.id}:{nth}")) for nth in (1, 2)]


@backfill.transform("members")
def build_missing(member: Member) -> list[Counted | Insert[House]]:
    """One house for two rows, unless it is there."""
    return [Counted(n=member.n + 1), Insert("houses", House(name=f"h{member.id // 2}"), match="name")]


@backfill.transform("members")
def upsert_in_sql(members: Rows) -> list[dict[str, Any] | Insert]:
    """A house for each row, which takes its number, whether it was there or not."""
    house = {"name": sa.literal("h") + sa.cast(members.c.id, sa.String(20)), "n": members.c.n}
    return [Insert("houses", house, match="name", update="n"), {"n": members.c.n + 1}]


@backfill.transform("members")
def move_in_sql(members: Rows) -> list[Insert | Delete]:
    """The row moves to another table."""
    return [Insert("notes", {"text": sa.cast(members.c.id, sa.String(20))}), Delete()]


@backfill.transform("members", group_by="team", order_by=sa.column("id").desc())
def place_in_team(team: list[Member]) -> list[Placed]:
    """1, 2, 3 … in each team, the greatest id first."""
    return [Placed(n=member.n + 1, place=place) for place, member in enumerate(team, 1)]


@backfill.transform("members", "guests", order_by=sa.column("id").desc())
def number_all(members: list[Counting], *, state: Count) -> list[Placed]:
    """1, 2, 3 … through all batches of both tables."""
    first = state.rows + 1
    state.rows += len(members)
    return [Placed(n=member.n + 1, place=place) for place, member in enumerate(members, first)]


@backfill.transform("members")
def house_each(member: Member) -> Housed:
    """Each row is tied to a row of its own, whose key the database gives."""
    return Housed(house_id=Insert("houses", House(name=str(member.id))))


@backfill.seed()
def three_notes() -> list[Change]:
    """Rows from nothing."""
    return [Insert("notes", Note(text=text)) for text in "abc"]


@backfill.step("members")
def count_by_step(members: Rows, *, connection: sa.Connection) -> int:
    """Count the rows of each batch by a statement of its own."""
    live = sa.table("members", sa.column("id"), sa.column("n"))
    keys = list(connection.execute(sa.select(members.c.id)).scalars())
    return connection.execute(sa.update(live).where(live.c.id.in_(keys)).values(n=live.c.n + 1)).rowcount


@backfill.step()
def note_in_step(connection: sa.Connection) -> int:
    """Insert a row, once."""
    return connection.execute(sa.insert(sa.table("notes", sa.column("text"))).values(text="once")).rowcount


@dataclass(frozen=True)
class Workload:
    """A transform, how its tables are filled, and a count of what went wrong with them."""

    transform: Transform[..., Any]
    seed: Callable[[sa.Engine, int], None] = seed
    tally: Callable[[sa.Engine, int], Tally] = lambda engine, _: tally(engine)


Ids = list[int]
Result = Iterable[tuple[Any, ...]]

LOWEST = -1
"""Where ids begin."""


def kind(
    transform: Transform[..., Any],
    found: list[sa.Select[Any]],
    expected: Callable[[Ids], Result],
    written: Callable[[Ids], int] = len,
) -> Workload:
    """A workload whose end is known: what the selects find is what `expected` makes of the ids, row by row."""

    def count(engine: sa.Engine, rows: int) -> Tally:
        ids = list(range(LOWEST, LOWEST + rows))
        with engine.connect() as connection:
            there = Counter(tuple(row) for select in found for row in connection.execute(select))
        wanted = Counter(expected(ids))
        return Tally(written(ids), (wanted - there).total(), (there - wanted).total())

    return Workload(transform, fill, count)


def fill(engine: sa.Engine, rows: int) -> None:
    """Bring both tables to `rows` rows in teams of two and the others to none, and empty the ledger."""
    metadata.create_all(engine)
    ids = range(LOWEST, LOWEST + rows)
    with engine.begin() as connection:
        forget_runs(connection)
        for table in metadata.sorted_tables:
            connection.execute(table.delete())
        for table in (members, guests):
            connection.execute(table.insert(), [{"id": key, "n": STEP * key, "team": f"t{key // 2}"} for key in ids])


def counted(ids: Ids) -> list[tuple[Any, ...]]:
    """Every row, counted once."""
    return [(key, STEP * key + 1) for key in ids]


def numbered(ids: Ids, first: int = 1) -> list[tuple[Any, ...]]:
    """Every row, counted once and numbered, the greatest id first."""
    return [(*row, place) for place, row in enumerate(reversed(counted(ids)), first)]


def placed(ids: Ids) -> list[tuple[Any, ...]]:
    """The same, beginning anew in each team."""
    teams = ([key for key in ids if key // 2 == team] for team in {key // 2 for key in ids})
    return [row for team in teams for row in numbered(team)]


def twice(ids: Ids) -> int:
    """Two writes for each row."""
    return 2 * len(ids)


NOTES, HOUSES = sa.select(notes.c.text), sa.select(houses.c.name, houses.c.n)
MEMBERS, COUNTED = sa.select(members.c.id), sa.select(members.c.id, members.c.n)
PLACED, PLACED_GUESTS = (sa.select(table.c.id, table.c.n, table.c.place) for table in (members, guests))
HOME = houses.outerjoin(members, members.c.house_id == houses.c.id)
AT_HOME = sa.select(members.c.id, houses.c.name).select_from(HOME)

KINDS = (
    kind(note_twice, [NOTES], lambda ids: [(f"{key}:{nth}",) for key in ids for nth in (1, 2)], twice),
    kind(
        build_missing,
        [COUNTED, HOUSES],
        lambda ids: counted(ids) + [(f"h{half}", 0) for half in {key // 2 for key in ids}],
        lambda ids: len(ids) + len({key // 2 for key in ids}),
    ),
    kind(upsert_in_sql, [COUNTED, HOUSES], lambda ids: counted(ids) + [(f"h{key}", STEP * key) for key in ids], twice),
    kind(move_in_sql, [MEMBERS, NOTES], lambda ids: [(str(key),) for key in ids], twice),
    kind(place_in_team, [PLACED], placed),
    kind(number_all, [PLACED, PLACED_GUESTS], lambda ids: numbered(ids) + numbered(ids, len(ids) + 1), twice),
    kind(house_each, [AT_HOME], lambda ids: [(key, str(key)) for key in ids], twice),
    kind(three_notes, [NOTES], lambda _: [(text,) for text in "abc"], lambda _: 3),
    kind(count_by_step, [COUNTED], counted),
    kind(note_in_step, [NOTES], lambda _: [("once",)], lambda _: 1),
)
WORKLOADS = {workload.transform.name: workload for workload in (*map(Workload, TRANSFORMS.values()), *KINDS)}
