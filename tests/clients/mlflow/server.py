"""Server: MLflow in an environment of its own, for its tables alone. It is never imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import sqlalchemy as sa

PACKAGES = ("mlflow-skinny", "sqlalchemy", "alembic", "psycopg[binary]")
"""All that `mlflow db upgrade` takes."""
TABLES = {"runs", "metrics", "latest_metrics", "tags"}


class NotFresh(Exception):
    """The database holds something already; the message says what."""


def install(folder: Path) -> Path:
    """Install MLflow into the folder, and give its command."""
    home = folder / "mlflow"
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *PACKAGES], check=True, capture_output=True)
    return home / "bin" / "mlflow"


def make_tables(mlflow: Path, engine: sa.Engine) -> str:
    """Let MLflow make its tables, as its users do; gives the revision that it stamps.

    Raises:
        NotFresh: there are tables already.
    """
    if found := sa.inspect(engine).get_table_names():
        raise NotFresh(f"an absent file or an empty database is wanted; this one has the table {found[0]}")
    url = engine.url.render_as_string(hide_password=False)
    done = subprocess.run([str(mlflow), "db", "upgrade", url], check=False, capture_output=True, text=True)
    if done.returncode:
        sys.stderr.write(done.stderr)
        raise SystemExit(1)
    assert set(sa.inspect(engine).get_table_names()) >= TABLES, "MLflow has other tables than it had"
    with engine.connect() as connection:
        return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar())
