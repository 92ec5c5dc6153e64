"""The formats: what people read, and what programs parse."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from backfill.linting.finding import Finding
from backfill.linting.linter import CODES
from backfill.linting.reports import REPORTS
from tests.linting.pages import Pages

REMEDY = "line one: 100%\nline two, and more"


@pytest.fixture
def findings(pages: Pages) -> list[Finding]:
    """Give two findings, whose words have all that a format must escape."""
    path = pages.root / "migrations" / "a, b:c.py"
    return [
        Finding(path, 3, "mixed", "it is 50% mixed, and: bad", REMEDY, "abc"),
        Finding(Path("elsewhere.py"), 9, "unbatched", "it is large", "do less", "def"),
    ]


def test_text_is_a_paragraph_each(findings: list[Finding]) -> None:
    """Place, code, sentence, and the remedy beneath."""
    first, second = REPORTS["text"](findings).split("\n\n")
    assert first.splitlines() == [
        "migrations/a, b:c.py:3: [mixed] it is 50% mixed, and: bad. Write instead:",
        "    | line one: 100%",
        "    | line two, and more",
    ]
    assert second.startswith("elsewhere.py:9: [unbatched] it is large. Write instead:")


def test_json_is_a_list_of_objects(findings: list[Finding]) -> None:
    """Everything that is known of a finding."""
    first, second = json.loads(REPORTS["json"](findings))
    assert first == {
        "path": "migrations/a, b:c.py",
        "line": 3,
        "code": "mixed",
        "in": "abc",
        "why": "it is 50% mixed, and: bad",
        "remedy": REMEDY,
    }
    assert second["in"] == "def"


def test_github_takes_each_as_one_command(findings: list[Finding]) -> None:
    """One line a finding; the property's and the message's own signs are escaped, and come back whole."""
    lines = REPORTS["github"](findings).splitlines()
    assert len(lines) == 2
    command = re.fullmatch(
        r"::error file=(?P<file>[^,]*),line=(?P<line>\d+),title=(?P<title>[^:]*)::(?P<data>.*)", lines[0]
    )
    assert command is not None
    assert unescaped(command["file"]) == "migrations/a, b:c.py"
    assert command["line"] == "3"
    assert unescaped(command["data"]) == f"it is 50% mixed, and: bad. Write instead:\n{REMEDY}"


def unescaped(text: str) -> str:
    """Read what a runner reads."""
    for code, sign in (("%2C", ","), ("%3A", ":"), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(code, sign)
    return text


def test_sarif_has_what_its_schema_demands(findings: list[Finding]) -> None:
    """Version, tool, rules, and results that refer to them: the required properties of SARIF 2.1.0."""
    document: dict[str, Any] = json.loads(REPORTS["sarif"](findings))
    assert document["version"] == "2.1.0"
    assert document["$schema"].endswith("sarif-2.1.0.json")
    (run,) = document["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "backfill"
    assert [rule["id"] for rule in driver["rules"]] == list(CODES)
    assert all(rule["shortDescription"]["text"] for rule in driver["rules"])
    for result, finding in zip(run["results"], findings, strict=True):
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == finding.code
        assert result["level"] in ("none", "note", "warning", "error")
        assert result["message"]["text"].startswith(finding.why)
        (location,) = result["locations"]
        assert location["physicalLocation"]["region"]["startLine"] == finding.line
        assert re.fullmatch(r"[^\s\\]*", location["physicalLocation"]["artifactLocation"]["uri"])


@pytest.mark.parametrize("name", REPORTS)
def test_nothing_found(name: str) -> None:
    """A program gets a whole document also when there is nothing in it."""
    text = REPORTS[name]([])
    assert json.loads(text) if name == "sarif" else text in ("", "[]")
