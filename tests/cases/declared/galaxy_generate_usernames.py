"""User names for users without one, made of their addresses."""

import re
from itertools import chain, count

from pydantic import BaseModel
from sqlalchemy import Connection, column, select, table

import backfill
from backfill import is_missing

user = table("galaxy_user", column("username"))


class Address(BaseModel):
    """Read."""

    email: str


class Named(BaseModel):
    """Written."""

    username: str


@backfill.transform(
    "galaxy_user", where=column("email").is_not(None) & (is_missing("username") | (column("username") == ""))
)
def generate_usernames(addresses: list[Address], *, connection: Connection) -> list[Named]:
    """The first name of `name`, `name-1`, `name-2` … that nobody has, users before this one included."""
    given: list[str] = []
    for address in addresses:
        name = re.sub(r"[^a-z0-9.-]", "-", address.email.partition("@")[0].lower())
        taken = {*given, *connection.scalars(select(user.c.username).where(user.c.username.startswith(name)))}
        candidates = chain([name], (f"{name}-{n}" for n in count(1)))
        given.append(next(candidate for candidate in candidates if candidate not in taken))
    return [Named(username=name) for name in given]


STEPS = (generate_usernames,)
