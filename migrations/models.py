"""ResumeAI's models, as they are after the last revision."""

import os
from datetime import datetime

from sqlalchemy import JSON, DateTime, String, UniqueConstraint, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

DATABASE_URL = os.environ.get("DATABASE_URL", "sqlite:///resumeai.db")


class Base(DeclarativeBase):
    """What autogenerate compares with the database."""


class User(Base):
    """Somebody who writes a résumé."""

    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("email", name="uq_users_email"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(255))
    full_name: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(DateTime, server_default=func.now())
    profile_picture: Mapped[str | None] = mapped_column(String(200))
    skills: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    first_name: Mapped[str] = mapped_column(String(200))
    last_name: Mapped[str] = mapped_column(String(200))
