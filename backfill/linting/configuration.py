"""Configuration: what a project says of `backfill check` in [tool.backfill.check] of its pyproject.toml."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from backfill.errors import Refused, SettingsError
from backfill.pyproject import read_check

_DEPTHS = ("env.py", "*/env.py", "*/*/env.py", "*/*/*/env.py")


class Configuration(BaseModel):
    """What is checked, and what is not."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    paths: tuple[Path, ...] = ()
    """Folders or files; without any, every Alembic environment in the project, and its transforms."""
    disable: tuple[str, ...] = ()
    """Codes of rules that the project does without."""
    baseline: Path | None = None
    """The findings that were there when the project began to check."""

    def places(self, transforms: str) -> list[Path]:
        """Where revisions and transforms are.

        Raises:
            Refused: there are none.
        """
        found = [*self.paths] or [*dict.fromkeys(_environments())]
        if not found:
            raise Refused(
                "there are no revisions here. Name a folder of them: backfill check FOLDER", code="check-nothing"
            )
        package = Path(*transforms.split("."))
        return found if self.paths or not package.is_dir() else [*found, package]


def load_configuration() -> Configuration:
    """The configuration of the project in the working directory.

    Raises:
        SettingsError: an option is unknown or has no meaning.
    """
    try:
        return Configuration.model_validate(read_check(Path("pyproject.toml")))
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        known = ", ".join(Configuration.model_fields)
        raise SettingsError(
            f"pyproject.toml [tool.backfill.check]: {problems}. Known options: {known}", code="check-settings"
        ) from None


def _environments() -> Iterator[Path]:
    """The folders of Alembic environments, by what every one of them holds."""
    for pattern in _DEPTHS:
        for file in sorted(Path().glob(pattern)):
            if (file.parent / "versions").is_dir() and not any(part.startswith(".") for part in file.parts):
                yield file.parent / "versions"
