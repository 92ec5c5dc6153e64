"""Links that break: a session killed on the server, or a wire cut just before a COMMIT arrives or just after it."""

from __future__ import annotations

import re
import select
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

import sqlalchemy as sa

SESSION = {"postgresql": "SELECT pg_backend_pid()", "mysql": "SELECT connection_id()"}
KILL = {"postgresql": "SELECT pg_terminate_backend({})", "mysql": "KILL {}"}
_COMMIT = re.compile(rb"\bCOMMIT\b")


def killer(engine: sa.Engine, victim: sa.Connection) -> Callable[[], None]:
    """Prepare to end the victim's session on the server."""
    session = victim.exec_driver_sql(SESSION[engine.dialect.name]).scalar_one()

    def kill() -> None:
        with engine.connect() as connection:
            connection.exec_driver_sql(KILL[engine.dialect.name].format(session))

    return kill


class Wire:
    """A wire to a server that is cut at the n-th COMMIT: before it is passed on, or when the answer comes back."""

    def __init__(self, url: sa.URL, commit: int, *, after: bool) -> None:
        self._upstream = _address(url)
        self._commit = commit
        self._after = after
        self._seen = 0
        self.is_cut = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        query = {name: value for name, value in url.query.items() if name not in ("host", "unix_socket")}
        self.url = url.set(host="127.0.0.1", port=self._listener.getsockname()[1], query=query)
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Self:
        """Begin to listen."""
        self._threads[0].start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Stop listening, and wait until the last connection has ended."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._serve, args=(client,)))
            self._threads[-1].start()

    def _serve(self, client: socket.socket) -> None:
        server = _connect(self._upstream)
        with client, server:
            while not self.is_cut or self._after:
                for source in select.select([client, server], [], [])[0]:
                    data = source.recv(1 << 16)
                    if not data:
                        return
                    if source is client and not self._pass_on(data, server):
                        self._die(client)
                        return
                    if source is server:
                        client.sendall(data)

    def _die(self, client: socket.socket) -> None:
        """Both ends are told by the closing."""

    def _pass_on(self, data: bytes, server: socket.socket) -> bool:
        """Pass a client's message on; False when this was the moment to cut."""
        self._seen += len(_COMMIT.findall(data))
        is_the_moment = self._seen >= self._commit and not self.is_cut and _COMMIT.search(data) is not None
        self.is_cut = self.is_cut or is_the_moment
        if not is_the_moment or self._after:
            server.sendall(data)
        if is_the_moment and self._after:
            server.recv(1 << 16)  # the server has committed
        return not is_the_moment


def _address(url: sa.URL) -> str | tuple[str, int]:
    place = url.query.get("unix_socket") or url.query.get("host")
    if isinstance(place, str):
        return place if "unix_socket" in url.query else f"{place}/.s.PGSQL.{url.port or 5432}"
    return url.host or "localhost", url.port or (5432 if url.get_backend_name() == "postgresql" else 3306)


def _connect(address: str | tuple[str, int]) -> socket.socket:
    if isinstance(address, tuple):
        return socket.create_connection(address)
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(address)
    return connection


class DeadWire(Wire):
    """A wire that dies without a word at the n-th COMMIT: it stays open, but nothing is passed on; later ones live."""

    SECONDS = 30.0
    """Until it is closed at last."""

    def __init__(self, url: sa.URL, commit: int) -> None:
        super().__init__(url, commit, after=True)
        self.was_hung_up = False
        """By the client, who has waited long enough."""

    def _die(self, client: socket.socket) -> None:
        client.settimeout(self.SECONDS)
        with suppress(OSError):
            self.was_hung_up = client.recv(1) == b""
