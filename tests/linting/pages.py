"""Pages: revisions and transforms as texts, and what is found in them."""

from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent, indent

from backfill.linting.finding import Finding
from backfill.linting.linter import lint
from backfill.linting.module import Modules
from backfill.linting.revision import Revision

HEAD = '''"""A revision."""
import sqlalchemy as sa
from alembic import op
from sqlalchemy import column, select, table, update
from sqlalchemy.orm import Session

from backfill.alembic import require_backfill, reset_backfill, run_backfill

revision = {name!r}
down_revision = {down!r}

'''


@dataclass
class Pages:
    """A project's folder."""

    root: Path
    head: str | None = None

    def write(self, file: str, text: str) -> Path:
        """Write any file."""
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"))
        return path

    def revise(self, upgrade: str, downgrade: str = "pass", *, above: str = "", name: str = "one") -> Revision:
        """Append a revision; `above` stands before its functions."""
        body = "\n\n".join(
            f"def {verb}():\n{indent(dedent(text).strip() or 'pass', '    ')}\n"
            for verb, text in (("upgrade", upgrade), ("downgrade", downgrade))
        )
        head = HEAD.format(name=name, down=self.head)
        path = self.write(f"migrations/versions/{name}.py", head + dedent(above).strip() + "\n\n" + body)
        self.head = name
        modules = Modules()
        module = modules.read(path)
        assert module is not None, "the test's own revision is Python"
        found = Revision.of(modules, module)
        assert found is not None, "the test's own revision is one"
        return found

    def findings(self) -> list[Finding]:
        """Everything that is found in the project."""
        return list(lint([self.root]).findings)

    def codes(self) -> list[str]:
        """The codes of what is found."""
        return [each.code for each in self.findings()]
