"""Expand: add users.skills, still empty."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("users", sa.Column("skills", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("users", "skills")
