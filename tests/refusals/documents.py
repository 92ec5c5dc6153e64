"""Documents: JSON definitions in which something would be lost, or taken for something else."""

from __future__ import annotations

SET = '"set": {"nickname": "x"}'


def sound(*parts: str) -> str:
    """A definition of people, with these parts."""
    return "{" + ", ".join(['"table": "people"', *parts]) + "}"


DOCUMENTS = {
    "nothing": ("document-no-json", ""),
    "no JSON": ("document-no-json", "table: people"),
    "half": ("document-no-json", sound(SET)[:-1]),
    "a comma too many": ("document-no-json", '{"table": "people",}'),
    "a comment": ("document-no-json", sound(SET) + " // x"),
    "two documents": ("document-no-json", sound(SET) * 2),
    "a key twice": ("document-no-json", sound(SET, SET)),
    "a key twice, deep": ("document-no-json", sound('"set": {"document": {"a": 1, "a": 2}}')),
    "a table twice": ("document-no-json", sound('"table": "people"', SET)),
    "NaN": ("document-no-json", sound('"set": {"small": NaN}')),
    "infinity": ("document-no-json", sound('"set": {"small": -Infinity}')),
    "a number without end": ("document-no-json", sound('"set": {"small": 1e999}')),
    "a number of 5,000 digits": ("document-no-json", sound(f'"set": {{"small": {"9" * 5_000}}}')),
    "a control character": ("document-no-json", sound('"set": {"nickname": "\x01"}')),
    "half a character in bytes": ("document-no-json", sound('"set": {"nickname": "\ud800"}')),
    "an array": ("document-form", "[]"),
    "a text": ("document-form", '"people"'),
    "null": ("document-form", "null"),
    "3,000 levels": ("document-deep", sound(f'"set": {{"document": {"[" * 3_000}{"]" * 3_000}}}')),
    "100,000 levels": ("document-deep", "[" * 100_000),
    "60 levels": ("document-deep", sound(f'"set": {{"document": {"[" * 60}{"]" * 60}}}')),
    "a megabyte": ("document-large", sound(f'"set": {{"nickname": "{"x" * 1_000_001}"}}')),
    "an unknown key": ("document-key", sound(SET, '"whree": {}')),
    "an internal key": ("document-key", sound(SET, '"code": "x"')),
    "a name": ("document-key", sound(SET, '"name": "other"')),
    "no table": ("document-table", f"{{{SET}}}"),
    "table and tables": ("document-table", sound('"tables": ["people"]', SET)),
    "a table that is a number": ("table-string-type", f'{{"table": [7], {SET}}}'),
    "a table that is null": ("table-tuple-type", f'{{"table": null, {SET}}}'),
    "no tables": ("no-table-named", f'{{"tables": [], {SET}}}'),
    "nothing to set": ("set-missing", sound()),
    "an empty set": ("set-missing", sound('"set": {}')),
    "a set that is a list": ("set-dict-type", sound('"set": ["nickname"]')),
    "set and delete": ("set-and-delete", sound(SET, '"delete": true')),
    "delete as a text": ("delete-bool-type|delete-bool-parsing", sound('"delete": "yes"')),
    "match without insert": ("match-without-insert", sound(SET, '"match": ["name"]')),
    "insert with set": ("insert-with-others", sound('"insert": [{"id": 7}]', SET)),
    "insert with where": ("insert-with-others", sound('"insert": [{"id": 7}]', '"where": {"id": 1}')),
    "insert as an object": ("insert-list-type", sound('"insert": {"id": 7}')),
    "insert of numbers": ("insert-dict-type", sound('"insert": [7]')),
    "insert of nothing": ("insert-nothing", sound('"insert": []')),
    "update without match": ("update-without-match", sound('"insert": [{"id": 7}]', '"update": ["id"]')),
    "match that is not given": ("match-not-in-row", sound('"insert": [{"id": 7}]', '"match": ["name"]')),
    "an empty condition": ("where-empty", sound(SET, '"where": {}')),
    "a condition in words": ("where-form", sound(SET, '"where": "name IS NULL"')),
    "a condition that is a list": ("where-form", sound(SET, '"where": [1]')),
    "a condition that is true": ("where-form", sound(SET, '"where": true')),
    "a condition of no value": ("where-nothing", sound(SET, '"where": {"name": []}')),
    "a nested condition": ("where-nested", sound(SET, '"where": {"name": {"like": "%"}}')),
    "a condition of another column": ("unknown-column", sound(SET, '"where": {"nmae": 1}')),
    "a condition of SQL": ("unknown-column", sound(SET, '"where": {"1=1 OR name": "x"}')),
    "a condition of another type": ("compared-type", sound(SET, '"where": {"small": "many"}')),
    "a condition on a document": ("compared-document", sound(SET, '"where": {"document": "x"}')),
    "a column that is not there": ("writes-unknown", sound('"set": {"nickmane": "x"}')),
    "a text for a number": ("writes-type", sound('"set": {"small": "many"}')),
    "no for a boolean": ("description-string-type", sound(SET, '"description": false')),
}
