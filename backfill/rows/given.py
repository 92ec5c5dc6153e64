"""Given: what a function is handed beside its rows, a connection, a session or the state of the run so far."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from backfill.database import Database
from backfill.declaration.decorator import Transform
from backfill.declaration.definition import Kind
from backfill.errors import DefinitionChanged, RunFailed
from backfill.rows.failures import accounted
from backfill.rows.permission import StepSession, permitted

MOST_BYTES = 64 * 1024
"""Of a state, which is written with every batch."""


class Given:
    """The arguments of one call, and the state as the function leaves it."""

    def __init__(self, transform: Transform[..., Any], database: Database, state: str | None = None) -> None:
        self._transform = transform
        self._database = database
        self._connection = database.connection
        self._state = self._read_state(state)

    @contextmanager
    def arguments(self) -> Iterator[dict[str, Any]]:
        """By the names of the parameters; a transform's connection reads only, a step's session ends with the call."""
        given = self._transform.given
        with ExitStack() as stack:
            counting = self._connection.execution_options(preserve_rowcount=True)  # of an INSERT it is lost otherwise
            arguments: dict[str, Any] = dict.fromkeys(given.connections, counting)
            if given.connections or given.sessions:
                failures = stack.enter_context(accounted(self._database))
                is_step = self._transform.definition.kind is Kind.STEP
                stack.enter_context(permitted(self._connection, to_write=is_step))
            for name in given.sessions:
                arguments[name] = stack.enter_context(_session(self._connection))
                failures.forget_savepoints()
            if given.state is not None:
                arguments[given.state[0]] = self._state
            yield arguments

    def state(self) -> str | None:
        """What the next batch begins with, as JSON.

        Raises:
            RunFailed: it has grown beyond what is written with every batch, or is not what its model says.
        """
        if self._state is None:
            return None
        text = self._written(self._state)
        size = len(text.encode())
        if size > MOST_BYTES:
            raise RunFailed(
                f"the state of {self._transform.name} has grown to {size:,} bytes; it may have {MOST_BYTES:,}, "
                "since every batch writes it. Keep a count or the last value, and look the rest up"
            )
        return text

    def _written(self, state: BaseModel) -> str:
        try:
            return state.model_dump_json(warnings="error")  # a warning would show the value
        except PydanticSerializationError:
            raise RunFailed(
                f"the function of {self._transform.name} left a value in its state that {type(state).__name__} does "
                "not allow, so the next batch could not read it"
            ) from None

    def _read_state(self, state: str | None) -> BaseModel | None:
        """A fresh copy for each attempt: a batch that is rolled back never happened."""
        if self._transform.given.state is None:
            return None
        _, model = self._transform.given.state
        try:
            return model() if state is None else model.model_validate_json(state)
        except ValidationError:
            name = self._transform.name
            raise DefinitionChanged(
                f"the state of {name} in the ledger is no {model.__name__} any more. Take the model's change back, or "
                f"start over: backfill run {name} --from-start"
            ) from None


@contextmanager
def _session(connection: Connection) -> Iterator[Session]:
    session = StepSession(bind=connection, join_transaction_mode="create_savepoint")
    try:
        session.connection()  # its savepoint is set here, and so is none of the function's own
        yield session
        session.commit()
    finally:
        session.end()
