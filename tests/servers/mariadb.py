"""MariaDB: the developer's server, or one started from the system's `mariadbd`."""

import shutil
import signal
import socket
from contextlib import suppress
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from tests.servers import Server, Unavailable, answers, url_from_environment
from tests.servers.throwaway import Command, hand_over, keep, new_directory, unprivileged_user

URL_VARIABLE = "BACKFILL_TEST_MARIADB_URL"
DRIVERNAME = "mysql+pymysql"
CHARSET = {"charset": "utf8mb4"}
# Debian keeps the server here, where the PATH of a normal user does not look.
SYSTEM_DIRECTORY = "/usr/sbin"
# The data is worthless after the run.
SPEED = (
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",
    "--sync-binlog=0",
)


class MariaDB(Server):
    """A MariaDB server."""

    name = "mariadb"

    def _create(self, connection: sa.Connection, name: str) -> None:
        connection.execute(sa.text(f"CREATE DATABASE {name} CHARACTER SET utf8mb4"))

    def _drop(self, connection: sa.Connection, name: str) -> None:
        sessions = sa.text("SELECT id FROM information_schema.processlist WHERE db = :name")
        for session in connection.scalars(sessions, {"name": name}):
            with suppress(DBAPIError):  # it has ended since it was listed
                connection.execute(sa.text(f"KILL {session}"))
        connection.execute(sa.text(f"DROP DATABASE {name}"))


def start() -> MariaDB:
    """Return a MariaDB server for this test run."""
    if url := url_from_environment(URL_VARIABLE, DRIVERNAME):
        return MariaDB(url.update_query_dict(CHARSET))
    server, installer = find_program("mariadbd"), find_program("mariadb-install-db")
    home = new_directory("mariadb")
    # Its files are all that MariaDB leaves behind, and they are removed.
    throwaway = keep(home, commands(server, installer, home, unprivileged_user("mysql")), signal.SIGKILL)
    query = {"unix_socket": str(home / "socket"), **CHARSET}
    url = sa.URL.create(DRIVERNAME, "root", host="localhost", query=query)
    throwaway.wait_until(lambda: listens(home / "socket") and answers(url))
    return MariaDB(url, throwaway.stop)


def listens(path: Path) -> bool:
    """Tell whether a server accepts connections; PyMySQL would not close a socket that was refused."""
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


def find_program(name: str) -> str:
    """Return the path of one of MariaDB's programs."""
    if path := shutil.which(name) or shutil.which(name, path=SYSTEM_DIRECTORY):
        return path
    raise Unavailable(f"no {URL_VARIABLE}, no {name} on the PATH or in {SYSTEM_DIRECTORY}")


def commands(server: str, installer: str, home: Path, user: str | None) -> list[Command]:
    """Return what to run, one after another, to have a server in `home`."""
    data = home / "data"
    return [
        *hand_over(home, user),
        Command(installing(installer, data), user),
        Command([*serving(server, home, data), *SPEED], user),
    ]


def installing(program: str, data: Path) -> list[str]:
    """Return the command that makes a data directory, with an account that needs no password."""
    return [program, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal", "--skip-test-db"]


def serving(program: str, home: Path, data: Path) -> list[str]:
    """Return the command that is a server on that data, without a port."""
    place = [f"--datadir={data}", f"--socket={home / 'socket'}", f"--pid-file={home / 'pid'}", f"--tmpdir={home}"]
    return [program, "--no-defaults", "--skip-networking", "--max-connections=200", *place]
