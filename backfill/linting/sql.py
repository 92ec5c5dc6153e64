"""SQL: cuts a text into tokens and statements, as far as one must know them to tell rows from schema."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

UNKNOWN = "\N{WHITE SQUARE}"
"""Stands where a text is put together from something that only a run can know."""

_TOKEN = re.compile(
    r"""
      (?P<space> \s+ | --[^\n]* | /\*.*?\*/ )
    | (?P<dollar> \$(?P<tag>\w*)\$ .*? \$(?P=tag)\$ )
    | (?P<text> '(?:[^']|'')*' )
    | (?P<name> "(?:[^"]|"")*" | `[^`]*` )
    | (?P<word> [\w□:@%$]+ )
    | (?P<sign> <>|!=|<=|>=|\|\||. )
    """,
    re.VERBOSE | re.DOTALL,
)
_BODIES = frozenset({"TRIGGER", "FUNCTION", "PROCEDURE", "EVENT", "RULE"})

Tokens = Sequence[str]


def tokens_of(text: str) -> list[str]:
    """The text's words, names, literals and signs, without comments."""
    return [match.group() for match in _TOKEN.finditer(text) if match.lastgroup != "space"]


def statements_in(tokens: Tokens) -> Iterator[Tokens]:
    """The tokens between semicolons; a trigger's or function's body stays in one piece."""
    begun: list[str] = []
    for token in tokens:
        if token == ";" and not _is_open_body(begun):
            yield from filter(None, [begun])
            begun = []
        else:
            begun.append(token)
    yield from filter(None, [begun])


def is_word(token: str, *words: str) -> bool:
    """Whether the token is one of these keywords."""
    return token.upper() in words


def split_at(tokens: Tokens, *words: str) -> dict[str, Tokens]:
    """What stands behind each of these keywords, up to the next of them; "" is what stands before the first."""
    parts: dict[str, list[str]] = {"": []}
    part, depth = "", 0
    for token in tokens:
        depth += (token == "(") - (token == ")")
        if depth == 0 and is_word(token, *words) and token.upper() not in parts:
            part = token.upper()
            parts[part] = []
        else:
            parts[part].append(token)
    return dict(parts)


def listed(tokens: Tokens, separator: str = ",") -> list[Tokens]:
    """What stands between commas, or another word, outside of parentheses."""
    items: list[list[str]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token == "(") - (token == ")")
        if depth == 0 and token.upper() == separator:
            items.append([])
        else:
            items[-1].append(token)
    return [item for item in items if item]


def name_at(tokens: Tokens) -> str | None:
    """The name, qualified or not, that the tokens begin with."""
    if not tokens or not _is_name(tokens[0]):
        return None
    parts = [_bare(tokens[0])]
    rest = list(tokens[1:])
    while len(rest) >= 2 and rest[0] == "." and _is_name(rest[1]):
        parts.append(_bare(rest[1]))
        rest = rest[2:]
    return ".".join(parts)


def column_of(tokens: Tokens) -> str | None:
    """The column that the tokens are, if they are nothing else: `c`, `t.c`, `"c"`."""
    name = name_at(tokens)
    is_whole = name is not None and len(tokens) == 2 * name.count(".") + 1
    is_number = name is not None and name[:1].isdigit()
    return name.rpartition(".")[2] if name and is_whole and not is_number else None


def unquoted(token: str) -> str:
    """What a literal between quotes says."""
    if token.startswith("$"):
        return token[token.index("$", 1) + 1 : token.rindex("$", 0, -1)]
    return token[1:-1].replace("''", "'")


def _is_name(token: str) -> bool:
    return token[:1] in '"`' or token[:1].isalnum() or token[:1] in ("_", UNKNOWN)


def _bare(token: str) -> str:
    return token[1:-1] if token[:1] in '"`' else token


def _is_open_body(begun: Tokens) -> bool:
    words = [token.upper() for token in begun]
    if not words or words[0] != "CREATE" or not _BODIES & set(words[:6]):
        return False
    return words.count("BEGIN") + words.count("CASE") > words.count("END")
