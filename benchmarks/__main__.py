"""Compare backfill with hand-written loops on one PostgreSQL server.

    python -m benchmarks postgresql+psycopg://user@host/database --rows 200000 --repeat 3

The database must be empty of a table `bench_users`; it is made afresh for every measurement and dropped at the end.
Ratios are of medians, within one run; single figures mean little on a machine that has other work.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from statistics import median

from sqlalchemy import Engine, create_engine

from benchmarks import contenders
from benchmarks.users import fresh_users, seconds_of

Contender = Callable[[Engine], None]

SET_BASED: dict[str, Contender] = {
    "one UPDATE": contenders.one_update,
    "hand-written loop": contenders.set_based_loop,
    "backfill": contenders.set_based_backfill,
}
ROW_BY_ROW: dict[str, Contender] = {
    "ORM loop": contenders.orm_loop,
    "backfill": contenders.row_backfill,
}


def main() -> None:
    """Measure both tables and print them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Compare backfill with loops.")
    parser.add_argument("url")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    engine = create_engine(options.url)
    report("set-based", measure(engine, SET_BASED, options.rows, options.repeat), against="hand-written loop")
    report("row by row", measure(engine, ROW_BY_ROW, options.rows, options.repeat), against="ORM loop")
    engine.dispose()


def measure(engine: Engine, contenders: dict[str, Contender], rows: int, repeat: int) -> dict[str, list[float]]:
    """Rows per second of each contender, taken in turns so that drift hits all of them."""
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(repeat):
        for name in sorted(contenders, reverse=bool(turn % 2)):
            with fresh_users(engine, rows):
                rates[name].append(rows / seconds_of(lambda name=name: contenders[name](engine)))  # type: ignore[misc]
    return rates


def report(title: str, rates: dict[str, list[float]], against: str) -> None:
    """Print medians, spread and ratios."""
    yardstick = median(rates[against])
    print(f"\n{title:20}{'rows/s':>12}{'min':>12}{'max':>12}   against the {against}")
    for name, figures in rates.items():
        row = f"{name:20}{median(figures):12,.0f}{min(figures):12,.0f}{max(figures):12,.0f}"
        print(f"{row}   {median(figures) / yardstick:.2f}")


main()
