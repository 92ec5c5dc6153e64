"""Identities of users: out of a document, into columns."""

from pydantic import BaseModel, JsonValue

import backfill
from backfill import is_missing


class User(BaseModel):
    """Read."""

    meta: dict[str, JsonValue]


class Identity(BaseModel):
    """Written."""

    meta: dict[str, JsonValue]
    identity_verification_status: str
    identity_verification_id: str | None


@backfill.transform("users", where=is_missing("identity_verification_status"))
def identity_fields(user: User) -> Identity:
    """Who has an identity is verified; JSON null is none, and stays where it is."""
    identity = user.meta.get("identity")
    return Identity(
        meta={name: value for name, value in user.meta.items() if name != "identity" or value is None},
        identity_verification_status="unverified" if identity is None else "verified",
        identity_verification_id=None if identity is None else str(identity),
    )


STEPS = (identity_fields,)
