"""Messages: numbered in the order in which they were written."""

from pydantic import BaseModel
from sqlalchemy import Connection, column, func, select, table

import backfill

message = table("messages", column("sequence_id"))


class Message(BaseModel):
    """Read."""

    id: str


class Numbered(BaseModel):
    """Written."""

    sequence_id: int


class Count(BaseModel):
    """Carried from batch to batch."""

    messages: int = 0


@backfill.transform("messages", order_by=("created_at",))
def number_messages(messages: list[Message], *, state: Count) -> list[Numbered]:
    """1, 2, 3 … over the whole table, by time and then by key."""
    first = state.messages + 1
    state.messages += len(messages)
    return [Numbered(sequence_id=number) for number, _ in enumerate(messages, first)]


@backfill.step()
def continue_sequence(connection: Connection) -> None:
    """The next message gets the next number; only PostgreSQL's table has a sequence."""
    if connection.dialect.name == "postgresql":
        newest = select(func.max(message.c.sequence_id)).scalar_subquery()
        connection.execute(select(func.setval("message_seq_id", newest)))


STEPS = (number_messages, continue_sequence)
