"""JSON definitions: what is no definition is refused by its own message, and no transform comes of it."""

import pytest

from backfill.declaration.document import read_document
from backfill.declaration.literal import from_document
from backfill.errors import DeclarationError

REFUSED = {
    "empty file": ("", "fill.json is not JSON"),
    "not JSON": ("table: users", "fill.json is not JSON: Expecting value: line 1 column 1"),
    "a comment": ('{"table": "users"} // all of them', "is not JSON: Extra data"),
    "cut off": ('{"table": "users", "set": {"a"', "is not JSON: Expecting ':' delimiter"),
    "not UTF-8": (b'{"table": "\xff"}', "fill.json is not JSON"),
    "a list": ('[{"table": "users"}]', 'holds no object: write {"table": "users"'),
    "a string": ('"users"', "holds no object"),
    "NaN": ('{"table": "users", "set": {"a": NaN}}', "NaN is no number that a column can hold"),
    "infinity": ('{"table": "users", "set": {"a": -Infinity}}', "-Infinity is no number"),
    "overflow": ('{"table": "users", "set": {"a": 1e999}}', "1e999 is no number"),
    "5,000 digits": (
        '{"table": "users", "set": {"a": ' + "9" * 5_000 + "}}",
        "fill.json is not JSON: Exceeds the limit",
    ),
    "key twice": ('{"table": "users", "table": "admins", "set": {"a": 1}}', "'table' stands twice in an object"),
    "column twice": ('{"table": "users", "set": {"a": 1, "a": 2}}', "the key 'a' stands twice"),
    "key twice, deep": ('{"table": "users", "set": {"a": [{"b": 1, "b": 2}]}}', "the key 'b' stands twice"),
    "unknown key": (
        '{"table": "users", "wheer": {}, "set": {"a": 1}}',
        "unknown key wheer; known: table, tables, where",
    ),
    "SQL": ('{"table": "users", "sql": "DELETE FROM users"}', "unknown key sql"),
    "a name": ('{"name": "other", "table": "users", "set": {"a": 1}}', "unknown key name"),
    "code": ('{"code": "x", "table": "users", "set": {"a": 1}}', "unknown key code"),
    "too deep": ('{"table": "users", "set": {"a": ' + "[" * 60 + "]" * 60 + "}}", "nested more than 50 levels deep"),
    "far too deep": ("[" * 100_000, "nested more than 50 levels deep"),
    "too large": ('{"table": "' + "u" * 1_000_000 + '"}', "larger than 1 MB"),
    "table and tables": ('{"table": "a", "tables": ["b"], "set": {"a": 1}}', '"table" and "tables" both'),
    "no table": ('{"set": {"a": 1}}', 'has no "table" to walk'),
    "no tables": ('{"tables": [], "set": {"a": 1}}', "name the table to walk"),
    "empty table name": ('{"table": "", "set": {"a": 1}}', 'a table is named "table" or "schema.table"'),
    "three names": ('{"table": "a.b.c", "set": {"a": 1}}', 'a table is named "table" or "schema.table"'),
    "number for a table": ('{"table": 7, "set": {"a": 1}}', "table: Input should be a valid tuple"),
    "object for a table": ('{"table": {"name": "users"}, "set": {"a": 1}}', "table: Input should be a valid tuple"),
    "same table twice": ('{"tables": ["users", "users"], "set": {"a": 1}}', "users is named twice"),
    "no set": ('{"table": "users"}', '"set" is missing: it holds the columns to write'),
    "set of nothing": ('{"table": "users", "set": {}}', '"set" is missing'),
    "set is null": ('{"table": "users", "set": null}', '"set" is missing'),
    "set is a list": ('{"table": "users", "set": ["a"]}', "set: Input should be a valid dictionary"),
    "set is text": ('{"table": "users", "set": "a = 1"}', "set: Input should be a valid dictionary"),
    "empty where": (
        '{"table": "users", "where": {}, "set": {"a": 1}}',
        '"where" is empty: leave it out to take every row',
    ),
    "where is SQL": ('{"table": "users", "where": "a = 1", "set": {"a": 1}}', "where: it takes an expression"),
    "where is a list": ('{"table": "users", "where": ["a"], "set": {"a": 1}}', "in a JSON file an object, such as"),
    "object in where": (
        '{"table": "users", "where": {"a": {"gt": 1}}, "set": {"a": 1}}',
        "nothing nested can be compared",
    ),
    "list in a list": ('{"table": "users", "where": {"a": [[1]]}, "set": {"a": 1}}', "nothing nested can be compared"),
    "empty list": ('{"table": "users", "where": {"a": []}, "set": {"a": 1}}', "an empty list takes no row"),
    "description": (
        '{"table": "users", "description": 1, "set": {"a": 1}}',
        "description: Input should be a valid string",
    ),
}


@pytest.mark.parametrize(("text", "told"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_definition_is_refused(text: str | bytes, told: str) -> None:
    """The message names the file and what is wrong in it; exit code 2."""
    with pytest.raises(DeclarationError) as refusal:
        from_document("fill", text)
    assert str(refusal.value).startswith("fill.json")
    assert told in str(refusal.value)
    assert refusal.value.exit_code == 2


@pytest.mark.parametrize(
    "name",
    ["../x", "a b", "a" * 101, "Fill", "__init__", "_fill", "1st", "é", "fill\n", "", "a-b", "a.b", "fill;"],
)
def test_a_name_is_one_word(name: str) -> None:
    """A name that could leave the folder, or that the command line would misread, is refused."""
    with pytest.raises(DeclarationError, match="a transform's name is one word: lower-case letters, digits and _"):
        from_document(name, '{"table": "users", "set": {"a": 1}}')


def test_a_definition_says_everything_a_function_can() -> None:
    """Several tables, several conditions, a description, and values of any depth."""
    text = '{"tables": ["users", "app.admins"], "where": {"a": null, "b": [1, 2]}, "set": {"c": [{"d": null}]}}'
    transform = from_document("fill", text)
    assert transform.name == "fill"
    assert transform.definition.tables == ("users", "app.admins")
    assert transform.definition.values == {"c": [{"d": None}]}


def test_numbers_keep_their_kind() -> None:
    """An integer stays one, however large, and a fraction is one."""
    found = read_document("fill.json", '{"table": "users", "set": {"a": 9223372036854775807, "b": 0.5}}')
    assert found["set"] == {"a": 9223372036854775807, "b": 0.5}
