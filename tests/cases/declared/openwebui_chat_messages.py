"""Messages of chats: out of the chat's document, into a table of their own."""

import time
from typing import Any

from pydantic import BaseModel, JsonValue
from sqlalchemy import column

import backfill
from backfill import Insert

YEAR_2020 = 1_577_836_800


class History(BaseModel):
    """A part of the document."""

    messages: dict[str, Any] = {}


class Document(BaseModel):
    """What a chat consists of."""

    history: History = History()


class Chat(BaseModel):
    """Read."""

    id: str
    user_id: str | None
    chat: Document


class Message(BaseModel):
    """Inserted."""

    id: str
    chat_id: str
    user_id: str | None
    role: str
    parent_id: str | None
    content: JsonValue
    model_id: str | None
    done: bool
    created_at: int
    updated_at: int


def seconds(stamp: Any) -> int:
    """A moment in seconds, given in seconds or milliseconds; now, if it cannot be when a chat took place."""
    number = int(float(stamp or 0))
    moment = number // 1000 if number > 10_000_000_000 else number
    return moment if YEAR_2020 <= moment <= time.time() else int(time.time())


@backfill.transform("chat", where=column("chat").is_not(None) & column("user_id").not_like("shared-%"))
def chat_messages(chat: Chat) -> list[Insert[Message]]:
    """Each message with a role is a row; what is no message is left out."""
    parts = {name: part for name, part in chat.chat.history.messages.items() if isinstance(part, dict)}
    messages = (
        Message(
            id=f"{chat.id}-{name}",
            chat_id=chat.id,
            user_id=chat.user_id,
            role=str(part["role"]),
            parent_id=part.get("parentId"),
            content=part.get("content"),
            model_id=part.get("model"),
            done=part.get("done", True),
            created_at=seconds(part.get("timestamp")),
            updated_at=seconds(part.get("timestamp")),
        )
        for name, part in parts.items()
        if part.get("role")
    )
    return [Insert("chat_message", message, match="id") for message in messages]


STEPS = (chat_messages,)
