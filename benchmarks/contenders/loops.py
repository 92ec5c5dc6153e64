"""Hand-written loops: the same batches by the driver alone, each committed with a checkpoint of its own.

They show what is possible: what backfill takes longer than they do is the price of its checks and its ledger.
"""

from __future__ import annotations

import json
from typing import Any

from benchmarks.contender import NotAvailable, Target, Work
from benchmarks.contenders.batches import lengthening, size_of_batches
from benchmarks.contenders.drivers import Driver, driver_for
from benchmarks.jobs import NotFilled
from benchmarks.tables import Kind
from benchmarks.transforms.default_skills import SKILLS


def constant(target: Target, batch: int = 10_000, *, proves: bool = False) -> Work:
    """Default skills, for a key of one column; at the end it may look, as backfill does, whether a row is left."""
    if target.recipe.kind is Kind.COMPOSITE:
        raise NotAvailable("it is written for a key of one column")
    driver = driver_for(target)
    end = _end(driver)

    def loop() -> None:
        _walk(driver, end, batch)
        if proves and driver.one("SELECT count(*) FROM bench_users WHERE skills IS NULL"):
            raise NotFilled("rows are left")
        driver.close()

    return loop


def drift(target: Target) -> Work:
    """The time of the last tenth of the batches of default skills, in times of the first tenth."""
    driver = driver_for(target)
    end = _end(driver)

    def loop() -> float:
        _walk(driver, end, size_of_batches(target))
        driver.close()
        return lengthening(driver.commits)

    return loop


def names(target: Target, batch: int = 10_000) -> Work:
    """Split names: a page is read and locked, split here, and written at once."""
    driver = driver_for(target)

    def loop() -> None:
        last: int | None = 0
        while last is not None:
            with driver.batch():
                last = _split_page(driver, last, batch)
        driver.close()

    return loop


def _end(driver: Driver) -> Any:
    return driver.one("SELECT id FROM bench_users ORDER BY id DESC LIMIT 1")


def _walk(driver: Driver, end: Any, batch: int) -> None:
    skills, last = json.dumps(SKILLS), None
    while last != end:
        with driver.batch():
            upto = _boundary(driver, last, batch) or end
            _fill(driver, skills, last, upto)
            driver.keep_checkpoint(upto)
        last = upto


def _boundary(driver: Driver, last: Any, batch: int) -> Any:
    after, parameters = _behind(last)
    return driver.one(f"SELECT id FROM bench_users WHERE {after} ORDER BY id LIMIT 1 OFFSET {batch - 1}", *parameters)


def _fill(driver: Driver, skills: str, last: Any, upto: Any) -> None:
    after, parameters = _behind(last)
    statement = f"UPDATE bench_users SET skills = {driver.document} WHERE {after} AND id <= ? AND skills IS NULL"
    driver.execute(statement, skills, *parameters, upto)


def _behind(last: Any) -> tuple[str, tuple[Any, ...]]:
    return ("1 = 1", ()) if last is None else ("id > ?", (last,))


def _split_page(driver: Driver, last: int, batch: int) -> int | None:
    """One batch; gives where it ended, or None when there was nothing left."""
    statement = "SELECT id, full_name FROM bench_users WHERE id > ? AND first_name IS NULL ORDER BY id LIMIT ?"
    page = driver.execute(statement + driver.lock, last, batch).fetchall()
    if not page:
        return None
    driver.write([(key, *_split(full_name)) for key, full_name in page])
    upto: int = page[-1][0]
    driver.keep_checkpoint(upto)
    return upto


def _split(full_name: str) -> tuple[str, str]:
    first, _, last = full_name.partition(" ")
    return first, last
