"""Attacks: what is done to runs, how often, and what came of it; in three sizes, the same for each database."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import sqlalchemy as sa

from backfill.errors import LinkLost
from backfill.status import Status
from tests.faults.crashes import finish_sweep, start_sweep
from tests.faults.crashing_server import finish_crashes, start_crashes
from tests.faults.kills import finish_kills, start_kills
from tests.faults.kinds import KINDS, WORKLOADS
from tests.faults.links import Wire
from tests.faults.mutants import CRASHING, SHOWN_BY
from tests.faults.workloads import count_by_row, open_engine, outcome, run_on, seed, settings, tally
from tests.faults.zombies import finish_haunting, start_haunting
from tests.servers import mariadb, postgresql

SERVERS = {"postgresql": postgresql, "mariadb": mariadb}
DATABASES = ("sqlite", *SERVERS)
BATCH = 100


@dataclass(frozen=True)
class Size:
    """How often everything is done."""

    kills: int
    """Of a run, on each database."""
    server_kills: int
    zombies_every: int
    """At one of so many statements."""


SIZES = {"ci": Size(20, 2, 4), "release": Size(1_000, 100, 1), "10000": Size(10_000, 1_000, 1)}


@dataclass(frozen=True)
class Outcome:
    """What came of one attack on one database."""

    attack: str
    moments: int
    """Times that something was killed, cut or stopped."""
    lost: int
    """Rows; of what is done at every statement: moments after which rows were."""
    doubled: int
    other: str
    """What else was wrong, or is to be known."""
    seconds: float


@contextmanager
def fresh_database(name: str) -> Iterator[sa.URL]:
    """A fresh database of this kind: the one that the tests would use, or a throwaway server's."""
    if name == "sqlite":
        with tempfile.TemporaryDirectory() as directory:
            yield sa.URL.create("sqlite", database=str(Path(directory) / "faults.db"))
        return
    server = SERVERS[name].start()
    url = server.create_database()
    yield url
    server.drop_database(url)
    server.stop()


def kill_runs(database: str, size: Size) -> Iterator[Outcome]:
    """SIGKILL at random moments: of a run in SQL, of one by row that keeps images, and of its undoing."""
    third = -(-size.kills // 3)
    for form, flags in (("count_in_sql", ()), ("count_by_row", ("--keep-undo",))):
        with fresh_database(database) as url:
            options = {"rows": max(2 * third, 50) * BATCH, "kills": third, "batch": BATCH}
            found = finish_kills(start_kills(url, form, *flags, **options))
        told = f"{found.images_wrong:,} images wrong, {found.not_restored:,} rows not restored" if flags else ""
        wrong = "" if found.is_exact else f"; {found.status}, {found.written:,} of {found.rows:,} written"
        name = "SIGKILL of a run by row that keeps images, and of its undoing" if flags else "SIGKILL of a run in SQL"
        yield Outcome(name, found.kills, found.lost, found.doubled, told + wrong, found.seconds)


def kill_servers(database: str, size: Size) -> Iterator[Outcome]:
    """SIGKILL of the server itself, which then recovers."""
    if database not in SERVERS:
        return
    rows = max(2 * size.server_kills, 50) * BATCH
    found = finish_crashes(start_crashes(database, rows=rows, kills=size.server_kills, batch=BATCH))
    told = f"{found.forgotten:,} times something forgotten that it had said"
    yield Outcome("SIGKILL of the server", found.kills, found.lost, found.doubled, told, found.seconds)


def cut_wires(database: str, _: Size) -> Iterator[Outcome]:
    """The wire is cut just before a COMMIT arrives, and just after it stands, at each COMMIT of a small run."""
    if database not in SERVERS:
        return
    chosen, rows = settings(batch_size=4, max_batch_size=4), 8
    with fresh_database(database) as url:
        engine = open_engine(url)
        for after in (False, True):
            started = time.perf_counter()
            cuts = lost = doubled = unfinished = 0
            while _cut_at(cuts + 1, url, after=after):
                run_on(engine, count_by_row, chosen)
                counted = tally(engine)
                cuts, lost, doubled = cuts + 1, lost + (counted.lost > 0), doubled + (counted.doubled > 0)
                unfinished += outcome(engine, count_by_row.name) != (Status.COMPLETED, rows)
            told = f"{unfinished} runs that did not complete"
            name = f"wire cut just {'after' if after else 'before'} a COMMIT"
            yield Outcome(name, cuts, lost, doubled, told, time.perf_counter() - started)


def _cut_at(commit: int, url: sa.URL, *, after: bool) -> bool:
    """Run until the wire is cut at this COMMIT; False where the run has fewer."""
    engine, chosen = open_engine(url), settings(batch_size=4, max_batch_size=4)
    seed(engine, 8)
    run_on(engine, count_by_row, chosen)
    seed(engine, 8)
    with Wire(url, commit, after=after) as wire:
        with suppress(LinkLost):
            run_on(open_engine(wire.url), count_by_row, chosen)
        return wire.is_cut


SESSIONS = {"60": "lives on", "1": "the server ends"}
"""What becomes of a zombie's session, by the seconds after which the server ends one that is idle."""


def wake_zombies(database: str, size: Size) -> Iterator[Outcome]:
    """SIGSTOP before each statement of a batch, another worker meanwhile, SIGCONT."""
    for form, (idle, session) in product(("count_by_row", "count_in_sql"), SESSIONS.items()):
        with fresh_database(database) as url:
            found = finish_haunting(start_haunting(url, form, "--idle", idle, "--every", str(size.zombies_every)))
        told = f"{found.taken_over} times taken over meanwhile, {found.unfinished} runs that did not complete"
        name = f"SIGSTOP in {form}, whose session {session}"
        yield Outcome(name, found.points, found.lost, found.doubled, told, found.seconds)


def sweep_statements(database: str, size: Size) -> Iterator[Outcome]:
    """Death before each statement and COMMIT of every kind of transform, and from creating the ledger on."""
    sweeps: list[tuple[str, tuple[str, ...]]]
    sweeps = [(name, ("--rows", "40", "--batch", "10")) for name in WORKLOADS]
    if size is SIZES["ci"]:
        sweeps = [("count_by_row", ())]
    for name, options in (*sweeps, ("count_in_sql", ("--rows", "4", "--fresh"))):
        with fresh_database(database) as url:
            found = finish_sweep(start_sweep(url, name, *options))
        told = f"{found.unfinished} runs that did not complete, {found.miscounted} miscounted"
        title = f"death at a statement of {name}{', without a ledger' if '--fresh' in options else ''}"
        yield Outcome(title, found.points, found.lost, found.doubled, told, found.seconds)


HARMLESS = ("checkpoint-after-data", "move_in_sql")
"""A row that was moved is not there to be moved twice."""


def sweep_mutants(database: str, size: Size) -> Iterator[Outcome]:
    """The same with a wrong protocol, until rows are lost or doubled: a sweep that finds nothing is worth nothing."""
    stateless = [kind.transform for kind in KINDS if kind.transform.given.state is None]  # a checkpoint carries state
    forms = ["count_by_row"] if size is SIZES["ci"] else ["count_by_row", *(kind.name for kind in stateless)]
    planted = [each for each in product(CRASHING, forms) if each != HARMLESS]
    for mutant, name in (*planted, *SHOWN_BY.items()):
        with fresh_database(database) as url:
            found = finish_sweep(start_sweep(url, name, "--rows", "4", "--batch", "2", "--mutant", mutant))
        told = "found, as it must be" if found.lost or found.doubled else "**NOT FOUND**"
        yield Outcome(f"planted: {mutant}, {name}", found.points, found.lost, found.doubled, told, found.seconds)


ATTACKS: dict[str, Callable[[str, Size], Iterator[Outcome]]] = {
    "kills": kill_runs,
    "servers": kill_servers,
    "wires": cut_wires,
    "zombies": wake_zombies,
    "statements": sweep_statements,
    "mutants": sweep_mutants,
}
