"""Loops: what shipped revisions did, in words of our own, with the fault by which each loses rows without an error."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import column, select, table, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

oauth = table("mcp_oauth", column("id"), column("access_token"), column("access_token_enc"))
queue = table("work_queue", column("id"), column("name"))
flow_run = table("flow_run", column("id"), column("work_queue_id"), column("work_queue_name"))
artifact = table("artifact", column("id"), column("description"))
collection = table("artifact_collection", column("id"), column("latest_id"), column("description"))


class Base(DeclarativeBase):
    """The models that are frozen into a revision."""


class RunOfExperiment(Base):
    """A run, whose key is said to be the experiment's: then a session has one object for all runs of one."""

    __tablename__ = "runs"
    run_uuid: Mapped[str]
    user_id: Mapped[str | None]
    experiment_id: Mapped[int] = mapped_column(primary_key=True)


class Tag(Base):
    """A tag of a run."""

    __tablename__ = "tags"
    key: Mapped[str] = mapped_column(primary_key=True)
    run_uuid: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


def offset_over_a_shrinking_set(connection: sa.Connection, page: int = 1000) -> None:
    """Encrypt page by page; a page that is done leaves the set, and the OFFSET skips as many that are not."""
    waiting = select(oauth.c.id, oauth.c.access_token).where(oauth.c.access_token_enc.is_(None)).order_by(oauth.c.id)
    offset = 0
    while rows := connection.execute(waiting.limit(page).offset(offset)).all():
        for row in rows:
            encrypted = update(oauth).where(oauth.c.id == row.id).values(access_token_enc=f"enc({row.access_token})")
            connection.execute(encrypted)
        offset += page


def end_at_a_full_batch(connection: sa.Connection, batch: int = 250) -> None:
    """Link batch by batch, until one writes no more rows than a batch has: that is the first."""
    for one in connection.execute(select(queue)).all():
        waiting = select(flow_run.c.id).where(
            flow_run.c.work_queue_id.is_(None), flow_run.c.work_queue_name == one.name
        )
        while True:
            ids = connection.scalars(waiting.limit(batch)).all()
            linked = update(flow_run).where(flow_run.c.id.in_(ids)).values(work_queue_id=one.id)
            if connection.execute(linked).rowcount <= batch:
                break


def offset_for_each_row(connection: sa.Connection, page: int = 500) -> None:
    """Copy page by page, with an OFFSET that moves on by a page at every row."""
    every = select(collection).order_by(collection.c.id)
    offset = 0
    while rows := connection.execute(every.limit(page).offset(offset)).all():
        for row in rows:
            latest = select(artifact.c.description).where(artifact.c.id == row.latest_id).scalar_subquery()
            connection.execute(update(collection).where(collection.c.id == row.id).values(description=latest))
            offset += page


def one_object_for_many_rows(connection: sa.Connection) -> None:
    """Tag run by run, each as the session knows it: by a key that many rows share."""
    with Session(connection) as session:
        for run in session.scalars(select(RunOfExperiment).order_by(column("run_uuid"))).all():
            if run.user_id and session.get(Tag, ("mlflow.user", run.run_uuid)) is None:
                session.add(Tag(key="mlflow.user", run_uuid=run.run_uuid, value=run.user_id))
        session.flush()
