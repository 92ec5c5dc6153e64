"""Key: the values that name one row, kept in the ledger exactly as the driver gave them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from backfill.errors import Refused

Key = tuple[Any, ...]

_MICROSECOND = timedelta(microseconds=1)

_ENCODERS: dict[type, tuple[str, Callable[[Any], str]]] = {
    bytes: ("bytes", bytes.hex),
    UUID: ("uuid", str),
    Decimal: ("decimal", str),
    datetime: ("datetime", datetime.isoformat),
    date: ("date", date.isoformat),
    time: ("time", time.isoformat),
    timedelta: ("microseconds", lambda value: str(value // _MICROSECOND)),
}
_DECODERS: dict[str, Callable[[str], Any]] = {
    "bytes": bytes.fromhex,
    "uuid": UUID,
    "decimal": Decimal,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "microseconds": lambda text: int(text) * _MICROSECOND,
}


def encode_key(key: Key) -> str:
    """The key as JSON text: integers and strings as they are, other types under their name."""
    return json.dumps([_encode(value) for value in key])


def decode_key(text: str) -> Key:
    """The key that `encode_key` was given."""
    return tuple(_decode(value) for value in json.loads(text))


def printable_key(key: Key) -> str:
    """The key for people: numbers and UUIDs in full, anything else as a hash, since it may be personal."""
    return ", ".join(_printable(value) for value in key)


def key_in_full(key: Key) -> str:
    """The key as it is, for those who ask for it: a text in quotes, bytes and dates under the name of their type."""
    return ", ".join(json.dumps(_encode(value), ensure_ascii=False) for value in key)


def _encode(value: Any) -> Any:
    if isinstance(value, bytearray | memoryview):
        value = bytes(value)
    if type(value) in _ENCODERS:
        name, encode = _ENCODERS[type(value)]
        return {name: encode(value)}
    if isinstance(value, UUID):  # a driver's own subclass
        return {"uuid": str(value)}
    if value is None or isinstance(value, str | int):  # a group may be the one without a value
        return value
    raise Refused(
        f"a key that arrives as {type(value).__name__} cannot be kept exactly in the ledger: "
        "give the table an integer, UUID or text key",
        code="key-not-kept",
    )


def _decode(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    ((name, text),) = value.items()
    return _DECODERS[name](text)


def _printable(value: Any) -> str:
    if value is None or isinstance(value, int | UUID):
        return str(value)
    digest = hashlib.sha256(encode_key((value,)).encode()).hexdigest()
    return f"#{digest[:12]}"
