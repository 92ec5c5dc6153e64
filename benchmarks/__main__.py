"""Compare backfill with what people do without it, on the databases that are named.

    python -m benchmarks postgresql+psycopg://user@host/empty mysql+pymysql://user@host/empty --json figures.json

Without a URL it measures SQLite, in a file of its own. A database must be empty: tables are made afresh for each
measurement, and all are dropped afterwards. Single figures mean little on a machine that has other work; ratios are of
figures taken one after the other. A run begins with checks that take a tenth of a second or so, which the section
`resume` shows: on few rows they weigh more than all else. All sections take some ten minutes a database.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool
from tqdm import tqdm

from benchmarks.admission import admit
from benchmarks.measuring import Standing, measure
from benchmarks.report import Table, write_json
from benchmarks.sections import SECTIONS, Section
from benchmarks.tables import database_of, version_of

SMOKE_ROWS = 2_000


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write what was asked for."""
    options = _parser().parse_args(arguments)
    if options.smoke:
        options.rows, options.repeat = SMOKE_ROWS, 1
    sections = [section for section in SECTIONS if not options.only or section.name in options.only]
    with _databases(options.urls) as urls:
        tables: list[Table] = []
        for url, section in product(urls, sections):
            tables.append(_measured(section, url, options))
            if options.json:
                write_json(options.json, tables, rows=options.rows, repeat=options.repeat)
    if options.chart:
        from benchmarks.chart import draw  # noqa: PLC0415  # its package is an extra

        draw(options.chart, tables)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Compare backfill with loops.")
    parser.add_argument("urls", nargs="*", metavar="URL", help="empty databases; without one, SQLite in a new file")
    parser.add_argument("--rows", type=int, default=200_000, help="of the table that is filled (%(default)s)")
    parser.add_argument("--repeat", type=int, default=3, help="turns of each contender (%(default)s)")
    parser.add_argument("--only", nargs="+", choices=[section.name for section in SECTIONS], help="some sections")
    parser.add_argument("--large", action="store_true", help="flatness on 25 times the rows, too")
    parser.add_argument("--smoke", action="store_true", help="few rows and one turn: whether all of it works")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures, too")
    parser.add_argument("--chart", type=Path, metavar="FILE", help="draw the ratios, as .png or .svg")
    return parser


@contextmanager
def _databases(urls: Sequence[str]) -> Iterator[Sequence[str]]:
    if urls:
        yield [admit(url) for url in urls]
        return
    with tempfile.TemporaryDirectory() as folder:
        yield [f"sqlite:///{folder}/bench.db"]


def _measured(section: Section, url: str, options: argparse.Namespace) -> Table:
    engine = create_engine(url, poolclass=NullPool)
    standings: list[Standing] = []
    turns = measure(section, url, options.rows, options.repeat, is_large=options.large)
    for standings in tqdm(turns, desc=section.name, leave=False, disable=None):  # noqa: B007  # the last one counts
        pass
    table = Table(database_of(engine), version_of(engine), section, standings)
    print(*table.lines(), sep="\n", flush=True)
    return table


if __name__ == "__main__":
    main()
