"""Evaluation: how often the reading of revisions is right, on public projects that somebody read by eye.

    python -m tests.linting.evaluation CHECKOUTS

CHECKOUTS is a folder with a checkout of each project of labels.csv, called owner+name; a project that is not there is
left out, and said to be. The labels are facts alone: project, revision, whether its upgrade changes rows, and whether
it changes the schema beside them. README.md tells how they were made, and what was seen.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from backfill.linting.module import Modules
from backfill.linting.revision import Revision

LABELS = Path(__file__).with_name("labels.csv")
FLOOR = 0.97

Subject = tuple[str, str]
"""A project, and a revision of it."""


@dataclass(frozen=True)
class Label:
    """What is true of a revision."""

    has_data_step: bool
    is_mixed: bool


@dataclass
class Score:
    """How often one question was answered rightly."""

    question: str
    right: int = 0
    invented: list[Subject] = field(default_factory=list)
    missed: list[Subject] = field(default_factory=list)

    def count(self, subject: Subject, is_true: bool, is_found: bool) -> None:
        """Take one revision into account."""
        self.right += is_true and is_found
        if is_found and not is_true:
            self.invented.append(subject)
        if is_true and not is_found:
            self.missed.append(subject)

    @property
    def precision(self) -> float:
        """Share of what is found that is true."""
        return self.right / ((self.right + len(self.invented)) or 1)

    @property
    def recall(self) -> float:
        """Share of what is true that is found."""
        return self.right / ((self.right + len(self.missed)) or 1)

    def lines(self) -> Iterator[str]:
        """The figures, and every error by its name."""
        yield f"{self.question:10} precision {self.precision:.3f}  recall {self.recall:.3f}  of {self.right} right"
        for word, subjects in (("invented", self.invented), ("missed", self.missed)):
            yield from (f"           {word}: {project} {revision}" for project, revision in subjects)


def read_labels(path: Path) -> dict[Subject, Label]:
    """The labels of a file."""
    with path.open(encoding="utf-8", newline="") as stream:
        return {
            (row["project"], row["revision"]): Label(row["data_step"] == "1", row["mixed"] == "1")
            for row in csv.DictReader(stream)
        }


def read_checkout(folder: Path, project: str) -> Iterator[tuple[Subject, Label]]:
    """What the linter says of every revision of a checkout."""
    modules = Modules()
    for path in sorted(folder.rglob("versions/**/*.py")):
        module = modules.read(path)
        revision = module and Revision.of(modules, module)
        if revision:
            yield (project, revision.id), Label(revision.has_data_step, revision.is_mixed)


def score(labels: Mapping[Subject, Label], found: Mapping[Subject, Label]) -> list[Score]:
    """Compare; a labelled revision of a project that was read must be among what was found."""
    data, mixed = Score("data step"), Score("mixed")
    for subject, label in labels.items():
        said = found.get(subject, Label(False, False))
        data.count(subject, label.has_data_step, said.has_data_step)
        mixed.count(subject, label.is_mixed, said.is_mixed)
    return [data, mixed]


def evaluate(checkouts: Path, labels: Mapping[Subject, Label], projects: Iterable[str]) -> list[Score]:
    """Read the projects that are there, and tell what was seen."""
    there = [project for project in projects if (checkouts / project.replace("/", "+")).is_dir()]
    started = time.perf_counter()
    found: dict[Subject, Label] = {}
    for project in there:
        found |= dict(read_checkout(checkouts / project.replace("/", "+"), project))
    seconds = time.perf_counter() - started
    wanted = {subject: label for subject, label in labels.items() if subject[0] in there}
    scores = score(wanted, found)
    absent = [subject for subject in wanted if subject not in found]
    say(f"{len(wanted)} revisions of {len(there)} projects, {1000 * seconds / (len(found) or 1):.1f} s for 1,000")
    for line in (line for each in scores for line in each.lines()):
        say(line)
    for project, revision in absent:
        say(f"not in the checkout: {project} {revision}")
    return scores


def main(arguments: Sequence[str] | None = None) -> int:
    """Evaluate; exit code 1 below the floor, or when no project is there."""
    parser = argparse.ArgumentParser(prog="python -m tests.linting.evaluation")
    parser.add_argument("checkouts", type=Path)
    parser.add_argument("--labels", type=Path, default=LABELS)
    options = parser.parse_args(arguments)
    labels = read_labels(options.labels)
    projects = sorted({project for project, _ in labels})
    for project in projects:
        if not (options.checkouts / project.replace("/", "+")).is_dir():
            say(f"no checkout of {project}")
    scores = evaluate(options.checkouts, labels, projects)
    return 0 if all(each.right and min(each.precision, each.recall) >= FLOOR for each in scores) else 1


def say(line: str) -> None:
    """Print."""
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
