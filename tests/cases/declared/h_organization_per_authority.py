"""Organizations of groups: one for each authority, made when it is first needed."""

import secrets

from pydantic import BaseModel
from sqlalchemy import column, select, table

import backfill
from backfill import Insert, is_missing

group = table("group", column("authority"))
organization = table("organization", column("id"), column("pubid"), column("authority"))
default = select(organization.c.id).where(
    organization.c.pubid == "__default__", organization.c.authority == group.c.authority
)


class Group(BaseModel):
    """Read."""

    authority: str
    default_id: int | None


class Organization(BaseModel):
    """Inserted."""

    name: str
    authority: str
    pubid: str


class Membership(BaseModel):
    """Written."""

    organization_id: int | Insert[Organization]


@backfill.transform("group", where=is_missing("organization_id"), lookups={"default_id": default})
def group_organizations(group: Group) -> Membership:
    """The default organization if it has the group's authority, else the one of that name."""
    if group.default_id is not None:
        return Membership(organization_id=group.default_id)
    new = Organization(name=group.authority, authority=group.authority, pubid=secrets.token_urlsafe(6))
    return Membership(organization_id=Insert("organization", new, match=("name", "authority")))


STEPS = (group_organizations,)
