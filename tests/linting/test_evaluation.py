"""The evaluation counts what it says it counts, and its labels are facts alone."""

import csv
from pathlib import Path

import pytest

from tests.linting.evaluation import LABELS, main, read_labels
from tests.linting.pages import Pages


@pytest.fixture
def checkouts(pages: Pages) -> Path:
    """Give the checkout of one project: a mixed revision, one with rows alone, and one with schema alone."""
    root = pages.root / "some+app" / "migrations" / "versions"
    root.mkdir(parents=True)
    for name, upgrade in (
        ("both", "op.drop_table('a')\nop.execute('DELETE FROM b')"),
        ("rows", "op.execute('DELETE FROM b')"),
        ("schema", "op.drop_table('a')"),
    ):
        (root / f"{name}.py").write_text(pages.revise(upgrade, name=name).module.text)
    return pages.root


def labelled(root: Path, *rows: str) -> Path:
    """Write labels."""
    path = root / "labels.csv"
    path.write_text("\n".join(["project,revision,data_step,mixed", *rows]) + "\n")
    return path


def test_right(checkouts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Everything as it is labelled is exit code 0."""
    labels = labelled(checkouts, "some/app,both,1,1", "some/app,rows,1,0", "some/app,schema,0,0")
    assert main([str(checkouts), "--labels", str(labels)]) == 0
    assert "3 revisions of 1 projects" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("some/app,schema,1,0", "missed: some/app schema"),
        ("some/app,rows,0,0", "invented: some/app rows"),
        ("some/app,rows,1,1", "missed: some/app rows"),
        ("some/app,gone,1,0", "not in the checkout: some/app gone"),
    ],
)
def test_an_error_is_named(checkouts: Path, capsys: pytest.CaptureFixture[str], row: str, words: str) -> None:
    """A label that differs from what is found is told, and is exit code 1."""
    assert main([str(checkouts), "--labels", str(labelled(checkouts, "some/app,both,1,1", row))]) == 1
    assert words in capsys.readouterr().out


def test_no_checkout(checkouts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing evaluated is no success."""
    assert main([str(checkouts), "--labels", str(labelled(checkouts, "other/app,a,1,0"))]) == 1
    assert "no checkout of other/app" in capsys.readouterr().out


def test_labels_are_facts_alone() -> None:
    """A project, an id, and two booleans; mixed is a data step; at least five projects and a hundred data steps."""
    with LABELS.open() as stream:
        assert next(csv.reader(stream)) == ["project", "revision", "data_step", "mixed"]
        assert all(len(row) == 4 and set(row[2:]) <= {"0", "1"} for row in csv.reader(stream))
    labels = read_labels(LABELS)
    assert len({project for project, _ in labels}) >= 5
    assert all(label.has_data_step for label in labels.values() if label.is_mixed)
    assert sum(label.has_data_step for label in labels.values()) >= 100
