"""Parsing: SQL text to statements."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from backfill.linting.sql import (
    Lexemes,
    column_of,
    is_word,
    lexemes_of,
    listed,
    name_at,
    split_at,
    statements_in,
    unquoted,
)
from backfill.linting.statement import (
    ROW_VERBS,
    SCHEMA_VERBS,
    Computed,
    Condition,
    Constant,
    Copied,
    Filter,
    Statement,
    Value,
)

_NOISE = frozenset(
    {"INTO", "FROM", "ONLY", "TABLE", "IGNORE", "OR", "REPLACE", "ABORT", "LOW_PRIORITY", "IF", "NOT", "EXISTS"}
)
_NUMBER = re.compile(r"\d+(\.\d+)?")
_WORDS: dict[str, Any] = {"TRUE": True, "FALSE": False, "NULL": None}
_BLOCK = re.compile(r"\b(?:BEGIN|THEN|LOOP|ELSE|DECLARE)\b", re.IGNORECASE)
_EXECUTED = re.compile(
    r"\bEXECUTE\s+(?:format\s*\(\s*)?(E?'(?:[^']|'')*'|\$(\w*)\$.*?\$\2\$)", re.IGNORECASE | re.DOTALL
)


def parse(text: str) -> Iterator[Statement]:
    """The statements of a text."""
    for lexemes in statements_in(lexemes_of(text)):
        yield from _statements(lexemes)


def _statements(lexemes: Lexemes) -> Iterator[Statement]:
    verb = lexemes[0].upper()
    if verb == "DO":
        yield from _block(lexemes)
    elif verb == "(":
        yield from _statements(lexemes[1:])
    elif verb == "WITH":
        yield from _with(lexemes)
    elif verb in ("EXPLAIN", "PREPARE"):
        yield Statement("OTHER")
    else:
        yield _statement(verb, lexemes)


def _block(lexemes: Lexemes) -> Iterator[Statement]:
    """What a DO block does when it is executed, statement by statement, also in texts that it executes."""
    for lexeme in lexemes:
        if lexeme[0] in "$'":
            body = unquoted(lexeme)
            yield from parse(_BLOCK.sub(";", body))
            for executed in _EXECUTED.finditer(body):
                yield from parse(unquoted(executed.group(1).removeprefix("E")))


def _with(lexemes: Lexemes) -> Iterator[Statement]:
    depth, starts = 0, list[int]()
    for position, lexeme in enumerate(lexemes):
        depth += (lexeme == "(") - (lexeme == ")")
        follows_as = lexemes[position - 1] == "(" and position > 1
        if is_word(lexeme, *ROW_VERBS) and (depth == 0 or follows_as):
            starts.append(position)
    if not starts:
        yield Statement("SELECT")
    for start in starts:
        yield _statement(lexemes[start].upper(), _enclosed(lexemes[start:]))


def _enclosed(lexemes: Lexemes) -> Lexemes:
    """The lexemes up to the parenthesis that was opened before them."""
    depth = 0
    for position, lexeme in enumerate(lexemes):
        depth += (lexeme == "(") - (lexeme == ")")
        if depth < 0:
            return lexemes[:position]
    return lexemes


def _statement(verb: str, lexemes: Lexemes) -> Statement:
    reader = _READERS.get(verb)
    if reader is not None:
        return reader(lexemes)
    if verb in SCHEMA_VERBS:
        return _schema(verb, lexemes)
    return Statement("COMMIT" if verb in ("COMMIT", "END") else "OTHER")


def _update(lexemes: Lexemes) -> Statement:
    parts = split_at(lexemes, "SET", "FROM", "WHERE", "RETURNING", "ORDER", "LIMIT")
    if "SET" not in parts:
        return Statement("OTHER")
    return Statement(
        "UPDATE",
        _table(parts[""][1:]),
        dict(filter(None, map(_assignment, listed(parts["SET"])))),
        _filter(parts.get("WHERE")) if "FROM" not in parts else _joined(parts.get("WHERE", ())),
        is_limited=_is_limited(lexemes),
    )


def _delete(lexemes: Lexemes) -> Statement:
    parts = split_at(lexemes, "USING", "WHERE", "RETURNING", "ORDER", "LIMIT")
    where = _filter(parts.get("WHERE")) if "USING" not in parts else _joined(parts.get("WHERE", ()))
    return Statement("DELETE", _table(parts[""][1:]), where=where, is_limited=_is_limited(lexemes))


def _insert(lexemes: Lexemes) -> Statement:
    selected = split_at(lexemes, "SELECT").get("SELECT", ())
    origin = split_at(selected, "FROM", "WHERE").get("FROM", ())
    return Statement("INSERT", _table(lexemes[1:]), source=name_at(origin))


def _select(lexemes: Lexemes) -> Statement:
    parts = split_at(lexemes, "FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FETCH")
    order = (
        [column_of(item[:-1] if is_word(item[-1], "ASC", "DESC") else item) for item in listed(parts["ORDER"][1:])]
        if "ORDER" in parts
        else None
    )
    return Statement(
        "SELECT",
        name_at(parts.get("FROM", ())),
        where=_filter(parts.get("WHERE")),
        order=None if order is None else [column or "" for column in order],
        is_limited=_is_limited(lexemes),
        is_offset="OFFSET" in parts,
    )


def _schema(verb: str, lexemes: Lexemes) -> Statement:
    words = [lexeme.upper() for lexeme in lexemes]
    is_temporary = bool({"TEMP", "TEMPORARY"} & set(words[:4]))
    if verb == "ALTER" and "TABLE" in words[:2] and "RENAME" in words and "COLUMN" not in words:
        target = split_at(lexemes, "TO").get("TO", ())
        return Statement("RENAME", name_at(target), source=_table(lexemes[1:]))
    table = _table(lexemes[2:]) if words[1:2] == ["TABLE"] else None
    if is_temporary and "TABLE" in words[:4]:
        table = _table(lexemes[words.index("TABLE") + 1 :])
    return Statement(verb, table, is_temporary=is_temporary)


def _table(lexemes: Lexemes) -> str | None:
    for position, lexeme in enumerate(lexemes):
        if not is_word(lexeme, *_NOISE):
            return name_at(lexemes[position:])
    return None


def _assignment(lexemes: Lexemes) -> tuple[str, Value] | None:
    sides = listed(lexemes, "=")
    column = column_of(sides[0]) if sides else None
    return (column, value_of(list(lexemes)[len(sides[0]) + 1 :])) if column else None


def value_of(lexemes: Lexemes) -> Value:
    """What a column is set to, or compared with."""
    if len(lexemes) == 1:
        lexeme = lexemes[0]
        if lexeme[0] == "'":
            return Constant(unquoted(lexeme))
        if lexeme.upper() in _WORDS:
            return Constant(_WORDS[lexeme.upper()])
        if lexeme.isdigit():
            return Constant(int(lexeme))
    if len(lexemes) == 3 and lexemes[1] == "." and all(map(_NUMBER.fullmatch, (lexemes[0], lexemes[2]))):
        return Constant(float("".join(lexemes)))
    column = column_of(lexemes)
    if column and not any(sign in column for sign in ":@%□") and column.upper() not in ("CURRENT_TIMESTAMP", "DEFAULT"):
        return Copied(column)
    return Computed(_columns(lexemes))


def _joined(lexemes: Lexemes) -> Filter:
    return Filter(_columns(lexemes))


def _filter(lexemes: Lexemes | None) -> Filter | None:
    if lexemes is None:
        return None
    conditions = [_condition(each) for each in listed(lexemes, "AND")]
    whole = tuple(filter(None, conditions)) if all(conditions) else None
    is_ranged = any(is_word(lexeme, "BETWEEN", "IN") or lexeme in (">", ">=") for lexeme in lexemes)
    return Filter(_columns(lexemes), whole, is_ranged)


def _condition(lexemes: Lexemes) -> Condition | None:
    if len(lexemes) > 2 and lexemes[0] == "(" and lexemes[-1] == ")":
        return _condition(lexemes[1:-1])
    if len(lexemes) >= 3 and [lexeme.upper() for lexeme in lexemes[-2:]] == ["IS", "NULL"]:
        column = column_of(lexemes[:-2])
        return Condition(column, Constant(None)) if column else None
    sides = listed(lexemes, "=")
    column, value = (column_of(sides[0]), value_of(sides[1])) if len(sides) == 2 else (None, None)
    return Condition(column, value) if column and isinstance(value, Constant) else None


def _columns(lexemes: Lexemes) -> frozenset[str]:
    names = (lexeme.strip('"`') for lexeme in lexemes if lexeme[0].isalpha() or lexeme[0] in '_"`')
    return frozenset(name for name in names if name.upper() not in ("AND", "OR", "NOT", "IS", "NULL", "IN"))


def _is_limited(lexemes: Lexemes) -> bool:
    return any(is_word(lexeme, "LIMIT") for lexeme in lexemes)


def _emptied(lexemes: Lexemes) -> Statement:
    return Statement("TRUNCATE", _table(lexemes[1:]))


def _merged(lexemes: Lexemes) -> Statement:
    return Statement("MERGE", _table(lexemes[1:]))


def _copied(lexemes: Lexemes) -> Statement:
    is_in = any(is_word(lexeme, "FROM") for lexeme in lexemes)
    return Statement("COPY" if is_in else "OTHER", _table(lexemes[1:]))


_READERS: dict[str, Callable[[Lexemes], Statement]] = {
    "UPDATE": _update,
    "DELETE": _delete,
    "INSERT": _insert,
    "REPLACE": _insert,
    "UPSERT": _insert,
    "TRUNCATE": _emptied,
    "MERGE": _merged,
    "COPY": _copied,
    "SELECT": _select,
}
