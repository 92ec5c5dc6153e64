"""Parsing: SQL text to statements."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from backfill.linting.sql import (
    Tokens,
    column_of,
    is_word,
    listed,
    name_at,
    split_at,
    statements_in,
    tokens_of,
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
    for tokens in statements_in(tokens_of(text)):
        yield from _statements(tokens)


def _statements(tokens: Tokens) -> Iterator[Statement]:
    verb = tokens[0].upper()
    if verb == "DO":
        yield from _block(tokens)
    elif verb == "(":
        yield from _statements(tokens[1:])
    elif verb == "WITH":
        yield from _with(tokens)
    elif verb in ("EXPLAIN", "PREPARE"):
        yield Statement("OTHER")
    else:
        yield _statement(verb, tokens)


def _block(tokens: Tokens) -> Iterator[Statement]:
    """What a DO block does when it is executed, statement by statement, also in texts that it executes."""
    for token in tokens:
        if token[0] in "$'":
            body = unquoted(token)
            yield from parse(_BLOCK.sub(";", body))
            for executed in _EXECUTED.finditer(body):
                yield from parse(unquoted(executed.group(1).removeprefix("E")))


def _with(tokens: Tokens) -> Iterator[Statement]:
    depth, starts = 0, list[int]()
    for position, token in enumerate(tokens):
        depth += (token == "(") - (token == ")")
        follows_as = tokens[position - 1] == "(" and position > 1
        if is_word(token, *ROW_VERBS) and (depth == 0 or follows_as):
            starts.append(position)
    if not starts:
        yield Statement("SELECT")
    for start in starts:
        yield _statement(tokens[start].upper(), _enclosed(tokens[start:]))


def _enclosed(tokens: Tokens) -> Tokens:
    """The tokens up to the parenthesis that was opened before them."""
    depth = 0
    for position, token in enumerate(tokens):
        depth += (token == "(") - (token == ")")
        if depth < 0:
            return tokens[:position]
    return tokens


def _statement(verb: str, tokens: Tokens) -> Statement:
    if verb == "UPDATE":
        return _update(tokens)
    if verb == "DELETE":
        return _delete(tokens)
    if verb in ("INSERT", "REPLACE", "UPSERT"):
        return _insert(tokens)
    if verb in ("TRUNCATE", "MERGE"):
        return Statement(verb, _table(tokens[1:]))
    if verb == "COPY":
        return Statement("COPY" if any(is_word(token, "FROM") for token in tokens) else "OTHER", _table(tokens[1:]))
    if verb == "SELECT":
        return _select(tokens)
    if verb in SCHEMA_VERBS:
        return _schema(verb, tokens)
    return Statement("COMMIT" if verb in ("COMMIT", "END") else "OTHER")


def _update(tokens: Tokens) -> Statement:
    parts = split_at(tokens, "SET", "FROM", "WHERE", "RETURNING", "ORDER", "LIMIT")
    if "SET" not in parts:
        return Statement("OTHER")
    return Statement(
        "UPDATE",
        _table(parts[""][1:]),
        dict(filter(None, map(_assignment, listed(parts["SET"])))),
        _filter(parts.get("WHERE")) if "FROM" not in parts else _joined(parts.get("WHERE", ())),
        is_limited=_is_limited(tokens),
    )


def _delete(tokens: Tokens) -> Statement:
    parts = split_at(tokens, "USING", "WHERE", "RETURNING", "ORDER", "LIMIT")
    where = _filter(parts.get("WHERE")) if "USING" not in parts else _joined(parts.get("WHERE", ()))
    return Statement("DELETE", _table(parts[""][1:]), where=where, is_limited=_is_limited(tokens))


def _insert(tokens: Tokens) -> Statement:
    selected = split_at(tokens, "SELECT").get("SELECT", ())
    origin = split_at(selected, "FROM", "WHERE").get("FROM", ())
    return Statement("INSERT", _table(tokens[1:]), source=name_at(origin))


def _select(tokens: Tokens) -> Statement:
    parts = split_at(tokens, "FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FETCH")
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
        is_limited=_is_limited(tokens),
        is_offset="OFFSET" in parts,
    )


def _schema(verb: str, tokens: Tokens) -> Statement:
    words = [token.upper() for token in tokens]
    is_temporary = bool({"TEMP", "TEMPORARY"} & set(words[:4]))
    if verb == "ALTER" and "TABLE" in words[:2] and "RENAME" in words and "COLUMN" not in words:
        target = split_at(tokens, "TO").get("TO", ())
        return Statement("RENAME", name_at(target), source=_table(tokens[1:]))
    table = _table(tokens[2:]) if words[1:2] == ["TABLE"] else None
    if is_temporary and "TABLE" in words[:4]:
        table = _table(tokens[words.index("TABLE") + 1 :])
    return Statement(verb, table, is_temporary=is_temporary)


def _table(tokens: Tokens) -> str | None:
    for position, token in enumerate(tokens):
        if not is_word(token, *_NOISE):
            return name_at(tokens[position:])
    return None


def _assignment(tokens: Tokens) -> tuple[str, Value] | None:
    sides = listed(tokens, "=")
    column = column_of(sides[0]) if sides else None
    return (column, value_of(list(tokens)[len(sides[0]) + 1 :])) if column else None


def value_of(tokens: Tokens) -> Value:
    """What a column is set to, or compared with."""
    if len(tokens) == 1:
        token = tokens[0]
        if token[0] == "'":
            return Constant(unquoted(token))
        if token.upper() in _WORDS:
            return Constant(_WORDS[token.upper()])
        if token.isdigit():
            return Constant(int(token))
    if len(tokens) == 3 and tokens[1] == "." and all(map(_NUMBER.fullmatch, (tokens[0], tokens[2]))):
        return Constant(float("".join(tokens)))
    column = column_of(tokens)
    if column and not any(sign in column for sign in ":@%□") and column.upper() not in ("CURRENT_TIMESTAMP", "DEFAULT"):
        return Copied(column)
    return Computed(_columns(tokens))


def _joined(tokens: Tokens) -> Filter:
    return Filter(_columns(tokens))


def _filter(tokens: Tokens | None) -> Filter | None:
    if tokens is None:
        return None
    conditions = [_condition(each) for each in listed(tokens, "AND")]
    whole = tuple(filter(None, conditions)) if all(conditions) else None
    is_ranged = any(is_word(token, "BETWEEN", "IN") or token in (">", ">=") for token in tokens)
    return Filter(_columns(tokens), whole, is_ranged)


def _condition(tokens: Tokens) -> Condition | None:
    if len(tokens) > 2 and tokens[0] == "(" and tokens[-1] == ")":
        return _condition(tokens[1:-1])
    if len(tokens) >= 3 and [token.upper() for token in tokens[-2:]] == ["IS", "NULL"]:
        column = column_of(tokens[:-2])
        return Condition(column, Constant(None)) if column else None
    sides = listed(tokens, "=")
    column, value = (column_of(sides[0]), value_of(sides[1])) if len(sides) == 2 else (None, None)
    return Condition(column, value) if column and isinstance(value, Constant) else None


def _columns(tokens: Tokens) -> frozenset[str]:
    names = (token.strip('"`') for token in tokens if token[0].isalpha() or token[0] in '_"`')
    return frozenset(name for name in names if name.upper() not in ("AND", "OR", "NOT", "IS", "NULL", "IN"))


def _is_limited(tokens: Tokens) -> bool:
    return any(is_word(token, "LIMIT") for token in tokens)
