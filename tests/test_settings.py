"""Settings: each source, which one wins, and what has no meaning."""

from pathlib import Path
from typing import Any

import pytest

from backfill.errors import SettingsError
from backfill.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty project."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"BACKFILL_{name.upper()}", raising=False)
    return tmp_path


def test_a_project_need_not_say_anything() -> None:
    """Without any file the defaults hold."""
    assert load_settings() == load_settings(Path("alembic.ini")) == Settings()


def test_the_later_source_wins(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pyproject.toml, then alembic.ini, then the environment, then the call."""
    (project / "pyproject.toml").write_text(
        "[tool.backfill]\nbatch_size = 1\nmax_batch_size = 1\nattempts = 1\nlock_seconds = 1\ntransforms = 'app.steps'"
    )
    (project / "alembic.ini").write_text("[backfill]\nmax_batch_size = 2\nattempts = 2\nlock_seconds = 2\n")
    monkeypatch.setenv("BACKFILL_ATTEMPTS", "3")
    monkeypatch.setenv("BACKFILL_LOCK_SECONDS", "3")
    settings = load_settings(project / "alembic.ini", lock_seconds=4, mode=None)
    assert settings == Settings(
        transforms="app.steps", batch_size=1, max_batch_size=2, attempts=3, lock_seconds=4, mode="inline"
    )


def test_percent_signs_in_an_ini_file(project: Path) -> None:
    """alembic.ini holds formats that are nobody's variables."""
    (project / "alembic.ini").write_text("[formatters]\nformat = %(message)s\n[backfill]\nattempts = 2\n")
    assert load_settings(project / "alembic.ini").attempts == 2


NO_INTEGER = "Input should be a valid integer"
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "zero": ({"batch_size": 0}, "batch_size: Input should be greater than or equal to 1"),
    "negative": ({"batch_size": -1}, "batch_size: Input should be greater than or equal to 1"),
    "a billion": ({"batch_size": 10**9}, "batch_size: Input should be less than or equal to 100000"),
    "a billion at most": ({"max_batch_size": 10**9}, "max_batch_size: Input should be less than"),
    "a fraction": ({"batch_size": 1.5}, f"batch_size: {NO_INTEGER}"),
    "a word": ({"batch_size": "many"}, f"batch_size: {NO_INTEGER}"),
    "nothing": ({"batch_size": ""}, f"batch_size: {NO_INTEGER}"),
    "true": ({"batch_size": True}, "batch_size: true and false are no numbers"),
    "a list": ({"batch_size": [1]}, f"batch_size: {NO_INTEGER}"),
    "no number": ({"batch_seconds": float("nan")}, "batch_seconds: Input should be "),
    "for ever": ({"statement_seconds": float("inf")}, "statement_seconds: Input should be less than"),
    "no time": ({"lock_seconds": 0}, "lock_seconds: Input should be greater than 0"),
    "a lease of no time": ({"lease_seconds": 0}, "lease_seconds: Input should be greater than or equal to 1"),
    "no attempt": ({"attempts": 0}, "attempts: Input should be greater than or equal to 1"),
    "a mode": ({"mode": "later"}, "mode: Input should be 'inline' or 'defer'"),
    "a path": ({"transforms": "../transforms"}, "transforms: it should look like transforms or app.transforms"),
    "a folder": ({"transforms": "app/transforms"}, "transforms: it should look like transforms or app.transforms"),
    "unknown": (
        {"batchsize": 1},
        "batchsize: Extra inputs are not permitted. Known settings: transforms, mode, batch_size",
    ),
}


@pytest.mark.parametrize(("overrides", "told"), REFUSED.values(), ids=REFUSED.keys())
def test_a_value_without_a_meaning(overrides: dict[str, Any], told: str) -> None:
    """Its name, its rule and where it came from; exit code 2."""
    with pytest.raises(SettingsError) as refusal:
        load_settings(**overrides)
    assert str(refusal.value).startswith("the call: ")
    assert told in str(refusal.value)
    assert refusal.value.exit_code == 2


PYPROJECT = "pyproject.toml [tool.backfill]"
FILES: dict[str, tuple[str, str, str]] = {
    "no TOML": ("pyproject.toml", "[tool.backfill", "pyproject.toml cannot be read: "),
    "no table": ("pyproject.toml", "[tool]\nbackfill = 3", "pyproject.toml: [tool.backfill] is a table of settings"),
    "unknown": ("pyproject.toml", "[tool.backfill]\nsize = 1", f"{PYPROJECT}: size: Extra inputs are not permitted"),
    "out of range": ("pyproject.toml", "[tool.backfill]\nattempts = 0", f"{PYPROJECT}: attempts: Input should be"),
    "truth": ("pyproject.toml", "[tool.backfill]\nattempts = true", f"{PYPROJECT}: attempts: true"),
    "not a number": ("pyproject.toml", "[tool.backfill]\nlock_seconds = nan", f"{PYPROJECT}: lock_seconds: "),
    "no INI": ("alembic.ini", "batch_size = 1", "alembic.ini cannot be read: File contains no section headers"),
    "twice": (
        "alembic.ini",
        "[backfill]\nmode=defer\nmode=inline",
        "option 'mode' in section 'backfill' already exists",
    ),
    "unknown in INI": ("alembic.ini", "[backfill]\nsize = 1", "alembic.ini [backfill]: size: Extra inputs"),
}


@pytest.mark.parametrize(("name", "text", "told"), FILES.values(), ids=FILES.keys())
def test_a_file_without_a_meaning(project: Path, name: str, text: str, told: str) -> None:
    """The file is named."""
    (project / name).write_text(text)
    with pytest.raises(SettingsError) as refusal:
        load_settings(Path("alembic.ini"))
    assert told in str(refusal.value)


def test_bytes_that_are_no_text(project: Path) -> None:
    """In either file."""
    for name in ("pyproject.toml", "alembic.ini"):
        (project / name).write_bytes(b"[backfill]\nmode = \xff\n")
        with pytest.raises(SettingsError, match=f"{name} cannot be read"):
            load_settings(Path("alembic.ini"))
        (project / name).unlink()


def test_a_lease_outlasts_a_statement(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker at a slow statement must not be taken for dead; what counts is what all sources say together."""
    (project / "pyproject.toml").write_text("[tool.backfill]\nlease_seconds = 10\n")
    with pytest.raises(SettingsError, match=r"lease_seconds is 10, statement_seconds 20: .*Make the lease longer"):
        load_settings()
    monkeypatch.setenv("BACKFILL_STATEMENT_SECONDS", "9")
    assert load_settings().limits.statement_seconds == 9


def test_an_environment_without_a_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable's setting is named, its value is not shown."""
    monkeypatch.setenv("BACKFILL_BATCH_SIZE", "secret")
    with pytest.raises(SettingsError, match="the environment: batch_size: Input should be a valid integer") as refusal:
        load_settings()
    assert "secret" not in str(refusal.value)
