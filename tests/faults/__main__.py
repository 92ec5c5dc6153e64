"""The longer sizes, as one table: `python -m tests.faults kills --rows 1000000`, `python -m tests.faults crashes`.

Each database is the one that the tests would use: from its environment variable, else a throwaway server.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path

import sqlalchemy as sa

from tests.faults.crashes import finish_sweep, start_sweep
from tests.faults.kills import finish_kills, start_kills
from tests.faults.kinds import KINDS, WORKLOADS
from tests.faults.mutants import CRASHING, SHOWN_BY
from tests.servers import mariadb, postgresql

SERVERS = {"postgresql": postgresql, "mariadb": mariadb}


@contextmanager
def fresh_database(name: str) -> Iterator[sa.URL]:
    """A fresh database of this kind."""
    if name == "sqlite":
        with tempfile.TemporaryDirectory() as directory:
            yield sa.URL.create("sqlite", database=str(Path(directory) / "faults.db"))
        return
    server = SERVERS[name].start()
    url = server.create_database()
    yield url
    server.drop_database(url)
    server.stop()


def kills(url: sa.URL, options: argparse.Namespace) -> Iterator[dict[str, object]]:
    """Random kills of both forms."""
    for form in ("count_in_sql", "count_by_row"):
        series = start_kills(url, form, rows=options.rows, kills=options.kills, batch=options.batch)
        yield asdict(finish_kills(series))


def crashes(url: sa.URL, _: argparse.Namespace) -> Iterator[dict[str, object]]:
    """A crash at every statement of every transform, from creating the ledger on, and of the wrong protocols."""
    for name in WORKLOADS:
        yield {"sweep of": name, **asdict(finish_sweep(start_sweep(url, name, "--rows", "40", "--batch", "10")))}
    yield {
        "sweep of": "creating the ledger",
        **asdict(finish_sweep(start_sweep(url, "count_in_sql", "--rows", "4", "--fresh"))),
    }
    everything = ["count_by_row", *(kind.transform.name for kind in KINDS)]
    planted = [(mutant, name) for mutant in CRASHING for name in everything]
    for mutant, name in (*planted, *SHOWN_BY.items()):
        sweep = start_sweep(url, name, "--rows", "4", "--batch", "2", "--mutant", mutant)
        yield {"sweep of": f"{mutant}, {name} (until found)", **asdict(finish_sweep(sweep))}


SHOWS: dict[str, Callable[[sa.URL, argparse.Namespace], Iterator[dict[str, object]]]] = {
    "kills": kills,
    "crashes": crashes,
}


def main() -> None:
    """Show one kind of fault on each database."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("fault", choices=SHOWS)
    parser.add_argument("--database", choices=["sqlite", *SERVERS], action="append", help="default: each")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--batch", type=int, default=1_000)
    options = parser.parse_args()
    titles: list[str] = []
    for name in options.database or ["sqlite", *SERVERS]:
        with ExitStack() as stack:
            for row in SHOWS[options.fault](stack.enter_context(fresh_database(name)), options):
                if not titles:
                    titles = ["database", *row]
                    print_row(titles)
                    print_row(["---"] * len(titles))
                print_row([name, *row.values()])


def print_row(cells: list[object] | list[str]) -> None:
    """Print one row of a table that Markdown understands."""
    sys.stdout.write("| " + " | ".join(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in cells) + " |\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
