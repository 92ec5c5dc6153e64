"""The table of rules that the documentation shows."""

import re
from pathlib import Path

TABLE = (Path(__file__).parent / "README.md").read_text(encoding="utf-8")
TESTS = Path(__file__).parents[1]


def test_every_rule_is_shown_by_tests_that_are_there() -> None:
    """Each line names at least one, and none that was renamed."""
    rules = re.findall(r"^\| (\d+) \|.*\|(.*)\|$", TABLE, re.MULTILINE)
    written = "\n".join(path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py"))
    defined = set(re.findall(r"^def (test_\w+)", written, re.MULTILINE))
    assert [int(number) for number, _ in rules] == list(range(1, 21))
    assert all(re.findall(r"`(test_\w+)`", tests) for _, tests in rules)
    assert set(re.findall(r"`(test_\w+)`", TABLE)) <= defined
