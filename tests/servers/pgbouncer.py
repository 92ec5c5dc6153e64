"""PgBouncer: a pooler before the tests' PostgreSQL, which hands a session on after every transaction."""

import shutil
import signal

import sqlalchemy as sa

from tests.servers import Server, Unavailable, answers
from tests.servers.postgresql import PostgreSQL
from tests.servers.throwaway import Command, hand_over, keep, new_directory, unprivileged_user

PORT = 6432
"""Of the socket in its own directory; it listens on no network."""

CONFIGURATION = """
[databases]
* = {target}

[pgbouncer]
listen_addr =
listen_port = {port}
unix_socket_dir = {home}
auth_type = any
pool_mode = transaction
default_pool_size = 3
"""
TARGETS = {"host": "host", "port": "port", "username": "user", "password": "password"}


class PgBouncer(PostgreSQL):
    """A pooler, whose databases are those of the server behind it."""

    name = "pgbouncer"


def start(behind: Server) -> PgBouncer:
    """Return a pooler before a PostgreSQL server."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        raise Unavailable("no pgbouncer on the PATH or in /usr/sbin")
    home = new_directory("pool")
    user = unprivileged_user("postgres")
    configuration = home / "pgbouncer.ini"
    configuration.write_text(CONFIGURATION.format(target=_target(behind.url), home=home, port=PORT))
    commands = [*hand_over(home, user), Command([program, str(configuration)], user)]
    throwaway = keep(home, commands, signal.SIGINT)
    url = behind.url.set(host=None, port=PORT, query={"host": str(home)})
    throwaway.wait_until(lambda: answers(url))
    pooler = PgBouncer(url, throwaway.stop)
    pooler.admin = behind.admin  # CREATE DATABASE and DROP DATABASE need a session of their own
    return pooler


def _target(url: sa.URL) -> str:
    parts = {TARGETS[name]: getattr(url, name) for name in TARGETS if getattr(url, name) is not None}
    parts |= {name: str(value) for name, value in url.query.items() if name in ("host", "port")}
    return " ".join(f"{name}={value}" for name, value in parts.items())
