"""Values that no trip through Python would survive come back byte for byte, since they never leave the database."""

from decimal import Decimal
from typing import Any

import sqlalchemy as sa

import backfill
from backfill import Rows
from backfill.declaration.decorator import Transform
from backfill.running.undoer import undo
from tests.faults import mutants
from tests.faults.workloads import forget_runs, opened, run_on, settings
from tests.undo.states import image_tables

VALUES: dict[str, dict[str, str]] = {
    "sqlite": {
        "INTEGER": "'12abc'",
        "REAL": "9007199254740993",
        "TEXT COLLATE NOCASE": "CAST(x'c328ff' AS TEXT)",
        "NUMERIC": "'1.10'",
        "BLOB": "x'00ff'",
        "JSON": "'{not json'",
        "BOOLEAN": "'yes'",
        "DATETIME": "1700000000",
        "DECIMAL(20,5)": "12345678901234567891.5",
        "VARCHAR(5)": "'Alice ' || char(0) || 'x'",
        "": "-0.0",
    },
    "postgresql": {
        "date": "'infinity'",
        "timestamp": "'4713-01-01 00:00 BC'",
        "timestamptz": "'10001-01-01 00:00+05'",
        "time": "'24:00'",
        "interval": "'200000000 days 3 months -5 seconds'",
        "numeric": "'NaN'",
        "numeric(12, 4)": "1.1000",
        "jsonb": """'{"a": 12345678901234567890.123456789, "a": 1.10}'""",
        "json": """'{"b": 1,  "a": [null], "b": 2}'""",
        "float4": "'1e-44'",
        "float8": "'-0'",
        "bytea": r"'\\x00ff'",
        "int4range": "'empty'",
        "int[]": "'{1,NULL,3}'",
        "bit varying": "B'0101'",
        "money": "'12.34'",
        "char(5)": "'a'",
        'text COLLATE "C"': r"E'Alice \\u2028\\x1b'",
        "inet": "'10.0.0.1/8'",
        "uuid": "'00000000-0000-0000-0000-000000000001'",
        "tsvector": "'a:1 b:2'",
    },
    "mysql": {
        "DATE": "'0000-00-00'",
        "DATETIME(6)": "'2024-00-15 00:00:00.000001'",
        "TIMESTAMP NULL": "'2024-03-31 02:30:00'",
        "TIME(3)": "'-838:59:59'",
        "YEAR": "1901",
        "FLOAT": "16777217",
        "DOUBLE": "-1e-300",
        "DECIMAL(65,30)": "12345678901234567890.000000000000000000000000000001",
        "BIT(12)": "b'101010101010'",
        "ENUM('a','b')": "''",
        "SET('a','b')": "'a,b'",
        "VARCHAR(9) CHARACTER SET latin1": "'Ä '",
        "TEXT COLLATE utf8mb4_general_ci": "'Alice '",
        "JSON": """'{"b": 1,  "a": [null], "b": 2}'""",
        "VARBINARY(9)": "x'00ff'",
        "CHAR(5)": "'a'",
        "UUID": "'00000000-0000-0000-0000-000000000001'",
        "BIGINT UNSIGNED": "18446744073709551615",
    },
}
"""Declared types, each with a value as SQL."""


@backfill.transform("oddities", keep_undo=True)
def empty_all(oddities: Rows) -> dict[str, Any]:
    """Every value is gone."""
    return {column.name: sa.null() for column in oddities.c if column.name != "id"}


def fill(engine: sa.Engine, values: dict[str, str]) -> None:
    """Make a table with a column of each type, in three rows, and a copy of it to compare with."""
    quote = "`" if engine.dialect.name == "mysql" else '"'
    columns = [f"{quote}c{n}{quote} {kind}" for n, kind in enumerate(values)]
    rows = [f"({key}, {', '.join(values.values())})" for key in (1, 2, 3)]
    engine_of_table = " ENGINE=InnoDB" if engine.dialect.name == "mysql" else ""
    statements = [
        "DROP TABLE IF EXISTS oddities",
        "DROP TABLE IF EXISTS twins",
        f"CREATE TABLE oddities (id INTEGER PRIMARY KEY, {', '.join(columns)}){engine_of_table}",
        f"INSERT INTO oddities VALUES {', '.join(rows)}",
        f"CREATE TABLE twins{engine_of_table} AS SELECT * FROM oddities",
    ]
    with engine.begin() as connection:
        forget_runs(connection)
        if engine.dialect.name == "mysql":
            connection.exec_driver_sql("SET SESSION sql_mode = ''")
        for statement in statements:
            connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
        if engine.dialect.name == "mysql":
            connection.exec_driver_sql("SET SESSION sql_mode = DEFAULT")


def differences(engine: sa.Engine, columns: int) -> list[int]:
    """The columns in which the tables differ, told by the server, byte by byte."""
    is_same = {
        "sqlite": "hex(CAST({a} AS BLOB)) IS hex(CAST({b} AS BLOB)) AND typeof({a}) = typeof({b})",
        "postgresql": "CAST(row({a}) AS record) *= CAST(row({b}) AS record)",
        "mysql": "CAST({a} AS BINARY) <=> CAST({b} AS BINARY) AND {a} <=> {b}",
    }[engine.dialect.name]
    query = "SELECT count(*) FROM oddities o JOIN twins t ON o.id = t.id WHERE {same}"
    with engine.connect() as connection:
        found = [
            connection.exec_driver_sql(
                query.format(same=is_same.format(a=f"o.c{n}", b=f"t.c{n}")), execution_options={"no_parameters": True}
            ).scalar()
            for n in range(columns)
        ]
    return [n for n, same in enumerate(found) if same != 3]


def test_every_value_comes_back(pooled: sa.Engine) -> None:
    """Write NULL over it, and undo that."""
    values = VALUES[pooled.dialect.name]
    fill(pooled, values)
    kinds = list(values)
    run_on(pooled, empty_all, settings(), accept=("synchronous", "touches-time"))
    assert len(differences(pooled, len(kinds))) == len(kinds), "something was not emptied"
    with opened(pooled) as database:
        (undone,) = undo(database, "empty_all", settings())
    assert [kinds[n] for n in differences(pooled, len(kinds))] == []
    assert (undone.restored, undone.left) == (3, 0)
    assert image_tables(pooled) == []


def test_images_that_travel_through_python_are_found_out(pooled: sa.Engine) -> None:
    """Of some types Python cannot even read the values, and of some it gives back others."""
    with mutants.planted("images-through-python"):
        spoilt = [kind for kind, value in VALUES[pooled.dialect.name].items() if not comes_back(pooled, kind, value)]
    assert len(spoilt) >= FEWEST_SPOILT, spoilt


FEWEST_SPOILT = 3


def comes_back(engine: sa.Engine, kind: str, value: str) -> bool:
    """Whether a column of this type is emptied, and is restored as it was."""
    fill(engine, {kind: value})
    try:
        run_on(engine, empty_all, settings(), accept=("synchronous", "touches-time"))
        with opened(engine) as database:
            undo(database, "empty_all", settings())
    except Exception:  # of whatever kind, where Python cannot read a value or the driver cannot write it
        return False
    return differences(engine, 1) == []


ALIKE: dict[str, list[tuple[str, Any, str]]] = {
    "sqlite": [("TEXT COLLATE NOCASE", "alice", "'ALICE'"), ("", 1, "1.0"), ("", 1, "'1'")],
    "postgresql": [
        ("numeric", Decimal("1.0"), "1.00"),
        ("json", [1], "'[1 ]'"),
        ("text COLLATE case_blind", "alice", "'ALICE'"),
        ("float8", 0.0, "'-0'"),
    ],
    "mysql": [
        ("VARCHAR(9) COLLATE utf8mb4_general_ci", "alice", "'ALICE'"),
        ("VARCHAR(9) COLLATE utf8mb4_general_ci", "alice", "'alice '"),
    ],
}
"""Types, with what is written and what the application writes: the database itself calls them equal."""


def test_a_value_that_only_looks_equal_is_somebody_elses(pooled: sa.Engine) -> None:
    """What was written is compared as it is stored, so that the application's own value stays."""
    if pooled.dialect.name == "postgresql":
        collation = "(provider = icu, locale = 'und-u-ks-level2', deterministic = false)"
        execute(pooled, f"CREATE COLLATION case_blind {collation}")
    for kind, ours, theirs in ALIKE[pooled.dialect.name]:
        fill(pooled, {kind: "NULL"})
        run_on(pooled, writing(ours), settings())
        execute(pooled, f"UPDATE oddities SET c0 = {theirs} WHERE id = 2")
        with opened(pooled) as database:
            (undone,) = undo(database, "write_ours", settings())
        assert (undone.restored, undone.left) == (2, 1), kind
        with pooled.connect() as connection:
            kept = connection.exec_driver_sql("SELECT id FROM oddities WHERE c0 IS NOT NULL").all()
        assert [tuple(row) for row in kept] == [(2,)], kind


def writing(value: Any) -> Transform[..., Any]:
    """A transform that writes a value to every row."""

    @backfill.transform("oddities", keep_undo=True)
    def write_ours(_: Rows) -> dict[str, Any]:
        """Writes one of the two."""
        return {"c0": value}

    return write_ours


def execute(engine: sa.Engine, statement: str) -> None:
    """Do what an application does."""
    with engine.begin() as connection:
        connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
