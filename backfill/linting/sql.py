"""SQL: cuts a text into lexemes and statements, as far as one must know them to tell rows from schema."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

UNKNOWN = "\N{WHITE SQUARE}"
"""Stands where a text is put together from something that only a run can know."""

_LEXEME = re.compile(
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

Lexemes = Sequence[str]


def lexemes_of(text: str) -> list[str]:
    """The text's words, names, literals and signs, without comments."""
    return [match.group() for match in _LEXEME.finditer(text) if match.lastgroup != "space"]


def statements_in(lexemes: Lexemes) -> Iterator[Lexemes]:
    """The lexemes between semicolons; a trigger's or function's body stays in one piece."""
    begun: list[str] = []
    for lexeme in lexemes:
        if lexeme == ";" and not _is_open_body(begun):
            yield from filter(None, [begun])
            begun = []
        else:
            begun.append(lexeme)
    yield from filter(None, [begun])


def is_word(lexeme: str, *words: str) -> bool:
    """Whether the lexeme is one of these keywords."""
    return lexeme.upper() in words


def split_at(lexemes: Lexemes, *words: str) -> dict[str, Lexemes]:
    """What stands behind each of these keywords, up to the next of them; "" is what stands before the first."""
    parts: dict[str, list[str]] = {"": []}
    part, depth = "", 0
    for lexeme in lexemes:
        depth += (lexeme == "(") - (lexeme == ")")
        if depth == 0 and is_word(lexeme, *words) and lexeme.upper() not in parts:
            part = lexeme.upper()
            parts[part] = []
        else:
            parts[part].append(lexeme)
    return dict(parts)


def listed(lexemes: Lexemes, separator: str = ",") -> list[Lexemes]:
    """What stands between commas, or another word, outside of parentheses."""
    items: list[list[str]] = [[]]
    depth = 0
    for lexeme in lexemes:
        depth += (lexeme == "(") - (lexeme == ")")
        if depth == 0 and lexeme.upper() == separator:
            items.append([])
        else:
            items[-1].append(lexeme)
    return [item for item in items if item]


def name_at(lexemes: Lexemes) -> str | None:
    """The name, qualified or not, that the lexemes begin with."""
    if not lexemes or not _is_name(lexemes[0]):
        return None
    parts = [_bare(lexemes[0])]
    rest = list(lexemes[1:])
    while len(rest) >= 2 and rest[0] == "." and _is_name(rest[1]):
        parts.append(_bare(rest[1]))
        rest = rest[2:]
    return ".".join(parts)


def column_of(lexemes: Lexemes) -> str | None:
    """The column that the lexemes are, if they are nothing else: `c`, `t.c`, `"c"`."""
    name = name_at(lexemes)
    is_whole = name is not None and len(lexemes) == 2 * name.count(".") + 1
    is_number = name is not None and name[:1].isdigit()
    return name.rpartition(".")[2] if name and is_whole and not is_number else None


def unquoted(lexeme: str) -> str:
    """What a literal between quotes says."""
    if lexeme.startswith("$"):
        return lexeme[lexeme.index("$", 1) + 1 : lexeme.rindex("$", 0, -1)]
    return lexeme[1:-1].replace("''", "'")


def _is_name(lexeme: str) -> bool:
    return lexeme[:1] in '"`' or lexeme[:1].isalnum() or lexeme[:1] in ("_", UNKNOWN)


def _bare(lexeme: str) -> str:
    return lexeme[1:-1] if lexeme[:1] in '"`' else lexeme


def _is_open_body(begun: Lexemes) -> bool:
    words = [lexeme.upper() for lexeme in begun]
    if not words or words[0] != "CREATE" or not _BODIES & set(words[:6]):
        return False
    return words.count("BEGIN") + words.count("CASE") > words.count("END")
