"""Tables, settings, files and names that no run can rest on."""

from __future__ import annotations

from tests.refusals.definitions import declared

REMADE = "DROP TABLE people"


def remade(columns: str, rest: str = "", *more: str) -> list[str]:
    """People with other columns."""
    return [REMADE, f"CREATE TABLE people ({columns}) {rest}", *more]


NAMED = "name VARCHAR(200) NOT NULL, nickname VARCHAR(60)"

TABLES = {
    "no key": ("no-key", remade(f"id INTEGER NOT NULL, {NAMED}")),
    "a unique column that may be NULL": ("no-key", remade(f"id INTEGER UNIQUE, {NAMED}")),
    "a view": ("not-a-table", [REMADE, "CREATE VIEW people AS SELECT id, 'x' AS name, 'y' AS nickname FROM orders"]),
    "a key of fractions": ("key-type", remade(f"id FLOAT PRIMARY KEY NOT NULL, {NAMED}")),
    "a key of documents": ("key-type", remade(f"id JSON PRIMARY KEY NOT NULL, {NAMED}")),
    "a key that holds NULL": (
        "key-null",
        remade(f"id VARCHAR(9) PRIMARY KEY, {NAMED}", "", "INSERT INTO people VALUES (NULL, 'x', NULL)"),
    ),
    "a key of mixed types": (
        "key-mixed-types",
        remade(
            f"id NUMERIC(9) PRIMARY KEY NOT NULL, {NAMED}",
            "",
            "INSERT INTO people VALUES (1, 'x', NULL), ('a', 'y', NULL)",
        ),
    ),
    "a trigger": ("trigger", ["CREATE TRIGGER t AFTER UPDATE ON people BEGIN SELECT 1; END"]),
    "a column that is gone": (
        "reads-unknown",
        [
            "ALTER TABLE people RENAME COLUMN name TO title",
        ],
    ),
    "a column that is gone, written": ("writes-unknown", ["ALTER TABLE people DROP COLUMN nickname"]),
    "a table that is gone": ("no-table", [REMADE]),
}

NUMBERS = {
    "batch_size": {
        "0": "greater-than-equal",
        "-1": "greater-than-equal",
        "1.5": "int-parsing|int-from-float",
        "1000000000": "less-than-equal",
        '"many"': "int-parsing",
        "nan": "int-parsing|finite-number|int-type",
        "true": "truth|int-parsing",
        '""': "int-parsing",
    },
    "max_batch_size": {"0": "greater-than-equal", "100001": "less-than-equal"},
    "batch_seconds": {
        "0": "greater-than",
        "-1": "greater-than",
        "61": "less-than-equal",
        "nan": "greater-than|finite-number|less-than-equal",
        "inf": "less-than-equal|finite-number",
        '"soon"': "float-parsing",
    },
    "workers": {"0": "greater-than-equal", "65": "less-than-equal", "true": "truth|int-parsing"},
    "duty": {"0": "greater-than-equal", "1.1": "less-than-equal", "nan": "less-than-equal"},
    "lease_seconds": {"0": "greater-than-equal", "3601": "less-than-equal", "20": "too-short"},
    "lock_seconds": {"0": "greater-than", "601": "less-than-equal"},
    "statement_seconds": {"0": "greater-than", "inf": "less-than-equal|finite-number"},
    "idle_seconds": {"-1": "greater-than"},
    "attempts": {"0": "greater-than-equal", "1001": "less-than-equal"},
    "mode": {'"later"': "literal-error", '""': "literal-error"},
    "transforms": {
        '"../transforms"': "string-pattern-mismatch",
        '"a/b"': "string-pattern-mismatch",
        '""': "string-pattern-mismatch",
        '"a b"': "string-pattern-mismatch",
    },
}
VARIABLES = {
    f"{name} = {value}": (
        "|".join(f"setting-{name.replace('_', '-')}-{rule}" for rule in rules.split("|")),
        name,
        value,
    )
    for name, values in NUMBERS.items()
    for value, rules in values.items()
}

FILES = {
    "a setting that nobody knows": (
        "setting-unknown-extra-forbidden",
        {"pyproject.toml": "[tool.backfill]\nbatchsize = 1\n"},
    ),
    "settings that are no table": ("settings-form", {"pyproject.toml": "[tool]\nbackfill = 1\n"}),
    "no TOML": ("settings-unreadable", {"pyproject.toml": "[tool.backfill"}),
    "a setting twice": ("settings-unreadable", {"pyproject.toml": "[tool.backfill]\nworkers = 1\nworkers = 2\n"}),
    "two files of one name": ("two-files", {"transforms/fill.json": "{}"}),
    "no Python": ("not-importable", {"transforms/fill.py": "def ("}),
    "a file that fails": ("not-importable", {"transforms/fill.py": "1 / 0"}),
    "a file that leaves": ("not-importable", {"transforms/fill.py": "raise SystemExit(0)"}),
    "a file that declares nothing": ("not-declared", {"transforms/fill.py": "fill = 7\n"}),
    "a file that declares another": (
        "not-declared",
        {"transforms/fill.py": declared().replace("def fill", "def other")},
    ),
}

COMMANDS = {
    "a name with a slash": ("transform-not-found", ("run", "a/b")),
    "a name that climbs": ("transform-not-found", ("run", "../fill")),
    "a name with dots": ("transform-not-found", ("run", "fill.fill")),
    "a name with a line break": ("transform-not-found", ("run", "fill\n")),
    "a name that commands": ("transform-not-found", ("run", "\x1b[2J")),
    "an empty name": ("transform-not-found", ("run", "")),
    "a misspelt name": ("transform-not-found", ("run", "fil")),
    "a name from outside": ("transform-not-found", ("run", "os")),
    "nobody's run": ("no-run", ("pause", "fill")),
    "nobody's run, cancelled": ("no-run", ("cancel", "fill")),
    "no file at the URL": ("no-file", ("run", "fill", "--database", "sqlite:///nowhere.db")),
    "two databases": ("two-databases", ("run", "fill", "--bind", "other")),
    "a URL that is none": ("no-url", ("run", "fill", "--database", "nowhere")),
    "a driver that nobody knows": ("unknown-driver", ("run", "fill", "--database", "oracel://x")),
    "an asynchronous driver": ("async-driver", ("run", "fill", "--database", "postgresql+asyncpg://x")),
    "a port that is none": ("url-unusable", ("run", "fill", "--database", "postgresql+psycopg://x:y@z:port/d")),
    "nobody at the port": ("unreachable", ("run", "fill", "--database", "postgresql+psycopg://x@127.0.0.1:1/d")),
    "a driver that is not installed": ("driver-missing", ("run", "fill", "--database", "mssql+pyodbc://x")),
    "a new name that is none": ("new-name", ("new", "Fill It", "--table", "t", "--column", "c")),
    "a new name that climbs": ("new-name", ("new", "../x", "--table", "t", "--column", "c")),
    "a new name that Python has": ("new-reserved-name", ("new", "import", "--table", "t", "--column", "c")),
    "a new name that is taken": ("new-exists", ("new", "fill", "--table", "t", "--column", "c")),
    "a new column that is no field": ("new-no-field", ("new", "x", "--table", "t", "--column", "a-b")),
    "a new column that models have": ("new-reserved-field", ("new", "x", "--table", "t", "--column", "copy")),
    "a new table with a quote": ("new-text", ("new", "x", "--table", 't"', "--column", "c")),
    "a new table with a line break": ("new-text", ("new", "x", "--table", "t\n", "--column", "c")),
}
